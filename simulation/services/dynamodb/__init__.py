"""DynamoDB, simulated: its operations, its limits, and the ways in which it is unreliable.

Known kinds of faults, by the name of each rate: `dynamodb_stale` (an eventually consistent read is late),
`dynamodb_index_lag` (an index is late with a write), `dynamodb_ttl_late` (an expired item is deleted late),
`dynamodb_unprocessed` (part of a batch is left over), `dynamodb_conflict` (another transaction holds an
item), `dynamodb_throttled` (within a transaction). Whole calls that are throttled or lost are not this
service's to draw.
"""

from exnotify.cloud.dynamodb.schema import Index, Table

from .service import DynamoDB
from .tables import LAG, OVERDUE, STALE

__all__ = ["LAG", "OVERDUE", "STALE", "DynamoDB", "Index", "Table"]
