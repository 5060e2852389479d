"""Whether rules and wording can be used together: everything that would otherwise fail at a customer.

Run by the tests and by `make lint` over the package's own, and over a site's folder as it is laid over the
package's. `coverage.check_coverage` is the part that a function and `exnotify up` can afford at their start.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...domain.documents import Channel
from ...domain.sms_text import alphabet, fold, parts
from ..rules import YamlRules
from ..words_needed import channels_needed, words_needed
from .approvals import NAME as APPROVALS
from .approvals import read_approvals
from .brand import SMS_NAME_LENGTH, Brand
from .composing import BODY_KEYS, HEAD_KEYS, Composer, best_fit, is_internal, part_limit
from .coverage import Problem, gap_problems
from .forms import MailForm, Pattern, Phrasebook, alternatives
from .texts import (
    LAYOUTS,
    NO_LANGUAGES,
    PACKAGE_WORDING,
    LanguageTexts,
    WordingError,
    WordingFiles,
    read_yaml,
)
from .variables import ALLOWED, CONSTANT, SMS_DETAILS, Place

LONGEST_LINK = "https://" + "h" * 40 + "/d/" + "t" * 30
LONGEST_VALUES: Mapping[str, str] = {
    "link": LONGEST_LINK,
    "reference": "R" * 20,
    "amount": "USD 9,999,999,999.99",
    "due_date": "30 sept. 2026",
    "respond_by": "30 sept. 2026",
}
"""The longest values that an SMS must have room for."""

_LABELS = ("facts", "account_status", "case_type")
_NEEDED: Mapping[Channel, tuple[str, ...]] = {
    "email": ("subject", "heading", "body", "button", "document"),
    "sms": ("sms", "sms_frames"),
}
_TEAM_NEEDS = ("subject", "heading", "body")
_COMMON = {*HEAD_KEYS, *BODY_KEYS, *_LABELS, "body", "sms", "sms_frames", "sms_opt_out"}
_OWN = {*HEAD_KEYS, *BODY_KEYS, "document", "body", "facts", "sms", "sms_frames", "sms_opt_out"} | {
    "sms_opt_out_notice"
}
_EMAIL_OWN = {"subject", "preheader", "heading", "body", "button"}
_SMS_OWN = {"sms"}
_ALWAYS = frozenset({"document"})  # every document is called something
_TOP = {"territory", "common", "types"}


def check_wording(
    folder: Path | None = None,
    brand: Brand | None = None,
    rules: YamlRules | None = None,
    default_language: str = "en",
) -> list[Problem]:
    """All problems of the package's wording with a site's folder laid over it; empty if it is sound.

    What there must be words for, and on which channels, the rules say (the package's, unless others are
    given). Texts that several types share are told of once. SMS lengths are checked for a company name of
    the greatest length, and for the brand's own name if there is one. Raises RulesInvalid.
    """
    site = folder if folder is not None and folder.resolve() != PACKAGE_WORDING.resolve() else None
    if site is not None and not site.is_dir():
        return [Problem(str(site), 0, "", "there is no such folder")]
    try:
        own = (brand or Brand("B" * SMS_NAME_LENGTH)).overlaid(site)
    except WordingError as error:
        return [Problem("brand.yaml", 0, "", str(error).removeprefix("brand.yaml: "))]
    files = WordingFiles(site)
    book = Phrasebook()
    problems: set[Problem] = set()
    if alphabet(own.short_name) != "gsm":
        reason = f"{own.short_name!r} is outside the GSM alphabet: SMS take twice the parts; give sms_name"
        problems.add(Problem("brand.yaml", 0, "sms_name", reason))
    try:
        read_approvals(site)
    except WordingError as error:
        problems.add(Problem(APPROVALS, 0, "", str(error).removeprefix(f"{APPROVALS}: ")))
    chosen = rules or YamlRules()
    needed = words_needed(chosen)
    asked = channels_needed(needed)
    for language in _touched(files, site):
        problems.update(_Language(files, language, own, book, asked).problems())
    faulty = {f"{p.file} {'.'.join(p.key.split('.')[:2])}" for p in problems}
    with suppress(WordingError):  # of a file that cannot be read, which is reported above, with its line
        problems.update(
            problem
            for gap, problem in gap_problems(chosen, needed, files, default_language)
            # Words that are there and not complete are one fault, reported where it is.
            if f"{default_language}.yaml types.{gap.needed.wording}" not in faulty
        )
    return sorted(problems)


def _touched(files: WordingFiles, site: Path | None) -> list[str]:
    """The languages that a site's folder can have changed."""
    if site is None or any((site / name).exists() for name in (*LAYOUTS, "brand.yaml")):
        return sorted(files.languages)
    return sorted(path.stem for path in site.glob("*.yaml") if path.stem not in NO_LANGUAGES)


