"""The known faults: what went wrong once, or what a reviewer would try, each as the smallest edit of today's
source that brings it back.

`claims` are those of the checker that the fault contradicts, `profile` is the kind of night in which it is
looked for (simulation/stories/profiles.py). A fault whose text is gone fails loudly: say it anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from .putting_back import Edit

SENT_AGAIN = frozenset(
    {"once_per_attempt", "second_only_after_failure", "untold_means_not_accepted", "copies_notify_once"}
)
"""What it comes to when a message that was accepted is taken for unsent."""

LOST = frozenset(
    {
        "balance_is_true", "nobody_is_forgotten", "everything_comes_to_rest", "notified_means_accepted",
        "untold_means_not_accepted", "who_must_act_is_asked", "next_channel_follows", "silence_is_noticed",
    }
)  # fmt: skip
"""What it comes to when what a write implies is never done."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `wrong` is a sentence for the table."""

    name: str
    wrong: str
    claims: frozenset[str]
    profile: str
    edits: tuple[Edit, ...]


def _fault(name: str, wrong: str, claims: frozenset[str] | set[str], profile: str, *edits: Edit) -> Fault:
    return Fault(name, wrong, frozenset(claims), profile, edits)


_SEND = "use_cases.send_notices"
_ANSWERS = "use_cases.attempt_answers"
_DEFERRING = "domain.deferring"
_BATCHES = "adapters.dynamodb.batches"

GROWS = (
    Edit(
        _DEFERRING,
        "        return replace(after, version=notice.version + 1, pauses=_again(pauses, at))\n",
        "        pass\n",
    ),
    Edit(_DEFERRING, "(1 << min(before, 10)), _LONGEST)", "1, _LONGEST)"),
)
"""Each pause has its event, and none is longer than the one before."""

