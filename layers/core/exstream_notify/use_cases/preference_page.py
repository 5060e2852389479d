"""What a post of the preference page asks for, and what came of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..domain.address_changes import Answer, locked
from ..domain.contacts import Contact
from ..domain.decisions import Policy, window_for
from ..domain.documents import Channel
from ..domain.passes import handle_of
from ..domain.preferences import CHANNELS, Topic, Wishes, own_window
from ..domain.second_step import Keys, Step, StepAnswer, StepKind, expected
from ..ports import Clock, ContactDirectory, DueIndex, ExceptionBus, TryCounter
from .change_preferences import PAGE, AddressBook, leave_all, save_consent, save_wishes
from .note_ways import texts_opened
from .take_second_step import is_locked, take_second_step
from .tell_portal import PortalNews

Form = Mapping[str, Sequence[str]]
"""A form's fields as they were sent: none, one or several values each."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What came of a post: the name of what was done, or of what was wrong with it, and with which field."""

    done: str = ""
    problem: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class PreferencePage:
    """The page's actions, by the value of the field `action`.

    `book` and `exceptions` are made only where an address is changed: a look at the page is to be quick.
    """

    contacts: ContactDirectory
    due: DueIndex
    clock: Clock
    topics: Sequence[Topic]
    languages: Sequence[str]
    policy: Policy
    consent_version: str
    book: Callable[[], AddressBook]
    tries: TryCounter
    keys: Callable[[], Keys]
    exceptions: Callable[[], ExceptionBus]

    @property
    def news(self) -> PortalNews:
        """By which the portal hears of what is said here."""
        return PortalNews(self.contacts, self.due, self.exceptions, self.clock)

    def asks(self, contact: Contact) -> StepKind:
        """What is asked before an address is changed; `none`: no change is possible here just now."""
        step = question(contact, self.keys())
        return step.kind if step is not None and not is_locked(step, self.tries) else "none"

    def post(self, contact: Contact, form: Form, language: str) -> Posted:
        """Carry out what the form asks for; `language` is the page's. Raises Conflict."""
        actions: Mapping[str, Callable[[Contact, Form], Posted]] = {
            "leave": self._leave,
            "consent": self._consent,
            "withdraw": self._withdraw,
            "code": self._code,
        }
        if one(form, "action") == "address":
            return self._address(contact, form, language)
        if one(form, "action") == "save":
            return self._save(contact, form, language)
        action = actions.get(one(form, "action"))
        return action(contact, form) if action else Posted(problem="unknown")

    def _save(self, contact: Contact, form: Form, shown_in: str) -> Posted:
        wanted = set(form.get("want", ()))
        first = one(form, "first")
        language = one(form, "language")
        if language not in self.languages:
            return Posted(problem="language", field="language")
        try:
            hours = own_window(one(form, "opens"), one(form, "closes"), self.policy.window)
        except ValueError:
            return Posted(problem="hours", field="opens")
        shown = shown_to(contact, self.topics, self.policy, shown_in)
        wishes = Wishes(
            {t.name: tuple(c for c in t.channels if f"{t.name}/{c}" in wanted) for t in self.topics},
            tuple(c for c in CHANNELS if c == first),
            language,
            hours,
        )
        after = save_wishes(contact, wishes, shown, news=self.news)
        stopped = texts_opened(contact, after) and self.book().owner.ways.stays_stopped(contact, after)
        return Posted("saved_stopped" if stopped else "saved")

    def _leave(self, contact: Contact, form: Form) -> Posted:
        leave_all(contact, self.topics, news=self.news)
        return Posted("left")

    def _consent(self, contact: Contact, form: Form) -> Posted:
        save_consent(contact, True, self.consent_version, news=self.news)
        return Posted("consented")

    def _withdraw(self, contact: Contact, form: Form) -> Posted:
        save_consent(contact, False, self.consent_version, news=self.news)
        return Posted("withdrawn")

    def _address(self, contact: Contact, form: Form, language: str) -> Posted:
        channel = _channel(one(form, "channel"))
        if channel is None:
            return Posted(problem="wrong_address", field="address")
        step = question(contact, self.keys())
        if step is None or locked(contact, self.clock.now()):
            return Posted(problem="locked")
        taken = take_second_step(
            step,
            one(form, step.kind),
            language,
            keys=self.keys,
            tries=self.tries,
            exceptions=self.exceptions(),
            run_id="preferences",
            handle=handle_of(contact.salt),
        )
        if taken == StepAnswer.LOCKED:
            return Posted(problem="locked")
        answer = Answer.WRONG
        if taken == StepAnswer.PASSED:
            answer = self.book().begin(contact, channel, one(form, "address"), PAGE)
        # Which of the two was wrong is not told: that would say when the second step was right.
        return _ASKED[answer]

    def _code(self, contact: Contact, form: Form) -> Posted:
        channel = _channel(one(form, "channel"))
        if channel is None:
            return Posted(problem="expired")
        return _CONFIRMED[self.book().confirm(contact, channel, one(form, "code"))]


