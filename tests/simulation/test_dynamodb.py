"""The simulated DynamoDB: what AWS enforces and emulators do not, and how unreliable it is."""

import itertools
from dataclasses import dataclass, field
from typing import Any

import pytest

from simulation.nature import Chance, Nature, Timeline
from simulation.service import Refused
from simulation.services.dynamodb import LAG, OVERDUE, STALE, DynamoDB
from tests.simulation.dynamodb_limits import FIT, KB, KEY, LIMITS, NOTE, NOTES, ROWS, Request, put, text

START = 1_800_000_000.0


@dataclass
class World:
    """DynamoDB with the given rates of faults; each call is an occasion of its own."""

    rates: dict[str, float] = field(default_factory=dict)
    seed: str = "seed"

    def __post_init__(self) -> None:
        self.nature = Nature(Timeline(START), Chance(self.seed, self.rates))
        self.dynamodb = DynamoDB(self.nature, (NOTES, ROWS))
        self._places = itertools.count()

    def call(self, operation: str, **request: Any) -> Request:
        self.nature.place = f"call {next(self._places)}"
        return self.dynamodb.call(operation, request)

    def put(self, key: str, table: str = "notes", **values: Request) -> None:
        self.call("PutItem", TableName=table, Item={"pk": {"S": key}, **values})

    def get(self, key: str, consistent: bool = True) -> Request | None:
        answer = self.call("GetItem", TableName="notes", Key={"pk": {"S": key}}, ConsistentRead=consistent)
        return answer.get("Item")

    def owned(self, owner: str) -> list[str]:
        answer = self.call(
            "Query",
            TableName="notes",
            IndexName="owner",
            KeyConditionExpression="#o = :o",
            ExpressionAttributeNames={"#o": "owner"},
            ExpressionAttributeValues={":o": {"S": owner}},
        )
        return sorted(row["pk"]["S"] for row in answer["Items"])

    def passes(self, seconds: float) -> None:
        self.nature.timeline.now += seconds


def refusal(world: World, operation: str, **request: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        world.call(operation, **request)
    return caught.value


# ---- limits ----


@pytest.mark.parametrize("what", LIMITS)
def test_what_dynamodb_refuses(what: str) -> None:
    operation, request, message = LIMITS[what]
    refused = refusal(World(), operation, **request)
    assert refused.code == "ValidationException"
    assert message in refused.message


@pytest.mark.parametrize("what", FIT)
def test_what_just_fits(what: str) -> None:
    operation, request = FIT[what]
    World().call(operation, **request)


def test_items_that_are_there_count_in_a_transaction_that_changes_them() -> None:
    world = World()
    for n in range(11):
        world.put(f"{n:02}", x=text(390 * KB))
    change = {"UpdateExpression": "SET y = :y", "ExpressionAttributeValues": {":y": text(1)}}
    updates = [{"Update": {**NOTE, "Key": {"pk": {"S": f"{n:02}"}}, **change}} for n in range(11)]
    assert "4MB" in refusal(world, "TransactWriteItems", TransactItems=updates).message
    world.call("TransactWriteItems", TransactItems=updates[:10])


def test_a_number_that_is_sent_as_a_number_is_no_valid_request() -> None:
    refused = refusal(World(), "PutItem", TableName="notes", Item={**KEY, "n": {"N": 1}})
    assert refused.code == "SerializationException"


def test_a_table_that_is_not_there() -> None:
    refused = refusal(World(), "GetItem", TableName="none", Key=KEY)
    assert (refused.code, refused.message) == ("ResourceNotFoundException", "Requested resource not found")


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("ExecuteStatement", {"Statement": "SELECT * FROM notes"}),
        ("GetItem", {**NOTE, "Key": KEY, "AttributesToGet": ["x"]}),
        ("PutItem", {**NOTE, "Item": {**KEY, "b": {"B": "YQ=="}}}),
        ("DeleteItem", {**NOTE, "Key": KEY, "ConditionExpression": "attribute_exists(a.b)"}),
        ("TransactWriteItems", {"TransactItems": [{"Put": {**NOTE, "Item": KEY, "ReturnValues": "NONE"}}]}),
    ],
)
def test_nothing_is_accepted_unread(operation: str, request_: Request) -> None:
    with pytest.raises(NotImplementedError):
        World().call(operation, **request_)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("1.0", "1"),
        ("-0", "0"),
        ("1E2", "100"),
        ("0.10", "0.1"),
        ("007", "7"),
        ("+5", "5"),
        ("1E-3", "0.001"),
    ],
)
def test_numbers_have_one_form(sent: str, kept: str) -> None:
    world = World()
    world.put("a", n={"N": sent}, l={"L": [{"N": sent}]})
    assert world.get("a") == {**KEY, "n": {"N": kept}, "l": {"L": [{"N": kept}]}}


