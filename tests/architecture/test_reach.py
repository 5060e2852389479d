"""The analysis itself, on programs of a few lines of which the needs are plain to see."""

from pathlib import Path

import pytest

from tests.architecture.miniature import SHOP
from tests.architecture.reach.needs import Need, Reached, reached
from tests.architecture.reach.program import Program

PUT_ORDER = Need("dynamodb:PutItem", "orders_table")
PUT_NOTE = Need("dynamodb:PutItem", "notes_table")
GET_ORDER = Need("dynamodb:GetItem", "orders_table")
PUT_FILE = Need("s3:PutObject", "files_bucket", "notes/")
PLACES = ("orders_table", "notes_table", "files_bucket", "first_queue_url", "second_queue_url")


@pytest.fixture
def run(tmp_path: Path):  # type: ignore[no-untyped-def]
    def analyse(source: str) -> Reached:
        (tmp_path / "shop.py").write_text(SHOP + source, "utf-8")
        program = Program({"shop": tmp_path / "shop"})
        return reached(program, "shop", "shop.Settings", frozenset(PLACES))

    return analyse


def test_only_what_the_handler_comes_to_is_needed(run) -> None:  # type: ignore[no-untyped-def]
    found = run("""
def handler(event, context):
    app.orders.keep("x")

def unused():
    app.notes.keep("y")
""")
    assert set(found.needs) == {PUT_ORDER}
    assert set(found.settings) == {"orders_table"}
    assert found.faults == []


