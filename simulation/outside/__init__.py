"""Everything beyond AWS: providers, services that take alerts, customers, scanners, receipts.

`Outside(nature, ways, settings)`; the engine gives it what leaves and lets it come in again:

- `Outside.answer(Request) -> Reply`, raises `Broken`: every request over HTTP. `Transport` brings those of
  httpx here and lets their virtual seconds pass.
- `Outside.services`: `sesv2` and `pinpoint-sms-voice-v2`, each a `Service` that may raise `Broken` as well
  (`broken.as_botocore()` after `broken.seconds`). An answer that the engine itself loses, it logs itself.
- `nature.place` names the call under way, once in a history; a retry has a name of its own.
- `ways` (`Ways`) is how receipts, events and customers reach the product.

For stories: `KINDS` has every kind of fault and of customers' acts with the share that it has in a bad night;
they go into `Chance.rates`. `weather.spell(provider, kind, share, until)` makes one provider bad for a while.
`meet(domain, record)` tells what a customer knows of itself, from each record as dropped.

For the checker: `accepted` (every message taken on, whatever was answered), `declined` (those that were not,
and whether the caller could know), `repeats`, `fates` (what became of each message), `reports` (each receipt
as it was handed in), `deeds` (what customers and scanners did), `alerts`. Nothing in them is read from the
product's tables.
"""

from .accepted import Accepted
from .exchange import Broken, Reply, Request, Transport
from .outside import KINDS, Outside, Settings
from .ways import Answer, Ways

__all__ = [
    "KINDS",
    "Accepted",
    "Answer",
    "Broken",
    "Outside",
    "Reply",
    "Request",
    "Settings",
    "Transport",
    "Ways",
]
