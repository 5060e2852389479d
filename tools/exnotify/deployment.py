"""Where a command works: the embedded cloud of `exnotify up`, or a deployed stack.

Both are seen through the layer's own adapters, so a command reads with the code that the functions
write with.
"""

import json
import os
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import CommandError, MisuseError

if TYPE_CHECKING:
    from exstream_notify.adapters.bootstrap import Bootstrap
    from exstream_notify.adapters.settings import Settings

DEFAULT_PORT = 4580
URL_VARIABLE = "EXNOTIFY_URL"

_SETTINGS: Mapping[str, str] = {
    "DropBucketName": "drop_bucket",
    "WorkBucketName": "work_bucket",
    "EvidenceBucketName": "evidence_bucket",
    "ContactsTableName": "contacts_table",
    "SuppressionsTableName": "suppressions_table",
    "NoticesTableName": "notices_table",
    "RunsTableName": "runs_table",
    "IncidentsTableName": "incidents_table",
    "JourneysTableName": "journeys_table",
    "FollowUpMachineArn": "follow_up_machine",
    "RunQueueUrl": "run_queue_url",
    "DecideQueueUrl": "decide_queue_url",
    "EmailQueueUrl": "email_queue_url",
    "SmsQueueUrl": "sms_queue_url",
    "UrgentQueueUrl": "urgent_queue_url",
    "ReceiptQueueUrl": "receipt_queue_url",
    "PeppersSecret": "peppers_secret",
    "EvidenceMasterSecret": "evidence_secret",
    "LinkHost": "link_host",
    "ExceptionQueueUrl": "exception_queue_url",
    "AlertChannelsSecret": "alert_channels_secret",
    "LinkKeysSecret": "link_keys_secret",
    "ReferenceKeysSecret": "reference_keys_secret",
    "UnsubscribeKeysSecret": "unsubscribe_keys_secret",
    "EligibilityTokensSecret": "eligibility_secret",
    "ExportBucketName": "export_bucket",
    "ExportQueueUrl": "export_queue_url",
}
"""The template's outputs, and the setting of the layer that each of them is."""

_READS = re.compile(r"(get|list|head|describe|query|scan|batch_get)(_|$)|exceptions$|meta$|can_paginate$")


NO_SITE = "has neither rules/ nor wording/, so nothing of it would be used"


def is_site(folder: Path) -> bool:
    """Whether a folder holds a site's own files."""
    return any((folder / name).is_dir() for name in ("rules", "wording"))


@dataclass(frozen=True)
class Deployment:
    """One running stack. `name` is how it is spoken of, `client` makes boto3 clients by service.

    `url` is the embedded cloud's address, None for a stack on AWS; `pace` its clock (empty: real time),
    `site` the folder with the site's own files that it runs with (empty: none).
    """

    name: str
    outputs: Mapping[str, str]
    client: Callable[[str], Any]
    parameters: Mapping[str, str] = field(default_factory=dict)
    url: str | None = None
    scheduled: tuple[str, ...] = ()
    pace: str = ""
    site: str = ""

    @cached_property
    def settings(self) -> "Settings":
        """The stack's outputs and parameters as the layer's settings."""
        from exstream_notify.adapters.settings import Settings

        values = {_snake(name): value for name, value in self.parameters.items() if value != ""}
        values |= {setting: self.outputs[name] for name, setting in _SETTINGS.items() if name in self.outputs}
        # Whether rules outlive the records is asked where the site's own are at hand: see `read_only`.
        values.pop("record_retention_days", None)
        if self.site:
            values["site_dir"] = self.site
        return Settings.model_validate({k: v for k, v in values.items() if k in Settings.model_fields})

    @cached_property
    def app(self) -> "Bootstrap":
        """The layer's adapters on this stack."""
        return self._bootstrap(self.settings, self.client)

    def read_only(self, site_dir: str | None = None) -> "Bootstrap":
        """The same with clients that cannot change anything; `site_dir` holds a site's own rules.

        The rules are checked as the functions that stage do.
        """
        if site_dir and not is_site(Path(site_dir)):
            raise CommandError(f"{site_dir}: {NO_SITE}")
        changes: dict[str, object] = {"site_dir": site_dir} if site_dir else {}
        if days := self.parameters.get("RecordRetentionDays"):
            changes["record_retention_days"] = int(days)
        settings = self.settings.model_copy(update=changes)
        app = self._bootstrap(settings, lambda service: ReadOnlyClient(self.client(service)))
        _ = app.staging_rules
        return app

    def _bootstrap(self, settings: "Settings", client: Callable[[str], Any]) -> "Bootstrap":
        from exstream_notify.adapters.bootstrap import Bootstrap
        from exstream_notify.adapters.clock import SystemClock

        return Bootstrap(settings, client, SystemClock(self.pace))

    @cached_property
    def who(self) -> str:
        """Who gives the orders, for the records: the AWS identity, or this machine's user."""
        if self.url is None:
            return str(self.client("sts").get_caller_identity()["Arn"])
        import getpass

        try:
            return getpass.getuser()
        except (KeyError, OSError):
            return "unknown"

    def state(self) -> dict[str, Any] | None:
        """What waits and runs in the embedded cloud; None where nobody can tell."""
        return ask(self.url, "GET", "state") if self.url else None

    def settle(self, seconds: float) -> bool:
        """Wait until nothing is queued or runs in the embedded cloud; True at once on AWS."""
        deadline = time.monotonic() + seconds
        while (state := self.state()) is not None and not state["idle"]:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True


