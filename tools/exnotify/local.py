"""The embedded cloud as `exnotify up` and `exnotify demo` start it: with simulated providers and inbox."""

import json
import secrets
import threading
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from exnotify.cloud import EmbeddedCloud
from exnotify.cloud.clock import WORKING_RATE
from exnotify.inbox import Inbox
from exnotify.simulators import MessageStore, Receipt, SimulatedMessage, Simulators
from exstream_notify.adapters.bootstrap import Bootstrap

from .catcher import Catcher
from .courier import Courier, Ways, hook_secret_of
from .deployment import NO_SITE, Deployment, is_site

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template.yaml"
ACCOUNT = "exnotify"
OWN_PARAMETERS: Mapping[str, str] = {
    "OpenTextUrl": "{url}",
    "BounceMails": "on",
    "BounceAddress": "bounces@example.com",
    "LinkHost": "{api}",
    # Files arrive at once on one machine, and the simulators take what a worker can send.
    "QuietPeriodSeconds": "10",
    "ExportSegments": "2",
    "EmailRate": "1000",
    "SmsRate": "200",
}
"""What differs here from the template's own defaults."""

CHAOS = ("duplicates", "reorder", "partial", "faults")
FAULTS: Mapping[str, float] = {"throttle": 0.15, "drop": 0.04, "hang": 0.01}
"""Shares of the providers' requests that go wrong under `--chaos faults`."""


class LocalCloud(EmbeddedCloud):
    """The embedded cloud on this project's template, with everything that stands around it.

    `parameters` go over the template's own defaults; `data` is a folder for the functions' logs and a copy
    of every message; `working_rate` as `EmbeddedCloud` has it; `site` is a folder with the site's own rules
    and wording, in place of its layer. Raises what `EmbeddedCloud` raises.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        at: str | None = None,
        day: float | None = None,
        working_rate: float = WORKING_RATE,
        seed: int = 0,
        chaos: frozenset[str] = frozenset(),
        data: Path | None = None,
        site: Path | None = None,
        parameters: Mapping[str, str] | None = None,
        template: Path = TEMPLATE,
        receipts: bool = True,
    ) -> None:
        given = {**OWN_PARAMETERS, **(parameters or {})}
        super().__init__(
            template,
            port=port,
            at=at,
            day=day,
            working_rate=working_rate,
            seed=seed,
            chaos=chaos,
            parameters=given,
            log_dir=data / "logs" if data else None,
            environment={"SITE_DIR": str(site.resolve())} if site else None,
        )
        self._site = str(site.resolve()) if site else ""
        self._defaults = _defaults(template)
        self._given = given
        self._password = secrets.token_urlsafe(24)
        self._archive = _Archive(data / "messages") if data else None
        self.courier = Courier(self._ways, self.client, lambda: self.clock.rate) if receipts else None
        self.messages = MessageStore()
        self.simulators = Simulators(
            store=self.messages,
            now=self.clock.utc,
            seed=seed,
            accounts={ACCOUNT: self._password},
            sink=self._take,
        )
        if "faults" in chaos:
            for provider in self.simulators.providers:
                self.simulators.faults.set(provider.name, **FAULTS)
        for matches, app in self.simulators.mounts():
            self.mount(matches, app)
        inbox = Inbox(self.messages, self._describe_notice)
        self.mount(inbox.matches, inbox)
        self.catcher = Catcher()
        self.mount(self.catcher.matches, self.catcher)

    def start(self) -> "LocalCloud":
        """Start it all; the functions' credentials for OpenText are the simulator's."""
        super().start()
        self.client("secretsmanager").put_secret_value(
            SecretId=self.resource("OpenTextCredentials"),
            SecretString=json.dumps({"username": ACCOUNT, "password": self._password}),
        )
        self.client("secretsmanager").put_secret_value(
            SecretId=self.resource("AlertChannels"),
            SecretString=json.dumps({"webhook": f"{self.url}/chat/hook"}),
        )
        self._set_up_accounts()
        if self.courier:
            self.courier.start()
        return self

    def _set_up_accounts(self) -> None:
        """The providers' accounts as docs/receipts.md has an operator set them up."""
        parameters, ways, region = self.parameters, self._ways(), self.describe()["region"]
        ses, sms = self.simulators.ses.account, self.simulators.sms.account
        for name in ("SenderEmail", "BounceAddress"):
            if address := parameters.get(name):
                ses.verify(address.rpartition("@")[2].lower())
        ses.publish(parameters.get("SesConfigurationSet", ""), ways.ses_topic)
        sms.publish(parameters.get("SmsConfigurationSet", ""), ways.sms_topic, region)
        sms.lease(parameters.get("SmsSender", ""), ways.replies_topic, region)

    def stop(self) -> None:
        """End everything; safe to call twice."""
        if self.courier:
            self.courier.stop()
        self.simulators.close()
        super().stop()

    def _take(self, message: SimulatedMessage, receipts: Sequence[Receipt]) -> None:
        if self._archive:
            self._archive.keep(message, receipts)
        if self.courier:
            self.courier.take(message, receipts)

    @cache  # noqa: B019 - as long-lived as the process
    def _ways(self) -> Ways:
        outputs = self.outputs
        hook_secret = outputs.get("ReceiptHookSecretArn", "")

        def secret() -> str:
            return hook_secret_of(self.client, hook_secret)

        return Ways(
            outputs.get("SesReceiptsTopicArn", ""),
            outputs.get("SmsReceiptsTopicArn", ""),
            outputs.get("SmsRepliesTopicArn", ""),
            outputs.get("ReceiptHookUrl", ""),
            secret,
        )

    @property
    def inbox_url(self) -> str:
        """Where a person reads what customers got."""
        return f"{self.url}/inbox"

    @property
    def chat_url(self) -> str:
        """Where a person reads what teams got by chat."""
        return f"{self.url}/chat"

    @property
    def parameters(self) -> dict[str, str]:
        """The template's parameters as deployed."""
        return {**self._defaults, **{name: self.filled(value) for name, value in self._given.items()}}

    def describe(self) -> dict[str, Any]:
        """See `EmbeddedCloud.describe`; with the parameters, the inbox and the site's folder."""
        more = {"parameters": self.parameters, "inbox": self.inbox_url, "site": self._site}
        return {**super().describe(), **more}

    def deployment(self) -> Deployment:
        """This cloud, as commands see it."""
        return Deployment(
            f"the embedded cloud at {self.url}",
            self.outputs,
            self.client,
            self.parameters,
            self.url,
            tuple(self.describe()["scheduled"]),
            self.clock.as_json(),
            self._site,
        )

    def _describe_notice(self, notice_id: str) -> Mapping[str, Any] | None:
        return notice_facts(self.deployment().app, notice_id)


