"""The site's rules: this package's YAML files with the site's own laid over them, validated."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ..domain.account_status import StatusWords, spellings
from ..domain.documents import Channel, Document, DocumentRule, MessageClass
from ..domain.due_days import Holidays
from ..domain.exceptions import ExceptionRaised, Severity
from ..domain.expectations import ExpectedRun
from ..domain.holders import HolderField
from ..domain.incidents import AlertRule, Urgency
from ..domain.journeys import JourneyRule, most_days
from ..domain.runs import DomainRule, Trailer
from ..domain.second_step import StepKind
from ..domain.values import DateOrder, ValueRefused
from .settings import RUNBOOK
from .zones import time_zone

if TYPE_CHECKING:
    from ..domain.masking import Vocabulary
    from ..domain.replies import ReplyWords
    from ..domain.rollups import DailyRule, StormRule
    from ..domain.verdicts import Verdicts
    from .alert_rules import Alerts, MessageRules
    from .expectation_rules import SiteHolidays

_JOURNEY_NAME = re.compile(r"[a-z0-9-]{1,40}")

PACKAGE_RULES = Path(__file__).parent.parent / "rules"


ONE_CLICK_PROVIDERS = frozenset({"ses"})
"""The e-mail providers that send header fields of ours, as a test sees from the providers themselves."""


class RulesInvalid(Exception):
    """A rules file that cannot be used; the message names file, line, key and reason."""

    impersonal = True


M = TypeVar("M", bound=BaseModel)
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where there is one: ten times faster


def _zone(name: str) -> str:
    try:
        return time_zone(name)
    except ValueRefused as refused:
        raise ValueError(str(refused)) from None


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class _Change(_Strict):
    """What may differ by account status."""

    channels: tuple[Channel, ...] | None = None
    both_channels: bool | None = None
    urgent: bool | None = None
    wording: str | None = None
    paper_on_failure: bool | None = None
    deadline_hours: int | None = Field(None, ge=1, le=8760)
    skip: str | None = None
    asks_for_payment: bool | None = None


class _Type(_Strict):
    use_case: str = Field(pattern=r"^uc[1-8]$")
    message_class: MessageClass = Field(alias="class")
    topic: str = Field(min_length=1)
    wording: str | None = None
    channels: tuple[Channel, ...] = Field(min_length=1)
    both_channels: bool
    urgent: bool
    link: Literal["link", "reference"]
    teams: tuple[str, ...] = ()
    team_copy: Literal["each", "digest", "none"] = "none"
    consent: Literal["implied", "required"]
    paper_on_failure: bool
    on_unconfirmed: Literal["alert", "other_channel", "paper", "resend"]
    on_no_receipt: Literal["alert", "other_channel", "paper", "ignore"]
    notify_on_new_content: bool
    shared_file: bool
    deadline_hours: int = Field(ge=1, le=8760)
    link_days: int = Field(ge=1, le=3650)
    opens: Literal["portal", "inline", "attachment"]
    second_step: StepKind
    any_payment_settles: bool
    shares_payments: bool | None = None
    asks_for_payment: bool | None = None
    by_account_status: Mapping[str, _Change] = Field(default_factory=dict)


class _Trailer(_Strict):
    starts: str = Field(min_length=1, max_length=64)
    count_field: int | None = Field(None, ge=1, le=256)
    count_adds: int = Field(0, ge=0, le=9)
    required: bool = True


class _Domain(_Strict):
    unsealed: bool
    encoding: str | None
    dates: DateOrder
    exit_statuses: tuple[int, ...]
    hold_on_exit_status: bool
    seal_within_minutes: int = Field(ge=1, le=10080)
    missing_documents: Literal["reject", "hold"]
    multi_line_fields: bool
    trailer: _Trailer | None
    implied_decimals: int | None = Field(ge=0, le=4)
    decimal_mark: Literal[".", ","] | None
    utc_midnight: Literal["date", "instant"] | None
    time_zone: Annotated[str, AfterValidator(_zone)] | None
    holders: tuple[HolderField, ...]
    payments_without_document: Literal["oldest_due", "team"]


class YamlRules:
    """`Rules` from YAML files, each read when first asked for. Raises RulesInvalid.

    `runbook` says where the runbook is read; alerts lead to a section of it.
    """

    def __init__(self, site: Path | None = None, runbook: Callable[[], str] = lambda: RUNBOOK) -> None:
        self._runbook = runbook
        self._folders = [PACKAGE_RULES, *([site] if site is not None else [])]

    def for_document(self, document: Document) -> DocumentRule:
        """See `Rules.for_document`; a status is compared as rules/statuses.yaml says, the type's own words
        first."""
        variants, status = self._types[document.document_type], document.account_status
        if not status:
            return variants[""]
        name, own = self.statuses.named(status), self._spelled[document.document_type]
        found = [own[one] for said in (status, name) for one in spellings(said) if one in own]
        return replace(
            found[0] if found else variants[""],
            account_hold=self.statuses.holds(status),
            status_unknown=not found and not name,
        )

    def of_type(self, document_type: str) -> DocumentRule:
        """See `Rules.of_type`."""
        return self._types[document_type][""]

    def team_address(self, team: str) -> str | None:
        """See `Rules.team_address`."""
        return self._teams.get(team)

    def domain(self, domain: str) -> DomainRule:
        """See `Rules.domain`."""
        defaults, domains = self._domains
        if domain not in domains and domains and self._holds_unknown:
            return replace(defaults, unknown=True)
        return domains.get(domain, defaults)

    @property
    def named_domains(self) -> tuple[str, ...] | None:
        """The domains there are; None: any, since domains.yaml names none or accepts others."""
        return tuple(self._domains[1]) if self._domains[1] and self._holds_unknown else None

    def route(self, exception: ExceptionRaised, severity: Severity | None = None) -> AlertRule:
        """See `AlertRules.route`."""
        return self._alerts.route(exception, severity, self._runbook())

    def telling(self, team: str, urgency: Urgency) -> tuple[tuple[str, ...], ...]:
        """See `AlertRules.telling`."""
        return self._alerts.chains(team, urgency)

    @property
    def alert_teams(self) -> Sequence[str]:
        """See `AlertRules.alert_teams`."""
        return tuple(dict.fromkeys(self._alerts.named_teams()))

    def team_mobile(self, team: str) -> str | None:
        """The number that a team's alerts go to by SMS."""
        return self._alerts.mobile(team)

    def storm(self, team: str) -> "StormRule":
        """See `AlertRules.storm`."""
        return self._alerts.storm_of(team)

    @property
    def daily(self) -> "DailyRule":
        """See `AlertRules.daily`."""
        return self._alerts.daily_rule()

    def metric_code(self, code: str) -> str:
        """The dimension that exceptions of a code count under: those that nobody knows share one."""
        from ..domain.composer_messages import CODE

        return code if CODE.fullmatch(code) or code in self._alerts.codes else "other"

    def shows_samples(self, team: str) -> bool:
        """See `AlertRules.shows_samples`."""
        return self._alerts.shows_samples(team)

    @property
    def rerun_chars(self) -> int:
        """See `AlertRules.rerun_chars`."""
        return self._alerts.rerun_chars

    @cached_property
    def messages(self) -> "MessageRules":
        """What files beside an index are, and what their columns mean."""
        from .alert_rules import MessageRules

        return self._validate(MessageRules, self._read("messages.yaml"), "messages.yaml", "")

    @property
    def expected_runs(self) -> tuple[ExpectedRun, ...]:
        """The runs that the calendar expects, without those refused."""
        return tuple(found for found in self._expected if isinstance(found, ExpectedRun))

    @property
    def refused_expectations(self) -> tuple[str, ...]:
        """Why each expectation is refused that can never be met, a sentence each."""
        return tuple(str(found) for found in self._expected if isinstance(found, RulesInvalid))

    def is_day_off(self, holidays: Holidays, day: date) -> bool:
        """See `RunCalendar.is_day_off`."""
        from .expectation_rules import is_day_off

        return is_day_off(holidays, day)

    @cached_property
    def _expected(self) -> "tuple[ExpectedRun | RulesInvalid, ...]":
        return tuple(self._expectations(None))

    @cached_property
    def _site_holidays(self) -> "SiteHolidays":
        from .expectation_rules import SiteHolidays

        file = "domains.yaml"
        return self._validate(SiteHolidays, self._read(file).get("holidays") or {}, file, "holidays")

    def _expectations(self, today: date | None) -> "Iterator[ExpectedRun | RulesInvalid]":
        from .expectation_rules import Expected, Refusal, usable

        file = "domains.yaml"
        domains = self.named_domains
        seen: set[str] = set()
        for n, row in enumerate(self._read(file).get("expected") or ()):
            key = f"expected.{n}"
            try:
                found = usable(self._validate(Expected, row, file, key), self._site_holidays, domains, today)
            except RulesInvalid as invalid:
                yield invalid
                continue
            if not isinstance(found, Refusal) and found.key.lower() in seen:
                found = Refusal("name", f"{found.key} is there twice: give each a name")
            if isinstance(found, Refusal):
                path = f"{key}.{found.field}"
                yield RulesInvalid(f"{file}{self._line(file, path)}: {path}: {found.why}")
            else:
                seen.add(found.key.lower())
                yield found

    @cached_property
    def reply_words(self) -> "ReplyWords":
        """What SMS replies are understood by, the site's own words included."""
        from ..domain.replies import WORDS
        from .phrase_rules import ReplyFile

        own = self._validate(ReplyFile, self._read("replies.yaml"), "replies.yaml", "")
        return WORDS.with_own({"stop": own.stop, "start": own.start, "help": own.help})

    @cached_property
    def verdicts(self) -> "Verdicts":
        """What proves why a message was not delivered, the site's own rows in front."""
        from ..domain.verdicts import Verdicts
        from .verdict_rules import VerdictFile

        name = "verdicts.yaml"
        files = [self._validate(VerdictFile, self._read(name, [f]), name, "") for f in self._folders]
        doubts = [word for file in files for word in file.doubts]
        return Verdicts(*(file.tables() for file in reversed(files)), doubts=doubts)

    @cached_property
    def statuses(self) -> StatusWords:
        """See `Rules.statuses`."""
        from .status_rules import StatusFile

        return self._validate(StatusFile, self._read("statuses.yaml"), "statuses.yaml", "").words()

    @cached_property
    def vocabulary(self) -> "Vocabulary":
        """The words and names that may leave a run's folder, the site's own included."""
        from .vocabulary_rules import VocabularyFile, files_with_names, vocabulary_of

        name = "vocabulary.yaml"
        files = [self._validate(VocabularyFile, self._read(name, [f]), name, "") for f in self._folders]
        return vocabulary_of(files, {file: self._read(file) for file in files_with_names()})

    def journeys(self) -> Mapping[str, JourneyRule]:
        """See `Rules.journeys`."""
        return self._journeys

    def known_place(self, place: str) -> str:
        """See `Rules.known_place`."""
        from .calendars import known_place

        return known_place(place)

    def is_holiday(self, place: str, day: date) -> bool:
        """See `IsHoliday`, with the site's own days."""
        from .calendars import is_day_off

        own = self._site_holidays
        return is_day_off(place, day, own.added, own.removed)

    @property
    def types(self) -> tuple[str, ...]:
        """The known document types."""
        return tuple(self._types)

    def variants(self, document_type: str) -> tuple[DocumentRule, ...]:
        """All rules of a document type: the one without an account status, then those by status."""
        return tuple(self._types[document_type].values())

    def by_status(self, document_type: str) -> Mapping[str, DocumentRule]:
        """The same by account status in small letters; the one without a status by ""."""
        return self._types[document_type]

    @cached_property
    def queues(self) -> Mapping[str, str]:
        """Document type by output queue."""
        queues: dict[str, str] = self._documents.get("queues") or {}
        for queue, kind in queues.items():
            if kind not in self._types:
                raise RulesInvalid(f"documents.yaml: queues.{queue}: no document type {kind!r}")
        return queues

    @property
    def paper_queue(self) -> str:
        """See `RuleBook.paper_queue`."""
        return str(self._documents.get("paper_queue") or "Print")

    def check(
        self,
        provider_for: Callable[[Channel, MessageClass], str] | None = None,
        retention_days: int | None = None,
        today: date | None = None,
    ) -> None:
        """Read and validate everything; with `provider_for` also whether each type's provider can do it,
        with `retention_days` also whether the records are kept for as long as the rules need them, with
        `today` also whether a run is expected on past dates only."""
        from .phrase_rules import PhraseFile

        known = sorted(path.name for path in PACKAGE_RULES.glob("*.yaml"))
        for path in (
            path for folder in self._folders if folder.is_dir() for path in sorted(folder.iterdir())
        ):
            if path.suffix in (".yaml", ".yml") and path.name not in known:
                raise RulesInvalid(f"{path.name}: nobody reads it; rules are {', '.join(known)}")
        _ = (self._types, self.queues, self._teams, self._domains, self.messages)
        for found in self._expectations(today):
            if isinstance(found, RulesInvalid):
                raise found
        _ = (
            self._journeys,
            self._site_holidays,
            self._holds_unknown,
            self.reply_words,
            self.statuses,
            self.verdicts,
            self.vocabulary,
        )
        self._validate(PhraseFile, self._read("bounce_mails.yaml"), "bounce_mails.yaml", "")
        for team in self._alerts.named_teams():
            if team not in self._teams:
                raise RulesInvalid(f"alerts.yaml: no team {team!r} in teams.yaml")
        for name, variants in self._types.items():
            for team in variants[""].teams:
                if team not in self._teams:
                    raise RulesInvalid(f"documents.yaml: types.{name}.teams: no team {team!r} in teams.yaml")
        if provider_for is not None:
            self.check_one_click(provider_for)
        if retention_days is not None:
            self.check_retention(retention_days)

    def check_retention(self, days: int) -> None:
        """RulesInvalid where a link or a journey outlives the record (RecordRetentionDays).

        Of a step around a due date only the days after it count: how far off the date is, no rule tells.
        """
        for name, variants in self._types.items():
            if (opens := variants[""].link_days) > days:
                own = "link_days" in ((self._documents.get("types") or {})[name] or {})
                path = f"types.{name}.link_days" if own else "defaults.link_days"
                raise RulesInvalid(
                    f"documents.yaml{self._line('documents.yaml', path)}: {path}: {opens} days, but "
                    f"records are kept for {days} (RecordRetentionDays): the link would lead nowhere"
                )
        for name, rule in self._journeys.items():
            for number, step in enumerate(rule.steps):
                if most_days(step) >= days:
                    path = f"journeys.{name}.{'unanswered' if step.end else f'steps.{number}'}"
                    raise RulesInvalid(
                        f"journeys.yaml{self._line('journeys.yaml', path)}: {path}: due after up to "
                        f"{most_days(step)} days, but records are kept for {days} (RecordRetentionDays)"
                    )

    def check_one_click(self, provider_for: Callable[[Channel, MessageClass], str]) -> None:
        """Marketing e-mail must offer one click (RFC 8058): RulesInvalid where its provider cannot."""
        provider = provider_for("email", "marketing")
        if provider in ONE_CLICK_PROVIDERS:
            return
        for name, variants in self._types.items():
            if any(r.message_class == "marketing" and "email" in r.channels for r in variants.values()):
                raise RulesInvalid(
                    f"documents.yaml: types.{name}: marketing e-mail goes through {provider}, which cannot "
                    "set the header fields of one-click unsubscription (RFC 8058): send it through ses "
                    "(ProviderOverrides email/marketing=ses), or by sms alone"
                )

    @cached_property
    def _documents(self) -> dict[str, Any]:
        return self._read("documents.yaml")

    @cached_property
    def _types(self) -> dict[str, dict[str, DocumentRule]]:
        defaults = self._documents.get("defaults") or {}
        rules: dict[str, dict[str, DocumentRule]] = {}
        for name, entry in (self._documents.get("types") or {}).items():
            model = self._validate(_Type, {**defaults, **(entry or {})}, "documents.yaml", f"types.{name}")
            fields = model.model_dump(exclude={"by_account_status"})
            rule = DocumentRule(name=name, **{**fields, "wording": model.wording or name})
            rules[name] = {"": rule}
            for status, change in model.by_account_status.items():
                rules[name][status.lower()] = replace(rule, **change.model_dump(exclude_none=True))
        return _demanding(rules)

    @cached_property
    def _spelled(self) -> dict[str, dict[str, DocumentRule]]:
        """The variants by account status, under every spelling of it."""
        return {
            kind: {one: rule for status, rule in variants.items() for one in spellings(status)}
            for kind, variants in self._types.items()
        }

    def _demanded(self, journey: JourneyRule) -> JourneyRule:
        """The journey, asking for payment where the words of a step do and the file does not say."""
        words = _demanding_words(self._types)
        if journey.asks_for_payment is None and any(step.wording in words for step in journey.steps):
            return replace(journey, asks_for_payment=True)
        return journey

    @cached_property
    def _teams(self) -> dict[str, str]:
        teams = self._read("teams.yaml")
        for team, address in teams.items():
            if not isinstance(address, str) or "@" not in address:
                raise RulesInvalid(f"teams.yaml: {team}: an e-mail address is needed")
        return teams

    @cached_property
    def _domains(self) -> tuple[DomainRule, dict[str, DomainRule]]:
        data = self._read("domains.yaml")
        defaults = data.get("defaults") or {}

        def rule(entry: Mapping[str, Any], key: str) -> DomainRule:
            fields = self._validate(_Domain, entry, "domains.yaml", key).model_dump()
            trailer = fields.pop("trailer")
            return DomainRule(**fields, trailer=Trailer(**trailer) if trailer else None)

        entries = data.get("domains") or {}
        if not isinstance(entries, Mapping):
            where = self._line("domains.yaml", "domains")
            raise RulesInvalid(f"domains.yaml{where}: domains: each is a key, as in `cards: {{}}`")
        domains = {
            name: rule({**defaults, **(entry or {})}, f"domains.{name}") for name, entry in entries.items()
        }
        return rule(defaults, "defaults"), domains

    @cached_property
    def _holds_unknown(self) -> bool:
        """Whether runs of a domain that domains.yaml does not name wait for a person, where it names any."""
        told = self._read("domains.yaml").get("unknown_domains", "hold")
        if told not in ("hold", "accept"):
            where = self._line("domains.yaml", "unknown_domains")
            raise RulesInvalid(f"domains.yaml{where}: unknown_domains: hold or accept (it says {told!r})")
        return bool(told == "hold")

    @cached_property
    def _journeys(self) -> dict[str, JourneyRule]:
        from .journey_rules import JourneyModel

        data = self._read("journeys.yaml")
        defaults = data.get("defaults") or {}
        journeys: dict[str, JourneyRule] = {}
        for name, entry in (data.get("journeys") or {}).items():
            key = f"journeys.{name}"
            if entry is None:
                continue  # a site switched it off
            if not _JOURNEY_NAME.fullmatch(str(name)):
                where = self._line("journeys.yaml", key)
                raise RulesInvalid(f"journeys.yaml{where}: {key}: a name is of a-z, 0-9 and -, 40 at most")
            rule = self._validate(JourneyModel, {**defaults, **entry}, "journeys.yaml", key).rule(name)
            rule = self._demanded(rule)
            unknown = [kind for kind in rule.documents if kind not in self._types]
            lost = [s.team for s in rule.steps if s.team and s.team not in self._teams]
            if unknown or lost:
                path = f"{key}.{'documents' if unknown else 'unanswered.team'}"
                what = f"no document type {unknown[0]!r}" if unknown else f"no team {lost[0]!r} in teams.yaml"
                raise RulesInvalid(f"journeys.yaml{self._line('journeys.yaml', path)}: {path}: {what}")
            journeys[name] = rule
        return journeys

    @cached_property
    def _alerts(self) -> "Alerts":
        from .alert_rules import Alerts

        return self._validate(Alerts, self._read("alerts.yaml"), "alerts.yaml", "")

    def _read(self, name: str, folders: Sequence[Path] = ()) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for folder in folders or self._folders:
            path = folder / name
            if not path.exists():
                continue
            try:
                data = _loaded(path.read_text("utf-8")) or {}
            except yaml.YAMLError as error:
                raise RulesInvalid(f"{path.name}: {error}") from error
            except ValueError as error:  # a value that looks like a date, and is none
                where = f"({folder.name}) line {_line_without_a_day(path)}"
                raise RulesInvalid(f"{path.name} {where}: {error}") from error
            if not isinstance(data, dict):
                raise RulesInvalid(f"{path.name}: keys and values are needed at the top")
            merged = _laid_over(merged, data)
        return merged

    def _validate(self, model: type[M], data: object, file: str, key: str) -> M:
        try:
            return model.model_validate(data)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            path = ".".join(x for x in (key, *map(str, first["loc"])) if x)
            where = f"{file}{self._line(file, path)}: {path}"
            raise RulesInvalid(
                f"{where}: {first['msg'].removeprefix('Value error, ')} (it says {first['input']!r})"
            ) from error

    def line_of(self, file: str, path: str) -> int:
        """The line of a key in the topmost file that has it, or that of its nearest parent; 0 if none has."""
        return self._place(file, path)[1]

    def _line(self, file: str, path: str) -> str:
        """Where a key stands, in the topmost file that has it; found again only to tell an error."""
        folder, line = self._place(file, path)
        return f" ({folder}) line {line}" if line else ""

    def _place(self, file: str, path: str) -> tuple[str, int]:
        for folder in reversed(self._folders):
            if (folder / file).exists():
                node: Any = yaml.compose((folder / file).read_text("utf-8"), yaml.SafeLoader)
                line = _line_of(node, path.split("."))
                if line is not None:
                    return folder.name, line
        return "", 0


