"""Puts the ports together for one function instance: settings, clients, adapters, each made once.

Clients come from botocore's session, which is what boto3 wraps: creating them through boto3 costs
a third more of a cold start and gives the same objects.
"""

import os
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import botocore.session
from botocore.config import Config
from pydantic import BaseModel, ConfigDict, Field

from ..domain.decisions import Policy
from ..domain.documents import Channel, MessageClass
from ..domain.identity import address_hash
from ..domain.links import make_token, read_token
from ..domain.passes import PREFERENCES, UNDO, UNSUBSCRIBE, preferences_id, undo_id, unsubscribe_id
from ..domain.preferences import Topic, topics_of
from .clock import SystemClock
from .rules import YamlRules
from .secrets import Secret

if TYPE_CHECKING:
    from ..ports import Provider, SecondStep, Wording
    from .addresses import Addresses
    from .dynamodb.contacts import DynamoContacts, DynamoSuppressions
    from .dynamodb.incidents import DynamoIncidents
    from .dynamodb.ledger import DynamoDueIndex, DynamoLedger
    from .dynamodb.opt_outs import DynamoOptOuts
    from .dynamodb.runs import DynamoRuns
    from .exports import S3Exports, SqsExportQueue
    from .pages import Pages
    from .preference_views import PreferenceViews
    from .rendering import Brand
    from .rendering.notes import Notes
    from .s3 import S3DropFolder, S3Evidence, S3Jobs, S3Records
    from .sqs import EventBridgeExceptions, SqsDecideQueue, SqsRunQueue, SqsSendQueues
    from .staging import S3Staging


class Settings(BaseModel):
    """A function's environment, as the template sets it; a function has only those that it needs."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    drop_bucket: str = ""
    work_bucket: str = ""
    evidence_bucket: str = ""
    contacts_table: str = ""
    suppressions_table: str = ""
    notices_table: str = ""
    runs_table: str = ""
    incidents_table: str = ""
    run_queue_url: str = ""
    decide_queue_url: str = ""
    email_queue_url: str = ""
    sms_queue_url: str = ""
    urgent_queue_url: str = ""
    peppers_secret: str = ""
    link_keys_secret: str = ""
    evidence_secret: str = ""
    opentext_secret: str = ""
    opentext_url: str = ""
    opentext_token_url: str = ""
    opentext_deduplicates: bool = False
    ses_configuration_set: str = ""
    sms_configuration_set: str = ""
    company_name: str = "Example Company"
    sender_email: str = "notices@example.com"
    sms_sender: str = ""
    support_contact: str = ""
    postal_address: str = ""
    link_host: str = "documents.example.com"
    email_provider: str = "opentext"
    sms_provider: str = "opentext"
    provider_overrides: str = ""
    default_time_zone: str = "America/New_York"
    default_language: str = "en"
    default_region: str = "US"
    email_concurrency: int = Field(1, ge=1)
    email_rate: float = Field(14.0, gt=0)
    sms_concurrency: int = Field(1, ge=1)
    sms_rate: float = Field(3.0, gt=0)
    missing_file_minutes: int = Field(60, ge=1)
    quiet_period_seconds: int = Field(120, ge=1)
    volume_limit_percent: int = Field(50, ge=1)
    site_dir: str = "/opt/site"
    unsubscribe_keys_secret: str = ""
    eligibility_secret: str = ""
    queue_separator: str = ","
    preferences_days: int = Field(400, ge=1)
    consent_version: str = "1"
    sms_stop_scope: Literal["all", "topic"] = "all"
    export_bucket: str = ""
    export_queue_url: str = ""
    export_segments: int = Field(16, ge=1, le=1000)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read and validate; a variable that is wrong is a ValidationError that names it."""
        lowered = {name.lower(): value for name, value in environment.items()}
        return cls.model_validate({name: lowered[name] for name in cls.model_fields if name in lowered})