def notice_facts(app: Bootstrap, notice_id: str) -> Mapping[str, Any] | None:
    """What the ledger says of a message's notice, for the inbox and the outbox; None if it has none."""
    found = app.ledger.get([notice_id]).get(notice_id)
    if found is None:
        return None
    return {
        "document_id": found.document_id,
        "customer_key": found.customer_key,
        "recipient": found.recipient,
        "audience": found.audience,
        "purpose": found.purpose,
    }


class _Archive:
    """Keeps every message as a file: `.eml` for e-mail, `.txt` for SMS. Numbers go on behind what an earlier
    embedded cloud kept there, and nothing is written over, also where two write at the same time."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._lock = threading.Lock()
        kept = (int(path.stem) for path in folder.iterdir() if path.stem.isdigit())
        self._last = max(kept, default=0)

    def keep(self, message: SimulatedMessage, receipts: Sequence[Receipt]) -> None:
        """Write one message; its receipts are not ours to deliver."""
        ending = "eml" if message.channel == "email" else "txt"
        head = "" if message.channel == "email" else f"To: {message.to}\nFrom: {message.sender}\n\n"
        with self._lock:
            while True:
                self._last += 1
                try:
                    with (self._folder / f"{self._last:06d}.{ending}").open("x", encoding="utf-8") as file:
                        file.write(head + message.source)
                    return
                except FileExistsError:
                    continue


class _Loader(yaml.SafeLoader):
    """Reads a template for its plain values; CloudFormation's tags stand for nothing here."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


def _defaults(template: Path) -> dict[str, str]:
    loaded = yaml.load(template.read_text("utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    parameters: dict[str, dict[str, Any]] = loaded.get("Parameters") or {}
    return {name: str(entry["Default"]) for name, entry in parameters.items() if "Default" in entry}


def check_site(site: Path, parameters: Mapping[str, str] | None = None, today: date | None = None) -> None:
    """Whether a site's own rules and wording can be used together: ValueError with file, line and key
    otherwise, or if there is nothing of a site's in the folder. `parameters` are the template's; `today`,
    if given, is the day on which the site starts."""
    from exstream_notify.adapters.rendering.coverage import refuse_gaps
    from exstream_notify.adapters.rules import RulesInvalid, YamlRules

    if not is_site(site):
        raise ValueError(f"{site}: {NO_SITE}")
    wording = site / "wording"
    rules = YamlRules(site / "rules")
    language = (parameters or {}).get("DefaultLanguage") or _defaults(TEMPLATE)["DefaultLanguage"]
    try:
        rules.check(today=today)
    except RulesInvalid as invalid:
        raise ValueError(f"{site / 'rules'}: {invalid}") from invalid
    try:
        refuse_gaps(rules, wording if wording.is_dir() else None, language)
    except RulesInvalid as invalid:
        raise ValueError(f"{site}: {invalid}") from invalid


def chaos_of(text: str | None) -> frozenset[str]:
    """The names of `--chaos`; ValueError for one that is none."""
    names = frozenset(filter(None, (name.strip() for name in (text or "").split(","))))
    if unknown := sorted(names - set(CHAOS)):
        raise ValueError(f"no chaos called {unknown[0]}: there is {', '.join(CHAOS)}")
    return names
