"""What a value holds of what nobody stated: nothing, but for the rows of one table; and the words that are kept."""

import enum
import importlib
import inspect
import pkgutil
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import time, timedelta
from typing import Any

import pytest

import exstream_notify.domain
from exstream_notify.domain import (
    account_status,
    acknowledgements,
    address_changes,
    alert_words,
    breaker,
    channels,
    composed_again,
    composer_messages,
    contacts,
    debt,
    debt_hold,
    decisions,
    documents,
    due_days,
    eligibility,
    erased,
    exceptions,
    expectations,
    export,
    headlines,
    hearing,
    holders,
    inbound,
    incidents,
    journeys,
    links,
    mail_addresses,
    masking,
    messages,
    notices,
    pager,
    payments,
    preferences,
    quiet_hours,
    receipts,
    replies,
    reputation,
    responses,
    rollups,
    runs,
    second_step,
    statements,
    takeover,
    verdicts,
    watching,
    work,
)
from exstream_notify.domain.values import manner

#: Values made of others; their own rows say what they hold.
OTHERWISE: set[tuple[type, str]] = {(composer_messages.Group, "customers")}

#: By value: what stands where nobody stated anything, unless it is nothing.
STATED: dict[type, dict[str, Any]] = {
    account_status.StatusWords: {},
    acknowledgements.Named: {},
    address_changes.Stage: {"undo": True},
    address_changes.Step: {},
    alert_words.Alert: {},
    breaker.Breaker: {"threshold": 5, "rest": 60.0},
    channels.ChannelState: {},
    channels.AlertReceipt: {},
    composed_again.Customers: {},
    composer_messages.ComposerMessage: {},
    composer_messages.Group: {"step": 1},
    composer_messages.Grouped: {},
    composer_messages.RunSummary: {},
    contacts.Address: {"status": "ok", "source": "drop"},
    contacts.AddressChange: {},
    contacts.Contact: {},
    debt.StatusChange: {},
    debt_hold.DebtHold: {},
    decisions.Send: {},
    decisions.Suppress: {},
    decisions.Paper: {},
    decisions.Policy: {"default_zones": ("America/New_York",)},
    documents.Document: {},
    documents.DocumentRule: {
        "link": "link",
        "team_copy": "none",
        "consent": "implied",
        "on_unconfirmed": "alert",
        "on_no_receipt": "alert",
        "deadline_hours": 72,
        "link_days": 60,
        "opens": "portal",
        "second_step": "none",
        "purpose": "notice",
        "without_channel": "other",
        "on_paper": "paper",
    },
    due_days.Holidays: {"country": "US"},
    due_days.DueDays: {
        "weekdays": ("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
        "every_weeks": 1,
        "when_off": "due",
    },
    eligibility.Verdict: {},
    erased.Person: {},
    exceptions.ExceptionRaised: {"part": "run", "count": 1},
    exceptions.FileRead: {},
    expectations.ExpectedRun: {"run": "*", "within_minutes": 720},
    expectations.Arrival: {},
    export.Layout: {"separator": ","},
    headlines.Until: {"same": True},
    headlines.OtherRuns: {"complete": True},
    headlines.Particulars: {},
    hearing.Voice: {},
    holders.Conflicts: {},
    inbound.Reply: {},
    incidents.AlertRule: {"severity": "error", "urgency": "normal", "group": "run", "cured_by_rerun": True},
    incidents.Head: {
        "status": incidents.IncidentStatus.OPEN,
        "told_severity": "info",
        "told_status": incidents.IncidentStatus.OPEN,
    },
    incidents.Incident: {},
    journeys.Delay: {},
    journeys.Step: {"anchor": "notice", "on_paper": "skip", "without_channel": "other"},
    journeys.JourneyRule: {
        "stops": ("responded", "paid", "acknowledged", "opted_out"),
        "hour": 15,
        "changes_apply_to": "new",
        "fair_time": journeys.Delay(months=0, days=14, seconds=0),
    },
    journeys.Member: {},
    links.Look: {},
    mail_addresses.Place: {},
    masking.Sampled: {},
    masking.Vocabulary: {},
    messages.Content: {},
    messages.Message: {},
    messages.TryAgain: {},
    messages.GiveUp: {"whose": "us"},
    messages.SentRequest: {},
    notices.Correction: {},
    notices.Attempt: {},
    notices.Event: {},
    notices.Pauses: {},
    notices.Notice: {"version": 1},
    pager.PagerEvent: {},
    payments.Fact: {},
    payments.Payments: {},
    payments.Debt: {"owed": True},
    payments.Balance: {"clear": True},
    preferences.PortalChange: {},
    quiet_hours.Window: {"opens": time(8), "closes": time(21)},
    receipts.Meaning: {},
    receipts.Receipt: {"sole": True, "said_by": receipts.Source.PROVIDER},
    receipts.ReceiptPolicy: {
        "soft_limit": 3,
        "soft_window": timedelta(days=7),
        "soft_rest": timedelta(days=30),
        "delay_wait": timedelta(seconds=14400),
        "keep_unmatched": timedelta(days=1),
        "unproven_limit": 20,
    },
    receipts.Suppression: {},
    reputation.Limits: {"bounces": 5.0, "complaints": 0.3, "minimum": 500},
    responses.ResponseEvent: {},
    responses.EarlyPayment: {},
    responses.EarlyResponse: {},
    rollups.StormRule: {"per_minute": 5, "per_hour": 10, "quiet_minutes": 30},
    rollups.DailyRule: {"at": time(8), "zone": "America/New_York"},
    rollups.Bookmark: {},
    runs.SealedFile: {},
    runs.Seal: {},
    runs.StagePolicy: {
        "missing_file_wait": timedelta(seconds=3600),
        "quiet_period": timedelta(seconds=120),
        "volume_limit_percent": 50,
        "reject_limit_percent": 10,
    },
    runs.Trailer: {"required": True},
    runs.DomainRule: {
        "unsealed": True,
        "dates": "iso",
        "exit_statuses": (0,),
        "seal_within_minutes": 240,
        "missing_documents": "reject",
        "payments_without_document": "oldest_due",
    },
    runs.FoundFile: {},
    runs.Run: {"sealed": True, "control": runs.Control.GO},
    runs.RunNews: {},
    runs.RecordOutcome: {},
    runs.Concern: {},
    runs.Reconciliation: {},
    statements.Statement: {},
    manner.Manner: {"dates": "iso", "zone": "America/New_York"},
    verdicts.Report: {},
    verdicts.Row: {},
    watching.Watched: {},
    work.SlicePointer: {"kind": "documents", "purpose": "notice"},
    work.Member: {"audience": "customer", "attempt": 1},
}


def nothing(hint: Any) -> Any:
    """What stands for nothing of a type: None where the type has it, else what is empty."""
    bare = typing.get_origin(hint) or hint
    if bare in (typing.Union, types.UnionType):
        assert type(None) in typing.get_args(hint)
        return None
    empty: dict[Any, Any] = {typing.Literal: "", Mapping: {}, Sequence: ()}
    return empty[bare] if bare in empty else bare()


def left_out(value: type) -> dict[str, Any]:
    """What its fields hold if they are left out."""
    return {
        each.name: each.default if each.default is not MISSING else each.default_factory()  # type: ignore[operator]
        for each in fields(value)
        if each.default is not MISSING or each.default_factory is not MISSING
    }


@pytest.mark.parametrize("value", STATED, ids=lambda value: value.__name__)
def test_what_is_not_stated_is_nothing_or_in_the_table(value: type) -> None:
    hints = typing.get_type_hints(value)
    for name, held in left_out(value).items():
        wanted = STATED[value][name] if name in STATED[value] else nothing(hints[name])
        if (value, name) not in OTHERWISE:
            assert (name, held, type(held)) == (name, wanted, type(wanted))
    assert STATED[value].keys() <= left_out(value).keys()


def _classes() -> Iterator[type]:
    for module in pkgutil.walk_packages(exstream_notify.domain.__path__, "exstream_notify.domain."):
        for thing in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(thing) and thing.__module__ == module.name:
                yield thing


def test_every_value_that_may_leave_something_out_has_its_row() -> None:
    found = {c for c in _classes() if is_dataclass(c) and not c.__name__.startswith("_") and left_out(c)}
    assert found - {replies.ReplyWords} == set(STATED)


#: Words that rows in the tables, messages, events and metrics hold: a changed one is not read any more.
KEPT: dict[type[enum.Enum], str] = {
    address_changes.Answer: "done wrong expired too_often locked same later stopped suppressed switched_off none",
    decisions.Why: "test_document account_status do_not_dun opted_out no_consent consent_withdrawn no_channel paper_required paper_chosen quiet_hours provider_down switched_off wording_not_approved not_rendered deadline_passed records_gone superseded responded run_cancelled journey_stopped capped unanswered answer_lost refused reputation no_receipt nothing_due other_content undated erased past_date before_date",
    incidents.IncidentStatus: "open acknowledged resolved",
    incidents.What: "opened grown worse changed reopened lapsed escalated resolved ended listed undelivered",
    links.LinkState: "ready asks wrong unknown expired revoked superseded locked missing opened",
    notices.Status: "deferred suppressed paper superseded sending unconfirmed failed sent delayed undelivered delivered bounced complained",
    notices.Outcome: "notified suppressed deferred paper duplicate rejected failed unconfirmed in_flight",
    receipts.Kind: "sent delivered delayed hard_bounce soft_bounce gave_up content_refused policy_refused carrier_refused our_fault not_delivered echo_bounce echo_complaint complaint not_spam undetermined composer_undelivered composer_failed unsubscribed auth_report opened auto_reply challenge unknown",
    receipts.Source: "provider bearer anybody",
    runs.RunState: "waiting incomplete refused staged dispatched",
    runs.Control: "go hold cancel",
    runs.Look: "cancelled held refused incomplete waiting staged in_flight unbalanced failed unconfirmed other_content undated not_composed rejected not_notified deferred duplicates empty incident",
    second_step.StepAnswer: "passed wrong locked",
    takeover.Standing: "reached answered busy waits ended",
    verdicts.Group: "address temporary network content policy ours unclear",
}


@pytest.mark.parametrize("words", KEPT, ids=lambda words: words.__name__)
def test_words_that_are_kept_stay_as_they_are(words: type[enum.Enum]) -> None:
    assert [word.value for word in words] == KEPT[words].split()


def test_what_is_wrong_with_a_file_is_said_in_these_words() -> None:
    assert [fault.value for fault in documents.FileFault] == [
        "no such file in the run's folder",
        "the file is empty",
        "the file is there under another Unicode form",
        "the file is there in other letter case",
        "names a file of the run itself",
        "records of different customers name this file",
    ]


def test_every_kept_word_has_its_row() -> None:
    found = {c for c in _classes() if issubclass(c, enum.Enum)}
    assert found - {documents.FileFault} == set(KEPT)


#: What a log or a traceback must not have: addresses, texts, keys.
UNSHOWN: dict[type, set[str]] = {
    export.Layout: {"_known"},
    inbound.Reply: {"number", "text"},
    links.Look: {"salt"},
    mail_addresses.Place: {"address"},
    messages.Message: {"to", "content"},
    messages.BulkMember: {"to", "inserts"},
    messages.SentRequest: {"body"},
    receipts.Receipt: {"recipient", "also"},
    verdicts.Report: {"answer", "notes"},
}


def test_what_a_value_does_not_show_of_itself() -> None:
    found = {c: {f.name for f in fields(c) if not f.repr} for c in _classes() if is_dataclass(c)}
    assert {value: names for value, names in found.items() if names} == UNSHOWN
