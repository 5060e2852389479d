"""Plots about operators: switches, keys, erasures, dead letters, outages, deployments."""

from __future__ import annotations

from dataclasses import replace

from .acts import Act, HandleIncidents, ProviderMood, SetRules
from .records import TYPES
from .stage import DAY, HOUR, MINUTE, Stage

_KEYS = ("Peppers", "LinkKeys", "ReferenceKeys", "UnsubscribeKeys", "VerifyKeys")
_QUEUES = (
    "RunQueue", "DocumentQueue", "DecideQueue", "EmailQueue", "SmsQueue", "UrgentQueue", "ReceiptQueue",
    "MessageFileQueue", "SevereQueue", "ExceptionQueue", "ResponseQueue", "ReplyQueue", "PreferenceQueue",
)  # fmt: skip
_MOODS = (
    "provider_throttled", "provider_503", "provider_503_accepted", "provider_hangs",
    "provider_hangs_accepted", "provider_reset_accepted",
    "provider_garbage", "provider_account", "provider_credentials", "provider_dns",
)  # fmt: skip
_JOURNEYS = ("dunning", "renewal-reminder", "unread-statement", "policy-acknowledgement")


def switched_off(stage: Stage) -> list[Act]:
    """Sending is switched off for a channel or a domain, and on again, while runs arrive."""
    name = stage.one_of("what", ("email", "sms", *TYPES))
    off, on = stage.after("off", 1, HOUR), stage.after("on", 10 * MINUTE, 3 * DAY)
    run = stage.run(stage.domain())
    return [
        stage.types(off, "switch", name, "--off", "--why", "the provider asked for it"),
        replace(run, at=stage.at + stage.after("run", 1, 2 * HOUR)),
        stage.types(off + on, "switch", name, "--on", "--why", "over"),
    ]


def redriven(stage: Stage) -> list[Act]:
    """Dead letters are sent back, at once or weeks later."""
    late = stage.likely("late", 0.5)
    acts: list[Act] = []
    for queue in _QUEUES:
        if stage.likely(f"{queue}", 0.5):
            at = (
                stage.after(f"when {queue}", 7 * DAY, 13 * DAY)
                if late
                else stage.after(f"when {queue}", HOUR, DAY)
            )
            acts.append(stage.types(at, "redrive", queue))
    return acts


def rotated(stage: Stage) -> list[Act]:
    """A key is rotated while its earlier version is in use, with the wait that it needs."""
    name = stage.one_of("key", _KEYS)
    run = stage.run(stage.domain())
    return [run, stage.types(stage.after("rotate", 1, 2 * HOUR), "keys", "rotate", name, "--yes")]


def erased(stage: Stage) -> list[Act]:
    """A customer is erased, before, while or after they are notified; perhaps a legal hold stands."""
    domain = stage.domain()
    run = stage.run(domain)
    usable = [r.fields for r in run.records if not r.flaw]
    key = usable[0]["customer_key"] if usable else stage.customer(domain).key
    acts: list[Act] = [run]
    at = stage.after("erased", 1, 3 * DAY)
    if stage.likely("hold", 0.35):
        held = ("contact", key, "--domain", domain, "--set", "legal_hold=case 7", "--why", "litigation")
        acts.append(stage.types(at * stage.one_of("hold first", (0.5, 1.5)), *held))
    acts.append(stage.types(at, "contact", key, "--domain", domain, "--erase", "--why", "asked for it"))
    if stage.likely("again", 0.5):
        acts.append(
            stage.types(at + DAY, "contact", key, "--domain", domain, "--erase", "--why", "asked for it")
        )
    if stage.likely("comes back", 0.4):
        acts.append(stage.again(run, at + 2 * HOUR, run_id=f"{run.run_id}-later"))
    return acts


