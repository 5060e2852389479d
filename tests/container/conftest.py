"""The project built by SAM, a Docker engine with the runtime's image, and a cloud in which nothing moves."""

import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import docker
import pytest

from exnotify.cloud import Clock, EmbeddedCloud
from exnotify.deployment import embedded
from exnotify.dropping import prepare
from exnotify.simulators import Simulators
from exstream_notify.adapters.bootstrap import Bootstrap
from tests.container import sam
from tests.container.docker_engine import bridge_gateway, engine
from tests.container.https import served
from tests.container.runtime_image import ARCHITECTURE, runtime_image
from tests.needs import ROOT

#: 03:00 in New York: no SMS leaves.
NIGHT = "2026-11-20T08:00:00+00:00"

_BUILD = ROOT / "build" / "container"
_NOT_DECLARED = frozenset({"AWS_ENDPOINT_URL", "EXNOTIFY_CLOCK", "SSL_CERT_FILE"})
_PLACES = {
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
    "AWS::CloudFormation::Stack": "TemplateURL",
}
"""Where a resource says which of the project's files it is made of, beside functions."""
_ACCOUNT = {"username": "container", "password": "for-tests-only"}


QUEUES = [
    name
    for name, resource in sam.load_template(ROOT / "template.yaml")["Resources"].items()
    if resource["Type"] == "AWS::SQS::Queue"
]


@dataclass
class StillCloud:
    """The embedded cloud with the project's stack, but nothing that polls: only the test invokes."""

    cloud: EmbeddedCloud
    simulators: Simulators
    template: Path
    variables: Mapping[str, frozenset[str]]
    folder: Path
    provider: str
    certificate: Path

    @cached_property
    def app(self) -> Bootstrap:
        """The layer's adapters on this stack, with an administrator's rights."""
        return embedded(self.cloud.url).app

    def in_container(self, function: str, event: Any, at: str | None = None) -> Any:
        """Invoke a function in a container, as its role, at the cloud's time or at another."""
        environment = self.cloud.environment(function)
        if at is not None:
            environment["EXNOTIFY_CLOCK"] = Clock.starting(at, None).as_json()
        # The function's folder is the one of this machine's that the container sees.
        shutil.copy(self.certificate, self.template.parent / function / "provider.pem")
        environment["SSL_CERT_FILE"] = "/var/task/provider.pem"
        keys = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
        wanted = self.variables[function] | keys
        variables = {name: value for name, value in environment.items() if name in wanted}
        path = self.folder / "event.json"
        path.write_text(json.dumps(event), encoding="utf-8")
        return sam.invoke(self.template, function, path, variables, ARCHITECTURE, _BUILD / "layers")

    def here(self, function: str, event: Any) -> Any:
        """Invoke a function in a worker of the cloud, to bring about what comes before."""
        value = self.cloud.invoke(function, event).value
        assert not (isinstance(value, dict) and value.get("batchItemFailures")), self.cloud.logs(function)[
            -9:
        ]
        return value

    def drop(self, domain: str, run_id: str, **record: Any) -> None:
        """Drop a sealed run of one document, as Exstream would."""
        folder = self.folder / run_id
        folder.mkdir()
        (folder / "run.index.jsonl").write_text(json.dumps(record) + "\n", encoding="utf-8")
        run = prepare(folder, domain=domain, run_id=run_id, sealed=True)
        assert run.seal is not None
        files = {file.name: file.path.read_bytes() for file in run.files} | {"_COMPLETE.json": run.seal}
        for name, content in files.items():
            self.cloud.client("s3").put_object(
                Bucket=self.cloud.resource("DropBucket"), Key=run.prefix + name, Body=content
            )

    def empty(self) -> None:
        """Nothing waits in any queue: what a test finds there comes of the test."""
        for name in QUEUES:
            self.take(name)

    def take(self, queue: str) -> list[dict[str, Any]]:
        """The bodies of all messages that wait in a queue (logical id), which is empty then."""
        client, url = self.cloud.client("sqs"), self.cloud.resource(queue)
        bodies = []
        while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                bodies.append(json.loads(message["Body"]))
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bodies


@pytest.fixture(scope="session")
def docker_client() -> Iterator[docker.DockerClient]:
    """A Docker engine with the runtime's image; images that SAM makes on it are removed at the end."""
    with engine() as client, runtime_image(client):
        before = {image.id for image in client.images.list()}
        yield client
        for image in client.images.list():
            if image.id not in before and any(tag.startswith("samcli/lambda") for tag in image.tags):
                client.images.remove(image.id, force=True)


@pytest.fixture(scope="session")
def built_template() -> Path:
    """The real template, built by `sam build` for this machine's processor."""
    built = sam.build(ROOT / "template.yaml", _BUILD, ARCHITECTURE, sys.executable)
    return sam.publish_layers(built, _BUILD / "layers")


@pytest.fixture(scope="package")
def still_cloud(
    docker_client: docker.DockerClient, built_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StillCloud]:
    """The cloud, reachable from containers: one for all tests, so each keeps to names of its own."""
    folder = tmp_path_factory.mktemp("still")
    template = still_template()
    still = folder / "still.yaml"
    still.write_text(json.dumps(template, default=str), encoding="utf-8")
    host = bridge_gateway(docker_client)
    now = Clock.starting(NIGHT, None).utc
    simulators = Simulators(now=now, accounts={_ACCOUNT["username"]: _ACCOUNT["password"]})
    with served(simulators, host, folder) as (provider, certificate):
        cloud = EmbeddedCloud(
            still,
            host=host,
            at=NIGHT,
            parameters={"OpenTextUrl": provider},
            environment={"SSL_CERT_FILE": str(certificate)},
        )
        with cloud:
            cloud.client("secretsmanager").put_secret_value(
                SecretId=cloud.resource("OpenTextCredentials"), SecretString=json.dumps(_ACCOUNT)
            )
            variables = {name: _declared(template, name) | _NOT_DECLARED for name in sam.functions(template)}
            declared = sam.declare_variables(built_template, variables)
            yield StillCloud(cloud, simulators, declared, variables, folder, provider, certificate)
    simulators.close()


def still_template() -> dict[str, Any]:
    """The template without what moves by itself: no queue and no schedule feeds a function."""
    template = sam.load_template(ROOT / "template.yaml")
    for properties in sam.functions(template).values():
        events = properties.pop("Events", {})
        # Routes stay: the API's settings name them, and they only move when somebody asks.
        if routes := {name: event for name, event in events.items() if event["Type"] == "HttpApi"}:
            properties["Events"] = routes
        properties["CodeUri"] = str(ROOT / properties["CodeUri"])
    for resource in template["Resources"].values():
        if place := _PLACES.get(resource["Type"]):
            resource["Properties"][place] = str(ROOT / resource["Properties"][place])
    return template


def _declared(template: Mapping[str, Any], function: str) -> frozenset[str]:
    """Names of the variables that the template gives to a function."""
    everywhere = template["Globals"]["Function"]["Environment"]["Variables"]
    own = sam.functions(template)[function].get("Environment", {}).get("Variables", {})
    return frozenset(everywhere) | frozenset(own)
