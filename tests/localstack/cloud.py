"""LocalStack as the tests see it: started on this machine, and what `sam deploy` made of a template in it."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import yaml

from exnotify.cloud.intrinsics import Resolver
from exnotify.cloud.template import resolve_parameters
from tests.container import sam
from tests.needs import LOCALSTACK, ROOT
from tests.processes import start

ACCOUNT = "000000000000"
REGION = "us-east-1"
STACK = "exstream-notify"
_START_LIMIT = 120.0  # seconds
_DEPLOY_LIMIT = 400.0
_FALLBACK = "is not supported but was deployed as a fallback"

Json = dict[str, Any]

#: What LocalStack cannot do here, with the reason for each row.
STAND_INS: Mapping[str, Mapping[str, Any]] = yaml.safe_load(
    (Path(__file__).with_name("stand_ins.yaml")).read_text("utf-8")
)

# GetAtt of what these tests meet; {name} is the last part of the physical id.
_ATTRIBUTES = {
    ("AWS::SQS::Queue", "Arn"): "arn:aws:sqs:{region}:{account}:{name}",
    ("AWS::DynamoDB::Table", "Arn"): "arn:aws:dynamodb:{region}:{account}:table/{name}",
    ("AWS::Lambda::Function", "Arn"): "arn:aws:lambda:{region}:{account}:function:{name}",
    ("AWS::IAM::Role", "Arn"): "arn:aws:iam::{account}:role/{name}",
    ("AWS::S3::Bucket", "Arn"): "arn:aws:s3:::{name}",
    ("AWS::Events::Rule", "Arn"): "arn:aws:events:{region}:{account}:rule/{name}",
    ("AWS::KMS::Key", "Arn"): "arn:aws:kms:{region}:{account}:key/{name}",
    ("AWS::Logs::LogGroup", "Arn"): "arn:aws:logs:{region}:{account}:log-group:{ref}:*",
    ("AWS::StepFunctions::StateMachine", "Arn"): "{ref}",
    ("AWS::CloudWatch::Alarm", "Arn"): "arn:aws:cloudwatch:{region}:{account}:alarm:{ref}",
    ("AWS::CloudWatch::CompositeAlarm", "Arn"): "arn:aws:cloudwatch:{region}:{account}:alarm:{ref}",
}


@dataclass(frozen=True)
class Cloud:
    """A LocalStack that runs: its address, and the folder of its files."""

    url: str
    folder: Path

    @property
    def environment(self) -> Mapping[str, str]:
        """What an AWS tool needs to work with it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
        }

    def client(self, service: str) -> Any:
        """A boto3 client; no setting of the machine's user counts."""
        return self._session.client(service, endpoint_url=self.url)

    @cached_property
    def _session(self) -> boto3.Session:
        return boto3.Session("test", "test", region_name=REGION)

    def invocations(self) -> list[Json]:
        """What functions were invoked with so far: their name as `function`, and the `event`."""
        file = self.folder / "invocations.jsonl"
        return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []

    def types(self) -> set[str]:
        """The resource types that its CloudFormation deploys itself."""
        return set(json.loads((self.folder / "types.json").read_text("utf-8")))


def start_cloud(folder: Path, port: int, dynamodb_port: int) -> tuple[Cloud, "subprocess.Popen[bytes]"]:
    """Starts LocalStack; the caller ends the process. Raises RuntimeError with the log if it does not start."""
    settings = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "FILESYSTEM_ROOT": str(folder),
        "OVERRIDE_IN_DOCKER": "0",  # also inside of a container: files only below the folder
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "LOCALSTACK_HOST": f"127.0.0.1:{port}",
        "SQS_ENDPOINT_STRATEGY": "path",  # queue addresses without a name that DNS would have to know
        "DNS_ADDRESS": "0",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        # An unknown type becomes a resource in name only, which says so: stand_ins.yaml lists them.
        "CFN_IGNORE_UNSUPPORTED_RESOURCE_TYPES": "1",
        "LAMBDA_SYNCHRONOUS_CREATE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore",
    }
    variables = [f"{name}={value}" for name, value in settings.items()]
    engine = str(Path(__file__).with_name("engine.py"))
    log = folder / "log"
    with log.open("wb") as out:
        process = start(
            ["env", "-i", *variables, str(LOCALSTACK), engine, str(folder), str(dynamodb_port)], out
        )
    deadline = time.monotonic() + _START_LIMIT
    while time.monotonic() < deadline and process.poll() is None:
        if b"\nReady." in log.read_bytes():
            return Cloud(f"http://127.0.0.1:{port}", folder), process
        time.sleep(0.2)
    process.kill()
    process.wait()
    raise RuntimeError(f"LocalStack did not start:\n{log.read_text('utf-8', 'replace')[-6000:]}")