def not_dunned(stage: Stage) -> list[Act]:
    """An operator stops all demands to a customer, and perhaps lifts that again."""
    run = stage.run("lending", most=12)
    acts: list[Act] = [run]
    for n, record in enumerate(run.records[:4]):
        key = record.fields.get("customer_key")
        if not key or not stage.likely(f"held {n}", 0.5):
            continue
        at, line = stage.after(f"at {n}", 1, 5 * DAY), ("contact", key, "--domain", "lending")
        acts.append(stage.types(at, *line, "--do-not-dun", "--why", "hardship"))
        if stage.likely(f"lifted {n}", 0.4):
            acts.append(
                stage.types(
                    at + stage.after(f"lift {n}", HOUR, 8 * DAY), *line, "--dun-again", "--why", "over"
                )
            )
    return acts


def set_by_operator(stage: Stage) -> list[Act]:
    """Operators change contacts by hand, and release addresses that bounced."""
    domain = stage.domain()
    run = stage.run(domain)
    acts: list[Act] = [run]
    keys = sorted({r.fields["customer_key"] for r in run.records if not r.flaw})
    for n, key in enumerate(keys[:5]):
        at = stage.after(f"at {n}", MINUTE, 4 * DAY)
        change = stage.one_of(f"change {n}", (
            ("--set", "opt_out=sms"), ("--set", "opt_out=email"), ("--set", "opt_outs="),
            ("--set", "paper_required=yes"),
            ("--set", "language=es"), ("--set", "time_zone=Asia/Tokyo"), ("--set", "consent=no"),
            ("--set", f"email=set.{key.lower()}@example.com"), ("--release", "email"), ("--release", "sms"),
        ))  # fmt: skip
        acts.append(
            stage.types(at, "contact", key, "--domain", domain, *change, "--why", "the customer called")
        )
    return acts


def journeys_stopped(stage: Stage) -> list[Act]:
    """Journeys are stopped, of a run, a customer or as a whole, and perhaps go on later."""
    domain = stage.one_of("domain", ("insurance", "lending", "retail"))
    run = stage.run(domain, most=12)
    keys = sorted({r.fields["customer_key"] for r in run.records if not r.flaw})
    whose = stage.one_of("whose", (
        ("--run", run.name), ("--journey", stage.one_of("journey", _JOURNEYS)),
        ("--customer", keys[0], "--domain", domain) if keys else ("--run", run.name),
    ))  # fmt: skip
    stop = stage.after("stop", MINUTE, 6 * DAY)
    acts: list[Act] = [run, stage.types(stop, "journeys", "stop", *whose, "--why", "wrong letters")]
    if stage.likely("resumed", 0.6):
        acts.append(
            stage.types(
                stop + stage.after("resume", HOUR, 9 * DAY), "journeys", "resume", *whose, "--why", "right"
            )
        )
    return acts


def incidents(stage: Stage) -> list[Act]:
    """Teams answer their incidents."""
    return [
        HandleIncidents(
            at=stage.at + stage.after(f"when {n}", 10 * MINUTE, 2 * DAY),
            what=stage.one_of(f"what {n}", ("ack", "resolve", "mute")),
            each=stage.one_of(f"each {n}", (1, 2, 3)),
        )
        for n in range(1 + stage.chance.below(f"{stage.name} number", 3))
    ]


def bad_provider(stage: Stage) -> list[Act]:
    """A provider behaves badly for hours while runs arrive."""
    provider = stage.one_of("provider", ("opentext", "ses", "sms"))
    mood = ProviderMood(
        at=stage.at + stage.after("begins", 1, HOUR),
        provider=provider,
        kind=stage.one_of("kind", _MOODS),
        share=stage.one_of("share", (0.2, 0.5, 1.0)),
        seconds=stage.after("lasts", 5 * MINUTE, 2 * DAY),
    )
    return [mood, stage.run(stage.domain(), at=stage.after("run", 1, 2 * HOUR))]


def rules_changed(stage: Stage) -> list[Act]:
    """A deployment changes the rules while a run is under way."""
    run = stage.run(stage.domain())
    # Rules that know marketing stay with rules that do.
    other = stage.one_of("site", ("plain", "brisk", "cautious") if stage.site else ("",))
    acts: list[Act] = [run, SetRules(at=stage.at + stage.after("deployed", 1, 3 * HOUR), site=other)]
    if stage.likely("back", 0.5):
        acts.append(SetRules(at=stage.at + stage.after("deployed back", 4 * HOUR, 2 * DAY), site=stage.site))
    return acts
