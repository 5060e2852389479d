"""Who the mail is from, as the customer sees it."""

import re
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ...domain.sms_text import fold, units
from .colours import is_colour
from .texts import WordingError, read_yaml

SMS_NAME_LENGTH = 24
"""So many characters of the company's name fit an SMS of one part beside a link."""

_PHONE = re.compile(r"\+?[\d ()./-]{5,}")
_MAIL = re.compile(r"[^\s@<>\"]+@[^\s@<>\"]+\.[^\s@<>\"]+")


@dataclass(frozen=True, slots=True)
class Brand:
    """The company's name and looks. Raises WordingError for values no mail program could show.

    `colour` is `#rrggbb`; text in it or on it is made readable whatever it is. `support_contact` is
    an e-mail address, a telephone number, a web address or any other words. `logo_width` is in
    pixels, at most 280. `sms_name` (else `name`) leads every SMS, cut to 24 characters between
    words. `sms_details` lets SMS tell amounts and dates where they fit: they are document
    content, and a locked phone shows them to anybody, so it is off. `sms_opt_out` is whether the
    texts about debt say how to stop them (12 CFR 1006.6(e)); turn it off only where replies cannot
    be received.
    """

    name: str
    support_contact: str = ""
    postal_address: str = ""
    colour: str = "#1f4e79"
    logo_url: str = ""
    logo_alt: str = ""
    logo_width: int = 140
    sms_name: str = ""
    sms_details: bool = False
    sms_opt_out: bool = True

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise WordingError("brand: a company name is needed")
        if not is_colour(self.colour):
            raise WordingError(f"brand: colour {self.colour!r} is not written as #rrggbb")
        if self.logo_url and not re.fullmatch(r"https://[^\s\"'<>]+", self.logo_url):
            raise WordingError("brand: logo_url must be an https address, mail programs show no other")
        if not 1 <= self.logo_width <= 280:
            raise WordingError("brand: logo_width is 1 to 280 pixels")

    @property
    def short_name(self) -> str:
        """The name in an SMS."""
        name = " ".join(fold(self.sms_name or self.name).split())
        while units(name) > SMS_NAME_LENGTH:
            head, _, _ = name.rpartition(" ")
            name = (head or name[:-1]).rstrip(" ,;:-&")
        return name

    @property
    def support_link(self) -> str:
        """Where a click on the support contact leads, or empty."""
        contact = self.support_contact.strip()
        if _MAIL.fullmatch(contact):
            return f"mailto:{contact}"
        if contact.startswith("https://") and " " not in contact:
            return contact
        if _PHONE.fullmatch(contact):
            return "tel:" + re.sub(r"[^\d+]", "", contact)
        return ""

    def overlaid(self, folder: Path | None) -> "Brand":
        """This brand with what `brand.yaml` in the site's wording folder says instead."""
        path = folder / "brand.yaml" if folder is not None else None
        if path is None or not path.exists():
            return self
        kinds = {f.name: type(getattr(self, f.name)) for f in fields(self)}
        changes: dict[str, Any] = read_yaml(path)
        for key, value in changes.items():
            if key not in kinds:
                raise WordingError(f"brand.yaml: {key}: not one of {', '.join(kinds)}")
            if type(value) is not kinds[key]:
                raise WordingError(f"brand.yaml: {key}: {kinds[key].__name__} is needed")
        return replace(self, **changes)
