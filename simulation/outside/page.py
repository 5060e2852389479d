"""A page as a person sees it: its forms, with what stands in each field."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(slots=True)
class Form:
    """One form. `fields` are those that would be posted as they stand; `asks` those that are to be filled in,
    with their `autocomplete`; `buttons` the values of its buttons that have one, by name."""

    fields: list[tuple[str, str]] = field(default_factory=list)
    asks: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    def value(self, name: str) -> str:
        """What stands in a field, or nothing."""
        return next((value for key, value in self.fields if key == name), "")

    def filled(self, **typed: str) -> list[tuple[str, str]]:
        """What is posted where these fields are filled in otherwise."""
        return [(k, v) for k, v in self.fields if k not in typed] + list(typed.items())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form()
            self.forms.append(self._open)
        form = self._open
        if form is None:
            return
        name, kind, value = given.get("name", ""), given.get("type", "text"), given.get("value", "")
        if tag == "input":
            if kind in ("checkbox", "radio"):
                if "checked" in given:
                    form.fields.append((name, value))
            else:
                form.fields.append((name, value))
                if kind != "hidden" and not value:
                    form.asks[name] = given.get("autocomplete", "")
        elif tag == "button" and name:
            form.buttons.append((name, value))
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in given:
            form.fields.append((self._select, value))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None


def forms_of(html: str) -> list[Form]:
    """The forms of a page, in order."""
    reader = _Reader()
    reader.feed(html)
    return reader.forms
