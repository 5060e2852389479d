"""Bounce mails, automatic replies and complaints: what anybody's mail says, told from what a person wrote."""

from .parsing import READ_LIMIT
from .phrases import Phrases
from .reading import MailReading, read_mail
from .telling import Told

__all__ = ["READ_LIMIT", "MailReading", "Phrases", "Told", "read_mail"]