class ReadOnlyClient:
    """A boto3 client without the operations that change something."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        """An operation; PermissionError for one that is not plainly a read."""
        if not _READS.match(name):
            raise PermissionError(f"{name} would change something, and this command changes nothing")
        return getattr(self._client, name)


def connect(stack: str | None = None) -> Deployment:
    """The deployment that a command works on; CommandError if it cannot be reached."""
    return _on_aws(stack) if stack else embedded(os.environ.get(URL_VARIABLE) or default_url())


def default_url(port: int = DEFAULT_PORT) -> str:
    """Where `exnotify up` serves unless told otherwise."""
    return f"http://127.0.0.1:{port}"


def embedded(url: str) -> Deployment:
    """The embedded cloud at an address."""
    url = url.rstrip("/")
    try:
        told = ask(url, "GET", "outputs")
    except MisuseError:
        raise
    except CommandError as error:
        raise CommandError(
            f"nothing answers at {url}: start it with `exnotify up`, set {URL_VARIABLE}, "
            "or name a deployed stack with --stack"
        ) from error
    return Deployment(
        f"the embedded cloud at {url}",
        told["outputs"],
        _local_clients(url, told),
        told.get("parameters", {}),
        url,
        tuple(told.get("scheduled", ())),
        json.dumps(told["clock"]),
        told.get("site", ""),
    )


def _local_clients(url: str, told: Mapping[str, Any]) -> Callable[[str], Any]:
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            import boto3
            from botocore.config import Config

            keys = told["admin"]
            session: Any = boto3.session.Session(
                keys["access_key_id"], keys["secret_access_key"], region_name=told["region"]
            )
            made[service] = session.client(
                service,
                endpoint_url=url,
                # No proxy of this machine's surroundings stands between a program and itself.
                config=Config(s3={"addressing_style": "path"}, proxies={}, retries={"max_attempts": 2}),
            )
        return made[service]

    return client


def _on_aws(stack: str) -> Deployment:
    import boto3
    from botocore.exceptions import ClientError

    # The AWS CLI reads AWS_REGION first; boto3 alone would read AWS_DEFAULT_REGION and the profile.
    session: Any = boto3.session.Session(region_name=os.environ.get("AWS_REGION") or None)
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            made[service] = session.client(service)
        return made[service]

    try:
        (found,) = client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"].get("Code") == "ValidationError":
            raise CommandError(
                f"there is no stack {stack} in {session.region_name}: check its name, region and account"
            ) from error
        raise
    outputs = {row["OutputKey"]: row["OutputValue"] for row in found.get("Outputs", ())}
    if missing := sorted(set(_SETTINGS) - set(outputs)):
        raise CommandError(f"{stack} is no stack of this template: it has no output {missing[0]}")
    parameters = {row["ParameterKey"]: row.get("ParameterValue", "") for row in found.get("Parameters", ())}
    scheduled = tuple(sorted(name.removesuffix("Name") for name in outputs if name.endswith("FunctionName")))
    return Deployment(f"stack {stack}", outputs, client, parameters, scheduled=scheduled)


def ask(url: str, method: str, path: str, *, prefix: str = "/_exnotify/", timeout: float = 30.0) -> Any:
    """The JSON answer of an address of the embedded cloud; CommandError where there is none."""
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise MisuseError(f"{URL_VARIABLE} is {url!r}, which is no http address")
    # No proxy of this machine's surroundings stands between a program and itself.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(f"{url}{prefix}{path}", method=method)  # noqa: S310 - scheme checked
    try:
        with opener.open(request, timeout=timeout) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            raise CommandError(_said(error) or f"{url} answers {error.code} to {method} {path}") from error
    except (OSError, ValueError) as error:
        raise CommandError(f"{url} does not answer: {error}") from error


def _said(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read())["error"])
    except (ValueError, KeyError, TypeError):
        return ""


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