def build(folder: Path) -> Path:
    """The built template, with the deletion policies that LocalStack knows."""
    built = sam.build(ROOT / "template.yaml", folder, "arm64", sys.executable)
    for template in built.parent.glob("**/template.y*ml"):  # those of nested stacks too
        text = template.read_text("utf-8")
        for policy, row in STAND_INS["policies"].items():
            text = re.sub(rf"(DeletionPolicy: ){policy}$", rf"\1{row['stand_in']}", text, flags=re.M)
        template.write_text(text, "utf-8")
    return built


def deploy(cloud: Cloud, built: Path, parameters: Mapping[str, str]) -> None:
    """`sam deploy` with the project's samconfig.toml, as a site does it. Raises SamError."""
    sam.run(
        "deploy",
        *("--config-file", str(ROOT / "samconfig.toml"), "--template-file", str(built)),
        *("--stack-name", STACK, "--capabilities", "CAPABILITY_IAM", "--resolve-s3"),
        *("--no-confirm-changeset", "--no-progressbar"),
        *("--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())),
        limit=_DEPLOY_LIMIT,
        environment=cloud.environment,
    )


@dataclass(frozen=True)
class Resource:
    """A resource of a deployed stack, with the properties that its template gives it, all resolved."""

    name: str
    type: str
    ref: str
    properties: Json
    policy: str
    in_name_only: bool


class Deployed:
    """A stack in the cloud: its resources, those of nested stacks included."""

    def __init__(self, cloud: Cloud, stack: str = STACK) -> None:
        self._cloud = cloud
        self._cloudformation = cloud.client("cloudformation")
        (described,) = self._cloudformation.describe_stacks(StackName=stack)["Stacks"]
        self.status: str = described["StackStatus"]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
        body = self._cloudformation.get_template(StackName=stack, TemplateStage="Processed")["TemplateBody"]
        self._body: Json = body if isinstance(body, dict) else yaml.safe_load(body)
        pages = self._cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        self._listed = {
            row["LogicalResourceId"]: row
            for page in pages
            for row in page["StackResourceSummaries"]
            if not row["ResourceStatus"].startswith("DELETE")
        }
        given = {entry["ParameterKey"]: entry["ParameterValue"] for entry in described.get("Parameters", [])}
        self._resolver = Resolver(
            self._body,
            resolve_parameters(self._body.get("Parameters", {}), given),
            {
                "AWS::AccountId": ACCOUNT,
                "AWS::Region": REGION,
                "AWS::Partition": "aws",
                "AWS::URLSuffix": "127.0.0.1",  # LocalStack's own name, wherever it listens
                "AWS::StackName": described["StackName"],
                "AWS::StackId": described["StackId"],
            },
            self.ref,
            self._attribute,
        )

    def expected(self) -> set[str]:
        """The logical ids of the template whose condition holds."""
        return {
            name
            for name, resource in self._body["Resources"].items()
            if "Condition" not in resource or self._resolver.condition(resource["Condition"])
        }

    def listed(self) -> set[str]:
        """The logical ids that the stack has."""
        return set(self._listed)

    def ref(self, name: str) -> str:
        """What Ref yields for a logical id."""
        return str(self._listed[name]["PhysicalResourceId"])

    @cached_property
    def nested(self) -> Mapping[str, "Deployed"]:
        """The stacks within this one, by logical id."""
        return {
            name: Deployed(self._cloud, self.ref(name))
            for name, row in self._listed.items()
            if row["ResourceType"] == "AWS::CloudFormation::Stack"
        }

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        """All resources, and after them those of nested stacks."""
        return (*self._own(), *(one for stack in self.nested.values() for one in stack.resources))

    def one(self, name: str) -> Resource:
        """The resource with a logical id. Raises StopIteration."""
        return next(resource for resource in self.resources if resource.name == name)

    def of_type(self, *types: str) -> list[Resource]:
        """The resources of these types."""
        return [resource for resource in self.resources if resource.type in types]

    def _own(self) -> Iterator[Resource]:
        for name in sorted(self.expected() & self.listed()):
            declared = self._body["Resources"][name]
            yield Resource(
                name,
                declared["Type"],
                self.ref(name),
                self._resolver.resolve(declared.get("Properties", {})),
                declared.get("DeletionPolicy", "Delete"),
                _FALLBACK in self._listed[name].get("ResourceStatusReason", ""),
            )

    def _attribute(self, name: str, attribute: str) -> str:
        kind, ref = self._body["Resources"][name]["Type"], self.ref(name)
        if attribute.startswith("Outputs."):
            return self.nested[name].outputs[attribute.removeprefix("Outputs.")]
        form = _ATTRIBUTES.get((kind, attribute))
        short = re.split(r"[:/]", ref)[-1]
        if form is None:  # QueueName, TopicName, and what is there in name only
            return short
        return form.format(region=REGION, account=ACCOUNT, name=short, ref=ref)
