"""What a story leaves in the world, as text that a person can review: only what is not at its default.

Times are shown without the year of the stories, notices by their document, and every other identity by a
number in the order in which it turns up (`id1`, `id2`), so that equal ones can be told from different ones.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from typing import Any

from exstream_notify.domain.journeys import Cohort
from exstream_notify.domain.notices import Notice
from exstream_notify.domain.runs import Run
from tests.fakes import FakeProvider
from tests.use_cases.world import World

_TIME = re.compile(r"\b2026-(\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(?:\+00:00|Z)")
_IDENTITY = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{32}|[0-9a-f]{24}|[0-9a-f]{16})\b")
_SHORT = {
    "https://documents.example.com/": "site/",
    "\n  List-Unsubscribe-Post: List-Unsubscribe=One-Click": " with one click",
    "hash of ": "#",
}
"""What stands everywhere, shorter."""

FEW = 3
"""Rows that say the same, so many are shown each by itself."""

_BACKSTAGE = ("job", "lease", "evidence")
"""Of an attempt, where a story is not about evidence."""

_UNSEEN = frozenset({"before"})  # the chain's hashes: `World.check` asks whether it holds


def remains_of(world: World, *, evidence: bool = False, backstage: bool = False, alerts: bool = False) -> str:
    """Everything that is left, section by section; sections without content are left out.

    Only where a story is about them: `evidence`; `backstage`, which is job, lease and evidence of attempts; and
    whole `alerts` (titles otherwise).
    """
    parts = {
        "messages": _folded(_messages(world)),
        "notices": _folded(_notices(world, backstage=backstage)),
        "contacts": _contacts(world),
        "runs": _runs(world),
        "journeys": _journeys(world),
        "suppressions": [(f"{s.channel} {s.address}", _one(s, "channel", "address")) for s in _listed(world)],
        "receipts": _receipts(world, evidence=evidence),
        "responses before their notice": _early(world),
        "exceptions": _folded(
            [(f"{e.severity} {e.code}", _one(e, "severity", "code")) for e in world.exceptions.raised]
        ),
        "incidents": _incidents(world, whole=alerts),
        "preferences changed": [("-", _shown(row)) for row in world.exceptions.preferences],
        "queued again": _folded(_queued(world)),
        "still due": [(key, at) for key, at in sorted({**world.ledger.due_at, **world.due.waits}.items())],
        "answers of functions": _folded(
            [(name, _shown(+a if isinstance(a, Counter) else a)) for name, a in world.answers if a]
        ),
        "evidence": _evidence(world) if evidence else [],
    }  # fmt: skip
    lines = []
    for title, rows in parts.items():
        lines += ["", f"# {title}", *_laid_out(rows)] if rows else []
    return _readable("\n".join(lines).strip() + "\n", world.ledger.notices.values())


_Rows = list[tuple[str, Any]]


def _folded(rows: _Rows) -> _Rows:
    """Many rows that say the same, but for numbers, are one, where the first of them is."""
    several: dict[str, list[str]] = {}
    kinds = [re.sub(r"[0-9a-f]{12,}|[0-9]+", "", repr(row)) for row in rows]
    for (name, _), kind in zip(rows, kinds, strict=True):
        several.setdefault(kind, []).append(name)
    folded: _Rows = []
    told: set[str] = set()
    for (name, what), kind in zip(rows, kinds, strict=True):
        names = several[kind]
        if len(names) <= FEW:
            folded.append((name, what))
        elif kind not in told:
            told.add(kind)
            first, last = names[0], names[-1]
            folded.append((f"{first} and {len(names) - 1} more" + f", last {last}" * (first != last), what))
    return folded


def _laid_out(rows: _Rows, indent: str = "") -> Iterator[str]:
    for name, what in rows:
        if isinstance(what, list):
            yield f"{indent}{name}"
            yield from _laid_out(what, indent + "  ")
        else:
            yield f"{indent}{name}: {what}" if what != "" else f"{indent}{name}"


# --- values -------------------------------------------------------------------------------------------------


def _default(field: Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default


def _changed(value: Any, *left_out: str) -> _Rows:
    """The fields that are not at their default, a row each."""
    rows: _Rows = []
    for field in fields(value):
        now = getattr(value, field.name)
        if field.name in left_out or field.name in _UNSEEN or now == _default(field):
            continue
        several = isinstance(now, tuple) and now and (is_dataclass(now[0]) or isinstance(now[0], Mapping))
        rows += [(field.name, _shown(one)) for one in now] if several else [(field.name, _shown(now))]
    return rows


def _one(value: Any, *left_out: str) -> str:
    """The same in one line."""
    return ", ".join(f"{name} {what}" for name, what in _changed(value, *left_out))


def _shown(value: Any) -> str:
    if isinstance(value, Cohort):
        return f"{value.journey} step {value.step} at {value.hour}"
    if is_dataclass(value):
        return f"({_one(value)})"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_shown(k)}: {_shown(v)}" for k, v in value.items()) + "}"
    if isinstance(value, AbstractSet):
        return "{" + ", ".join(sorted(map(_shown, value))) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_shown, value)) + "]"
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return str(value).replace("\x1f", "\u241f") or "''"


def _readable(text: str, notices: Any) -> str:
    names = {n.notice_id: _of_notice(n) for n in notices}
    seen: dict[str, str] = {}

    def named(match: re.Match[str]) -> str:
        name = names.get(match[0])
        if name and match[0] not in name:
            return _IDENTITY.sub(named, name)  # the document may have a number for a name
        return seen.setdefault(match[0], f"id{len(seen) + 1}")

    for long, short in _SHORT.items():
        text = text.replace(long, short)
    text = _TIME.sub(lambda match: match[1] + (match[2] or "").rstrip("0").rstrip("."), text)
    return _IDENTITY.sub(named, text)


def _of_notice(notice: Notice) -> str:
    more = [notice.purpose] * (notice.purpose != "notice") + [notice.audience] * (
        notice.audience != "customer"
    )
    return "/".join([notice.document_id or notice.customer_key, *more])


# --- sections -----------------------------------------------------------------------------------------------


def _messages(world: World) -> _Rows:
    return [row for provider in world.providers.values() for row in _posted(provider)]


def _posted(provider: FakeProvider) -> Iterator[tuple[str, Any]]:
    asked = {message.ref: message for message in provider.asked}
    taken = {delivered.posting for delivered in provider.delivered}
    for number, request in enumerate(provider.posted, 1):
        body = json.loads(request.body)
        message = asked.get(body["message_id"])
        rows: _Rows = [
            (f"to {place['to']}", " ".join((place["ref"], *place["inserts"])))
            for place in body["destinations"]
        ]
        rows += [("says", body["text"])]
        if message is not None:
            rows += [("class", message.message_class)] if message.message_class != "transactional" else []
            rows += message.headers
        yield f"{provider.name} {number}" + ("" if number in taken else " (not taken)"), rows


def _notices(world: World, *, backstage: bool) -> _Rows:
    named = (
        "notice_id", "domain", "customer_key", "document_id", "document_type", "purpose", "audience", "events",
        "attempts", "status", "origin",
    )  # fmt: skip
    rows: _Rows = []
    for notice in sorted(world.ledger.notices.values(), key=lambda n: (_of_notice(n), n.created_at)):
        about = f"{_of_notice(notice)} ({notice.customer_key} {notice.document_type}): {notice.status}"
        record = f"record {notice.origin.slice_number}.{notice.origin.position} of {notice.origin.run}"
        told: _Rows = [("from", ", ".join(filter(None, (record, _one(notice, *named)))))]
        told += [(f"attempt {a.number}", f"{a.channel} {a.provider} {a.status}, "
                  + _one(a, "number", "channel", "provider", "status", *(() if backstage else _BACKSTAGE)))
                 for a in notice.attempts]  # fmt: skip
        told += [
            (e.at, " ".join(filter(None, (e.what, e.detail, e.report and f"[{e.report}]"))))
            for e in notice.events
        ]
        rows.append((about, told))
    return rows


def _contacts(world: World) -> _Rows:
    rows: _Rows = []
    for _, contact in sorted(world.contacts.stored.items()):
        if contact.version == 1 and not contact.history:
            continue  # as its first record made it
        places = [f"{name} {_address(a)}" for name in ("email", "mobile") if (a := getattr(contact, name))]
        hidden = ("domain", "customer_key", "salt", "email", "mobile", "history", "version", "statements")
        unchanged = ("changed_at",) * (contact.changed_at == contact.created_at)
        about = _one(contact, *hidden, *unchanged)
        told: _Rows = [("is", ", ".join(filter(None, (*places, about))))]
        told += [("said", _one(row)) for row in contact.statements]
        told += [("history", _shown(row)) for row in contact.history]
        rows.append(
            (f"{contact.customer_key} version {contact.version}" + " (no salt)" * (not contact.salt), told)
        )
    return rows


def _address(address: Any) -> str:
    more = _one(address, "value", *(["given"] if address.given == address.value else []))
    return f"{address.value} {more}".strip()


def _listed(world: World) -> list[Any]:
    return [entry for _, entry in sorted(world.suppressions.stored.items())]


def _runs(world: World) -> _Rows:
    rows: _Rows = []
    for run in world.runs.all():
        about = _one(run, "domain", "run_id", "fingerprint", "content", "parts", "sealed_as", "history")
        told: _Rows = [("is", about), *(("history", _shown(row)) for row in run.history)]
        told += _records(world, run)
        told += [("digest", _one(row)) for row in world.runs.digests(run.domain, run.run_id)]
        told += [("put aside", _one(one.job, "pointer")) for one in world.runs.parked(run.domain, run.run_id)]
        counted = world.reconciled(run.run_id, run.domain)
        told.append(("came to", _shown({name: n for name, n in counted.outcomes.items() if n})))
        told += [("needs a look", _one(concern)) for concern in counted.needs_look]
        rows.append((f"{run.domain}/{run.run_id}", told))
    return rows


def _records(world: World, run: Run) -> _Rows:
    """What the run was told of each record, in the order of versions."""
    told: dict[str, list[str]] = {}
    outcomes = world.runs.outcomes(run.domain, run.run_id)
    for one in sorted(outcomes, key=lambda o: (o.slice_number, o.position, o.version)):
        record = f"record {one.slice_number}.{one.position} {one.notice_id}".strip()
        told.setdefault(record, []).append(
            f"{one.outcome} {one.why}".strip() + f" v{one.version}" * bool(one.version)
        )
    return _folded([(record, "; ".join(words)) for record, words in told.items()])


def _journeys(world: World) -> _Rows:
    book = world.journeys
    rows: _Rows = [(f"waits: {_shown(cohort)}", [(name, _one(row, "part", "offset", "length")) for name, row in members.items()])
                   for cohort, members in sorted(book.rows.items()) if members]  # fmt: skip
    rows += [(f"parked under {under}" + (f" until {u.isoformat()}" if (u := book.kept_until[under]) else ""), [(f"{_shown(cohort)} {name}", _one(row, "part", "offset", "length")) for (cohort, name), row in kept.items()])
             for under, kept in sorted(book.aside.items()) if kept]  # fmt: skip
    rows += [("executions", _shown(world.executions.names))] if world.executions.names else []
    rows += [(f"stopped for {run}", _shown(words)) for run, words in sorted(book.words.items())]
    rows += [(f"switched {name}", _shown(words)) for name, words in sorted(book.switches.items())]
    return [*rows, *(("unanswered", _shown(told)) for told in world.journey_events.told)]


def _receipts(world: World, *, evidence: bool) -> _Rows:
    rows: _Rows = [(place, [("-", _shown(row)) for row in told])
                   for place, told in world.receipt_evidence.objects.items() if evidence]  # fmt: skip
    rows += [("early", f"{_one(receipt)} at {at.isoformat()}") for receipt, at in world.early.kept.values()]
    rows += [("given up", _one(receipt)) for receipt in world.early.given_up]
    rows += [(f"watched {w.job}", f"{w.channel} by {w.provider} at {w.sent_at} until {w.deadline}: "
              + _shown(w.notices) + _one(w, "job", "channel", "provider", "sent_at", "deadline", "notices"))
             for w in world.watch.watched.values()]  # fmt: skip
    rows += [("counted", f"{channel} {sender} {hour.isoformat()} {_shown(counts)}")
             for (channel, sender, hour), counts in sorted(world.reputation.counts.items())]  # fmt: skip
    rows += [("unproven", f"{hour.isoformat()} {n}") for hour, n in world.reputation.unproven.items()]
    return rows + [("stopped", _shown(why)) for why in [world.reputation.stopped()] if why]


def _early(world: World) -> _Rows:
    rows: _Rows = [
        (f"responses on documents of {domain}", f"until {at.isoformat()}")
        for domain, at in world.runs.early.items()
    ]
    for place, kept in world.early_responses.kept.items():
        until = world.early_responses.until.get(place)
        rows.append((_shown(place), _one(kept) + (f", until {until.isoformat()}" if until else "")))
    return rows


def _incidents(world: World, *, whole: bool) -> _Rows:
    rows: _Rows = []
    for incident_id, head in world.incidents.heads.items():
        about = _one(head, "incident_id", "domain", "run_id", "team", "family", "history", "took")
        told: _Rows = [("is", about), *(("history", _shown(row)) for row in head.history)]
        told += [(f"report {r.exception.code}", f"{r.exception.count} at {r.last_seen}")
                 for r in world.incidents.reports(incident_id)]  # fmt: skip
        brief = f"{head.status}, told {head.told_count} in {head.alerts} alerts"
        rows.append((f"{head.domain} {head.run_id} {head.family}, {head.team}", told if whole else brief))
    for channel, team, alert in world.channels.told:
        lines = alert.text().splitlines()
        words: Any = [(line, "") for line in lines if line] if whole else lines[0]
        rows.append((f"alert {alert.number} to {team} by {channel}", words))
    rows += [("nobody could be told", f"{alert.title}: {why}") for alert, why in world.channels.lost]
    return rows + [("page", " ".join(map(str, page))) for page in world.channels.pages]


def _queued(world: World) -> _Rows:
    """What was put onto queues but a run's first pointers and jobs, with delays."""
    rows: _Rows = []
    for name in ("decide", "email", "sms", "urgent"):
        for at, body, spread in world.queues[name].sent:
            pointer: Mapping[str, Any] = body.get("pointer", body)
            again = pointer["positions"] or spread or pointer["kind"] != "documents" or pointer.get("version")
            if again:
                rows.append(
                    (f"{at.isoformat()} {name}", _body(body) + (f", over {spread} s" if spread else ""))
                )
    return rows


def _body(body: Mapping[str, Any]) -> str:
    left_out = ("part", "offset", "length", "job_id", "domain", "kind", "together", "count", "first")
    told = {k: _body(v) if k == "pointer" else v for k, v in body.items() if v and k not in left_out}
    return ", ".join(f"{name} {_shown(value)}" for name, value in told.items())


def _evidence(world: World) -> _Rows:
    rows: _Rows = []
    for place, line in world.evidence.lines.items():
        body = {
            name: value
            for name, value in line.body.items()
            if name not in ("text", "html") or not line.body.get("subject")
        }
        rows.append(
            (
                place,
                f"{line.ref} at {line.at}: " + ", ".join(f"{k} {_shown(v)}" for k, v in body.items() if v),
            )
        )
    return rows
