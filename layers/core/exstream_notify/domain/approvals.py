"""Who answers for words: an approval is of one version, and ends with it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Approval:
    """Somebody approved this version of a wording on one channel in one language.

    `version` is what `Wording.version` names; `who` a person or a body, `when` a date (ISO 8601).
    """

    wording: str
    channel: str
    language: str
    version: str
    who: str
    when: str

    @property
    def proof(self) -> dict[str, str]:
        """Who answers for the words, as a message's proof shows it."""
        return {"who": self.who, "when": self.when, "version": self.version}
