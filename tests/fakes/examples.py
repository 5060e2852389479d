"""Examples with everything in order; a test changes what it is about."""

from typing import Any

from exstream_notify.domain.contacts import Address, Contact
from exstream_notify.domain.documents import Document, DocumentRule
from exstream_notify.domain.notices import Notice, Origin, Status

RUN = "retail/run-1"


def a_document(number: int = 1, **changes: Any) -> Document:
    """A statement of customer number `number`, who can be told by e-mail and SMS."""
    return Document(
        **{
            "domain": "retail",
            "customer_key": f"C{number:04d}",
            "document_id": f"D{number:04d}",
            "document_type": "statement",
            "email": f"c{number:04d}@example.com",
            "mobile": f"+1202555{100 + number % 100:04d}",
            "time_zone": "America/New_York",
            **changes,
        }
    )


def a_rule(**changes: Any) -> DocumentRule:
    """The rule of statements: by e-mail, else by SMS."""
    return DocumentRule(
        **{
            "name": "statement",
            "use_case": "uc1",
            "message_class": "transactional",
            "topic": "statements",
            "wording": "statement",
            "channels": ("email", "sms"),
            **changes,
        }
    )


def an_address(value: str, **changes: Any) -> Address:
    """An address that works."""
    return Address(**{"value": value, "given": value, **changes})


def a_contact(number: int = 1, **changes: Any) -> Contact:
    """The customer of `a_document(number)`, as stored."""
    return Contact(
        **{
            "domain": "retail",
            "customer_key": f"C{number:04d}",
            "salt": f"{number:032x}",
            "version": 1,
            "email": an_address(f"c{number:04d}@example.com"),
            "mobile": an_address(f"+1202555{100 + number % 100:04d}"),
            "time_zone": "America/New_York",
            **changes,
        }
    )


def a_notice(**changes: Any) -> Notice:
    """A notice that nothing has happened to, not stored yet."""
    return Notice(
        **{
            "notice_id": f"{1:032x}",
            "domain": "retail",
            "customer_key": "C0001",
            "document_id": "D0001",
            "document_type": "statement",
            "purpose": "notice",
            "audience": "customer",
            "origin": Origin(RUN, 0, 1, "parts/retail/run-1/00000.jsonl", 0, 100),
            "status": Status.DEFERRED,
            **changes,
        }
    )