def provider_choice(settings: Settings) -> Callable[[Channel, MessageClass], str]:
    """Provider by channel and message class; `email/marketing=ses,...` beats the channel's own."""
    overrides: dict[str, str] = {}
    for entry in filter(None, (e.strip() for e in settings.provider_overrides.split(","))):
        key, separator, name = entry.partition("=")
        if not separator or name not in ("opentext", "ses", "sms"):
            raise ValueError(f"PROVIDER_OVERRIDES: {entry!r} is not channel/class=provider")
        overrides[key.strip()] = name.strip()
    defaults = {"email": settings.email_provider, "sms": settings.sms_provider}
    return lambda channel, kind: overrides.get(f"{channel}/{kind}", defaults[channel])


class Bootstrap:
    """The adapters of one function instance, made when first used."""

    def __init__(
        self,
        settings: Settings | None = None,
        client: Callable[[str], Any] | None = None,
        clock: SystemClock | None = None,
    ) -> None:
        self.settings = settings or Settings.from_environment()
        self.clock = clock or SystemClock()
        self._session = botocore.session.get_session()
        self._clients: dict[str, Any] = {}
        self._make = client or self._create

    def client(self, service: str) -> Any:
        """The client of a service, one per instance."""
        if service not in self._clients:
            self._clients[service] = self._make(service)
        return self._clients[service]

    def _create(self, service: str) -> Any:
        # Sends are never retried below us: after a lost answer that would be a second message.
        sends = service in ("sesv2", "pinpoint-sms-voice-v2")
        config = Config(
            retries={"total_max_attempts": 1 if sends else 4, "mode": "standard"},
            connect_timeout=3,
            read_timeout=15 if sends else 20,
            tcp_keepalive=True,
            parameter_validation=sends,
            # Without a name of ours botocore builds its own anew for each call, a quarter of a call's CPU.
            user_agent="exstream-notify",
        )
        client = self._session.create_client(service, config=config)
        if service == "dynamodb":
            from .dynamodb.wire import pass_batches

            pass_batches(client)
        return client

    @cached_property
    def rules(self) -> YamlRules:
        """The rules, the site's own laid over the package's."""
        site = Path(self.settings.site_dir) / "rules"
        return YamlRules(site if site.is_dir() else None)

    @cached_property
    def policy(self) -> Policy:
        """What the site sets once for all types."""
        return Policy(default_zones=(self.settings.default_time_zone,))

    @cached_property
    def provider_for(self) -> Callable[[Channel, MessageClass], str]:
        """Provider by channel and class; RulesInvalid where a type must not go through its own."""
        choose = provider_choice(self.settings)
        self.rules.check_one_click(choose)
        return choose

    @cached_property
    def ledger(self) -> "DynamoLedger":
        """The ledger."""
        from .dynamodb.ledger import DynamoLedger

        return DynamoLedger(self.client("dynamodb"), self.settings.notices_table)

    @cached_property
    def due(self) -> "DynamoDueIndex":
        """The due index."""
        from .dynamodb.ledger import DynamoDueIndex

        return DynamoDueIndex(self.client("dynamodb"), self.settings.notices_table)

    @cached_property
    def runs(self) -> "DynamoRuns":
        """The runs."""
        from .dynamodb.runs import DynamoRuns

        return DynamoRuns(self.client("dynamodb"), self.settings.runs_table)

    @cached_property
    def contacts(self) -> "DynamoContacts":
        """The contacts."""
        from .dynamodb.contacts import DynamoContacts

        peppers = self._secret(self.settings.peppers_secret)
        return DynamoContacts(
            self.client("dynamodb"), self.settings.contacts_table, peppers.keys, self.clock.now
        )

    @cached_property
    def suppressions(self) -> "DynamoSuppressions":
        """The suppression list."""
        from .dynamodb.contacts import DynamoSuppressions

        peppers = self._secret(self.settings.peppers_secret)
        return DynamoSuppressions(
            self.client("dynamodb"), self.settings.suppressions_table, lambda: peppers.keys()[1]
        )

    @cached_property
    def addresses(self) -> "Addresses":
        """The address checker."""
        from .addresses import Addresses

        return Addresses(self.settings.default_region)

    @cached_property
    def records(self) -> "S3Records":
        """The staged records."""
        from .s3 import S3Records

        return S3Records(self.client("s3"), self.settings.work_bucket)

    @cached_property
    def jobs(self) -> "S3Jobs":
        """Bulk jobs as posted."""
        from .s3 import S3Jobs

        return S3Jobs(self.client("s3"), self.settings.work_bucket)

    @cached_property
    def evidence(self) -> "S3Evidence":
        """The evidence."""
        from .encryption import Sealer
        from .s3 import S3Evidence

        masters = self._secret(self.settings.evidence_secret)
        sealer = Sealer(masters.keys, lambda: os.urandom(12))
        return S3Evidence(
            self.client("s3"), self.settings.evidence_bucket, sealer, self.clock.now, self.clock.random_id
        )

    @cached_property
    def staging(self) -> "S3Staging":
        """The index readers and the staged parts."""
        from .staging import S3Staging

        settings = self.settings
        return S3Staging(
            self.client("s3"), settings.work_bucket, settings.drop_bucket, self.rules, self._site("rules")
        )

    def folder(self, domain: str, run_id: str) -> "S3DropFolder":
        """One run's folder in the drop bucket."""
        from .s3 import S3DropFolder

        return S3DropFolder(self.client("s3"), self.settings.drop_bucket, domain, run_id)

    @cached_property
    def decide_queue(self) -> "SqsDecideQueue":
        """The decide queue."""
        from .sqs import SqsDecideQueue

        return SqsDecideQueue(self.client("sqs"), self.settings.decide_queue_url)

    @cached_property
    def run_queue(self) -> "SqsRunQueue":
        """The run queue."""
        from .sqs import SqsRunQueue

        return SqsRunQueue(self.client("sqs"), self.settings.run_queue_url)

    @cached_property
    def send_queues(self) -> "SqsSendQueues":
        """The send queues."""
        from .sqs import SqsSendQueues

        urls = {
            "email": self.settings.email_queue_url,
            "sms": self.settings.sms_queue_url,
            "urgent": self.settings.urgent_queue_url,
        }
        return SqsSendQueues(self.client("sqs"), urls)

    @cached_property
    def exceptions(self) -> "EventBridgeExceptions":
        """The exceptions' bus."""
        from .sqs import EventBridgeExceptions

        return EventBridgeExceptions(self.client("events"))

    @cached_property
    def hasher(self) -> Callable[[Channel, str], str]:
        """Address hashes under the current pepper."""
        secret = self._secret(self.settings.peppers_secret)

        def hashed(channel: Channel, canonical: str) -> str:
            current, peppers = secret.keys()
            return address_hash(peppers[current], channel, canonical)

        return hashed

    @property
    def site(self) -> str:
        """The address that every link begins with: https, unless `link_host` brings a scheme of its own."""
        host = self.settings.link_host
        return host if "://" in host else f"https://{host}"

    @cached_property
    def link_for(self) -> Callable[[str], str]:
        """The secure link of a notice."""
        secret = self._secret(self.settings.link_keys_secret)

        def link(notice_id: str) -> str:
            current, keys = secret.keys()
            return f"{self.site}/d/{make_token(notice_id, int(current), keys[current])}"

        return link

    # ---- Preferences and eligibility ----

    @cached_property
    def preferences_for(self) -> Callable[[str], str]:
        """The address of the preference page, of a contact's salt."""
        secret = self._secret(self.settings.link_keys_secret)

        def link(salt: str) -> str:
            current, keys = secret.keys()
            identity = preferences_id(salt, self.clock.now().date())
            return f"{self.site}/p/{make_token(identity, int(current), keys[current], PREFERENCES)}"

        return link

    @cached_property
    def unsubscribe_for(self) -> Callable[[str, str], str]:
        """The address of one-click unsubscription, of a contact's salt and a topic."""
        secret = self._secret(self.settings.unsubscribe_keys_secret)

        def link(salt: str, topic: str) -> str:
            current, keys = secret.keys()
            identity = unsubscribe_id(salt, topic)
            return f"{self.site}/u/{make_token(identity, int(current), keys[current], UNSUBSCRIBE)}"

        return link

    @cached_property
    def undo_for(self) -> Callable[[str, str], str]:
        """The address at which a change of address is undone, of a contact's salt and the change's id."""
        secret = self._secret(self.settings.link_keys_secret)

        def link(salt: str, change_id: str) -> str:
            current, keys = secret.keys()
            token = make_token(undo_id(salt, change_id), int(current), keys[current], UNDO)
            return f"{self.site}/p/undo/{token}"

        return link

    def read_pass(self, token: str, purpose: str) -> str | None:
        """What a genuine token of that purpose carries, else None."""
        _, keys = self._secret(self.settings.link_keys_secret).keys()
        return read_token(token, {int(number): key for number, key in keys.items()}, purpose)

    def read_unsubscribe(self, token: str) -> str | None:
        """What a genuine unsubscribe token carries, else None; its keys outlive those of other links."""
        _, keys = self._secret(self.settings.unsubscribe_keys_secret).keys()
        return read_token(token, {int(number): key for number, key in keys.items()}, UNSUBSCRIBE)

    def form_key(self) -> bytes:
        """What the page's forms and codes are signed with."""
        current, keys = self._secret(self.settings.link_keys_secret).keys()
        return keys[current]

    @cached_property
    def topics(self) -> tuple[Topic, ...]:
        """The topics that a customer chooses among."""
        return topics_of(self.rules.of_type(kind) for kind in self.rules.types)

    @cached_property
    def second_step(self) -> "SecondStep":
        """What only the customer knows."""
        from .second_step import PostcodeStep

        return PostcodeStep()

    @cached_property
    def preference_views(self) -> "PreferenceViews":
        """The pages on which customers set their preferences."""
        from .preference_views import PreferenceViews

        return PreferenceViews(
            self.pages, self.topics, self.second_step, self.policy, self.clock.now, self.form_key
        )

    def address_ports(self) -> dict[str, Any]:
        """What a change of address takes, beside the teller (`AddressBook`)."""
        return {
            "contacts": self.contacts,
            "addresses": self.addresses,
            "second_step": self.second_step,
            "clock": self.clock,
            "key": self.form_key(),
            "undo_for": self.undo_for,
        }

    def reply_ports(self) -> dict[str, Any]:
        """What taking an SMS reply takes, beside the teller (`ReplyDesk`)."""
        return {
            "contacts": self.contacts,
            "opt_outs": self.opt_outs,
            "addresses": self.addresses,
            "ledger": self.ledger,
            "rules": self.rules,
            "evidence": self.evidence,
            "exceptions": self.exceptions,
            "hasher": self.hasher,
            "clock": self.clock,
            "scope": self.settings.sms_stop_scope,
        }

    def page_ports(self) -> dict[str, Any]:
        """What the preference page takes, beside its changes of address (`PreferencePage`)."""
        from .pages import LANGUAGES

        return {
            "contacts": self.contacts,
            "clock": self.clock,
            "topics": self.topics,
            "languages": LANGUAGES,
            "policy": self.policy,
            "consent_version": self.settings.consent_version,
        }

    @cached_property
    def exports(self) -> "S3Exports":
        """Where exports lie."""
        from .exports import S3Exports

        return S3Exports(self.client("s3"), self.settings.work_bucket, self.settings.export_bucket)

    @cached_property
    def export_queue(self) -> "SqsExportQueue":
        """Where the steps of an export wait."""
        from .exports import SqsExportQueue

        return SqsExportQueue(self.client("sqs"), self.settings.export_queue_url)

    def export_ports(self) -> dict[str, Any]:
        """What sorting a segment of an export takes."""
        return {
            "contacts": self.contacts,
            "suppressions": self.suppressions,
            "store": self.exports,
            "queue": self.export_queue,
        }

    def eligibility_tokens(self) -> Mapping[str, str]:
        """Bearer tokens by client."""
        return self._secret(self.settings.eligibility_secret).fields()

    def eligibility_ports(self) -> dict[str, Any]:
        """What answering eligibility takes."""
        return {
            "rules": self.rules,
            "contacts": self.contacts,
            "addresses": self.addresses,
            "suppressions": self.suppressions,
            "clock": self.clock,
            "policy": self.policy,
        }

    @cached_property
    def opt_outs(self) -> "DynamoOptOuts":
        """Addresses that their holders stopped."""
        from .dynamodb.opt_outs import DynamoOptOuts

        peppers = self._secret(self.settings.peppers_secret)
        return DynamoOptOuts(self.client("dynamodb"), self.settings.suppressions_table, peppers.keys)

    @cached_property
    def notes(self) -> "Notes":
        """Short messages that answer a customer: codes, confirmations."""
        from .rendering.notes import Notes

        return Notes(self._brand(), self._site("wording"), self.settings.default_language)

    def teller_ports(self) -> dict[str, Any]:
        """What telling one customer something at once takes (`Teller`)."""
        return {
            "ledger": self.ledger,
            "evidence": self.evidence,
            "clock": self.clock,
            "hasher": self.hasher,
            "notes": self.notes,
            "provider_for": lambda channel: self.provider(
                self.provider_for(channel, "transactional"), channel
            ),
        }

    @cached_property
    def wording(self) -> "Wording":
        """The words."""
        from .rendering import Renderer

        return Renderer(
            self._brand(), overrides=self._site("wording"), default_language=self.settings.default_language
        )

    @cached_property
    def pages(self) -> "Pages":
        """The pages that people open in a browser."""
        from .pages import Pages

        return Pages(self._brand(), self._site("wording"), self.settings.default_language)

    def _brand(self) -> "Brand":
        from .rendering import Brand

        return Brand(
            name=self.settings.company_name,
            support_contact=self.settings.support_contact,
            postal_address=self.settings.postal_address,
        )

    def rate(self, channel: Channel) -> float:
        """Messages a second for one worker: the account's rate over the workers there may be."""
        s = self.settings
        return s.email_rate / s.email_concurrency if channel == "email" else s.sms_rate / s.sms_concurrency

    def provider(self, name: str, channel: Channel) -> "Provider":
        """A provider, its tries included."""
        key = f"provider {name}"
        if key not in self._clients:
            from .providers.choice import make_provider

            opentext = self._secret(self.settings.opentext_secret)
            self._clients[key] = make_provider(
                name, self.settings, self.client, opentext.fresh, self.clock.sleep
            )
        return self._clients[key]  # type: ignore[no-any-return]

    @cached_property
    def incidents(self) -> "DynamoIncidents":
        """The incidents."""
        from .dynamodb.incidents import DynamoIncidents

        return DynamoIncidents(self.client("dynamodb"), self.settings.incidents_table)

    def send_ports(self, provider: str, channel: Channel) -> dict[str, Any]:
        """What sending takes, for one provider and channel."""
        return {
            "records": self.records,
            "rules": self.rules,
            "contacts": self.contacts,
            "ledger": self.ledger,
            "runs": self.runs,
            "decide_queue": self.decide_queue,
            "send_queues": self.send_queues,
            "evidence": self.evidence,
            "jobs": self.jobs,
            "provider": self.provider(provider, channel),
            "wording": self.wording,
            "exceptions": self.exceptions,
            "clock": self.clock,
            "hasher": self.hasher,
            "link_for": self.link_for,
            "preferences_for": self.preferences_for,
            "unsubscribe_for": self.unsubscribe_for,
            "rate": self.rate(channel),
            "addresses": self.addresses,
            "policy": self.policy,
        }

    def _site(self, name: str) -> Path | None:
        folder = Path(self.settings.site_dir) / name
        return folder if folder.is_dir() else None

    def _secret(self, name: str) -> Secret:
        key = f"secret {name}"
        if key not in self._clients:
            self._clients[key] = Secret(lambda: self.client("secretsmanager"), name)
        return self._clients[key]  # type: ignore[no-any-return]
