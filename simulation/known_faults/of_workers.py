"""Faults of workers that meet, die or are slow, and of what providers answer: what went wrong once."""

from __future__ import annotations

from .fault import ANSWERS, LOST, SEND, SENT_AGAIN, Fault, fault
from .putting_back import Edit

WORKERS: tuple[Fault, ...] = (
    fault(
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
    fault(
        "others_claim_withdrawn",
        "a slow worker's 429 withdraws the claim that another has submitted again (test_d)",
        SENT_AGAIN,
        "contended",
        Edit(
            ANSWERS,
            "    if attempt is None or attempt.lease != lease:\n",
            "    if attempt is None:\n",
        ),
    ),
    fault(
        "forgotten_by_provider",
        "a claim is submitted again after the provider forgot the first time (t5)",
        SENT_AGAIN,
        "forgotten",
        Edit(ANSWERS, "since is not None and now - since < FORGOTTEN_AFTER", "since is not None"),
    ),
    fault(
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
    fault(
        "watch_overwritten",
        "a worker that did not finish leaves a shorter list of sends to watch for (t1b)",
        LOST,
        "doubled-silent",
        Edit(SEND, "    if tally.sent and not tally.busy_until:\n", "    if tally.sent:\n"),
        Edit(SEND, "job_id(job.pointer.run, job.pointer.number, part, sorted(sent)),\n", "part,\n"),
    ),
    fault(
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
    fault(
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
    fault(
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
    fault(
        "refusal_not_followed",
        "killed after a refusal is recorded, its fallback is never queued (t2, by answer)",
        LOST,
        "refused",
        Edit(
            ANSWERS,
            "        return replace(after, due_at=follow_up(after, now))\n",
            "        return after\n",
        ),
        Edit(
            SEND,
            "        if attempt.status != Status.SENDING:\n"
            "            self._follow(stored, row.member.both)\n",
            "        if attempt.status != Status.SENDING:\n",
        ),
    ),
    fault(
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
    fault(
        "exception_lost",
        "killed between a refusal's record and its exception, nobody is asked to act (t20)",
        LOST | {"incidents_count_the_sends"},
        "raised",
        Edit(SEND, "    tally.look_up(job.members, ledger)\n", ""),
        Edit(
            SEND,
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
    fault(
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
    fault(
        "parts_share_a_name",
        "the parts of a job report under one name, so the last part's count stands for all (t19)",
        {"incidents_count_the_untold", "incidents_count_the_sends"},
        "refusals",
        Edit(
            SEND,
            "part = job_id(job.pointer.run, job.pointer.number, job.job_id, "
            "(m.notice_id for m in job.members))",
            "part = job.job_id",
        ),
    ),
)
"""Workers and providers: what was lost or sent twice."""
