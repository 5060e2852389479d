"""What is not known is refused by name; what is known deploys."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from exnotify.cloud import EmbeddedCloud, TemplateError
from exnotify.cloud.access import AccessControl
from exnotify.cloud.clients import Clients
from exnotify.cloud.deploy import deploy
from exnotify.cloud.emulator import Emulator
from exnotify.cloud.resources import RESOURCE_TYPES
from exnotify.cloud.server import Server
from exnotify.cloud.stack import Created, ResourceType, Stack
from exnotify.cloud.template import load_template
from tests.container import sam

PROJECT = Path(__file__).parents[2] / "template.yaml"

# Made once: a boto3 client costs more than a deployment that is refused.
EMULATOR = Emulator("us-east-1")
ACCESS = AccessControl(EMULATOR)
CLIENTS = Clients(Server(EMULATOR, ACCESS), "http://127.0.0.1:1", "us-east-1")


def refusal(path: Path, **parameters: str) -> str:
    """Why a template is refused; fails if it is not."""
    ACCESS.forget()
    with EMULATOR.running():
        try:
            template = load_template(path, parameters, "us-east-1")
            deploy(template, Stack("exnotify", EMULATOR.place, CLIENTS, ACCESS, template.code))
        except TemplateError as error:
            return str(error)
    return pytest.fail("it was deployed")


@pytest.fixture
def refused(tmp_path: Path, miniature: Path) -> Any:
    """Deploys the miniature template with something changed, and returns the refusal."""
    for folder in ("functions", "layers"):
        (tmp_path / folder).symlink_to(miniature.parent / folder)

    def attempt(old: str, new: str, **parameters: str) -> str:
        text = miniature.read_text()
        assert old in text
        changed = tmp_path / "template.yaml"
        changed.write_text(text.replace(old, new, 1))
        return refusal(changed, **parameters)

    return attempt


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "VisibilityTimeout: 12",
            "VisibilityTimeout: 12\n      VisibleTimeout: 1",
            "Orders (AWS::SQS::Queue): property VisibleTimeout is not known",
        ),
        (
            "VersioningConfiguration: {Status: Enabled}",
            "VersioningConfiguration: {Status: Enabled, MfaDelete: x}",
            "Bucket (AWS::S3::Bucket): property VersioningConfiguration.MfaDelete is not known",
        ),
        (
            "Targets: [{Id: Orders,",
            "Targets: [{Batch: {}, EcsParameters: {TaskCount: 1}, Id: Orders,",
            "Rule (AWS::Events::Rule): property Targets.EcsParameters.TaskCount is not known",
        ),
        (
            "  Failures: {Type: AWS::SQS::Queue}",
            "  Failures: {Type: AWS::SQS::Topic}",
            "Failures: type AWS::SQS::Topic is not known",
        ),
        (
            "  Failures: {Type: AWS::SQS::Queue}",
            "  Failures: {Type: AWS::SQS::Queue, CreationPolicy: {}}",
            "Failures (AWS::SQS::Queue): CreationPolicy is not known",
        ),
        (
            "!GetAtt DeadLetters.QueueName",
            "!GetAtt DeadLetters.Length",
            "attribute Length of DeadLetters (AWS::SQS::Queue) is not known",
        ),
        ("Value: !Ref Table", "Value: !Ref Tabel", "Tabel is neither a parameter nor a resource"),
        ("Value: !Ref Table", "Value: !ImportValue other", "Fn::ImportValue is not known"),
        ("Value: !Ref Table", "Value: '{{resolve:ssm:name}}'", "dynamic reference"),
        ("Outputs:", "Rules: {}\nOutputs:", "section Rules is not known"),
        (
            "CodeUri: functions/sweep/",
            "CodeUri: functions/swept/",
            "SweepFunction (AWS::Serverless::Function): CodeUri functions/swept/ is no folder",
        ),
        (
            "      CodeUri: functions/sweep/",
            "      CodeUri: functions/sweep/\n      Handler: main.handler",
            "Handler main.handler: there is no main.py",
        ),
        ("Runtime: python3.13", "Runtime: nodejs22.x", "Runtime nodejs22.x is not known"),
        ("      Timeout: 2", "      Timeout: 901", "Timeout must be from 1 to 900"),
        (
            "      Timeout: 2",
            "      Timeout: 13",
            "visibility time-out of 12 seconds is less than the function's time-out of 13",
        ),
        ("BatchSize: 5", "BatchSize: 11", "BatchSize must be"),
        (
            "MaximumConcurrency: !Ref Concurrency",
            "MaximumConcurrency: 1",
            "MaximumConcurrency must be from 2",
        ),
        ("[ReportBatchItemFailures]", "[ReportEverything]", "FunctionResponseTypes"),
        ("TABLE: !Ref Table", "TABLE: !Ref Table\n        AWS_REGION: x", "Lambda reserves AWS_REGION"),
        ("TABLE: !Ref Table", f"TABLE: !Ref Table\n        LONG: {'x' * 4096}", "and Lambda takes 4096"),
        (
            'wildcard: "drop/*.json"',
            'wildcrad: "drop/*.json"',
            "EventPattern.detail.object.key: wildcrad is no condition",
        ),
        ('wildcard: "drop/*.json"', 'wildcard: "drop/*a*aa*aaa.json"', "Rule is too complex"),
        ('wildcard: "drop/*.json"', 'wildcard: "drop/**.json"', "two stars follow each other"),
        ('wildcard: "drop/*.json"', "anything-but: []", "anything-but takes a list of strings"),
        ('wildcard: "drop/*.json"', "anything-but: [{prefix: tmp/}]", "anything-but takes a list of strings"),
        (
            'object: {key: [{wildcard: "drop/*.json"}]}',
            '$or: [{object: {key: [{wildcard: "drop/*.json"}]}}]',
            "$or must have two alternatives",
        ),
        (
            "detail-type: [Object Created]",
            "detail-type: [Object Tags Added]",
            "Object Tags Added does not happen",
        ),
        ("rate(1 hour)", "rate(1 hours)", "rate(1 hours)"),
        ("maxReceiveCount: 3", "maxReceiveCount: 0", "maxReceiveCount must be from 1 to 1000"),
        (
            'ArnEquals: {"aws:SourceArn": !GetAtt UninvitedRule.Arn}',
            'NumericEquals: {"aws:SourceArn": 1}',
            "DeadLettersPolicy (AWS::SQS::QueuePolicy): condition operator NumericEquals",
        ),
        (
            "  Secret:\n    Type: AWS::SecretsManager::Secret",
            "  Secret:\n    DependsOn: TakeOrdersFunction\n    Type: AWS::SecretsManager::Secret",
            "depend on each other",
        ),
        (
            "Policies:\n        - Version",
            "Policies:\n        - AdministratorAccess\n        - Version",
            "AdministratorAccess",
        ),
    ],
)
def test_what_is_not_known_is_refused_by_name(refused: Any, old: str, new: str, says: str) -> None:
    assert says in refused(old, new)


OWN_ROLE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Queue: {Type: AWS::SQS::Queue}
  Failures: {Type: AWS::SQS::Queue}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: SERVICE}, Action: "sts:AssumeRole"}]
        Version: "2012-10-17"
      Policies:
        - PolicyName: own
          PolicyDocument:
            Version: "2012-10-17"
            Statement: [{Effect: Allow, Action: [ACTIONS], Resource: !GetAtt Queue.Arn}]
  F:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: f/
      Handler: app.handler
      Runtime: python3.13
      Role: !GetAtt Role.Arn
      EventInvokeConfig: {DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt DESTINATION.Arn}}}
      Events: {Q: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}}
"""
FULL = "sqs:ReceiveMessage, sqs:DeleteMessage, sqs:GetQueueAttributes, sqs:SendMessage"


