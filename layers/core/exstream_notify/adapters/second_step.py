"""The second step that every contact can take: its own postcode."""

import hmac
from collections.abc import Mapping

from ..domain.contacts import Contact


class PostcodeStep:
    """`SecondStep` on the postcode that the composer's records brought."""

    def asks(self, contact: Contact) -> tuple[str, ...]:
        """See `SecondStep.asks`."""
        return ("postcode",) if _plain(contact.postcode or "") else ()

    def passes(self, contact: Contact, answers: Mapping[str, str]) -> bool:
        """See `SecondStep.passes`; spaces, dashes and case are not looked at."""
        known, given = _plain(contact.postcode or ""), _plain(answers.get("postcode", ""))
        return bool(known) and hmac.compare_digest(known.encode(), given.encode())


def _plain(text: str) -> str:
    return "".join(c for c in text.upper() if c.isalnum())
