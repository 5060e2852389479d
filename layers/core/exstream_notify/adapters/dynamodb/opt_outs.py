"""Numbers and addresses that their holders stopped, on the Suppressions table."""

from collections.abc import Callable, Collection
from datetime import datetime

from ...domain.documents import Channel
from ...domain.receipts import Suppression, allowed_from, stopped_from, without_topics
from .contacts import DynamoSuppressions

_TRIES = 5


class DynamoOptOuts(DynamoSuppressions):
    """`OptOutList`. A stop stands in the address's own entry, beside what bounces and complaints say."""

    def stop(self, channel: Channel, canonical: str, source: str, at: datetime) -> bool:
        """See `OptOutList.stop`."""
        if self.stopped_by(channel, canonical) is not None:
            return False
        current = self.hashes(channel, canonical)[0]
        self._change([(channel, current)], lambda entry: stopped_from(entry, source, at))
        return self.stopped_by(channel, canonical) is not None

    def stopped_by(self, channel: Channel, canonical: str) -> str | None:
        """See `OptOutList.stopped_by`."""
        return next((entry.stopped for entry in self._entries(channel, canonical) if entry.stopped), None)

    def stop_topics(
        self, channel: Channel, canonical: str, topics: Collection[str], source: str, at: datetime
    ) -> None:
        """See `OptOutList.stop_topics`."""
        current = self.hashes(channel, canonical)[0]
        self._change([(channel, current)], lambda entry: without_topics(entry, topics, source, at))

    def allow(self, channel: Channel, canonical: str, source: str, at: datetime) -> bool:
        """See `OptOutList.allow`; the entry stays, with who released it and when."""
        stops = [(e.channel, e.address) for e in self._entries(channel, canonical) if e.stopped]
        current = (channel, self.hashes(channel, canonical)[0])
        self._change(sorted({*stops, current}), lambda entry: allowed_from(entry, source, at))
        return bool(stops) and self.stopped_by(channel, canonical) is None

    def _entries(self, channel: Channel, canonical: str) -> list[Suppression]:
        return list(self.entries([(channel, one) for one in self.hashes(channel, canonical)]).values())

    def _change(
        self, places: list[tuple[Channel, str]], change: Callable[[Suppression], Suppression]
    ) -> None:
        """Write the change over whatever else happens to these entries meanwhile."""
        for _ in range(_TRIES):
            known = self.entries(places) if places else {}
            changed = [after for entry in known.values() if (after := change(entry)) is not entry]
            if not changed:
                return
            places = list(self.put(changed))
        raise RuntimeError("a suppression kept changing under five attempts")