@pytest.mark.parametrize(
    ("service", "actions", "destination", "says"),
    [
        ("events.amazonaws.com", FULL, "Queue", "Role exnotify-Role cannot be assumed by Lambda"),
        (
            "lambda.amazonaws.com",
            FULL.replace("sqs:DeleteMessage, ", ""),
            "Queue",
            "the role of F has no permission sqs:DeleteMessage on",
        ),
        (
            "lambda.amazonaws.com",
            FULL,
            "Failures",
            "OnFailure.Destination: the role exnotify-Role has no permission sqs:SendMessage on",
        ),
    ],
)
def test_what_lambda_refuses_of_a_role_is_refused(
    tmp_path: Path, service: str, actions: str, destination: str, says: str
) -> None:
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "app.py").touch()
    template = tmp_path / "template.yaml"
    text = (
        OWN_ROLE.replace("SERVICE", service).replace("ACTIONS", actions).replace("DESTINATION", destination)
    )
    template.write_text(text)
    assert says in refusal(template)


def test_an_attribute_that_no_key_uses_is_refused(refused: Any) -> None:
    old = "{AttributeName: owner, AttributeType: S}]"
    message = refused(
        old, "{AttributeName: owner, AttributeType: S}, {AttributeName: spare, AttributeType: S}]"
    )
    assert "Table (AWS::DynamoDB::Table): AttributeDefinitions and keys differ: spare" in message


