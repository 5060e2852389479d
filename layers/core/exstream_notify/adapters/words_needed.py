"""Which words the rules ask for: types, account statuses, steps of journeys, internal teams."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..domain.documents import Channel, DocumentRule
from ..domain.journeys import step_rule
from .rules import YamlRules

TEAM_COPY = "team-copy"
TEAM_DIGEST = "team-digest"


@dataclass(frozen=True, slots=True)
class WordsNeeded:
    """Words that a rule names, and the channels that it allows.

    `path` is the rule's place in its `file`, `rule` names it for a reader. Words for an internal team are
    needed in the default language alone.
    """

    wording: str
    channels: tuple[Channel, ...]
    file: str
    path: str
    rule: str
    internal: bool = False


def words_needed(rules: YamlRules) -> list[WordsNeeded]:
    """All words that can be asked for, in the order of the rules. Raises RulesInvalid.

    A rule that notifies nobody (`skip`) asks for none. A step without channels goes out on those of its
    documents' types.
    """
    return [*_of_types(rules), *_of_journeys(rules), *_of_teams(rules)]


def channels_needed(needed: list[WordsNeeded]) -> dict[str, set[Channel]]:
    """The channels that each wording is needed on."""
    found: dict[str, set[Channel]] = {}
    for one in needed:
        found.setdefault(one.wording, set()).update(one.channels)
    return found


def _of_types(rules: YamlRules) -> Iterator[WordsNeeded]:
    for name in rules.types:
        said: dict[tuple[str, Channel], None] = {}
        for status, rule in rules.by_status(name).items():
            # A status that changes neither words nor channels asks for nothing of its own.
            new = tuple(c for c in rule.channels if (rule.wording, c) not in said)
            if rule.skip or not new:
                continue
            said |= dict.fromkeys((rule.wording, channel) for channel in new)
            path = f"types.{name}" + (f".by_account_status.{status}" if status else "")
            about = f"type {name}" + (f" with account status {status}" if status else "")
            yield WordsNeeded(rule.wording, new, "documents.yaml", path, about)


def _of_journeys(rules: YamlRules) -> Iterator[WordsNeeded]:
    for name, journey in rules.journeys().items():
        for number, step in enumerate(journey.steps, 1):
            if step.end:
                continue
            asked: dict[str, dict[Channel, None]] = {}
            for kind in journey.documents:
                for rule in _open(rules, kind):
                    own = step_rule(rule, journey, number)
                    asked.setdefault(own.wording, {}).update(dict.fromkeys((*own.channels, *own.reserve)))
            if step.digest:
                said = dict.fromkeys(channel for channels in asked.values() for channel in channels)
                asked.setdefault(step.digest, {}).update(said)
            path = f"journeys.{name}.steps.{number - 1}"
            for wording, channels in asked.items():
                about = f"step {number} of journey {name}"
                yield WordsNeeded(wording, tuple(channels), "journeys.yaml", path, about)


def _of_teams(rules: YamlRules) -> Iterator[WordsNeeded]:
    wordings = {"each": TEAM_COPY, "digest": TEAM_DIGEST}
    said: set[str] = set()
    for name in rules.types:
        wording = wordings.get(rules.of_type(name).team_copy)
        # Also with no team in the rule: a record can name its own.
        if wording is None or wording in said:
            continue
        said.add(wording)
        what = "copies" if wording == TEAM_COPY else "digests"
        about = f"{what} to internal teams of type {name}"
        yield WordsNeeded(wording, ("email",), "documents.yaml", f"types.{name}.team_copy", about, True)


def _open(rules: YamlRules, kind: str) -> list[DocumentRule]:
    """The rules of a type by which somebody is notified."""
    return [rule for rule in rules.variants(kind) if not rule.skip]