def shown_to(contact: Contact, topics: Sequence[Topic], policy: Policy, language: str) -> Wishes:
    """The form as the page in this language shows it (adapters/preference_views.py)."""
    window = window_for(contact, policy)
    opens, closes = window.opens.isoformat("minutes"), window.closes.isoformat("minutes")
    return Wishes(
        {t.name: tuple(c for c in t.channels if not contact.opted_out(c, t.name)) for t in topics},
        contact.channel_order[:1],
        language,
        own_window(opens, closes, policy.window),
    )


_ASKED: Mapping[Answer, Posted] = {
    Answer.DONE: Posted("code"),
    Answer.WRONG: Posted(problem="wrong_step", field="address"),
    Answer.SAME: Posted(problem="same", field="address"),
    Answer.TOO_OFTEN: Posted(problem="too_often", field="address"),
    Answer.LATER: Posted(problem="too_often", field="address"),
    Answer.OFF: Posted(problem="too_often", field="address"),
    Answer.STOPPED: Posted(problem="stopped", field="address"),
    Answer.SUPPRESSED: Posted(problem="suppressed", field="address"),
    Answer.LOCKED: Posted(problem="locked"),
    Answer.EXPIRED: Posted(problem="expired"),
    Answer.NONE: Posted(problem="locked"),
}

_CONFIRMED: Mapping[Answer, Posted] = {
    Answer.DONE: Posted("confirmed"),
    Answer.WRONG: Posted(problem="wrong_code", field="code"),
    Answer.TOO_OFTEN: Posted(problem="too_often", field="code"),
    Answer.LATER: Posted(problem="too_often", field="code"),
    Answer.EXPIRED: Posted(problem="expired"),
    Answer.NONE: Posted(problem="expired"),
    Answer.LOCKED: Posted(problem="locked"),
    Answer.SAME: Posted(problem="expired"),
}


def question(contact: Contact, keys: Keys) -> Step | None:
    """What only this customer knows, as documents ask it: what records brought, else the postcode.

    Tries count for the customer, with those of their secure links. A hash under a key that is gone
    answers nothing. None: nothing is known.
    """
    kind, _, kept = contact.second_step.partition(" ")
    asked: StepKind = "birth_date" if kind == "birth_date" else "last4"
    if not kept or kept.partition(".")[0] not in keys[1]:
        asked, kept = "postcode", contact.postcode or ""
    answer = expected(asked, kept, contact.domain, contact.contact_key, keys)
    return Step(asked, contact.domain, contact.contact_key, "", answer) if answer else None


def one(form: Form, name: str) -> str:
    """The one value of a field, trimmed; empty if there is none."""
    return next(iter(form.get(name, ())), "").strip()


def _channel(text: str) -> Channel | None:
    return next((c for c in CHANNELS if c == text), None)
