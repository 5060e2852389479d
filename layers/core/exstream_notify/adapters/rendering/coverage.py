"""Rules against wording: whether there are words for all that the rules can ask for.

For each type, account status, step of a journey and team's copy, on each channel that its rule allows, in
each language that is offered: the language has words, or the default language, its fallback, has some. This
reads the language files and compiles nothing, so a function can afford it when it starts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...domain.documents import Channel
from ..rules import RulesInvalid, YamlRules
from ..words_needed import WordsNeeded, words_needed
from .texts import WORDS, WordingError, WordingFiles


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong, and where; `line` is 0 where the fault is that something is not there."""

    file: str
    line: int
    key: str
    reason: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}: {self.reason}" if self.key else f"{place}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Gap:
    """A rule without words on a channel, in these languages, of which the last is the fallback."""

    needed: WordsNeeded
    channel: Channel
    languages: tuple[str, ...]
    lacks: tuple[str, ...]

    def __str__(self) -> str:
        need, fallback = self.needed, self.languages[-1]
        others = ", ".join(self.languages[:-1])
        where = f"{others}, nor in {fallback}, the fallback" if others else fallback
        key = f"types.{need.wording}"
        what = key if self.lacks == WORDS[self.channel] else f"{' and '.join(self.lacks)} of {key}"
        instead = "" if need.internal else ", or have the rule name words that exist"
        return (
            f"{need.rule} has no words {need.wording!r} by {self.channel} in {where}: "
            f"write {what} in wording/{fallback}.yaml{instead}"
        )


def gaps(needed: Sequence[WordsNeeded], files: WordingFiles, fallback: str) -> list[Gap]:
    """All that the rules ask for and nobody wrote. Raises WordingError for a file that cannot be read."""
    found = []
    for need in needed:
        offered = {fallback} if need.internal else files.languages | {fallback}
        for channel in need.channels:
            if not (lacks := _lacks(files, fallback, need.wording, channel)):
                continue
            others = [
                language
                for language in sorted(offered - {fallback})
                if _lacks(files, language, need.wording, channel)
            ]
            found.append(Gap(need, channel, (*others, fallback), lacks))
    return found


def check_coverage(
    rules: YamlRules, folder: Path | None = None, default_language: str = "en"
) -> list[Problem]:
    """All that the rules ask for and that nobody wrote, in no language that its customers could fall back on;
    and language files that cannot be read. Raises RulesInvalid."""
    files = WordingFiles(folder)
    try:
        for language in sorted(files.languages):
            files.language(language)
        return [problem for _, problem in gap_problems(rules, words_needed(rules), files, default_language)]
    except WordingError as error:
        file, _, reason = str(error).partition(": ")
        return [Problem(f"wording/{file}", 0, "", reason)]


def refuse_gaps(rules: YamlRules, folder: Path | None = None, default_language: str = "en") -> None:
    """RulesInvalid with the first problem of `check_coverage`, and how many more there are."""
    found = check_coverage(rules, folder, default_language)
    if found:
        more = f" (and {len(found) - 1} more: make lint SITE=folder lists all)" if found[1:] else ""
        raise RulesInvalid(f"{found[0]}{more}")


def gap_problems(
    rules: YamlRules, needed: Sequence[WordsNeeded], files: WordingFiles, fallback: str
) -> list[tuple[Gap, Problem]]:
    """Each gap with its place in the rules. Raises WordingError for a file that cannot be read."""
    found = []
    for gap in gaps(needed, files, fallback):
        file, path = gap.needed.file, gap.needed.path
        found.append((gap, Problem(file, rules.line_of(file, path), path, str(gap))))
    return found


def told_in_fallback(
    needed: Sequence[WordsNeeded], files: WordingFiles, fallback: str
) -> Iterator[tuple[str, Channel, tuple[str, ...]]]:
    """What is said in the fallback language to customers of these other languages, by wording and channel."""
    asked = {(n.wording, channel): None for n in needed if not n.internal for channel in n.channels}
    for wording, channel in asked:
        if not _lacks(files, fallback, wording, channel):
            lacking = [
                language
                for language in sorted(files.languages - {fallback})
                if _lacks(files, language, wording, channel)
            ]
            if lacking:
                yield wording, channel, tuple(lacking)


def remarks(folder: Path | None, rules: YamlRules, default_language: str = "en") -> list[str]:
    """What is no fault, and a site may not expect: customers who read another language than their own."""
    from ..pages import LANGUAGES
    from .brand import Brand
    from .notes import Notes

    files = WordingFiles(folder)
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    try:
        for wording, channel, languages in told_in_fallback(words_needed(rules), files, default_language):
            found.setdefault((channel, languages), []).append(wording)
        noted = set(Notes(Brand("B"), folder).texts)
    except WordingError:
        return []  # a problem that `check_wording` reports
    said = [
        f"{', '.join(wordings)} by {channel}: no words in {', '.join(languages)}, "
        f"so these customers read {default_language}"
        for (channel, languages), wordings in found.items()
    ]
    for what, known in (("pages", set(LANGUAGES)), ("notes", noted)):
        if lacking := sorted(files.languages - known):
            said.append(f"{what} are not in {', '.join(lacking)}, though messages are: see docs/wording.md")
    return said


def _lacks(files: WordingFiles, language: str, wording: str, channel: Channel) -> tuple[str, ...]:
    if language not in files.languages:
        raise WordingError(f"default language {language!r}: there is no {language}.yaml")
    return files.language(language).lacks(wording, channel)
