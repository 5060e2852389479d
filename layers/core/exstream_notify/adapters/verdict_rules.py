"""rules/verdicts.yaml as validated data."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from ..domain.verdicts import Group, Row, Table, TableOfChannel

_CODE = re.compile(r"([45x])\.([0-7x])\.(\d{1,3}|x)|[a-z]{2,20}:[A-Za-z0-9_/*-]{0,80}")


def _code(code: str) -> str:
    if not _CODE.fullmatch(code):
        raise ValueError("a code such as 5.1.1, x.1.1, 5.7.x or ses:Permanent/NoEmail is needed")
    return code


def _neighbour(code: str) -> str:
    return code if code == "none" else _code(code)


def _phrase(phrase: str) -> str:
    plain = " ".join(phrase.split())
    if len(plain.strip("*~ ")) < 2 or plain[0] in "*~" or plain[-1] == "~":
        raise ValueError("a phrase of two characters or more is needed, with * and ~ between its words")
    if plain != plain.lower():
        raise ValueError("words are compared in lower case: write them so")
    return plain


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    group: Group
    codes: tuple[Annotated[str, AfterValidator(_code)], ...] = ()
    words: tuple[Annotated[str, AfterValidator(_phrase)], ...] = ()
    beside: tuple[Annotated[str, AfterValidator(_neighbour)], ...] = ()
    only: Literal["answer"] | None = None

    @model_validator(mode="after")
    def _proves(self) -> "_Row":
        if not self.codes and not self.words:
            raise ValueError("codes or words are needed")
        if (self.beside or self.only) and not self.words:
            raise ValueError("beside and only limit words, and there are none")
        if self.group is Group.ADDRESS and any(code.startswith("4") for code in self.codes):
            raise ValueError("class 4 is never permanent (RFC 3463): it cannot say address")
        return self


class VerdictFile(BaseModel):
    """One file of verdicts: the rows of each channel, and words of sentences that only suppose."""

    model_config = ConfigDict(extra="forbid")

    email: tuple[_Row, ...] = ()
    sms: tuple[_Row, ...] = ()
    doubts: tuple[Annotated[str, AfterValidator(_phrase)], ...] = ()

    def tables(self) -> TableOfChannel:
        """As the domain reads it."""
        return {
            "email": Table(tuple(Row(**row.model_dump()) for row in self.email)),
            "sms": Table(tuple(Row(**row.model_dump()) for row in self.sms)),
        }
