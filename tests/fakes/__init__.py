"""In-memory services behind the ports: they keep the same promises as the real ones, and no others.

Every fake is deterministic: time comes from `FakeClock`, chance from a seed. Nothing here imports
pytest, so that benchmarks can run on them too.
"""

from .clock import FakeClock
from .contacts import FakeAddresses, FakeContacts, FakeSuppressions, some_ways
from .drops import FakeDropFolder, FakeRecords, FakeStaging
from .evidence import FakeEvidence, FakeJobs
from .examples import a_contact, a_document, a_notice, a_rule, an_address
from .exceptions import FakeChannelBook, FakeChannels, FakeExceptionBus, FakeIncidents
from .journeys import FakeCustomerNotices, FakeExecutions, FakeJourneyBook, FakeJourneyEvents
from .ledger import FakeDueIndex, FakeLedger
from .links import FakeDocuments, FakeEarlyResponses, FakeTries
from .providers import Behaviour, Delivered, FakeProvider, LostAnswer
from .queues import FakeDecideQueue, FakeLookQueue, FakeQueue, FakeRunQueue, FakeSendQueues, Received
from .receipts import (
    FakeDeliveryWatch,
    FakeEarlyReceipts,
    FakeReceiptEvidence,
    FakeReputation,
    FakeStatusSource,
)
from .rules import FakeRules
from .runs import FakeRunBook
from .wire import Killed, Wire, watched
from .wording import FakeNotes, FakeWording

__all__ = [
    "Behaviour",
    "Delivered",
    "FakeAddresses",
    "FakeChannelBook",
    "FakeChannels",
    "FakeClock",
    "FakeContacts",
    "FakeCustomerNotices",
    "FakeDecideQueue",
    "FakeDeliveryWatch",
    "FakeDocuments",
    "FakeDropFolder",
    "FakeDueIndex",
    "FakeEarlyReceipts",
    "FakeEarlyResponses",
    "FakeEvidence",
    "FakeExceptionBus",
    "FakeExecutions",
    "FakeIncidents",
    "FakeJobs",
    "FakeJourneyBook",
    "FakeJourneyEvents",
    "FakeLedger",
    "FakeLookQueue",
    "FakeNotes",
    "FakeProvider",
    "FakeQueue",
    "FakeReceiptEvidence",
    "FakeRecords",
    "FakeReputation",
    "FakeRules",
    "FakeRunBook",
    "FakeRunQueue",
    "FakeSendQueues",
    "FakeStaging",
    "FakeStatusSource",
    "FakeSuppressions",
    "FakeTries",
    "FakeWording",
    "Killed",
    "LostAnswer",
    "Received",
    "Wire",
    "a_contact",
    "a_document",
    "a_notice",
    "a_rule",
    "an_address",
    "some_ways",
    "watched",
]
