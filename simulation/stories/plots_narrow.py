"""Plots that only narrow profiles have: acts at the moments at which a fault of one kind would show."""

from __future__ import annotations

from dataclasses import replace

from .acts import Act, Reply
from .stage import DAY, HOUR, MINUTE, Stage


def held_once(stage: Stage) -> list[Act]:
    """A run is held just before its jobs are taken up, and released just after it."""
    run = stage.run(stage.domain())
    hold, release = stage.after("hold", 6, 25), stage.after("release", 20, 90)
    return [
        run,
        stage.types(hold, "run", run.name, "--hold", "--why", "looks wrong"),
        stage.types(hold + release, "run", run.name, "--release", "--why", "it was right"),
    ]


def held_again(stage: Stage) -> list[Act]:
    """A run is released, held again in the same moment, and released for good."""
    run, acts = stage.run(stage.domain()), list[Act]()
    release = stage.after("release", 40, 80)
    hold = release + stage.after("hold", 1, 10)
    for at, what in (
        (stage.after("first", 6, 20), "--hold"),
        (release, "--release"),
        (hold, "--hold"),
        (hold + HOUR / 3, "--release"),
    ):
        acts.append(stage.types(at, "run", run.name, what, "--why", "we are not sure"))
    return [run, *acts]


def kept_long(stage: Stage) -> list[Act]:
    """A run is held while it is sent, and released days later."""
    run = stage.run(stage.domain())
    hold, release = stage.after("hold", 20, 8 * MINUTE), stage.after("release", 3.2 * DAY, 9 * DAY)
    return [
        run,
        stage.types(hold, "run", run.name, "--hold", "--why", "looks wrong"),
        stage.types(release, "run", run.name, "--release", "--why", "it was right"),
    ]


def off_for_long(stage: Stage) -> list[Act]:
    """Everything of a domain is switched off for most of a day, while a run of it waits."""
    domain = stage.domain()
    return [
        stage.types(0.0, "switch", domain, "--off", "--why", "the provider asked for it"),
        stage.run(domain, at=MINUTE),
        stage.types(15 * HOUR, "switch", domain, "--on", "--why", "over"),
    ]


def off_in_between(stage: Stage) -> list[Act]:
    """A channel or a domain is switched off while jobs lie in the queues, and on again hours later."""
    run = stage.run(stage.domain())
    name, off = stage.one_of("what", ("email", run.domain)), stage.after("off", 20, 5 * MINUTE)
    return [
        run,
        stage.types(off, "switch", name, "--off", "--why", "the provider asked for it"),
        stage.types(off + 9 * HOUR, "switch", name, "--on", "--why", "over"),
    ]


def stopped_in_between(stage: Stage) -> list[Act]:
    """A run is held or cancelled while its jobs lie in the queues."""
    run = stage.run(stage.domain())
    stop, how = stage.after("stop", 15, 5 * MINUTE), stage.one_of("how", ("--hold", "--cancel"))
    return [run, stage.types(stop, "run", run.name, how, "--why", "wrong amounts")]


_CHANGES = (
    ("--set", "opt_out=email"), ("--set", "opt_out=sms"), ("--set", "paper_required=yes"),
    ("--set", "consent=no"), ("--do-not-dun",), ("--erase",), ("--set", "language=es"),
)  # fmt: skip


def changed_in_between(stage: Stage) -> list[Act]:
    """Operators change what customers want while a run's jobs lie in the queues."""
    run = stage.run(stage.domain())
    acts: list[Act] = [run]
    for n, key in enumerate(sorted({r.fields["customer_key"] for r in run.records})):
        change = stage.one_of(f"change {n}", _CHANGES)
        at, who = stage.after(f"at {n}", 20, 10 * MINUTE), ("contact", key, "--domain", run.domain)
        acts.append(stage.types(at, *who, *change, "--why", "the customer called"))
    return acts


def wanted_twice(stage: Stage) -> list[Act]:
    """Two runs hold the same documents; the first one's wait, and then it is cancelled."""
    run = stage.run(stage.domain())
    cancel = stage.after("cancel", 10 * MINUTE, 2 * HOUR)
    return [
        stage.types(0.0, "switch", run.domain, "--off", "--why", "the provider asked for it"),
        replace(run, at=stage.at + MINUTE),
        replace(run, at=stage.at + stage.after("second", 2 * MINUTE, 8 * MINUTE), run_id=f"{run.run_id}-two"),
        stage.types(cancel, "run", run.name, "--cancel", "--why", "wrong amounts"),
        stage.types(cancel + HOUR, "switch", run.domain, "--on", "--why", "over"),
    ]


def paid_in_part_at_the_end(stage: Stage) -> list[Act]:
    """Customers pay a part while a look finds that no receipt came by the deadline of their notices, which
    is two or three hours after them (site `hasty`)."""
    run = stage.run(stage.domain())
    acts: list[Act] = [run]
    for n, record in enumerate(run.records):
        told = record.fields
        hours = 3 if told["queue_name"] == "Email_Bills" else 2
        for part in range(3):
            named = f"P-{stage.name}-{n}-{part}"
            who = {name: told[name] for name in ("customer_key", "recipient", "document_id") if name in told}
            money = {"amount": "1", "currency": told.get("currency", "USD"), "payment_id": named}
            at = hours * HOUR + 15 * MINUTE + 40.0 * part + stage.chance.below(named, 40)
            acts.append(stage.event(at, "billing", "Payment Received", domain=run.domain, **who, **money))
    return acts


def redriven_late(stage: Stage) -> list[Act]:
    """A run whose jobs become dead letters is sent back when its deadline is long over."""
    acts: list[Act] = [stage.run(stage.domain())]
    for queue in ("EmailQueue", "SmsQueue", "UrgentQueue", "DecideQueue"):
        acts.append(stage.types(stage.after(f"when {queue}", 6 * DAY, 12 * DAY), "redrive", queue))
    return acts


def sealed_after_all(stage: Stage) -> list[Act]:
    """A manifest alone is counted, and then its run is sealed: the content is the same."""
    run = replace(stage.run(stage.domain()), form="native", files=1, manifest=False, sealed_after=None)
    return [run, stage.again(run, stage.after("sealed", HOUR, 4 * HOUR), sealed_after=0.0)]


def stopped_early(stage: Stage) -> list[Act]:
    """Customers stop text messages before the first run names them."""
    run = stage.run(stage.domain(), at=HOUR)
    numbers = sorted({r.fields["mobile"] for r in run.records if "mobile" in r.fields})
    return [
        *(Reply(at=stage.at + n, number=number, text="STOP", reply_id=f"reply-{stage.name}-{n}")
          for n, number in enumerate(numbers)),
        run,
    ]  # fmt: skip
