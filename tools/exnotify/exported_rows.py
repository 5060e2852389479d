"""Rows of our own export, read again: what they say of a contact that stands so already is no news."""

from collections.abc import Mapping

from exstream_notify.domain.contacts import Contact
from exstream_notify.domain.export import Layout
from exstream_notify.domain.values import ValueRefused, clean_text, is_unset, plain_key

CLEAR = "-"
"""A cell that takes a value back; an empty cell says nothing."""

_TOGETHER = (
    ("quiet_from", "quiet_to"),
    ("consent", "consent_version", "consent_at", "consent_source"),
)
"""Columns that mean something together only."""


def cell_text(name: str, cell: str) -> str:
    """A cell as it is read, empty where it says nothing. Raises ValueRefused."""
    text = clean_text(cell) if name == "consent_source" else plain_key(cell)
    return text if name and (text == CLEAR or not is_unset(text, name)) else ""


def news(values: Mapping[str, str], contact: Contact, separator: str) -> Mapping[str, str]:
    """A row's values without those that an export says of this contact now, whatever they are.

    So an export that is read again changes nothing, also where a value could not be imported: an opt-out from
    a topic that rules do not name any more, a consent of a version `-`.
    """
    row = Layout((), {}, "", separator).row(contact, ())
    stands = {name: _read(name, row[name]) for name in row}
    same = {name for name in values if stands.get(name) == values[name]}
    for group in _TOGETHER:
        if any(values.get(name, "") != stands[name] for name in group):
            same -= set(group)
    return {name: text for name, text in values.items() if name not in same}


def _read(name: str, cell: str) -> str | None:
    try:
        return cell_text(name, cell)
    except ValueRefused:
        return None
