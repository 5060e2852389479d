"""Faults that nobody has made yet: what a reviewer would try."""

from __future__ import annotations

from .fault import ANSWERS, LOST, SEND, SENT_AGAIN, Fault, fault
from .putting_back import Edit

TRIED: tuple[Fault, ...] = (
    fault(
        "late_answer_lost",
        "what a slow worker hears for certain does not count once another one was in doubt (t10)",
        {"certain_answers_count"},
        "late-answers",
        Edit(
            ANSWERS,
            "    return attempt.status == Status.SENDING or (doubted and newest)\n",
            "    return attempt.status == Status.SENDING\n",
        ),
    ),
    fault(
        "late_seal_is_another",
        "the seal of a run that was taken by its manifest counts as other content (t13)",
        {"same_content_is_no_news"},
        "sealed-after",
        Edit("use_cases.stage_run", "        if run.sealed or run.sealed_as:\n", "        if True:\n"),
    ),
    fault(
        "heirs_forgotten",
        "a run waits for another one's notice, that ends untold, and nobody goes back to the run that waits",
        LOST | {"correction_tells_the_rest"},
        "wanted-twice",
        Edit("use_cases.decide_notices", "        if waiting is not None:\n", "        if False:\n"),
    ),
    fault(
        "switch_ignored_in_bulk",
        "a kill switch that is thrown while jobs lie in the queues stops no bulk job",
        {"switched_off_is_silent"},
        "off-between",
        Edit(
            SEND, "        if self.switched_off():\n", "        if self.switched_off() and not batch.bulk:\n"
        ),
    ),
    fault(
        "hold_ignored_by_sender",
        "a run that is held while its jobs lie in the queues is sent",
        {"stopped_runs_are_silent"},
        "stopped-between",
        Edit(SEND, "    if control == Control.HOLD:\n        _put", "    if False:\n        _put"),
    ),
    fault(
        "cancel_ignored_by_sender",
        "a run that is cancelled while its jobs lie in the queues is sent",
        {"stopped_runs_are_silent"},
        "stopped-between",
        Edit(SEND, "    if control == Control.CANCEL:\n        # What", "    if False:\n        # What"),
    ),
    fault(
        "stop_forgets_the_number",
        "STOP from a number that no contact has yet is forgotten when the first run names it",
        {"opted_out_is_silent"},
        "stopped-early",
        Edit(
            "use_cases.record_reply",
            "        if topic is None:\n            # Kept",
            "        if False:\n            # Kept",
        ),
    ),
    fault(
        "erased_is_sent",
        "the job of a customer who was erased meanwhile is sent",
        {"erased_is_silent"},
        "changed-between",
        Edit(
            SEND,
            "        if member.position in gone:\n            tally.erased",
            "        if False:\n            tally.erased",
        ),
    ),
    fault(
        "paper_wish_read_once",
        "who asks for paper while a job lies in its queue gets the message",
        {"paper_is_silent"},
        "changed-between",
        Edit(SEND, "or to is None or contact.paper_required or contact.withdrew:", "or to is None:"),
    ),
    fault(
        "debt_hold_read_once",
        "who is not to be asked for money any more is asked by a job that lay in its queue",
        {"held_debt_is_silent"},
        "changed-between-lending",
        Edit(
            SEND,
            "if quiet or untimely or stays(rule, contact) or against(job.channel, rule, contact):",
            "if quiet or untimely or against(job.channel, rule, contact):",
        ),
    ),
    fault(
        "own_language_ignored",
        "the language that a customer chose does not count against the document's",
        {"language_is_the_customers"},
        "changed-between",
        Edit(SEND, '    if "language" in contact.set_by_customer or (', "    if ("),
    ),
    fault(
        "quiet_hours_of_the_sender",
        "quiet hours are those of the site's zone, and not of the customer's",
        {"texts_go_by_day"},
        "early-morning",
        Edit(
            SEND,
            "        all_zones = zones or policy.default_zones\n",
            "        all_zones = policy.default_zones\n",
        ),
        Edit(
            "domain.decisions",
            "        where = tuple(zones) or policy.default_zones\n",
            "        where = policy.default_zones\n",
        ),
    ),
    fault(
        "deadline_forgotten",
        "what an outage kept back goes out when its deadline is over",
        {"deadline_is_kept"},
        "outage",
        Edit(
            SEND,
            "        late = since and now > since + timedelta(hours=rule.deadline_hours)\n",
            "        late = False\n",
        ),
        Edit(
            "use_cases.decide_notices",
            "        if late and (stale or not _waits_for_its_hour(before, rule)):\n",
            "        if False:\n",
        ),
    ),
    fault(
        "receipt_of_another_attempt",
        "the report of an earlier attempt is taken for one of the newest",
        LOST | SENT_AGAIN,
        "told-late",
        Edit(
            "domain.receipts",
            "    if receipt.attempt is not None:\n        return notice.attempt(receipt.attempt)\n",
            "    if notice.attempts:\n        return notice.attempts[-1]\n",
        ),
    ),
    fault(
        "doubt_falls_back_to_itself",
        "the channel that is in doubt is used once more as the fallback",
        SENT_AGAIN,
        "doubted",
        Edit(
            "use_cases.decide_notices",
            "zones, now, policy, channels=before.waiting)\n    goes_on",
            "zones, now, policy)\n    goes_on",
        ),
    ),
    fault(
        "bulk_inserts_of_the_first",
        "all members of a bulk job get what belongs to the first of them",
        {"nobody_elses_data", "link_opens_the_document"},
        "doubts",
        Edit(
            SEND, "BulkMember(row.ref, row.to, row.inserts)", "BulkMember(row.ref, row.to, fresh[0].inserts)"
        ),
    ),
)
"""What a reviewer would try."""
