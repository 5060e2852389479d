"""Where a note may go, and when."""

from typing import Any

import pytest

from exstream_notify.use_cases.note_ways import Barred, NoteWays
from tests.fakes import a_contact
from tests.use_cases.world import World

NUMBER, MAIL = "+12025550101", "c0001@example.com"


def ways(world: World, *off: tuple[str, str]) -> NoteWays:
    clock: Any = world.clock
    return NoteWays(
        world.suppressions,
        world.addresses,
        clock,
        world.policy,
        lambda domain, channel: (domain, channel) in off,
    )


def test_a_number_that_stopped_stays_stopped_whatever_a_page_switches_on() -> None:
    world = World()
    out, back = a_contact(1, opt_outs={"*": ("sms",)}), a_contact(1)
    assert not ways(world).stays_stopped(out, back)
    world.suppressions.stop("sms", NUMBER, "sms reply 1", world.clock.now())
    assert ways(world).stays_stopped(out, back)
    assert not ways(world).stays_stopped(back, back), "nothing was switched on"
    assert not ways(world).stays_stopped(out, a_contact(1, mobile=None)), "there is no number"


@pytest.mark.parametrize(
    ("channel", "to", "outs", "off", "barred"),
    [
        ("sms", NUMBER, None, (), None),
        ("sms", NUMBER, {"*": ("sms",)}, (), Barred.STOPPED),
        ("sms", NUMBER, {"statements": ("sms",)}, (), None),
        ("email", MAIL, {"*": ("email",)}, (), None),  # a note is transactional
        ("sms", NUMBER, None, (("retail", "sms"),), Barred.OFF),
        ("sms", NUMBER, None, (("retail", "email"), ("cards", "sms")), None),
        ("sms", "+12025550109", None, (), Barred.STOPPED),
        ("email", "bounced@example.com", None, (), Barred.SUPPRESSED),
    ],
)
def test_what_speaks_against_a_note(
    channel: Any, to: str, outs: Any, off: tuple[tuple[str, str], ...], barred: Barred | None
) -> None:
    world = World()
    world.suppressions.stop("sms", "+12025550109", "sms reply 1", world.clock.now())
    world.suppressions.addresses.add(("email", "bounced@example.com"))
    contact = a_contact(1, opt_outs=outs)
    assert ways(world, *off).barred(contact, channel, to, "cards") == barred


@pytest.mark.parametrize("off", ["cards", "retail"])
def test_of_nobody_that_is_known_the_domain_of_the_message_counts(off: str) -> None:
    found = ways(World(), (off, "sms")).barred(None, "sms", NUMBER, "cards")
    assert found == (Barred.OFF if off == "cards" else None)
