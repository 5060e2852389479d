"""The Journeys table: cohorts and their members, who was put aside, operators' words, pinned rules.

One partition a purpose, by the beginning of its key: `cohorts` (sort key: a cohort's name, so that the
hour leads), `done#<cohort>`, `members#<cohort>#<shard>`, `gathered#<cohort>`, `aside#<notice id or run>`,
`words#<run>`, `switch#<journey>`, `rule#<journey>`. A row of members is some kilobytes for up to a hundred,
so a cohort of a million is some ten thousand writes over SHARDS partitions, each good for a thousand
kilobytes a second.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import orjson

from ...domain.journeys import Cohort, JourneyRule, Member, MemberRow, rule_body, rule_from
from ...ports import CohortState
from .batches import DynamoDBClient, Item, query

SHARDS = 4
KEEP = timedelta(days=180)
"""How long a cohort's generation is kept: a closed execution's name is free again after 90 days."""


class DynamoJourneys:
    """`JourneyBook`. A cohort that this instance has noted and whose hour has not come is not noted again."""

    def __init__(self, client: DynamoDBClient, table: str, now: Callable[[], datetime]) -> None:
        self._client = client
        self._table = table
        self._now = now
        self._noted: set[Cohort] = set()
        self._rules: dict[tuple[str, str], JourneyRule] = {}

    # ---- cohorts ----

    def enrol(self, cohort: Cohort, rows: Sequence[MemberRow]) -> None:
        """See `JourneyBook.enrol`."""
        for row in rows:
            self._put(_members_key(cohort, row), _row_item(row))
        if cohort not in self._noted:
            self._note(cohort)
            self._noted.add(cohort)
        if cohort.due <= self._now():
            # It may be finished any time now, so each row notes it anew.
            self._noted.discard(cohort)

    def cohorts(self, until: datetime) -> list[CohortState]:
        """See `JourneyBook.cohorts`."""
        rows = query(
            self._client.query,
            TableName=self._table,
            KeyConditionExpression="pk = :p AND sk < :u",
            ExpressionAttributeValues={
                ":p": {"S": "cohorts"},
                ":u": {"S": f"{until.strftime('%Y-%m-%dT%H')}$"},  # `$` follows the `#` of the names
            },
            ConsistentRead=True,
        )
        return [self._state(row) for row in rows]

    def all_cohorts(self) -> list[tuple[CohortState, int]]:
        """Every cohort that is not done, with its members: for operators."""
        states = self.cohorts(datetime.max.replace(tzinfo=UTC))
        return [(s, sum(len(r.members) for r in self._members(s.cohort))) for s in states]

    def rows(self, cohort: Cohort, slices: Collection[tuple[str, int]]) -> Iterator[MemberRow]:
        """Its rows of these slices (run and number): for operators."""
        for shard in sorted({number % SHARDS for _, number in slices}):
            for item in self._partition(f"members#{cohort.name}#{shard}"):
                row = _row(item)
                if (row.run, row.slice_number) in slices:
                    yield row

    def amend(self, cohort: Cohort, row: MemberRow, under: str = "") -> bool:
        """Replace the members of a row, or of one aside `under` a name; False if it is not there any more."""
        aside = _key(f"aside#{under}", f"{cohort.name}#{row.name}")
        try:
            self._client.update_item(
                TableName=self._table,
                Key=aside if under else _members_key(cohort, row),
                UpdateExpression="SET body = :b",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues={":b": _row_item(row)["body"]},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def started(self, cohort: Cohort, generation: int) -> None:
        """See `JourneyBook.started`."""
        self._mark(cohort, generation, started=True)

    def reopen(self, cohort: Cohort, generation: int) -> None:
        """See `JourneyBook.reopen`."""
        self._mark(cohort, generation, started=False)

    def members(self, cohort: Cohort, limit: int) -> list[MemberRow]:
        """See `JourneyBook.members`."""
        return list(islice(self._members(cohort, limit), limit))

    def leave(self, cohort: Cohort, rows: Sequence[MemberRow]) -> None:
        """See `JourneyBook.leave`."""
        for row in rows:
            self._client.delete_item(TableName=self._table, Key=_members_key(cohort, row))

    def finish(self, cohort: Cohort, generation: int) -> None:
        """See `JourneyBook.finish`: the generation is kept first, and rows are looked for last."""
        expires = int((max(self._now(), cohort.due) + KEEP).timestamp())
        values = {"generation": {"N": str(generation)}, "expires": {"N": str(expires)}}
        self._put(_key(f"done#{cohort.name}", "done"), values)
        self._client.delete_item(TableName=self._table, Key=_key("cohorts", cohort.name))
        self._noted.discard(cohort)
        if self.members(cohort, 1):
            self._note(cohort)

    # ---- aside ----

    def park(self, under: str, cohort: Cohort, row: MemberRow, until: datetime | None = None) -> None:
        """See `JourneyBook.park`."""
        ends = {"expires": {"N": str(int(until.timestamp()))}} if until is not None else {}
        self._put(_key(f"aside#{under}", f"{cohort.name}#{row.name}"), {**_row_item(row), **ends})

    def parked(self, under: str) -> list[tuple[Cohort, MemberRow]]:
        """See `JourneyBook.parked`."""
        rows = self._partition(f"aside#{under}")
        return [(Cohort.from_name(row["sk"]["S"].rpartition("#")[0]), _row(row)) for row in rows]

    def unpark(self, under: str, cohort: Cohort, rows: Sequence[MemberRow]) -> None:
        """See `JourneyBook.unpark`."""
        for row in rows:
            key = _key(f"aside#{under}", f"{cohort.name}#{row.name}")
            self._client.delete_item(TableName=self._table, Key=key)

    # ---- customers with several documents ----

    def gather(self, cohort: Cohort, customer: str, rows: Sequence[MemberRow]) -> None:
        """See `JourneyBook.gather`: one item a customer, so that it is forgotten as a whole."""
        expires = int((max(self._now(), cohort.due) + KEEP).timestamp())
        self._client.update_item(
            TableName=self._table,
            Key=_key(f"gathered#{cohort.name}", customer),
            UpdateExpression="ADD members :m SET expires = :e",
            ExpressionAttributeValues={":m": _set_of(rows), ":e": {"N": str(expires)}},
        )

    def amend_gathered(
        self, cohort: Cohort, customer: str, before: Sequence[MemberRow], rows: Sequence[MemberRow]
    ) -> bool:
        """Put these rows in the place of those before; False if they are not there any more."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(f"gathered#{cohort.name}", customer),
                UpdateExpression="SET members = :m",
                ConditionExpression="members = :b",
                ExpressionAttributeValues={":m": _set_of(rows), ":b": _set_of(before)},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def gathered(self, cohort: Cohort, limit: int) -> dict[str, list[MemberRow]]:
        """See `JourneyBook.gathered`."""
        items = islice(self._partition(f"gathered#{cohort.name}", limit), limit)
        return {
            item["sk"]["S"]: [_row_of(*orjson.loads(text)) for text in sorted(item["members"]["SS"])]
            for item in items
        }

    def scatter(self, cohort: Cohort, customers: Collection[str]) -> None:
        """See `JourneyBook.scatter`."""
        for customer in customers:
            self._client.delete_item(TableName=self._table, Key=_key(f"gathered#{cohort.name}", customer))

    def stop_run(self, run: str, word: Mapping[str, str]) -> None:
        """See `JourneyBook.stop_run`; words of one second keep their order by their number."""
        number = len(self.run_words(run)) + 1
        self._put(_key(f"words#{run}", f"{number:06d}"), {"body": {"S": _dumps(dict(word))}})

    def run_words(self, run: str) -> list[Mapping[str, str]]:
        """See `JourneyBook.run_words`."""
        return [orjson.loads(row["body"]["S"]) for row in self._partition(f"words#{run}")]

    # ---- switches ----

    def switch(self, journey: str, word: Mapping[str, str]) -> None:
        """See `JourneyBook.switch`."""
        self._put(
            _key(f"switch#{journey}", "words"), {"body": {"S": _dumps([*self.switched(journey), word])}}
        )

    def switched(self, journey: str) -> list[Mapping[str, str]]:
        """See `JourneyBook.switched`."""
        key = _key(f"switch#{journey}", "words")
        answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return orjson.loads(answer["Item"]["body"]["S"]) if "Item" in answer else []

    # ---- rules ----

    def keep_rule(self, rule: JourneyRule) -> None:
        """See `JourneyBook.keep_rule`; once an instance."""
        if self._rules.get((rule.name, rule.version)) is None:
            self._put(_key(f"rule#{rule.name}", rule.version), {"body": {"S": _dumps(rule_body(rule))}})
            self._rules[rule.name, rule.version] = rule

    def rule(self, name: str, version: str) -> JourneyRule | None:
        """See `JourneyBook.rule`."""
        if (name, version) not in self._rules:
            answer = self._client.get_item(TableName=self._table, Key=_key(f"rule#{name}", version))
            if "Item" not in answer:
                return None
            self._rules[name, version] = rule_from(orjson.loads(answer["Item"]["body"]["S"]))
        return self._rules[name, version]

    # ----

    def _state(self, row: Item) -> CohortState:
        cohort = Cohort.from_name(row["sk"]["S"])
        generation = int(row["generation"]["N"])
        if not generation:
            key = _key(f"done#{cohort.name}", "done")
            answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
            generation = int(answer["Item"]["generation"]["N"]) if "Item" in answer else 0
        return CohortState(cohort, generation, row["started"]["BOOL"])

    def _note(self, cohort: Cohort) -> None:
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    **_key("cohorts", cohort.name),
                    "generation": {"N": "0"},
                    "started": {"BOOL": False},
                },
                ConditionExpression="attribute_not_exists(pk)",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def _mark(self, cohort: Cohort, generation: int, *, started: bool) -> None:
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key("cohorts", cohort.name),
                UpdateExpression="SET generation = :g, started = :s",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues={":g": {"N": str(generation)}, ":s": {"BOOL": started}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return  # done meanwhile

    def _members(self, cohort: Cohort, page: int = 1000) -> Any:
        for shard in range(SHARDS):
            for row in self._partition(f"members#{cohort.name}#{shard}", page):
                yield _row(row)

    def _partition(self, key: str, page: int = 1000) -> Iterator[Item]:
        yield from query(
            self._client.query,
            TableName=self._table,
            KeyConditionExpression="pk = :p",
            ExpressionAttributeValues={":p": {"S": key}},
            ConsistentRead=True,
            Limit=page,
        )

    def _put(self, key: Item, values: Item) -> None:
        self._client.put_item(TableName=self._table, Item={**key, **values})


def _key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _members_key(cohort: Cohort, row: MemberRow) -> Item:
    return _key(f"members#{cohort.name}#{row.slice_number % SHARDS}", row.name)


def _row_item(row: MemberRow) -> Item:
    return {"name": {"S": row.name}, "version": {"S": row.version}, "body": {"S": _dumps(_body(row))}}


def _set_of(rows: Sequence[MemberRow]) -> Any:
    return {"SS": [_dumps([row.name, row.version, *_body(row)]) for row in rows]}


def _body(row: MemberRow) -> list[Any]:
    place = [row.run, row.slice_number, row.part, row.offset, row.length]
    return [place, [_member(m) for m in row.members]]


def _member(m: Member) -> list[Any]:
    values: list[Any] = [
        m.notice_id, m.position, m.base, m.due_date, m.country, m.zone, m.asked, m.corrections
    ]  # fmt: skip
    while not values[-1]:
        values.pop()  # what is empty at the end need not be kept
    return values


def _row(item: Item) -> MemberRow:
    return _row_of(item["name"]["S"], item["version"]["S"], *orjson.loads(item["body"]["S"]))


def _row_of(name: str, version: str, place: Sequence[Any], members: Sequence[Sequence[Any]]) -> MemberRow:
    run, number, part, offset, length = place
    return MemberRow(name, version, run, number, part, offset, length, tuple(Member(*m) for m in members))


def _dumps(value: object) -> str:
    return orjson.dumps(value).decode()