class _Language:
    """The check of one language."""

    def __init__(
        self,
        files: WordingFiles,
        language: str,
        brand: Brand,
        book: Phrasebook,
        asked: Mapping[str, Collection[Channel]],
    ) -> None:
        self._files = files
        self._asked = asked
        self._file = f"{language}.yaml"
        self._language = language
        self._book = book
        longest = "B" * SMS_NAME_LENGTH
        self._brands = [replace(brand, sms_name=longest, sms_details=details) for details in (False, True)]
        self._composer = Composer(files, self._brands[0], book)

    def problems(self) -> Iterator[Problem]:
        """Everything found."""
        try:
            texts = self._files.language(self._language)
        except WordingError as error:
            yield self._at("", str(error).removeprefix(f"{self._file}: "))
            return
        yield from self._keys()
        if not texts.types:
            yield self._at("types", "there are no words in this language at all")
        for wording in texts.types:
            channels = self._channels(texts, wording)
            found = [*self._missing(texts, wording, channels), *self._phrases(texts, wording)]
            # What does not compile cannot be laid out: one fault, told once, where it is.
            yield from found or self._messages(texts, wording, channels)

    def _channels(self, texts: LanguageTexts, wording: str) -> list[Channel]:
        """On which channels a type must have words here: those that its rules allow and that it begins to
        have words for; both where no rule names it. What it says nothing on, the fallback language says."""
        if is_internal(wording):
            return ["email"]
        if wording not in self._asked:
            return ["email", "sms"]
        own = set(texts.types[wording])
        begun: dict[Channel, bool] = {"email": bool(own & _EMAIL_OWN), "sms": bool(own & _SMS_OWN)}
        return [channel for channel, there in begun.items() if there]

    def _keys(self) -> Iterator[Problem]:
        for path in self._files.paths(self._file):
            data = read_yaml(path)
            for key in data.keys() - _TOP:
                yield self._at(str(key), f"not one of {', '.join(sorted(_TOP))}")
            common = data.get("common") or {}
            for key, value in common.items():
                yield from self._entry(f"common.{key}", key, value, _COMMON)
            for wording, entry in (data.get("types") or {}).items():
                for key, value in entry.items():
                    yield from self._entry(f"types.{wording}.{key}", key, value, _OWN)

    def _entry(self, path: str, key: str, value: Any, known: set[str]) -> Iterator[Problem]:
        if key not in known:
            yield self._at(path, f"not one of {', '.join(sorted(known))}")
        elif key == "sms_opt_out_notice":
            if not isinstance(value, bool):
                yield self._at(path, "true or false is needed")
        elif key == "facts" and path.startswith("types."):
            if not isinstance(value, list):
                yield self._at(path, "a list of variables is needed")
        elif key in _LABELS:
            if not isinstance(value, dict):
                yield self._at(path, "keys and labels are needed")
        elif key == "body":
            if not isinstance(value, list) or not all(map(_is_text, value)):
                yield self._at(path, "a list of paragraphs is needed, each a text or a list of texts")
        elif not _is_text(value):
            yield self._at(path, "a text, or a list of texts, is needed")

    def _missing(
        self, texts: LanguageTexts, wording: str, channels: Collection[Channel]
    ) -> Iterator[Problem]:
        needed = _TEAM_NEEDS if is_internal(wording) else tuple(k for c in channels for k in _NEEDED[c])
        for key in needed:
            if not texts.of(wording, key):
                yield self._at(f"types.{wording}.{key}", "there are no words")

    def _phrases(self, texts: LanguageTexts, wording: str) -> Iterator[Problem]:
        body: Place = "team_mail" if is_internal(wording) else "mail"
        head: Place = "team_subject" if is_internal(wording) else "subject"
        places: dict[str, Place] = {**dict.fromkeys(HEAD_KEYS, head), **dict.fromkeys(BODY_KEYS, body)}
        if not is_internal(wording):
            places |= {"sms": "sms", "sms_frames": "sms"}
        for key, place in places.items():
            for source in alternatives(texts.of(wording, key)):
                yield from self._phrase(texts, wording, key, source, place)
        for entry in texts.of(wording, "body") or []:
            for source in alternatives(entry):
                yield from self._phrase(texts, wording, "body", source, body)
        try:
            facts = [fact for rows in texts.facts(wording) for fact in rows]
        except WordingError as error:
            yield self._at(f"types.{wording}.facts", str(error).rpartition("facts: ")[2])
            return
        for fact in facts:
            if fact.variable not in ALLOWED[body] - CONSTANT:
                yield self._at(f"types.{wording}.facts", _refused(fact.variable, body))
            for source in (fact.label, fact.value):
                yield from self._phrase(texts, wording, "facts", source, body)

    def _phrase(
        self, texts: LanguageTexts, wording: str, key: str, source: str, place: Place
    ) -> Iterator[Problem]:
        path = f"types.{wording}.{key}" if key in texts.types[wording] else f"common.{key}"
        try:
            phrase = self._book.phrase(source)
        except WordingError as error:
            yield self._at(path, str(error))
            return
        extra = {"message"} if key == "sms_frames" else set()
        for name in sorted(phrase.mentions - ALLOWED[place] - extra):
            yield self._at(path, _refused(name, place))
        if key == "sms_frames" and "message" not in phrase.mentions:
            yield self._at(path, "{{ message }} is missing")

    def _messages(
        self, texts: LanguageTexts, wording: str, channels: Collection[Channel]
    ) -> Iterator[Problem]:
        """Made up from every set of values that differs from all or from nothing by one."""
        if "email" in channels:
            yield from self._mails(texts, wording)
        if "sms" in channels:
            yield from self._lengths(texts, wording)

    def _mails(self, texts: LanguageTexts, wording: str) -> Iterator[Problem]:
        known = self._composer.variables(texts, wording, "email") - CONSTANT
        digest = {"team": "T", "run": "R", "total": "1", "waiting": "1"}
        given = digest if wording == "team-digest" else {}
        laid_out = (known, known & _ALWAYS, known - {"link"}, known - {"preferences_link"})
        for present in _sets(known):
            try:
                said = self._composer.say(texts, wording, present, given=given)
                if present in laid_out:
                    form = self._composer.mail(texts, wording, present, given=given)
                    yield from self._odd(wording, form)
            except WordingError as error:
                yield self._fault(wording, error)
                return
            if not said["subject"]:
                yield self._at(f"types.{wording}.subject", "says nothing")

    def _odd(self, wording: str, form: MailForm) -> Iterator[Problem]:
        if any(mark in p.format for p in form.patterns for mark in ("\ue000", "\ue001", "{{", "{%")):
            yield self._at(f"types.{wording}", "template marks are left in the message")
        if not all(pattern.bulk_safe for pattern in form.patterns):
            yield self._at(f"types.{wording}", "(i1) and the like are insert marks of the provider")

    def _lengths(self, texts: LanguageTexts, wording: str) -> Iterator[Problem]:
        limit = part_limit(texts.language)
        for brand in self._brands:
            composer = Composer(self._files, brand, self._book)
            known = composer.variables(texts, wording, "sms")
            if not brand.sms_details:
                known -= SMS_DETAILS
            for present in _sets(known):
                values = {name: LONGEST_VALUES.get(name, "D" * 30) for name in present}
                try:
                    candidates = composer.sms(texts, wording, present)
                    pattern, text = best_fit(candidates, values, limit)
                except (WordingError, ValueError) as error:
                    yield self._fault(f"{wording}.sms", error)
                    return
                if odd := _outside_gsm(candidates):
                    yield self._at(f"types.{wording}.sms", f"{odd!r} is outside the GSM alphabet")
                    return
                count = parts(text)
                if count > limit:
                    reason = f"{count} parts with the longest values, {limit} allowed: {text!r}"
                    yield self._at(f"types.{wording}.sms", reason)
                    return
                if "link" in present and "link" not in pattern.names:
                    yield self._at(f"types.{wording}.sms", "no text with the longest link fits")
                    return

    def _fault(self, wording: str, error: Exception) -> Problem:
        text = str(error)
        for name in LAYOUTS:
            if name in text:
                return Problem(name, _line_in(text, name), "", text)
        return self._at(f"types.{wording}", text)

    def _at(self, key: str, reason: str) -> Problem:
        return Problem(self._file, self._line(key), key, reason)

    def _line(self, key: str) -> int:
        """Where a key stands in the topmost file that has it, or its nearest parent."""
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        found = []
        for path in reversed(self._files.paths(self._file)):
            try:
                node: Any = yaml.compose(path.read_text("utf-8"), loader)
            except (yaml.YAMLError, UnicodeDecodeError) as error:
                mark = getattr(error, "problem_mark", None)
                return mark.line + 1 if mark else 0
            depth, line = 0, 0
            for part in key.split("."):
                pairs = node.value if isinstance(node, yaml.MappingNode) else []
                below = [(k.start_mark.line + 1, v) for k, v in pairs if k.value == part]
                if not below:
                    break
                depth, (line, node) = depth + 1, below[-1]
            found.append((depth, line))
        return max(found, key=lambda place: place[0], default=(0, 0))[1]


def _sets(known: frozenset[str]) -> Iterator[frozenset[str]]:
    """All values, none, all but one, and only one."""
    always = known & _ALWAYS
    yield known
    yield always
    for name in sorted(known - always):
        yield known - {name}
        yield always | {name}


def _refused(name: str, place: Place) -> str:
    if any(name in allowed for allowed in ALLOWED.values()):
        return f"{{{{ {name} }}}} may not stand here ({place.replace('_', ' ')})"
    return f"there is no variable {{{{ {name} }}}}"


def _outside_gsm(candidates: list[Pattern]) -> str:
    odd = {c for pattern in candidates for c in fold(pattern.format) if alphabet(c) != "gsm"}
    return "".join(sorted(odd))


def _is_text(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(item, str) for item in value)
    return isinstance(value, str)


def _line_in(text: str, name: str) -> int:
    """The line in an error such as `layout.html:12: ...`."""
    after = text.partition(f"{name}:")[2].partition(":")[0]
    return int(after) if after.isdigit() else 0