def test_a_refused_template_leaves_nothing_running(tmp_path: Path, miniature: Path) -> None:
    (tmp_path / "template.yaml").write_text("Resources: {Q: {Type: AWS::SQS::Kew}}")
    with pytest.raises(TemplateError):
        EmbeddedCloud(tmp_path / "template.yaml").start()
    with EmbeddedCloud(miniature) as cloud:
        assert cloud.invoke("TakeOrdersFunction", {"do": "return", "expression": "1"}).value == 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"Moood": "calm"}, "the template has no parameter Moood"),
        ({"Mood": "sad"}, "parameter Mood: 'sad' is not one of calm, wild"),
        ({"Concurrency": "1"}, "parameter Concurrency: '1' is below 2"),
        ({"Concurrency": "many"}, "parameter Concurrency: 'many' is not a number"),
    ],
)
def test_parameters_are_checked(refused: Any, given: dict[str, str], says: str) -> None:
    assert says in refused("BatchSize: 5", "BatchSize: 5", **given)


def test_a_condition_changes_what_is_deployed(miniature: Path) -> None:
    with EmbeddedCloud(miniature, parameters={"Mood": "wild", "Greeting": "hi"}) as cloud:
        assert cloud.outputs["Wild"] == "very"
        assert cloud.environment("SweepFunction")["GREETING"] == "hi, exnotify"


# ---- nested stacks ----