def _demanding_words(types: Mapping[str, Mapping[str, DocumentRule]]) -> frozenset[str]:
    """The words of the types that ask for payment, whatever the account; not those borrowed from a bill."""
    asking = {name for name, variants in types.items() if variants[""].demands_payment}
    words = {types[name][""].wording for name in asking}
    return frozenset(word for word in words if word not in types or word in asking)


def _demanding(types: dict[str, dict[str, DocumentRule]]) -> dict[str, dict[str, DocumentRule]]:
    """The rules, where what borrows the words of a demand is one too, unless the file says that it is not.

    An account's status can turn a bill into a final demand by its words alone.
    """
    words = _demanding_words(types)
    for variants in types.values():
        for status, rule in variants.items():
            if rule.asks_for_payment is None and rule.wording in words:
                variants[status] = replace(rule, asks_for_payment=True)
    return types


def _line_without_a_day(path: Path) -> int:
    """The first line with a date that the calendar does not have; 0 if each is one."""
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        for year, month, day in re.findall(r"\b(\d{4})-(\d\d?)-(\d\d?)\b", line):
            try:
                date(int(year), int(month), int(day))
            except ValueError:
                return number
    return 0


@lru_cache(maxsize=32)
def _loaded(text: str) -> Any:
    """A file's data, which nobody changes: several rules read the same file."""
    return yaml.load(text, _Loader)  # noqa: S506 - a safe loader


def _line_of(node: Any, path: list[str]) -> int | None:
    line: int | None = None
    for name in path:
        if isinstance(node, yaml.SequenceNode) and name.isdigit() and int(name) < len(node.value):
            node = node.value[int(name)]
            line = node.start_mark.line + 1
            continue
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        found = next(((key, value) for key, value in pairs if key.value == name), None)
        if found is None:
            return line
        line = found[0].start_mark.line + 1
        node = found[1]
    return line


def _laid_over(base: Any, over: Any) -> Any:
    """Mappings merge key by key; anything else is replaced."""
    if isinstance(base, dict) and isinstance(over, dict):
        merged = dict(base)
        for key, value in over.items():
            merged[key] = _laid_over(base[key], value) if key in base else value
        return merged
    return over
