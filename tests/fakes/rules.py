"""Rules that a test writes down itself."""

from collections.abc import Mapping, Sequence
from datetime import date

from exstream_notify.adapters.calendars import known_place
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.documents import Document, DocumentRule
from exstream_notify.domain.due_days import Holidays
from exstream_notify.domain.exceptions import ExceptionRaised, Severity
from exstream_notify.domain.expectations import ExpectedRun
from exstream_notify.domain.incidents import AlertRule, Urgency
from exstream_notify.domain.journeys import JourneyRule
from exstream_notify.domain.rollups import DailyRule, StormRule
from exstream_notify.domain.runs import DomainRule


class FakeRules:
    """`Rules` by document type; a rule named `<type>/<status>` holds for accounts of that status."""

    def __init__(
        self,
        *rules: DocumentRule,
        teams: Mapping[str, str] | None = None,
        domain: DomainRule | None = None,
        journeys: Sequence[JourneyRule] = (),
    ) -> None:
        self.rules = {rule.name: rule for rule in rules}
        self.teams = dict(teams or {})
        self.journey_rules = {journey.name: journey for journey in journeys}
        self.domain_rule = domain or DomainRule()

    def for_document(self, document: Document) -> DocumentRule:
        """See `Rules.for_document`."""
        special = self.rules.get(f"{document.document_type}/{document.account_status}")
        return special or self.rules[document.document_type]

    def of_type(self, document_type: str) -> DocumentRule:
        """See `Rules.of_type`."""
        return self.rules[document_type]

    def team_address(self, team: str) -> str | None:
        """See `Rules.team_address`."""
        return self.teams.get(team)

    def domain(self, domain: str) -> DomainRule:
        """See `Rules.domain`."""
        return self.domain_rule

    def journeys(self) -> Mapping[str, JourneyRule]:
        """See `Rules.journeys`."""
        return self.journey_rules

    def known_place(self, place: str) -> str:
        """See `Rules.known_place`: the library's places."""
        return known_place(place)

    def route(self, exception: ExceptionRaised, severity: Severity | None = None) -> AlertRule:
        """See `AlertRules.route`: all goes to operations, each code a family of its own."""
        return AlertRule("operations", exception.code, exception.severity, chains=(("email",),))

    def telling(self, team: str, urgency: Urgency) -> tuple[tuple[str, ...], ...]:
        """See `AlertRules.telling`."""
        return (("email",),)

    def storm(self, team: str) -> StormRule:
        """See `AlertRules.storm`."""
        return StormRule()

    def shows_samples(self, team: str) -> bool:
        """See `AlertRules.shows_samples`."""
        return True

    vocabulary = YamlRules().vocabulary
    statuses = YamlRules().statuses
    daily = DailyRule()
    rerun_chars = 1000
    alert_teams = ("operations",)
    expected_runs: tuple[ExpectedRun, ...] = ()
    refused_expectations: tuple[str, ...] = ()

    def is_day_off(self, holidays: Holidays, day: date) -> bool:
        """See `RunCalendar.is_day_off`: no day is."""
        return False
