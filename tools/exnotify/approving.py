"""Which versions of the wording customers read, and who approved each."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exstream_notify.domain.journeys import step_rule

if TYPE_CHECKING:
    from exstream_notify.adapters.bootstrap import Bootstrap
    from exstream_notify.adapters.rules import YamlRules
    from exstream_notify.domain.approvals import Approval
    from exstream_notify.domain.documents import Channel


@dataclass(frozen=True, slots=True)
class Words:
    """One wording on one channel in one language, as it is now.

    `approval` is of this version; `before` the newest of an earlier one, None if there never was any.
    """

    wording: str
    channel: str
    language: str
    version: str
    approval: "Approval | None"
    before: "Approval | None"

    @property
    def state(self) -> str:
        """`approved`; `changed` since an approval; `new`: nobody ever approved these words."""
        return "approved" if self.approval else "changed" if self.before else "new"

    def told(self) -> dict[str, Any]:
        """As docs/cli.md names it."""
        known = self.approval or self.before
        return {
            "wording": self.wording,
            "channel": self.channel,
            "language": self.language,
            "version": self.version,
            "state": self.state,
            "who": known.who if known else None,
            "when": known.when if known else None,
        }


def all_words(app: "Bootstrap") -> Iterator[Words]:
    """Everything that customers can be told in: the wordings of rules and of journeys' steps, on their
    channels, and the notes that answer what a customer did (`note:code`), by language.

    The version hangs on texts, layout and brand, so the deployment's own brand and files are what counts.
    """
    from exstream_notify.adapters.rendering.approvals import read_approvals
    from exstream_notify.adapters.rendering.notes import named

    approvals = read_approvals(Path(app.settings.site_dir) / "wording")
    renderer: Any = app.wording
    notes = app.notes
    wordings = [
        (wording, wording, channel, language, renderer)
        for (wording, channel), language in product(sorted(_used(app.rules)), renderer.languages)
        # A language without these words reads those of the default one.
        if renderer.language_of(wording, channel, language) == language
    ]
    answers = [
        (named(note), note, channel, language, notes)
        for language, texts in notes.texts.items()
        for note, words in texts.items()
        for channel in ("email", "sms")
        if ("sms" if channel == "sms" else "subject") in words
    ]
    for wording, name, channel, language, words in (*wordings, *sorted(answers, key=itemgetter(0, 2))):
        former = [a for a in approvals if (a.wording, a.channel, a.language) == (wording, channel, language)]
        yield Words(
            wording,
            channel,
            language,
            words.version(name, channel, language),
            words.approval(name, channel, language),
            former[-1] if former else None,
        )


def _used(rules: "YamlRules") -> set[tuple[str, "Channel"]]:
    """Wordings by channel that some rule, or some step of a journey, tells customers in."""
    variants = {name: rules.variants(name) for name in rules.types}
    used = [rule for several in variants.values() for rule in several]
    for journey in rules.journeys().values():
        for number, step in enumerate(journey.steps, 1):
            if not step.end:
                used += [step_rule(rule, journey, number) for t in journey.documents for rule in variants[t]]
    return {(rule.wording, channel) for rule in used if not rule.skip for channel in rule.channels}