_ONCE: tuple[Fault, ...] = (
    _fault(
        "doubt_withdrawn",
        "a try in doubt is forgotten when a later one is throttled: withdrawn, and sent again (t14)",
        SENT_AGAIN,
        "doubts",
        Edit(
            "domain.messages",
            "return last if doubt is None or isinstance(last, Accepted) else doubt",
            "return last",
        ),
    ),
    _fault(
        "others_claim_withdrawn",
        "a slow worker's 429 withdraws the claim that another has submitted again (test_d)",
        SENT_AGAIN,
        "contended",
        Edit(
            _ANSWERS,
            "    if attempt is None or attempt.lease != lease:\n",
            "    if attempt is None:\n",
        ),
    ),
    _fault(
        "forgotten_by_provider",
        "a claim is submitted again after the provider forgot the first time (t5)",
        SENT_AGAIN,
        "forgotten",
        Edit(_ANSWERS, "since is not None and now - since < FORGOTTEN_AFTER", "since is not None"),
    ),
    _fault(
        "words_overwritten",
        "what a slower worker says of a job takes the place of what a faster one said (t1)",
        LOST,
        "doubled",
        Edit(
            "use_cases.slices",
            "job_id(run, outcomes[0].slice_number, what, said)",
            "job_id(run, outcomes[0].slice_number, what, said[:0])",
        ),
    ),
    _fault(
        "watch_overwritten",
        "a worker that did not finish leaves a shorter list of sends to watch for (t1b)",
        LOST,
        "doubled-silent",
        Edit(_SEND, "    if tally.sent and not tally.busy_until:\n", "    if tally.sent:\n"),
        Edit(_SEND, "job_id(job.pointer.run, job.pointer.number, part, sorted(sent)),\n", "part,\n"),
    ),
    _fault(
        "overdue_not_followed",
        "killed between ledger and queue, the look at silent sends never queues the next channel (t2)",
        LOST,
        "silent",
        Edit(
            "use_cases.poll_receipts",
            "        due_at=follow_up(notice, now),\n",
            '        due_at="",\n',
        ),
    ),
    _fault(
        "overdue_conflict_dropped",
        "a silent send that another write meets at its deadline is never looked at again (t2b)",
        LOST,
        "silent-paid",
        Edit(
            "use_cases.poll_receipts",
            "        left = _open_of(blocked.values(), watched)\n",
            "        left: list[tuple[Notice, Attempt]] = []\n",
        ),
    ),
    _fault(
        "bounce_not_followed",
        "killed after a bounce is recorded, its fallback is never queued (t2, by receipt)",
        LOST,
        "bounced",
        Edit(
            "use_cases.record_receipts",
            "follow_up(after, batch.now) if _calls_for_more(before, after) else after.due_at",
            "after.due_at",
        ),
        Edit(
            "use_cases.record_receipts",
            "            _go_on(notice, batch)\n\n\ndef _go_on",
            "            pass\n\n\ndef _go_on",
        ),
    ),
    _fault(
        "refusal_not_followed",
        "killed after a refusal is recorded, its fallback is never queued (t2, by answer)",
        LOST,
        "refused",
        Edit(
            _ANSWERS,
            "        return replace(after, due_at=follow_up(after, now))\n",
            "        return after\n",
        ),
        Edit(
            _SEND,
            "        if attempt.status != Status.SENDING:\n"
            "            self._follow(stored, row.member.both)\n",
            "        if attempt.status != Status.SENDING:\n",
        ),
    ),
    _fault(
        "run_not_told",
        "killed after a receipt settles a doubt, the run goes on showing the doubt (t11)",
        LOST | {"doubt_means_unknown"},
        "settled",
        Edit(
            "use_cases.record_receipts",
            "        if any(event.what == str(Status.UNCONFIRMED) for event in notice.events):\n",
            "        if False:\n",
        ),
    ),
    _fault(
        "exception_lost",
        "killed between a refusal's record and its exception, nobody is asked to act (t20)",
        LOST | {"incidents_count_the_sends"},
        "raised",
        Edit(_SEND, "    tally.look_up(job.members, ledger)\n", ""),
        Edit(
            _SEND,
            "        if isinstance(answer, TryAgain):\n"
            '            self.tally.trouble["provider_down", answer.reason] += 1\n',
            "        if isinstance(answer, TryAgain):\n"
            '            self.tally.trouble["provider_down", answer.reason] += 1\n'
            "        if isinstance(answer, Unconfirmed):\n"
            '            self.tally.trouble["send_unconfirmed", answer.reason] += 1\n'
            "        elif isinstance(answer, GiveUp):\n"
            '            self.tally.trouble["send_refused", answer.reason] += 1\n',
        ),
    ),
    _fault(
        "looks_share_a_name",
        "reports of two looks at a slice replace each other (t18)",
        {"incidents_count_the_untold"},
        "outage",
        Edit(
            "use_cases.counted_reports",
            "    rows = list(map(str, pointer.positions))\n",
            "    rows: list[str] = []\n",
        ),
    ),
    _fault(
        "parts_share_a_name",
        "the parts of a job report under one name, so the last part's count stands for all (t19)",
        {"incidents_count_the_untold", "incidents_count_the_sends"},
        "refusals",
        Edit(
            _SEND,
            "part = job_id(job.pointer.run, job.pointer.number, job.job_id, "
            "(m.notice_id for m in job.members))",
            "part = job.job_id",
        ),
    ),
    _fault(
        "parked_for_good",
        "a job is put aside after its run was released, and nobody takes it back (t7)",
        LOST,
        "held",
        Edit(
            _SEND,
            "    if run is not None and run.control == Control.HOLD:\n        return\n    mine",
            "    if run is not None:\n        return\n    mine",
        ),
    ),
    _fault(
        "parked_again_deleted",
        "a job that was put aside again is deleted by whoever took the first one back (t7b)",
        LOST,
        "released",
        Edit(
            "adapters.dynamodb.runs",
            "Key=_parked_key(one.job), **condition)",
            "Key=_parked_key(one.job))",
        ),
    ),
    _fault(
        "stale_job_sent",
        "a job that lay in a dead-letter queue for weeks is sent (t6)",
        {"deadline_is_kept"},
        "redriven",
        Edit(
            _SEND,
            "        late = since and now > since + timedelta(hours=rule.deadline_hours)\n",
            "        late = False\n",
        ),
    ),
    _fault(
        "untold_counts_as_told",
        "a corrected run counts as a duplicate of one whose notices ended unsent (t3)",
        {"correction_tells_the_rest"},
        "corrected",
        Edit("domain.takeover", "    return Standing.ENDED\n", "    return Standing.REACHED\n"),
    ),
    _fault(
        "content_not_compared",
        "other content under the id of a run whose seal states no checksums is taken for a repeat (t12)",
        {"every_run_is_taken", "nobody_is_forgotten", "balance_is_true", "reused_id_is_reported"},
        "reused",
        Edit(
            "use_cases.stage_run",
            "if f.sha256] if repeated else []\n",
            "if f.sha256][:0]\n",
        ),
        Edit("use_cases.stage_run", "replaced=not just_read)", "replaced=False)"),
    ),
    _fault(
        "pauses_grow_notices",
        "a notice that is kept back has an event each time it is looked at (test_f)",
        {"records_are_bounded"},
        "off",
        *GROWS,
    ),
    _fault(
        "page_too_large",
        "notices that grew while they were kept back fill a page over 4 MB, and it stops the sweep (test_g)",
        LOST,
        "off-long",
        *GROWS,
        Edit(_BATCHES, "lambda key: size_of(items[key][0])", "lambda key: 0"),
        Edit(
            "use_cases.release_due",
            "            self._one_by_one(error, keys, lambda key: self._release_some([key]))\n",
            "            self.failed.append(error)\n",
        ),
    ),
    _fault(
        "keys_unprocessed",
        "keys that DynamoDB leaves unprocessed count as not there (t23)",
        LOST | SENT_AGAIN,
        "unprocessed",
        Edit(
            _BATCHES,
            "        return left\n",
            "        return ()\n",
        ),
    ),
    _fault(
        "messages_unprocessed",
        "messages that SQS does not take from a batch are lost (t23, queues)",
        LOST,
        "partial",
        Edit(
            "adapters.sqs",
            '        return [entry for entry in entries if entry["Id"] in left]\n',
            "        return []\n",
        ),
    ),
    _fault(
        "claim_without_condition",
        "a notice is claimed by a write without its condition",
        SENT_AGAIN | {"balance_is_true"},
        "doubled",
        Edit(
            _BATCHES,
            '        return {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"}\n',
            '        return {"Item": item}\n',
        ),
    ),
    _fault(
        "reported_attempt_dropped",
        "an attempt of which a receipt spoke already is withdrawn as certainly unsent",
        SENT_AGAIN,
        "contended",
        Edit(
            _ANSWERS,
            "    if attempt is None or attempt.lease != lease:\n",
            "    if attempt is None:\n",
        ),
        Edit(
            _ANSWERS,
            "    return attempt.status == Status.SENDING or (doubted and newest)\n",
            "    return bool(doubted or newest)\n",
        ),
    ),
    _fault(
        "quiet_hours_ignored",
        "a text goes out at night where its job, or its release, came late",
        {"texts_go_by_day"},
        "evening",
        Edit(
            _SEND,
            'job.channel == "sms" and not is_open(now, all_zones, window_for(contact, policy))',
            "False",
        ),
    ),
    _fault(
        "opt_out_read_once",
        "an opt-out is read when the decision is made, and not before the send",
        {"opted_out_is_silent", "paper_is_silent"},
        "changed-between",
        Edit(
            _SEND,
            "stays(rule, contact) or against(job.channel, rule, contact):\n            tally.again",
            "stays(rule, contact):\n            tally.again",
        ),
    ),
    _fault(
        "paid_is_reminded",
        "a journey's step goes to a customer who responded or paid while it was due",
        {"responded_is_silent"},
        "journeys",
        Edit(
            "use_cases.advance_journey",
            '"rule_changed" if beyond else why_stopped(rule, notice)',
            '"rule_changed" if beyond else ""',
        ),
        Edit(
            "use_cases.decide_notices",
            "    stored = ledger.get(first)\n    found = {}\n",
            "    stored: dict[str, Notice] = {}\n    found = {}\n",
        ),
    ),
    _fault(
        "stale_index_believed",
        "what a lagging index still shows as due is handed on without a look at the ledger",
        LOST | SENT_AGAIN,
        "lagging",
        Edit(
            "use_cases.release_due",
            "            if notice.due_at and notice.due_at <= limit\n",
            "",
        ),
    ),
    _fault(
        "sends_tried_again",
        "the AWS client tries a send again by itself after a lost answer",
        SENT_AGAIN,
        "doubts-aws",
        Edit("adapters.bootstrap", '"total_max_attempts": 1 if sends else 4', '"total_max_attempts": 4'),
        Edit(
            "adapters.providers.aws",
            'if client.meta.config.retries.get("total_max_attempts") != 1:',
            "if False:",
        ),
        Edit("adapters.providers.aws", '"total_max_attempts": 1, ', '"total_max_attempts": 4, '),
    ),
)
"""What went wrong once, and what the first reviews tried."""

