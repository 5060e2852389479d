"""The inbox: what customers got, as a web page of this machine, and as JSON."""

from .app import Inbox, outbox_row

__all__ = ["Inbox", "outbox_row"]