@pytest.mark.parametrize(
    ("source", "needs"),
    [
        pytest.param(
            """
def tell(notes: Notes) -> None:
    notes.keep("x")

def handler(event, context):
    app.orders
    tell(app.files)
""",
            {PUT_FILE},
            id="a protocol is what is handed over",
        ),
        pytest.param(
            """
def handler(event, context):
    keepers = {"a": app.notes, "b": app.orders}
    keepers["b"].keep("x")
""",
            {PUT_ORDER},
            id="a mapping's items stay apart",
        ),
        pytest.param(
            """
def use(*, notes: Notes, orders: Table) -> None:
    notes.keep("x")
    orders.find("x")

def ports() -> dict[str, Any]:
    return {"orders": app.orders, "notes": app.notes}

def handler(event, context):
    use(**ports())
""",
            {PUT_NOTE, GET_ORDER},
            id="a set of ports is spread",
        ),
        pytest.param(
            """
def use(load: Callable[[], Any], other: Callable[[], Any]) -> None:
    load()

def handler(event, context):
    use(lambda: app.orders.find("x"), other=lambda: app.notes.keep("x"))
""",
            {GET_ORDER},
            id="a lambda counts where it is called",
        ),
        pytest.param(
            """
def handler(event, context):
    sorted(event["rows"], key=lambda row: app.orders.find(row))
""",
            {GET_ORDER},
            id="a library calls what it is given",
        ),
        pytest.param(
            """
class Base:
    def __init__(self, table: Table) -> None:
        self.table = table

    def run(self) -> None:
        self.step()

    def step(self) -> None:
        self.table.keep("x")

class Special(Base):
    def __init__(self, table: Table) -> None:
        super().__init__(table)

    def step(self) -> None:
        self.table.find("x")

def handler(event, context):
    Special(app.orders).run()
""",
            {GET_ORDER},
            id="a method is the nearest class's",
        ),
        pytest.param(
            """
@dataclass
class Desk:
    notes: Notes

    @property
    def open(self) -> bool:
        self.notes.keep("x")
        return True

def handler(event, context):
    return Desk(app.notes).open
""",
            {PUT_NOTE},
            id="a record's field, and a property",
        ),
        pytest.param(
            """
def each() -> Iterator[Table]:
    yield app.orders

def handler(event, context):
    return [table.find("x") for table in each()]
""",
            {GET_ORDER},
            id="a generator",
        ),
        pytest.param(
            """
def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def inner(*given: Any, **named: Any) -> Any:
        return function(*given, **named)
    return inner

@logged
def step(event: Any) -> None:
    app.orders.keep("x")

def handler(event, context):
    step(event)
""",
            {PUT_ORDER},
            id="a decorator of the program's",
        ),
        pytest.param(
            """
def step(table: Table, text: str) -> None:
    table.keep(text)

def handler(event, context):
    go = partial(step, app.orders)
    go("x")
""",
            {PUT_ORDER},
            id="partial",
        ),
        pytest.param(
            """
def pages(call: Callable[..., Any], **named: Any) -> Any:
    return call(**named)

def handler(event, context):
    client = app.client("dynamodb")
    pages(client.query, TableName=app.settings.orders_table, IndexName="due")
    pages(client.query, TableName=app.settings.notes_table)
""",
            {Need("dynamodb:Query", "orders_table", "due"), Need("dynamodb:Query", "notes_table")},
            id="an operation is handed on, with an index or without",
        ),
        pytest.param(
            """
def write(client: Any, table: str) -> None:
    client.transact_write_items(TransactItems=[{"Put": {"TableName": table, **{}}}, {"Delete": {"TableName": table}}])

def handler(event, context):
    write(app.client("dynamodb"), app.settings.orders_table)
    app.client("dynamodb").batch_get_item(RequestItems={app.settings.notes_table: {"Keys": []}})
""",
            {
                PUT_ORDER,
                Need("dynamodb:DeleteItem", "orders_table"),
                Need("dynamodb:BatchGetItem", "notes_table"),
            },
            id="forms of a transaction, tables of a batch",
        ),
        pytest.param(
            """
class Queue:
    def __init__(self, client: Any, url: str) -> None:
        self._client = client
        self._url = url

    def send(self) -> None:
        self._client.send_message_batch(QueueUrl=self._url, Entries=[])

    def back(self) -> None:
        self._client.change_message_visibility(QueueUrl=self._url)

class Desk:
    def __init__(self, url: str) -> None:
        self.queue = Queue(app.client("sqs"), url)

def handler(event, context):
    Desk(app.settings.first_queue_url).queue.send()
    Desk(app.settings.second_queue_url).queue.back()
""",
            {
                Need("sqs:SendMessage", "first_queue_url"),
                Need("sqs:ChangeMessageVisibility", "second_queue_url"),
            },
            id="objects of one line stay apart by what they belong to",
        ),
        pytest.param(
            """
def handler(event, context):
    for page in app.client("s3").get_paginator("list_objects_v2").paginate(Bucket=app.settings.files_bucket):
        pass
    app.client("s3").generate_presigned_url("get_object", Params={"Bucket": app.settings.files_bucket, "Key": "a/b"})
    getattr(app.client("dynamodb"), "scan")(TableName=app.settings.orders_table)
""",
            {
                Need("s3:ListBucket", "files_bucket"),
                Need("s3:GetObject", "files_bucket", "a/"),
                Need("dynamodb:Scan", "orders_table"),
            },
            id="a paginator, a presigned address, getattr with a literal",
        ),
        pytest.param(
            """
def keep(table: Table) -> None:
    table.keep("x")

WAYS = {"keep": keep, "find": lambda table: table.find("x")}

def handler(event, context):
    WAYS[app.settings.notes_table](app.orders)
    WAYS.get(event["way"], keep)(app.notes)
""",
            {PUT_ORDER, GET_ORDER, PUT_NOTE, Need("dynamodb:GetItem", "notes_table")},
            id="a table of functions by what a setting or an event says",
        ),
        pytest.param(
            """
class Refused(Exception):
    def __init__(self, table: Table) -> None:
        self.table = table

def fail() -> None:
    raise Refused(app.orders)

def handler(event, context):
    try:
        fail()
    except Refused as refused:
        refused.table.find("x")
""",
            {GET_ORDER},
            id="what an exception carries",
        ),
    ],
)
def test_needs_by_what_a_program_does(run, source: str, needs: set[Need]) -> None:  # type: ignore[no-untyped-def]
    found = run(source)
    assert found.faults == []
    assert set(found.needs) == needs