_OWN: tuple[Fault, ...] = (
    _fault(
        "late_answer_lost",
        "what a slow worker hears for certain does not count once another one was in doubt (t10)",
        {"certain_answers_count"},
        "late-answers",
        Edit(
            _ANSWERS,
            "    return attempt.status == Status.SENDING or (doubted and newest)\n",
            "    return attempt.status == Status.SENDING\n",
        ),
    ),
    _fault(
        "late_seal_is_another",
        "the seal of a run that was taken by its manifest counts as other content (t13)",
        {"same_content_is_no_news"},
        "sealed-after",
        Edit("use_cases.stage_run", "        if run.sealed or run.sealed_as:\n", "        if True:\n"),
    ),
    _fault(
        "heirs_forgotten",
        "a run waits for another one's notice, that ends untold, and nobody goes back to the run that waits",
        LOST | {"correction_tells_the_rest"},
        "wanted-twice",
        Edit("use_cases.decide_notices", "        if waiting is not None:\n", "        if False:\n"),
    ),
    _fault(
        "switch_ignored_in_bulk",
        "a kill switch that is thrown while jobs lie in the queues stops no bulk job",
        {"switched_off_is_silent"},
        "off-between",
        Edit(
            _SEND, "        if self.switched_off():\n", "        if self.switched_off() and not batch.bulk:\n"
        ),
    ),
    _fault(
        "hold_ignored_by_sender",
        "a run that is held while its jobs lie in the queues is sent",
        {"stopped_runs_are_silent"},
        "stopped-between",
        Edit(_SEND, "    if control == Control.HOLD:\n        _put", "    if False:\n        _put"),
    ),
    _fault(
        "cancel_ignored_by_sender",
        "a run that is cancelled while its jobs lie in the queues is sent",
        {"stopped_runs_are_silent"},
        "stopped-between",
        Edit(_SEND, "    if control == Control.CANCEL:\n        # What", "    if False:\n        # What"),
    ),
    _fault(
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
    _fault(
        "erased_is_sent",
        "the job of a customer who was erased meanwhile is sent",
        {"erased_is_silent"},
        "changed-between",
        Edit(
            _SEND,
            "        if member.position in gone:\n            tally.erased",
            "        if False:\n            tally.erased",
        ),
    ),
    _fault(
        "paper_wish_read_once",
        "who asks for paper while a job lies in its queue gets the message",
        {"paper_is_silent"},
        "changed-between",
        Edit(_SEND, "or to is None or contact.paper_required or contact.withdrew:", "or to is None:"),
    ),
    _fault(
        "debt_hold_read_once",
        "who is not to be asked for money any more is asked by a job that lay in its queue",
        {"held_debt_is_silent"},
        "changed-between-lending",
        Edit(
            _SEND,
            "if quiet or untimely or stays(rule, contact) or against(job.channel, rule, contact):",
            "if quiet or untimely or against(job.channel, rule, contact):",
        ),
    ),
    _fault(
        "own_language_ignored",
        "the language that a customer chose does not count against the document's",
        {"language_is_the_customers"},
        "changed-between",
        Edit(_SEND, '    if "language" in contact.set_by_customer or (', "    if ("),
    ),
    _fault(
        "quiet_hours_of_the_sender",
        "quiet hours are those of the site's zone, and not of the customer's",
        {"texts_go_by_day"},
        "early-morning",
        Edit(
            _SEND,
            "        all_zones = zones or policy.default_zones\n",
            "        all_zones = policy.default_zones\n",
        ),
        Edit(
            "domain.decisions",
            "        where = tuple(zones) or policy.default_zones\n",
            "        where = policy.default_zones\n",
        ),
    ),
    _fault(
        "deadline_forgotten",
        "what an outage kept back goes out when its deadline is over",
        {"deadline_is_kept"},
        "outage",
        Edit(
            _SEND,
            "        late = since and now > since + timedelta(hours=rule.deadline_hours)\n",
            "        late = False\n",
        ),
        Edit(
            "use_cases.decide_notices",
            "    elif before.status == Status.DEFERRED and due:\n        if late:\n",
            "    elif before.status == Status.DEFERRED and due:\n        if False:\n",
        ),
    ),
    _fault(
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
    _fault(
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
    _fault(
        "bulk_inserts_of_the_first",
        "all members of a bulk job get what belongs to the first of them",
        {"nobody_elses_data", "link_opens_the_document"},
        "doubts",
        Edit(
            _SEND, "BulkMember(row.ref, row.to, row.inserts)", "BulkMember(row.ref, row.to, fresh[0].inserts)"
        ),
    ),
)
"""What a reviewer would try."""

FAULTS = (*_ONCE, *_OWN)
"""Every known fault."""
