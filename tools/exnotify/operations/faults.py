"""The table of faults, and the alarms that each must trip. A new fault is one more row."""

from . import causes
from .ground import Fault

_REMINDER = {"after": "PT1M", "channels": ["email"], "wording": "unread-reminder"}
_EXPECTED = {"domain": "retail", "name": "billing", "by": "11:00", "zone": "America/New_York"}

_HOOK_ONLY = {"normal": ["webhook"], "urgent": ["webhook"]}

_QUICK = 25.0  # for faults that take an hour in which messages wait and nothing else happens

FAULTS = (
    Fault("provider down", causes.provider(down=True), frozenset({"ProviderFailing"})),
    Fault("provider throttles everything", causes.provider(throttle=1.0), frozenset({"ProviderFailing"})),
    Fault(
        "a table is denied to decide_notices",
        causes.table_denied,
        frozenset({"SendingDeadLetters", "RunSilent"}),
    ),
    Fault(
        "the work bucket is denied to stage_document",
        causes.many_fail,
        frozenset({"IntakeDeadLetters"}),
    ),
    Fault("poison message", causes.poison, frozenset({"SendingDeadLetters"})),
    Fault(
        "function killed again and again",
        causes.killed,
        frozenset({"SendingDeadLetters", "RunSilent"}),
    ),
    Fault("function hangs", causes.stopped, frozenset({"AlertingLate"})),
    Fault(
        "a rule may not reach the run queue",
        causes.shut_out("RunQueue", causes.drop_one),
        frozenset({"IntakeRules", "IntakeDeadLetters"}),
    ),
    Fault(
        "a rule may not reach the message file queue",
        causes.shut_out("MessageFileQueue", causes.message_file),
        frozenset({"AlertingRules", "AlertingDeadLetters"}),
    ),
    Fault(
        "a rule may not reach the receipt queue",
        causes.shut_out("ReceiptQueue", causes.delivery_failed),
        frozenset({"AnswersRules", "AnswersDeadLetters"}),
    ),
    Fault(
        "what runs by a rate is denied what it reads",
        causes.schedules_denied,
        frozenset(
            f"{name}FunctionFailing"
            for name in ("ReleaseDue", "StartJourneys", "WatchRuns", "PollReceipts", "ReportDeadLetters")
        ),
    ),
    Fault(
        "a sealed file never comes",
        causes.file_missing,
        frozenset({"RunUnusable"}),
        {"MissingFileMinutes": "2"},
    ),
    Fault("the index is not what was sealed", causes.spoiled, frozenset({"RunUnusable"})),
    Fault("a seal lies where no run is", causes.misplaced, frozenset({"RunHeld"})),
    Fault("three in ten have no channel", causes.many_unreached, frozenset({"NobodyReached"})),
    Fault("a run no longer adds up", causes.word_lost, frozenset({"RunUnbalanced"})),
    Fault(
        "stage_run gets no concurrency",
        causes.throttled("StageRunFunction", causes.drop_one),
        frozenset({"IntakeLate"}),
        working=_QUICK,
    ),
    Fault(
        "send_notices gets no concurrency",
        causes.throttled("SendNoticesFunction", causes.urgent_run),
        frozenset({"SendingLate", "RunSilent"}),
        working=_QUICK,
    ),
    Fault(
        "export_preferences gets no concurrency",
        causes.throttled("ExportPreferencesFunction", causes.export_step, purged="ExportQueue"),
        frozenset({"AnswersLate"}),
        working=_QUICK,
    ),
    Fault(
        "an execution may not call its function",
        causes.execution_denied,
        frozenset({"FollowUpMachineExecutions"}),
        rules={"journeys": {"journeys": {"unread-statement": {"steps": [_REMINDER]}}}},
    ),
    Fault("the ledger is denied to open_document", causes.page_denied, frozenset({"HttpApiServerErrors"})),
    Fault(
        "an expected run does not come",
        causes.run_missing,
        frozenset({"RunMissing"}),
        rules={"domains": {"expected": [_EXPECTED]}},
    ),
    Fault(
        "a run is never sealed",
        causes.not_sealed,
        frozenset({"RunMissing"}),
        rules={"domains": {"defaults": {"seal_within_minutes": 5}}},
    ),
    Fault(
        "no receipt comes",
        causes.no_receipts,
        frozenset({"ReceiptsMissing"}),
        rules={"documents": {"types": {"statement": {"deadline_hours": 1}}}},
    ),
    Fault("nobody answers an alert", causes.unanswered, frozenset({"AlertUndelivered"})),
    Fault("an alert reaches nobody", causes.alerts_lost, frozenset({"AlertUndelivered"})),
    Fault(
        "a team has no channel any more",
        causes.team_unreached,
        frozenset({"AlertUndelivered"}),
        rules={"alerts": {"teams": {"management": _HOOK_ONLY}}},
    ),
    Fault(
        "a run's addresses bounce",
        causes.bounces,
        frozenset({"BounceRate"}),
        {"ReputationMinimum": "50"},
    ),
    Fault(
        "a customer calls it spam",
        causes.complaints,
        frozenset({"ComplaintRate"}),
        {"ReputationMinimum": "20", "EmailProvider": "ses"},
    ),
)  # fmt: skip