@pytest.mark.parametrize(
    ("handling", "listed"),
    [
        ("except client.exceptions.NoSuchKey: return None", True),
        (
            "except client.exceptions.ClientError as e:\n        if e.response['Status'] == 404: return None",
            True,
        ),
        (
            "except client.exceptions.ClientError as e:\n        if e.response['Code'] in GONE: return None\n        raise",
            True,
        ),
        ("except client.exceptions.ClientError as e:\n        if not is_gone(e): raise", True),
        ("except ABSENT: return None", True),
        ("except client.exceptions.from_code('404'): return None", True),
        ("except client.exceptions.ClientError as e: raise RuntimeError from e", False),
        ("except client.exceptions.NoSuchBucket: return None", False),
        ("except OSError: return None", False),
    ],
)
@pytest.mark.parametrize("inner", ["app.files.load(key)", "client.get_object(Bucket=bucket, Key=key)"])
def test_who_takes_a_missing_object_as_normal_must_list_its_bucket(  # type: ignore[no-untyped-def]
    run, handling: str, listed: bool, inner: str
) -> None:
    found = run(f"""
GONE = frozenset(["NoSuchKey", "404"])
ABSENT = (botocore.exceptions.ClientError, OSError)

def is_gone(error: Exception) -> bool:
    return error.response["Status"] == 404

def load(key: str) -> Any:
    client, bucket = app.client("s3"), app.settings.files_bucket
    try:
        return {inner}
    {handling}

def handler(event, context):
    return load(f"notes/{{event}}")
""")
    expected = {Need("s3:GetObject", "files_bucket", "notes/")}
    assert set(found.needs) == expected | ({Need("s3:ListBucket", "files_bucket")} if listed else set())


@pytest.mark.parametrize(
    ("error", "listed"), [("NoSuchKey", True), ("ClientError", True), ("NoSuchBucket", False)]
)
def test_who_suppresses_a_missing_object_must_list_its_bucket(run, error: str, listed: bool) -> None:  # type: ignore[no-untyped-def]
    found = run(f"""
def handler(event, context):
    with suppress(app.client("s3").exceptions.{error}):
        app.files.load("notes/a")
""")
    assert (Need("s3:ListBucket", "files_bucket") in found.needs) is listed


def test_a_path_names_each_step(run) -> None:  # type: ignore[no-untyped-def]
    found = run("""
def step() -> None:
    app.orders.keep("x")

def handler(event, context):
    step()
""")
    assert found.needs[PUT_ORDER].split(":")[0] == "shop"
    steps = [part.split(":")[0] for part in found.needs[PUT_ORDER].split(" > ")]
    assert steps == ["shop", "shop.handler", "shop.step", "shop.Table.keep"]


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        (
            "def handler(event, context):\n    app.client('s3').copy_object(Bucket=app.settings.files_bucket)",
            "no row for s3.copy_object in actions.py",
        ),
        (
            "def handler(event, context):\n    app.client('s3').get_object(Bucket=event['bucket'], Key='a/b')",
            "no setting names what get_object is about",
        ),
        (
            "def handler(event, context):\n    getattr(app.client('s3'), event['name'])(Bucket='x')",
            "getattr with a name that is not known",
        ),
        (
            "def handler(event, context):\n    app.client(event['service'])",
            "a client of a service that is not known",
        ),
        (
            "def use(notes: Notes) -> None: ...\ndef handler(event, context):\n    use(event['notes'])",
            "nothing known comes to the parameter notes",
        ),
        (
            "def use(now: Callable[[], int]) -> None: ...\ndef handler(event, context):\n    use(event['now'])",
            "nothing known comes to the parameter now",
        ),
        (
            "def handler(event, context):\n    sorted(event, key=app.client('dynamodb').get_item)",
            "dynamodb.get_item is handed to a library",
        ),
    ],
)
def test_what_cannot_be_followed_is_a_fault(run, source: str, fault: str) -> None:  # type: ignore[no-untyped-def]
    assert fault in [found.what for found in run(source).faults]