# ---- pages ----


def test_a_page_ends_with_the_item_that_makes_it_1_mb() -> None:
    world = World()
    for n in range(5):
        world.put("p", "rows", sk={"S": f"s{n}"}, x=text(300 * KB))
    asked = {
        "TableName": "rows", "KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "p"}},
    }  # fmt: skip
    first = world.call("Query", **asked)
    last = {"pk": {"S": "p"}, "sk": {"S": "s3"}}
    assert (first["Count"], first["LastEvaluatedKey"]) == (4, last)
    rest = world.call("Query", **asked, ExclusiveStartKey=last)
    assert [row["sk"]["S"] for row in rest["Items"]] == ["s4"]
    assert "LastEvaluatedKey" not in rest


def test_a_batch_get_answers_up_to_16_mb_and_leaves_the_rest() -> None:
    world = World()
    for n in range(60):
        world.put(f"{n:02}", x=text(300 * KB))
    keys = [{"pk": {"S": f"{n:02}"}} for n in range(60)]
    answer = world.call("BatchGetItem", RequestItems={"notes": {"Keys": keys, "ConsistentRead": True}})
    left = answer["UnprocessedKeys"]["notes"]
    assert (len(answer["Responses"]["notes"]), len(left["Keys"]), left["ConsistentRead"]) == (54, 6, True)


# ---- transactions ----


