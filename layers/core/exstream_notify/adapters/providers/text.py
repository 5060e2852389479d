"""What a message may hold before it goes into a provider's request."""

import re
from base64 import b64encode

from .errors import MessageRefused

_REF = re.compile(r"([0-9a-zA-Z_-]{1,64}):([0-9]{1,4})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_UNENCODABLE = re.compile(r"[\ud800-\udfff]")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_EMAIL = re.compile(
    r"[!#$%&'*+/=?^_`{|}~0-9A-Za-z.-]{1,64}"
    r"@(?:[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?\.)+[0-9A-Za-z-]{2,63}"
)
_ATOM_WORDS = re.compile(r"[0-9A-Za-z!#$%&'*+/=?^_`{|}~-]+(?: [0-9A-Za-z!#$%&'*+/=?^_`{|}~-]+)*")
_ENCODED_BYTES = 45
"""Bytes of UTF-8 in one encoded word, so that the word keeps within 75 characters (RFC 2047, 2)."""


def split_ref(ref: str) -> tuple[str, str]:
    """Notice id and attempt of a message's reference; ValueError if it is none."""
    match = _REF.fullmatch(ref)
    if match is None:
        raise ValueError("a reference is <notice id>:<attempt>")
    return match[1], match[2]


def one_line(text: str, what: str) -> str:
    """A header's text; line ends and other control characters would be an injection."""
    if _CONTROL.search(text):
        raise MessageRefused(f"{what}_has_control_characters", "content")
    return encodable(text, what)


def encodable(text: str, what: str) -> str:
    """Text that has a UTF-8 form."""
    if _UNENCODABLE.search(text):
        raise MessageRefused(f"{what}_not_unicode", "content")
    return text


def email_address(address: str) -> str:
    """An address that a provider takes: ASCII, its domain in the A-form of IDNA 2008.

    Neither service takes local parts beyond ASCII (RFC 6531), so those are the recipient's refusal.
    """
    local, at, domain = address.rpartition("@")
    if at and not domain.isascii():
        import idna

        try:
            address = f"{local}@{idna.encode(domain, uts46=True).decode('ascii')}"
        except idna.IDNAError:
            raise MessageRefused("address_domain_invalid", "recipient") from None
    if not _EMAIL.fullmatch(address) or ".." in address or local.startswith(".") or local.endswith("."):
        raise MessageRefused("address_invalid", "recipient")
    return address


def mobile_number(number: str) -> str:
    """A number in E.164 form: plus and at most 15 digits."""
    if not _E164.fullmatch(number):
        raise MessageRefused("number_invalid", "recipient")
    return number


def mailbox(display_name: str, address: str) -> str:
    """`display name <address>` for a header field (RFC 5322, 3.4; RFC 2047 beyond ASCII)."""
    if not display_name:
        return address
    if not display_name.isascii() or "=?" in display_name:
        return f"{_encoded_words(display_name)} <{address}>"
    if _ATOM_WORDS.fullmatch(display_name):
        return f"{display_name} <{address}>"
    quoted = display_name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{address}>'


def _encoded_words(text: str) -> str:
    """Encoded words of whole characters; a reader joins adjacent ones without the space between."""
    chunks: list[bytes] = [b""]
    for character in text:
        raw = character.encode()
        if len(chunks[-1]) + len(raw) > _ENCODED_BYTES:
            chunks.append(b"")
        chunks[-1] += raw
    return " ".join(f"=?UTF-8?B?{b64encode(chunk).decode('ascii')}?=" for chunk in chunks)
