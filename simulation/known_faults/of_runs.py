"""Faults of runs, of what is stored and of calls that do half: what went wrong once."""

from __future__ import annotations

from .fault import ANSWERS, BATCHES, DEFERRING, LOST, SEND, SENT_AGAIN, Fault, fault
from .putting_back import Edit

GROWS = (
    Edit(
        DEFERRING,
        "        return replace(after, version=notice.version + 1, pauses=_again(pauses, at))\n",
        "        pass\n",
    ),
    Edit(DEFERRING, "(1 << min(before, 10)), _LONGEST)", "1, _LONGEST)"),
)
"""Each pause has its event, and none is longer than the one before."""

RUNS: tuple[Fault, ...] = (
    fault(
        "parked_for_good",
        "a job is put aside after its run was released, and nobody takes it back (t7)",
        LOST,
        "held",
        Edit(
            SEND,
            "    if run is not None and run.control == Control.HOLD:\n        return\n    mine",
            "    if run is not None:\n        return\n    mine",
        ),
    ),
    fault(
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
    fault(
        "stale_job_sent",
        "a job that lay in a dead-letter queue for weeks is sent (t6)",
        {"deadline_is_kept"},
        "redriven",
        Edit(
            SEND,
            "        late = since and now > since + timedelta(hours=rule.deadline_hours)\n",
            "        late = False\n",
        ),
    ),
    fault(
        "untold_counts_as_told",
        "a corrected run counts as a duplicate of one whose notices ended unsent (t3)",
        {"correction_tells_the_rest"},
        "corrected",
        Edit("domain.takeover", "    return Standing.ENDED\n", "    return Standing.REACHED\n"),
    ),
    fault(
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
    fault(
        "pauses_grow_notices",
        "a notice that is kept back has an event each time it is looked at (test_f)",
        {"records_are_bounded"},
        "off",
        *GROWS,
    ),
    fault(
        "page_too_large",
        "notices that grew while they were kept back fill a page over 4 MB, and it stops the sweep (test_g)",
        LOST,
        "off-long",
        *GROWS,
        Edit(BATCHES, "lambda key: size_of(items[key][0])", "lambda key: 0"),
        Edit(
            "use_cases.release_due",
            "            self._one_by_one(error, keys, lambda key: self._release_some([key]))\n",
            "            self.failed.append(error)\n",
        ),
    ),
    fault(
        "keys_unprocessed",
        "keys that DynamoDB leaves unprocessed count as not there (t23)",
        LOST | SENT_AGAIN,
        "unprocessed",
        Edit(
            BATCHES,
            "        return left\n",
            "        return ()\n",
        ),
    ),
    fault(
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
    fault(
        "claim_without_condition",
        "a notice is claimed by a write without its condition",
        SENT_AGAIN | {"balance_is_true"},
        "doubled",
        Edit(
            BATCHES,
            '        return {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"}\n',
            '        return {"Item": item}\n',
        ),
    ),
    fault(
        "reported_attempt_dropped",
        "an attempt of which a receipt spoke already is withdrawn as certainly unsent",
        SENT_AGAIN,
        "contended",
        Edit(
            ANSWERS,
            "    if attempt is None or attempt.lease != lease:\n",
            "    if attempt is None:\n",
        ),
        Edit(
            ANSWERS,
            "    return attempt.status == Status.SENDING or (doubted and newest)\n",
            "    return bool(doubted or newest)\n",
        ),
    ),
    fault(
        "quiet_hours_ignored",
        "a text goes out at night where its job, or its release, came late",
        {"texts_go_by_day"},
        "evening",
        Edit(
            SEND,
            'job.channel == "sms" and not is_open(now, all_zones, window_for(contact, policy))',
            "False",
        ),
    ),
    fault(
        "opt_out_read_once",
        "an opt-out is read when the decision is made, and not before the send",
        {"opted_out_is_silent", "paper_is_silent"},
        "changed-between",
        Edit(
            SEND,
            "stays(rule, contact) or against(job.channel, rule, contact):\n            tally.again",
            "stays(rule, contact):\n            tally.again",
        ),
    ),
    fault(
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
    fault(
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
    fault(
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
"""Runs, records and calls."""
