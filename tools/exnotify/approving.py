"""Which versions of the wording customers read, and who approved each."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exstream_notify.adapters.bootstrap import Bootstrap
    from exstream_notify.domain.approvals import Approval


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
    """Everything that the rules can have customers told in: a rule's wording, on its channels, by language.

    The version hangs on texts, layout and brand, so the deployment's own brand and files are what counts.
    """
    from exstream_notify.adapters.rendering.approvals import read_approvals

    renderer: Any = app.wording
    approvals = read_approvals(Path(app.settings.site_dir) / "wording")
    used = {
        (rule.wording, channel)
        for name in app.rules.types
        for rule in app.rules.variants(name)
        for channel in rule.channels
        if not rule.skip
    }
    for (wording, channel), language in product(sorted(used), renderer.languages):
        former = [a for a in approvals if (a.wording, a.channel, a.language) == (wording, channel, language)]
        yield Words(
            wording,
            channel,
            language,
            renderer.version(wording, channel, language),
            renderer.approval(wording, channel, language),
            former[-1] if former else None,
        )
