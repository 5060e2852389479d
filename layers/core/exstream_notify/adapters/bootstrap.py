"""Puts the ports together for one function instance: settings, clients, adapters, each made once.

Clients come from botocore's session, which is what boto3 wraps: creating them through boto3 costs
a third more of a cold start and gives the same objects.
"""

import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import botocore.session
from botocore.config import Config

from ..domain.decisions import Policy
from ..domain.documents import Channel, MessageClass
from ..domain.due import WaitKind
from ..domain.identity import address_hash
from ..domain.links import INCIDENT, PLACES
from ..domain.notices import notice_id_of
from ..domain.passes import PREFERENCES, UNDO, UNSUBSCRIBE, preferences_id, undo_id, unsubscribe_id
from ..domain.preferences import Topic, topics_of
from ..domain.receipts import ReceiptPolicy
from ..domain.reputation import Limits
from ..domain.runs import StagePolicy
from ..domain.second_step import Keys
from .clock import SystemClock
from .rules import YamlRules
from .secrets import References, Secret, Signer
from .settings import Settings, provider_choice

if TYPE_CHECKING:
    from datetime import date

    from ..ports import Provider, Wording
    from .addresses import Addresses
    from .alert_channels import Channels
    from .dynamodb.channels import DynamoChannelBook
    from .dynamodb.contacts import DynamoContacts, DynamoSuppressions
    from .dynamodb.incidents import DynamoIncidents
    from .dynamodb.journeys import DynamoJourneys
    from .dynamodb.ledger import DynamoDueIndex, DynamoLedger
    from .dynamodb.opt_outs import DynamoOptOuts
    from .dynamodb.receipts import DynamoDeliveryWatch, DynamoEarlyReceipts, DynamoReputation
    from .dynamodb.responses import DynamoEarlyResponses, DynamoTries
    from .dynamodb.runs import DynamoRuns
    from .dynamodb.switches import DynamoSwitches
    from .exports import S3Exports, SqsExportQueue
    from .index.schema import RecordSchema
    from .link_pages import LinkPages
    from .message_files import MessageFiles
    from .pages import Pages
    from .preference_views import PreferenceViews
    from .receipts.keeping import OpenTextStatus, S3ReceiptEvidence, UnreadReceipts
    from .receipts.reading import ReceiptReader
    from .record_schemas import RecordSchemas, Site
    from .rendering import Brand
    from .rendering.notes import Notes
    from .s3 import S3Documents, S3DropFolder, S3Evidence, S3Jobs, S3Records
    from .sqs import (
        EventBridgeExceptions,
        EventBridgeJourneys,
        SqsDecideQueue,
        SqsLookQueue,
        SqsQueue,
        SqsRunQueue,
        SqsSendQueues,
    )
    from .staging import S3Staging
    from .states import StepFunctions


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
        self._secrets: dict[str, Secret] = {}
        self._providers: dict[str, Provider] = {}
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
            # Presigned addresses would otherwise be signed the old way, which most regions refuse.
            signature_version="s3v4" if service == "s3" else None,
            # And they would name the global host, which does not serve newer regions and leads browsers on to
            # a host that the page's content security policy does not allow. Without effect at an IP address.
            s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
            # It costs CPU at each call; the tests validate every call's parameters instead.
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
        return YamlRules(self._site("rules"), lambda: self.settings.runbook)

    @cached_property
    def staging_rules(self) -> YamlRules:
        """The rules, checked, for functions that take documents in.

        RulesInvalid where rules outlive the records, or where a site's rules ask for words that nobody wrote:
        what is refused here has notified nobody yet. Functions that go on with documents do not stop: what
        cannot be rendered fails alone.
        """
        rules = self.rules
        if self.settings.record_retention_days:
            rules.check_retention(self.settings.record_retention_days)
            if self._site("rules") or self._site("wording"):  # the package's own are checked by the build
                from .rendering.coverage import refuse_gaps

                refuse_gaps(rules, self._site("wording"), self.settings.default_language)
        return rules

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
    def switches(self) -> "DynamoSwitches":
        """What operators switched off."""
        from .dynamodb.switches import DynamoSwitches

        return DynamoSwitches(self.client("dynamodb"), self.settings.runs_table, self.clock.machine_time)

    @cached_property
    def contacts(self) -> "DynamoContacts":
        """The contacts."""
        from .dynamodb.contacts import DynamoContacts

        peppers = self._secret(self.settings.peppers_secret)
        return DynamoContacts(self.client("dynamodb"), self.settings.contacts_table, peppers.keys)

    @cached_property
    def profiles(self) -> "DynamoContacts":
        """The contacts, for a function that only reads them by key: without the peppers of the indexes."""
        from .dynamodb.contacts import DynamoContacts

        return DynamoContacts(self.client("dynamodb"), self.settings.contacts_table)

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

    @property
    def values_site(self) -> "Site":
        """What reading values needs to know of the site."""
        from .record_schemas import Site

        return Site(self.settings.default_time_zone, self.settings.default_region, self.clock.now)

    @cached_property
    def staging(self) -> "S3Staging":
        """The index readers and the staged parts."""
        from .staging import S3Staging

        settings = self.settings
        return S3Staging(
            self.client("s3"),
            settings.work_bucket,
            settings.drop_bucket,
            self.staging_rules,
            self._site("rules"),
            self.verify_keys,
            site=self.values_site,
            portal=bool(settings.portal_url_pattern),
        )

    @cached_property
    def stage_policy(self) -> StagePolicy:
        """Waits and limits of staging."""
        settings = self.settings
        return StagePolicy(
            timedelta(minutes=settings.missing_file_minutes),
            timedelta(seconds=settings.quiet_period_seconds),
            settings.volume_limit_percent,
            settings.reject_limit_percent,
        )

    @cached_property
    def staged(self) -> "S3Staging":
        """What was staged, for a function that only reads it: without the keys of the second step."""
        from .staging import S3Staging

        settings = self.settings
        return S3Staging(self.client("s3"), settings.work_bucket, settings.drop_bucket, self.rules)

    @cached_property
    def record_schema(self) -> "RecordSchema":
        """How this site names the fields of a record."""
        from .staging import S3Staging

        return S3Staging(None, "", "", self.rules, self._site("rules"), site=self.values_site).schema(None)

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

        return EventBridgeExceptions(self.client("events"), self.shown)

    def shown(self, name: str) -> str:
        """A name that somebody else chose, as logs, alerts and pages may show it."""
        return self.rules.vocabulary.shown(name)

    def shown_run(self, run: str) -> str:
        """A run named as `domain/run id`, likewise."""
        return "/".join(map(self.shown, run.split("/", 1)))

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
    def link_signer(self) -> Signer:
        """Signs the tokens of links, and reads them."""
        return Signer(self._secret(self.settings.link_keys_secret))

    @cached_property
    def unsubscribe_signer(self) -> Signer:
        """The same for unsubscription: its keys outlive those of other links."""
        return Signer(self._secret(self.settings.unsubscribe_keys_secret))

    @cached_property
    def link_for(self) -> Callable[[str], str]:
        """The secure link of a notice."""
        return lambda notice_id: f"{self.site}/d/{self.link_signer.sign(notice_id)}"

    # ---- Preferences and eligibility ----

    @cached_property
    def preferences_for(self) -> Callable[[str], str]:
        """The address of the preference page, of a contact's salt."""

        def link(salt: str) -> str:
            identity = preferences_id(salt, self.clock.now().date())
            return f"{self.site}/p/{self.link_signer.sign(identity, PREFERENCES)}"

        return link

    @cached_property
    def unsubscribe_for(self) -> Callable[[str, str], str]:
        """The address of one-click unsubscription, of a contact's salt and a topic."""

        def link(salt: str, topic: str) -> str:
            token = self.unsubscribe_signer.sign(unsubscribe_id(salt, topic), UNSUBSCRIBE)
            return f"{self.site}/u/{token}"

        return link

    @cached_property
    def undo_for(self) -> Callable[[str, str], str]:
        """The address at which a change of address is undone, of a contact's salt and the change's id."""

        def link(salt: str, change_id: str) -> str:
            return f"{self.site}/p/undo/{self.link_signer.sign(undo_id(salt, change_id), UNDO)}"

        return link

    def form_keys(self) -> tuple[bytes, ...]:
        """What the page's forms and codes are signed with: the current key, and those before it."""
        current, keys = self._secret(self.settings.link_keys_secret).keys()
        return keys[current], *(key for version, key in keys.items() if version != current)

    @cached_property
    def topics(self) -> tuple[Topic, ...]:
        """The topics that a customer chooses among."""
        return topics_of(self.rules.of_type(kind) for kind in self.rules.types)

    @cached_property
    def preference_views(self) -> "PreferenceViews":
        """The pages on which customers set their preferences."""
        from .preference_views import PreferenceViews

        return PreferenceViews(self.pages, self.topics, self.policy, self.clock.now, self.form_keys)

    def way_ports(self) -> dict[str, Any]:
        """What tells where a note may go (`NoteWays`)."""
        return {
            "opt_outs": self.opt_outs,
            "addresses": self.addresses,
            "clock": self.clock,
            "policy": self.policy,
            "switched_off": self.switches.off,
        }

    def owner_ports(self) -> dict[str, Any]:
        """What changes of address take, beside the teller and the ways (`OwnerNotices`)."""
        return {
            "contacts": self.contacts,
            "addresses": self.addresses,
            "due": self.due,
            "exceptions": self.exceptions,
            "clock": self.clock,
            "undo_for": self.undo_for,
        }

    def reply_ports(self) -> dict[str, Any]:
        """What taking an SMS reply takes, beside the teller and the ways (`ReplyDesk`)."""
        return {
            "opt_outs": self.opt_outs,
            "addresses": self.addresses,
            "ledger": self.ledger,
            "rules": self.rules,
            "evidence": self.evidence,
            "exceptions": self.exceptions,
            "hasher": self.hasher,
            "clock": self.clock,
            "scope": self.settings.sms_stop_scope,
            "words": self.rules.reply_words,
        }

    def news_ports(self) -> dict[str, Any]:
        """What letting the portal hear of a change takes (`PortalNews`)."""
        return {
            "contacts": self.contacts,
            "due": self.due,
            "bus": lambda: self.exceptions,
            "clock": self.clock,
        }

    def page_ports(self) -> dict[str, Any]:
        """What the preference page takes, beside its changes of address (`PreferencePage`)."""
        from .pages import LANGUAGES

        return {
            "contacts": self.contacts,
            "due": self.due,
            "clock": self.clock,
            "topics": self.topics,
            "languages": LANGUAGES,
            "policy": self.policy,
            "consent_version": self.settings.consent_version,
            "tries": self.tries,
            "keys": self.verify_keys,
            "exceptions": lambda: self.exceptions,
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
            "looks": self.address_looks,
        }

    def eligibility_tokens(self) -> Mapping[str, str]:
        """Bearer tokens by client."""
        return self._secret(self.settings.eligibility_secret).fields()

    @cached_property
    def record_schemas(self) -> "RecordSchemas":
        """How records are read, and questions about customers as records are."""
        from .record_schemas import RecordSchemas

        return RecordSchemas(self.rules, self._site("rules"), self.values_site)

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
        return DynamoOptOuts(
            self.client("dynamodb"), self.settings.suppressions_table, lambda: peppers.keys()[1]
        )

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
            "exceptions": self.exceptions,
            "approved_only": self.settings.require_approved_wording,
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

    # --- secure links and responses ---

    @cached_property
    def verify_keys(self) -> Callable[[], Keys]:
        """The keys of what customers are asked for as a second step."""
        secret = self._secret(self.settings.verify_keys_secret)
        return lambda: secret.keys()

    @cached_property
    def tries(self) -> "DynamoTries":
        """The tries of a second step."""
        from .dynamodb.responses import DynamoTries

        return DynamoTries(self.client("dynamodb"), self.settings.notices_table, self.clock.now)

    @cached_property
    def early_responses(self) -> "DynamoEarlyResponses":
        """Responses that came before their notices."""
        from .dynamodb.responses import DynamoEarlyResponses

        return DynamoEarlyResponses(self.client("dynamodb"), self.settings.notices_table)

    @cached_property
    def documents(self) -> "S3Documents":
        """The composed documents."""
        from .run_documents import OwnFiles
        from .s3 import S3Documents

        own = OwnFiles(lambda: self.rules.messages)
        return S3Documents(self.client("s3"), self.settings.drop_bucket, own)

    @cached_property
    def portal(self) -> str:
        """The site's portal, as a pattern; ValueError if it is no web address or names what it may not."""
        pattern = self.settings.portal_url_pattern
        if pattern:
            rest = pattern
            for place in PLACES:
                rest = rest.replace(f"{{{place}}}", "")
            parts = urlsplit(rest)
            if "{" in rest or "}" in rest or parts.scheme not in ("https", "http") or not parts.netloc:
                raise ValueError(f"PortalUrlPattern: an https address with {', '.join(PLACES)} in braces")
        return pattern

    @cached_property
    def link_pages(self) -> "LinkPages":
        """The page behind a secure link."""
        from .link_pages import LinkPages
        from .rendering.texts import WordingFiles

        portal = urlsplit(self.portal)
        origins = [f"{portal.scheme}://{portal.netloc}"] if self.portal else []
        leads_to = (*origins, self.documents.origin)
        words = WordingFiles(self._site("wording"))
        return LinkPages(self.pages, words, leads_to, self.preferences_for)

    @property
    def hold_ports(self) -> dict[str, Any]:
        """What a hold of collection takes."""
        names = ("contacts", "ledger", "rules", "exceptions", "clock")
        return {name: getattr(self, name) for name in names}

    @property
    def response_ports(self) -> dict[str, Any]:
        """What recording a response takes."""
        return {
            "ledger": self.ledger,
            "early": self.early_responses,
            "contacts": self.profiles,
            "runs": self.runs,
            "evidence": self.evidence,
            "records": self.records,
            "rules": self.rules,
            "journeys": self.journeys,
            "exceptions": self.exceptions,
            "is_holiday": self.is_holiday,
            "clock": self.clock,
        }

    @property
    def look_ports(self) -> dict[str, Any]:
        """What looking at a secure link takes."""
        return {
            "ledger": self.ledger,
            "records": self.records,
            "rules": self.rules,
            "contacts": self.profiles,
            "tries": self.tries,
            "keys": self.verify_keys,
            "clock": self.clock,
        }

    @property
    def open_ports(self) -> dict[str, Any]:
        """What opening it takes."""
        return {
            "documents": self.documents,
            "ledger": self.ledger,
            "runs": self.runs,
            "tries": self.tries,
            "keys": self.verify_keys,
            "exceptions": self.exceptions,
            "clock": self.clock,
        }

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

    @cached_property
    def references(self) -> References:
        """Makes the references in outgoing mail, and reads those that come back."""
        return References(self._secret(self.settings.reference_keys_secret))

    def provider(self, name: str, channel: Channel) -> "Provider":
        """A provider for what customers and teams get, its tries included; its mails have references."""
        return self._provider(name, self.references.make)

    def _provider(self, name: str, reference_for: "Callable[[str], str] | None" = None) -> "Provider":
        if name not in self._providers:
            from .providers.choice import make_provider

            opentext = self._secret(self.settings.opentext_secret)
            self._providers[name] = make_provider(
                name, self.settings, self.client, opentext.fresh, self.clock.sleep, reference_for
            )
        return self._providers[name]

    @cached_property
    def incidents(self) -> "DynamoIncidents":
        """The incidents."""
        from .dynamodb.incidents import DynamoIncidents

        return DynamoIncidents(self.client("dynamodb"), self.settings.incidents_table)

    # --- exceptions and alerts ---

    @cached_property
    def message_files(self) -> "MessageFiles":
        """Message files, exception rows, run summaries."""
        from .message_files import MessageFiles

        return MessageFiles(self.rules.messages)

    @cached_property
    def look_queue(self) -> "SqsLookQueue":
        """Where what waited for its time goes."""
        from .sqs import SqsLookQueue

        settings = self.settings
        url = settings.preference_queue_url
        own: dict[WaitKind, str] = {"address": url, "portal": url}
        return SqsLookQueue(self.client("sqs"), settings.exception_queue_url, own)

    @cached_property
    def address_looks(self) -> "SqsLookQueue":
        """Where changes of address are looked at, for a function that queues nothing else."""
        from .sqs import SqsLookQueue

        return SqsLookQueue(self.client("sqs"), self.settings.preference_queue_url, {})

    @cached_property
    def channels(self) -> "Channels":
        """The ways to the teams; `alert_topics` is `team=ARN,…`."""
        from .alert_channels import Channels

        addresses = self._secret(self.settings.alert_channels_secret)
        topics = dict(row.split("=", 1) for row in filter(None, self.settings.alert_topics.split(",")))
        return Channels(
            self.rules,
            addresses.fields,
            topics=topics,
            sns=lambda: self.client("sns"),
            # An alert belongs to no notice: its mail has no reference, and the key is not read here.
            provider=lambda channel: self._provider(self.provider_for(channel, "transactional")),
            sleep=self.clock.sleep,
            now=self.clock.machine_time,
        )

    @cached_property
    def channel_book(self) -> "DynamoChannelBook":
        """What is known of the teams' channels."""
        from .dynamodb.channels import DynamoChannelBook

        return DynamoChannelBook(self.client("dynamodb"), self.settings.incidents_table)

    def channel_ports(self, time_left: Callable[[], float]) -> dict[str, Any]:
        """What telling the teams takes, with the seconds that are left to the function."""
        return {
            "ways": self.channels,
            "book": self.channel_book,
            "exceptions": self.exceptions,
            "clock": self.clock,
            "time_left": time_left,
        }

    @property
    def alert_channels(self) -> Mapping[str, str]:
        """The fields of the secret AlertChannels."""
        return self._secret(self.settings.alert_channels_secret).fields()

    @cached_property
    def incident_link(self) -> Callable[[str], str]:
        """The signed link by which an incident is acknowledged."""
        return lambda incident_id: f"{self.site}/i/{self.link_signer.sign(incident_id, INCIDENT)}"

    def dead_letters(self) -> dict[str, int]:
        """How many messages lie in each dead-letter queue, by its name."""
        sqs = self.client("sqs")
        depths = {}
        for url in filter(None, self.settings.dead_letter_urls.split(",")):
            name = "ApproximateNumberOfMessages"
            answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])
            depths[url.rpartition("/")[2]] = int(answer["Attributes"][name])
        return depths

    # ---- follow-ups ----

    @cached_property
    def journeys(self) -> "DynamoJourneys":
        """The journeys' cohorts."""
        from .dynamodb.journeys import DynamoJourneys

        return DynamoJourneys(self.client("dynamodb"), self.settings.journeys_table, self.clock.now)

    @cached_property
    def executions(self) -> "StepFunctions":
        """The follow-up state machine's executions."""
        from .states import StepFunctions

        return StepFunctions(self.client("stepfunctions"), self.settings.follow_up_machine)

    @cached_property
    def journey_events(self) -> "EventBridgeJourneys":
        """Where the end of journeys is told."""
        from .sqs import EventBridgeJourneys

        return EventBridgeJourneys(self.client("events"))

    @property
    def is_holiday(self) -> "Callable[[str, date], bool]":
        """Weekends and holidays, with the site's own days; calendars are imported when first asked for."""
        return self.rules.is_holiday

    # --- receipts ---

    @cached_property
    def receipt_policy(self) -> ReceiptPolicy:
        """What the site sets for receipts."""
        s = self.settings
        return ReceiptPolicy(
            s.soft_bounce_limit,
            timedelta(days=s.soft_bounce_window_days),
            delay_wait=timedelta(hours=s.delay_wait_hours),
            keep_unmatched=timedelta(hours=s.unmatched_receipt_hours),
            unproven_limit=s.unproven_mail_limit,
        )

    @cached_property
    def reputation_limits(self) -> Limits:
        """At which rates marketing stops."""
        s = self.settings
        return Limits(s.bounce_rate_limit, s.complaint_rate_limit, s.reputation_minimum)

    @cached_property
    def receipt_reader(self) -> "ReceiptReader":
        """Reads the receipt queue's messages."""
        from .receipts.keeping import mail_loader
        from .receipts.mails import Phrases
        from .receipts.reading import ReceiptReader

        return ReceiptReader(
            Phrases(self._site("rules")),
            self.rules.verdicts,
            lambda bucket, key: mail_loader(self.client("s3"), self.settings.bounce_mail_bucket)(bucket, key),
            self._composed_notice,
            self.references.verify if self.settings.bounce_mails == "on" else None,
            self.clock.now,
        )

    def _composed_notice(self, domain: str, fields: Mapping[str, Any]) -> str:
        """The notice of a document that the composer reports on, or nothing.

        With its type it is identified as staging and deciding would; a report without one, or with another
        time of production, is about the newest notice of that customer and document.
        """
        from .index.faults import RecordRefused
        from .s3 import document_from

        schema = self.record_schema
        values = {k: v for k, v in fields.items() if isinstance(v, str | int) and k != "communication_id"}
        try:
            found = schema.fields_of(tuple(map(str, values)), list(values.values()))
            if not {"document_id", "output_uri", "archive_ref"} & set(found):
                found["document_id"] = str(fields.get("communication_id") or "")
            try:
                record, typed = schema.complete(found), True
            except RecordRefused:
                record, typed = schema.complete({**found, "document_type": self.rules.types[0]}), False
        except RecordRefused:
            return ""
        if not domain:
            return ""
        _, document = document_from({**record, "pos": 0}, domain)
        identity = notice_id_of(document, self.rules.for_document(document)) if typed else ""
        stored = [
            notice
            for notice in self.ledger.of_document(domain, document.document_id)
            if (notice.customer_key, notice.purpose) == (document.customer_key, "notice")
        ]
        if not stored or any(notice.notice_id == identity for notice in stored):
            return identity
        return stored[-1].notice_id

    @cached_property
    def unread_receipts(self) -> "UnreadReceipts":
        """Where unreadable receipts are kept."""
        from .receipts.keeping import UnreadReceipts

        return UnreadReceipts(self.client("s3"), self.settings.work_bucket)

    @cached_property
    def receipt_evidence(self) -> "S3ReceiptEvidence":
        """Receipts and heads of chains as evidence."""
        from .receipts.keeping import S3ReceiptEvidence

        return S3ReceiptEvidence(
            self.client("s3"), self.settings.evidence_bucket, self.clock.now, self.clock.random_id
        )

    @cached_property
    def early(self) -> "DynamoEarlyReceipts":
        """Receipts without a notice yet."""
        from .dynamodb.receipts import DynamoEarlyReceipts

        return DynamoEarlyReceipts(self.client("dynamodb"), self.settings.notices_table)

    @cached_property
    def watch(self) -> "DynamoDeliveryWatch":
        """Sends without a receipt yet."""
        from .dynamodb.receipts import DynamoDeliveryWatch

        channels = [name.strip() for name in self.settings.delivery_receipts.split(",")]
        return DynamoDeliveryWatch(self.client("dynamodb"), self.settings.notices_table, channels)

    @cached_property
    def reputation(self) -> "DynamoReputation":
        """The senders' counts."""
        from .dynamodb.receipts import DynamoReputation

        return DynamoReputation(self.client("dynamodb"), self.settings.notices_table, self.clock.machine_time)

    @cached_property
    def status_source(self) -> "OpenTextStatus":
        """OpenText, asked."""
        from .providers.choice import make_opentext
        from .receipts.keeping import OpenTextStatus

        secret = self._secret(self.settings.opentext_secret)
        provider = cache(lambda: make_opentext(self.settings, secret.fresh))
        return OpenTextStatus(provider, lambda: self.rules.verdicts)

    @property
    def hook_secrets(self) -> Mapping[str, str]:
        """The web hook's secrets by version."""
        return self._secret(self.settings.receipt_hook_secret).fields()

    @cached_property
    def receipt_queue(self) -> "SqsQueue":
        """The receipt queue."""
        from .sqs import SqsQueue

        return SqsQueue(self.client("sqs"), self.settings.receipt_queue_url)

    def receipt_ports(self) -> dict[str, Any]:
        """What recording receipts takes."""
        return {
            "ledger": self.ledger,
            "contacts": self.contacts,
            "addresses": self.addresses,
            "suppressions": self.suppressions,
            "runs": self.runs,
            "decide_queue": self.decide_queue,
            "receipt_evidence": self.receipt_evidence,
            "early": self.early,
            "reputation": self.reputation,
            "exceptions": self.exceptions,
            "clock": self.clock,
            "receipt_policy": self.receipt_policy,
        }

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
            "watch": self.watch,
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
            "journeys": self.journeys,
            "is_holiday": self.is_holiday,
            "switched_off": self.switches.off,
            "approved_only": self.settings.require_approved_wording,
            "early": self.early_responses,
        }

    def _site(self, name: str) -> Path | None:
        folder = Path(self.settings.site_dir) / name
        return folder if folder.is_dir() else None

    def _secret(self, name: str) -> Secret:
        if name not in self._secrets:
            self._secrets[name] = Secret(lambda: self.client("secretsmanager"), name, self.clock.machine_time)
        return self._secrets[name]