def test_a_transaction_writes_all_or_nothing_and_says_why() -> None:
    world = World()
    world.put("b", x={"S": "before"})
    missing = {
        "ConditionExpression": "attribute_not_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    again = put("b")
    again["Put"] |= missing
    wrong = {"Update": {**NOTE, "Key": KEY, "UpdateExpression": "SET x = y"}}
    refused = refusal(world, "TransactWriteItems", TransactItems=[put("c"), again, wrong])
    assert refused.code == "TransactionCanceledException"
    assert refused.message.endswith("[None, ConditionalCheckFailed, ValidationError]")
    first, second, third = refused.body["CancellationReasons"]
    assert first == {"Code": "None"}
    assert second == {
        "Code": "ConditionalCheckFailed",
        "Message": "The conditional request failed",
        "Item": {"pk": {"S": "b"}, "x": {"S": "before"}},
    }
    assert third["Code"] == "ValidationError"
    assert world.get("c") is None


def test_a_token_makes_a_transaction_happen_once_in_ten_minutes() -> None:
    world = World()
    add = {
        "Update": {
            **NOTE, "Key": KEY, "UpdateExpression": "ADD n :n", "ExpressionAttributeValues": {":n": {"N": "1"}},
        }
    }  # fmt: skip

    def count() -> str:
        world.call("TransactWriteItems", TransactItems=[add], ClientRequestToken="token")
        return str((world.get("a") or {})["n"]["N"])

    assert count() == "1"
    world.passes(599)
    assert count() == "1"
    other = refusal(world, "TransactWriteItems", TransactItems=[put("a")], ClientRequestToken="token")
    assert other.code == "IdempotentParameterMismatchException"
    world.passes(2)
    assert count() == "2"


def test_a_transaction_that_failed_is_tried_anew_with_its_token() -> None:
    world = World()
    only = put("a")
    only["Put"]["ConditionExpression"] = "attribute_not_exists(pk)"
    world.put("a")
    refusal(world, "TransactWriteItems", TransactItems=[only], ClientRequestToken="token")
    world.call("DeleteItem", TableName="notes", Key=KEY)
    world.call("TransactWriteItems", TransactItems=[only], ClientRequestToken="token")
    assert world.get("a") == KEY


# ---- copies ----


def test_nobody_shares_an_item() -> None:
    world = World()
    sent: Request = {**KEY, "l": {"L": [{"S": "x"}]}}
    world.call("PutItem", TableName="notes", Item=sent)
    sent["l"]["L"].append({"S": "y"})
    got = world.get("a") or {}
    got["l"]["L"].append({"S": "z"})
    assert world.get("a") == {**KEY, "l": {"L": [{"S": "x"}]}}
    world.dynamodb.contents("notes")["a", ""].clear()
    assert world.get("a") == {**KEY, "l": {"L": [{"S": "x"}]}}


# ---- unreliable reads ----


def test_an_eventually_consistent_read_may_be_late_but_not_for_long() -> None:
    world = World({"dynamodb_stale": 1.0})
    world.put("a", v={"N": "1"})
    world.passes(STALE)
    world.put("a", v={"N": "2"})
    world.passes(STALE / 2)
    seen = {(world.get("a", consistent=False) or {})["v"]["N"] for _ in range(100)}
    assert seen == {"1", "2"}
    assert {(world.get("a") or {})["v"]["N"] for _ in range(100)} == {"2"}
    world.passes(STALE / 2)
    assert {(world.get("a", consistent=False) or {})["v"]["N"] for _ in range(100)} == {"2"}


def test_a_late_read_sees_what_was_there_before_and_not_yet_what_is_new() -> None:
    world = World({"dynamodb_stale": 1.0})
    world.put("a")
    assert world.get("a", consistent=False) is None
    world.passes(STALE)
    world.call("DeleteItem", TableName="notes", Key=KEY)
    assert world.get("a") is None
    assert any(world.get("a", consistent=False) for _ in range(20))
    world.passes(STALE)
    assert not any(world.get("a", consistent=False) for _ in range(20))


def test_the_keys_of_one_batch_may_be_late_each_by_itself() -> None:
    world = World({"dynamodb_stale": 1.0})
    for v in ("1", "2"):
        for n in range(20):
            world.put(str(n), v={"N": v})
        world.passes(STALE if v == "1" else STALE / 2)
    keys = [{"pk": {"S": str(n)}} for n in range(20)]

    def seen(**how: bool) -> set[str]:
        answer = world.call("BatchGetItem", RequestItems={"notes": {"Keys": keys, **how}})
        return {row["v"]["N"] for row in answer["Responses"]["notes"]}

    assert seen() == {"1", "2"}
    assert seen(ConsistentRead=True) == {"2"}


def test_an_index_is_late_with_some_items_and_has_all_in_the_end() -> None:
    world = World({"dynamodb_index_lag": 0.5})
    everybody = [f"{n:02}" for n in range(30)]
    for key in everybody:
        world.put(key, owner={"S": "o"})
    assert 0 < len(world.owned("o")) < 30
    world.passes(LAG)
    assert world.owned("o") == everybody
    for key in everybody:
        world.call("UpdateItem", TableName="notes", Key={"pk": {"S": key}}, UpdateExpression="REMOVE #o",
                   ExpressionAttributeNames={"#o": "owner"})  # fmt: skip
    assert 0 < len(world.owned("o")) < 30
    world.passes(LAG)
    assert world.owned("o") == []


def test_an_index_never_goes_back() -> None:
    world = World({"dynamodb_index_lag": 0.7})
    for key in map(str, range(20)):
        for owner in "abcdef":
            world.put(key, owner={"S": owner})
            world.passes(LAG / 20)
    before: dict[str, str] = {}
    for _ in range(60):
        now = {key: owner for owner in "abcdef" for key in world.owned(owner)}
        assert all(now.get(key, "") >= owner for key, owner in before.items())
        before = now
        world.passes(LAG / 60)
    assert set(before.values()) == {"f"}


def test_what_an_index_holds_is_only_what_it_projects() -> None:
    world = World()
    world.put("a", slot={"S": "s"}, at={"S": "2"}, x={"S": "y"})
    world.put("b", slot={"S": "s"}, at={"S": "1"})
    world.put("c", slot={"S": "s"})
    asked = {
        **NOTE, "IndexName": "due", "KeyConditionExpression": "slot = :s AND #at <= :u",
        "ExpressionAttributeNames": {"#at": "at"}, "ExpressionAttributeValues": {":s": {"S": "s"}, ":u": {"S": "9"}},
    }  # fmt: skip
    rows = world.call("Query", **asked)["Items"]
    assert rows == [
        {"slot": {"S": "s"}, "at": {"S": at}, "pk": {"S": key}} for at, key in (("1", "b"), ("2", "a"))
    ]


def test_the_past_is_kept_no_longer_than_reads_may_show_it() -> None:
    world = World({"dynamodb_index_lag": 0.3, "dynamodb_stale": 0.3})
    store = world.dynamodb._stores["notes"]
    for number in range(1000):
        world.put("a", v={"N": str(number)})
        world.passes(1.0)
    row = store.row(("a", ""))
    assert row is not None
    assert len(row.versions) <= STALE + LAG + 2
    for number in range(100):
        world.put(f"gone {number}")
        world.call("DeleteItem", TableName="notes", Key={"pk": {"S": f"gone {number}"}})
    world.passes(2 * (STALE + LAG))
    world.put("b")
    assert sorted(store._rows) == [("a", ""), ("b", "")]


# ---- batches done in part, conflicts, throttling ----


def test_a_batch_may_be_left_in_part_and_is_then_done_in_the_end() -> None:
    world = World({"dynamodb_unprocessed": 1.0})
    rows = [{"PutRequest": {"Item": {"pk": {"S": str(n)}}}} for n in range(25)]
    asked = {"notes": rows}
    for _ in range(60):
        left = world.call("BatchWriteItem", RequestItems=asked)["UnprocessedItems"]
        assert len(left.get("notes", ())) < len(asked["notes"])
        if not left:
            break
        asked = left
    assert len(world.dynamodb.contents("notes")) == 25
    keys = [{"pk": {"S": str(n)}} for n in range(25)]
    answer = world.call("BatchGetItem", RequestItems={"notes": {"Keys": keys, "ConsistentRead": True}})
    found, unprocessed = answer["Responses"]["notes"], answer["UnprocessedKeys"]["notes"]["Keys"]
    assert found
    assert unprocessed
    assert sorted(row["pk"]["S"] for row in (*found, *unprocessed)) == sorted(map(str, range(25)))


@pytest.mark.parametrize(
    ("kind", "code"),
    [("dynamodb_conflict", "TransactionConflict"), ("dynamodb_throttled", "ThrottlingError")],
)
def test_a_transaction_may_meet_another_one_or_too_many_writes(kind: str, code: str) -> None:
    world = World({kind: 1.0})
    refused = refusal(world, "TransactWriteItems", TransactItems=[put(str(n)) for n in range(5)])
    assert refused.code == "TransactionCanceledException"
    assert sorted(row["Code"] for row in refused.body["CancellationReasons"]) == sorted([code, *["None"] * 4])
    assert world.dynamodb.contents("notes") == {}


def test_a_single_write_meets_only_transactions_that_there_may_be() -> None:
    world = World()
    world.put("alone")
    world.call("TransactWriteItems", TransactItems=[put("together")])
    world.nature.chance.rates["dynamodb_conflict"] = 1.0
    world.put("alone", x=text(1))
    refused = refusal(world, "PutItem", TableName="notes", Item={"pk": {"S": "together"}, "x": text(1)})
    assert refused.code == "TransactionConflictException"
    assert world.get("together") == {"pk": {"S": "together"}}


def test_nothing_goes_wrong_once_the_world_is_calm() -> None:
    kinds = ("stale", "index_lag", "ttl_late", "unprocessed", "conflict", "throttled")
    world = World({f"dynamodb_{kind}": 1.0 for kind in kinds})
    world.nature.chance.calm = True
    world.call("TransactWriteItems", TransactItems=[put(str(n), owner={"S": "o"}) for n in range(5)])
    assert len(world.owned("o")) == 5
    assert world.get("1", consistent=False)
    assert world.nature.chance.happened == []


def test_a_fault_that_is_taken_away_leaves_the_others() -> None:
    def history(allowed: frozenset[str] | None) -> list[str]:
        world = World({"dynamodb_index_lag": 0.3, "dynamodb_unprocessed": 0.3})
        world.nature.chance.allowed = allowed
        for n in range(30):
            world.put(str(n), owner={"S": "o"})
            keys = [{"pk": {"S": str(k)}} for k in range(5)]
            world.call("BatchGetItem", RequestItems={"notes": {"Keys": keys}})
        return world.nature.chance.happened

    happened = history(None)
    assert len(happened) > 5
    assert history(frozenset(happened[::2])) == happened[::2]


# ---- time to live ----


def test_an_expired_item_is_deleted_or_still_read_for_days() -> None:
    world = World({"dynamodb_ttl_late": 0.5})
    for n in range(40):
        world.put(str(n), expires={"N": str(int(START) + 60)}, owner={"S": "o"})
    world.passes(60)
    left = [n for n in range(40) if world.get(str(n))]
    assert 0 < len(left) < 40
    assert len(world.owned("o")) == len(left)
    world.passes(OVERDUE / 2)
    assert 0 < sum(world.get(str(n)) is not None for n in range(40)) < len(left)
    world.passes(OVERDUE / 2)
    assert world.dynamodb.contents("notes") == {}
    assert world.owned("o") == []


def test_each_expiry_of_an_item_may_be_late() -> None:
    world = World({"dynamodb_ttl_late": 1.0})
    for _ in range(3):
        now = world.nature.timeline.now
        world.put("a", expires={"N": str(int(now) + 60)})
        world.passes(61)
        assert world.get("a")
    assert len(world.nature.chance.happened) == 3


def test_what_is_written_again_expires_by_its_new_time() -> None:
    world = World()
    world.put("a", expires={"N": str(int(START) + 60)})
    world.put("a", expires={"N": str(int(START) + 120)})
    world.put("b", expires={"S": "no number"})
    world.put("old", expires={"N": "1"})
    world.passes(61)
    assert world.get("a")
    world.passes(60)
    assert world.get("a") is None
    assert world.get("b")
    assert world.get("old"), "an expiry of more than five years ago is a mistake"
