"""rules/bounce_mails.yaml and a site's replies.yaml as validated data."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from ..domain.replies import normalised


def _phrase(phrase: str) -> str:
    if len(phrase.strip("^* ")) < 2:
        raise ValueError("a phrase of two characters or more is needed: this one would be found everywhere")
    if phrase != phrase.lower():
        raise ValueError("phrases are compared in lower case: write them so")
    return phrase


_Phrases = tuple[Annotated[str, AfterValidator(_phrase)], ...]


class PhraseFile(BaseModel):
    """The lists by which mails are told from each other; a site may replace each."""

    model_config = ConfigDict(extra="forbid")

    daemons: _Phrases
    robots: _Phrases
    subjects: _Phrases
    bodies: _Phrases
    arrivals: _Phrases
    delayed: _Phrases
    final: _Phrases
    auto_replies: _Phrases
    reply_hints: _Phrases
    complainers: _Phrases
    challenges: _Phrases


def _has_letters(text: str) -> str:
    if not normalised(text):
        raise ValueError("a word or a sentence is needed")
    return text


_Said = Annotated[str, AfterValidator(_has_letters)]


class ReplyFile(BaseModel):
    """A site's words for SMS replies."""

    model_config = ConfigDict(extra="forbid")

    stop: tuple[_Said, ...] = ()
    start: tuple[_Said, ...] = ()
    help: tuple[_Said, ...] = ()