NESTED = Path(__file__).parent / "nested"


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        (
            "inner/watch.yaml",
            "Period: 60",
            "Period: 60\n      Colour: red",
            "Watch/DepthAlarm (AWS::CloudWatch::Alarm): property Colour is not known",
        ),
        (
            "inner/watch.yaml",
            "AWS::SNS::Topic",
            "AWS::SNS::Topik",
            "Watch/Topic: type AWS::SNS::Topik is not known",
        ),
        (
            "inner/deeper.yaml",
            "AWS::Logs::LogGroup}",
            "AWS::Logs::LogGroup, CreationPolicy: {}}",
            "Watch/Deeper/Group (AWS::Logs::LogGroup): CreationPolicy is not known",
        ),
        (
            "inner/watch.yaml",
            "  Topic: {Type: AWS::SNS::Topic}",
            "  Topic: {Type: AWS::SQS::Queue}",
            "Watch/Topic: type AWS::SQS::Queue is not known to the embedded cloud in a nested stack",
        ),
        (
            "inner/watch.yaml",
            "  Topic: {Type: AWS::SNS::Topic}",
            "  Topic: {Type: AWS::Serverless::Function}",
            "Watch/Topic: type AWS::Serverless::Function is not known",
        ),
        (
            "template.yaml",
            "        Key: hidden",
            "        Key: hidden\n        Lock: x",
            "Watch (AWS::CloudFormation::Stack): the template has no parameter Lock",
        ),
        (
            "template.yaml",
            "        Key: hidden\n",
            "",
            "Watch (AWS::CloudFormation::Stack): parameter Key has neither a value nor a default",
        ),
        (
            "template.yaml",
            "        Key: hidden\n",
            f"        Key: {'x' * 4097}\n",
            "Watch (AWS::CloudFormation::Stack): parameter Key: CloudFormation takes 4096 bytes",
        ),
        (
            "template.yaml",
            "        Key: hidden\n",
            "        Key: [hidden]\n",
            "Watch (AWS::CloudFormation::Stack): Parameters.Key must be a string",
        ),
        (
            "template.yaml",
            "      Parameters:\n",
            "      TimeoutInMinutes: 5\n      Parameters:\n",
            "Watch (AWS::CloudFormation::Stack): property TimeoutInMinutes is not known",
        ),
        (
            "template.yaml",
            "TemplateURL: inner/watch.yaml\n",
            "TemplateURL: inner/wach.yaml\n",
            "Watch (AWS::CloudFormation::Stack): TemplateURL must be a file of this project",
        ),
        (
            "template.yaml",
            "Watch.Outputs.Depth",
            "Watch.Outputs.Width",
            "attribute Outputs.Width of Watch (AWS::CloudFormation::Stack) is not known",
        ),
        (
            "inner/watch.yaml",
            "!GetAtt DepthAlarm.Arn",
            "!Ref Queue2",
            "Watch (AWS::CloudFormation::Stack): Queue2 is neither a parameter nor a resource",
        ),
    ],
)
def test_what_a_nested_stack_does_not_know_is_refused_by_its_path(
    tmp_path: Path, file: str, old: str, new: str, says: str
) -> None:
    folder = shutil.copytree(NESTED, tmp_path / "nested")
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))
    assert refusal(folder / "template.yaml").startswith(says)


# ---- the table of types ----


def test_a_path_covers_what_lies_beneath_it() -> None:
    kind = ResourceType(lambda *_: Created(""), effective=("A", "B.C"), recorded={"D.E": "why"})
    assert kind.unknown({"A": {"x": [{"y": 1}]}, "B": {"C": {"z": 1}}, "D": [{"E": 1}], "F": {}}) is None
    assert kind.unknown({"B": {"X": 1}}) == "B.X"
    assert kind.unknown({"D": [{"E": 1}, {"F": 1}]}) == "D.F"
    assert kind.unknown({"B": "text"}) == "B"
    assert kind.unknown({"AB": 1}) == "AB"


@pytest.mark.parametrize("name", sorted(RESOURCE_TYPES))
def test_a_type_says_why_it_ignores_what_it_ignores(name: str) -> None:
    kind = RESOURCE_TYPES[name]
    assert not set(kind.effective) & set(kind.recorded)
    assert all(kind.recorded.values())


# ---- the project's own template ----


def test_the_projects_template_deploys_as_it_stands(tmp_path: Path) -> None:
    source = sam.load_template(PROJECT)
    # Only the template is at stake here: the code folders are stand-ins where they are not there yet.
    (tmp_path / "template.yaml").write_text(PROJECT.read_text())
    for name in ("statemachines", "monitoring.yaml"):
        (tmp_path / name).symlink_to(PROJECT.parent / name)
    for resource in source["Resources"].values():
        folder = resource.get("Properties", {}).get("CodeUri") or resource.get("Properties", {}).get(
            "ContentUri"
        )
        if folder:
            (tmp_path / folder).mkdir(parents=True)
            (tmp_path / folder / "app.py").write_text("def handler(event, context): return {}\n")
    with EmbeddedCloud(tmp_path / "template.yaml") as cloud:
        assert set(cloud.outputs) == {
            name for name, output in source["Outputs"].items() if "Condition" not in output
        }
        deployed = {resource["type"] for resource in cloud.describe()["resources"].values()}
        assert {"AWS::SQS::QueuePolicy", "AWS::Lambda::EventSourceMapping", "AWS::IAM::Role"} <= deployed
        for name, resource in source["Resources"].items():
            if resource["Type"] == "AWS::Serverless::Function":
                assert cloud.invoke(name, {}).value == {}
