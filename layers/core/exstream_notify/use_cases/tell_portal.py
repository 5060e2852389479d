"""Let the portal hear of preferences that changed here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from ..domain.contacts import Contact
from ..domain.passes import handle_of
from ..domain.portal_news import changed_between, detail_of, is_portals, named_in, said_since
from ..ports import Clock, ContactDirectory, DueIndex, ExceptionBus

AGAIN_AFTER = timedelta(minutes=2)
"""When a change whose event is not known to be out is looked at; longer than any function that makes one."""


@dataclass(frozen=True, slots=True)
class PortalNews:
    """Stores contacts that heard something, and publishes what changed, at least once.

    `bus` is made when something is published: a look at a page is to be quick. A change waits in the due
    index, under the contact's handle, from before it is stored until its event is out: a worker that dies in
    between leaves it to `go_on`.
    """

    contacts: ContactDirectory
    due: DueIndex
    bus: Callable[[], ExceptionBus]
    clock: Clock

    def put(self, before: Contact, after: Contact) -> bool:
        """Store the contact as it stands after new statements; False if it changed meanwhile."""
        new = [one for one in after.statements if one not in before.statements]
        names = changed_between(before, after)
        if not names or not new:
            return not self.contacts.put([after])
        until = self.clock.now() + AGAIN_AFTER
        name = f"{handle_of(after.salt)}/{min(one.recorded for one in new)}/{after.version}"
        self.due.wait("portal", name, until)
        stored = not self.contacts.put([after])
        if stored:
            last = max(new, key=lambda one: (one.recorded, one.at))
            self.bus().preferences_changed([detail_of(after, names, last.by, last.at or last.recorded)])
        self.due.forget([f"portal:{name}"], until)
        return stored

    def go_on(self, name: str) -> bool:
        """Publish a change whose event may be lost, by its name in the due index; whether there is one."""
        handle, since, _ = name.split("/")
        contact = self.contacts.by_handle(handle)
        new = said_since(contact, since) if contact is not None else ()
        if contact is None or not new:
            return False
        last = max(new, key=lambda one: (one.recorded, one.at))
        detail = detail_of(contact, named_in(contact, new), last.by, last.at or last.recorded)
        self.bus().preferences_changed([detail])
        return True


def tell_portal(changes: Iterable[tuple[Contact, Contact]], by: str, bus: ExceptionBus, at: str) -> None:
    """Publish changes (before, after) before they are stored, where a repeat of the whole follows if the
    worker dies."""
    details = [
        detail_of(after, names, by, at)
        for before, after in changes
        if (names := changed_between(before, after)) and not is_portals(by)
    ]
    if details:
        bus.preferences_changed(details)
