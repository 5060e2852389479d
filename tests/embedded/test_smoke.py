"""`exnotify smoke`: one marked notice through the whole stack, to its receipt."""

from collections.abc import Iterator

import pytest

from exnotify.errors import MisuseError
from exnotify.local import LocalCloud
from exnotify.smoke import MARK, plan_smoke, send_smoke, unsuited
from exstream_notify.adapters.rules import YamlRules
from tests.cli.shell import Done, exnotify

pytestmark = pytest.mark.slow
AFTERNOON = "2026-11-24T20:00:00+00:00"


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(at=AFTERNOON, parameters={"EmailProvider": "ses", "SmsProvider": "sms"}) as running:
        yield running


@pytest.fixture
def smoke(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("EXNOTIFY_URL", cloud.url)
    return lambda *arguments: exnotify("smoke", *arguments, "--json")


def stages(done: Done) -> dict[str, bool]:
    return {row["stage"]: row["reached"] for row in done.json["stages"]}


@pytest.mark.parametrize("to", ["operator@example.com", "+12025550142"])
def test_it_is_followed_to_its_receipt(cloud: LocalCloud, smoke: object, to: str) -> None:
    done = smoke("--to", to)
    assert done.code == 0, done.err
    told = done.json
    assert (told["end"], told["advice"]) == ("delivered", "")
    assert stages(done) == dict.fromkeys(("dropped", "staged", "decided", "sent", "receipt"), True)
    assert [row for row in told["stages"] if row["seconds"] < 0] == []
    (message,) = [m for m in cloud.messages if m.to == to]
    if told["channel"] == "email":
        assert told["run"].rpartition("/")[2].upper() in message.text, (
            "the mail itself says that it is a test"
        )
    notice = exnotify("notice", told["notice_id"], "--json").json
    assert (notice["customer_key"], notice["status"]) == (f"{MARK}-{told['channel'].upper()}", "delivered")
    assert notice["run_id"] == told["run"].rpartition("/")[2]


@pytest.mark.parametrize(
    ("to", "code", "ended", "said"),
    [
        ("bounce-s@example.com", 1, "receipt", "bounced"),
        ("down@example.com", 1, "sent", "provider_down"),
        ("refuse@example.com", 1, "sent", ""),
        ("silent@example.com", 3, "receipt", "no receipt"),
        ("vanish@example.com", 1, "sent", "nobody knows"),
        ("+13025550121", 1, "receipt", "bounced"),
    ],
)
def test_how_far_it_came_is_said_with_what_to_do(
    smoke: object, to: str, code: int, ended: str, said: str
) -> None:
    done = smoke("--to", to, "--timeout", "6" if said.startswith("no") else "20")
    assert done.code == code, done.out
    last = done.json["stages"][-1]
    assert (last["stage"], last["reached"], said in last["said"]) == (ended, False, True)
    assert done.json["end"] == ("accepted" if code == 3 else "failed")
    assert done.json["advice"]
    assert done.json["advice"] in done.err


def test_an_address_that_bounced_is_not_used_again(smoke: object) -> None:
    smoke("--to", "bounce-again@example.com")
    done = smoke("--to", "bounce-again@example.com")
    assert done.code == 1
    assert "suppressed" in done.json["stages"][-1]["said"]
    assert f"exnotify contact {MARK}-EMAIL --domain smoke --release email --why" in done.json["advice"]


def test_volumes_of_other_runs_teams_and_journeys_are_not_touched(cloud: LocalCloud, smoke: object) -> None:
    done = smoke("--domain", "retail")
    assert done.code == 0, done.err
    runs = cloud.deployment().app.runs
    assert runs.volumes("retail", "") == []
    assert runs.volumes("retail", "BILLING") == []
    assert len(runs.volumes("retail", MARK)) == 1
    notices = cloud.deployment().app.ledger.of_customer("retail", f"{MARK}-EMAIL")
    assert [(n.audience, n.purpose) for n in notices] == [("customer", "notice")]
    assert cloud.client("dynamodb").scan(TableName=cloud.outputs["JourneysTableName"])["Count"] == 0


def test_a_queue_that_nobody_reads_is_said(cloud: LocalCloud) -> None:
    client = cloud.client("lambda")
    name = cloud.resource("DecideNoticesFunction")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        rules = YamlRules()
        ended = send_smoke(cloud.deployment(), rules, plan_smoke(rules, "a@example.com"), timeout=3)
    finally:
        client.delete_function_concurrency(FunctionName=name)
    assert (ended.end, ended.stages[-1].name, ended.stages[-1].reached) == ("failed", "decided", False)
    assert "DecideQueue" in ended.advice


def test_a_deployed_stack_gets_nothing_without_yes(
    cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = cloud.describe()
    settings = {
        "AWS_ENDPOINT_URL": cloud.url,
        "AWS_DEFAULT_REGION": told["region"],
        "AWS_ACCESS_KEY_ID": told["admin"]["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": told["admin"]["secret_access_key"],
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)

    def mine() -> int:
        return sum(message.to == "me@example.com" for message in cloud.messages)

    assert exnotify("smoke", "--stack", "exnotify").code == 2, "an address has to be named"
    done = exnotify("smoke", "--stack", "exnotify", "--to", "me@example.com")
    assert (done.code, mine()) == (0, 0)
    assert "me@example.com" in done.out
    done = exnotify("smoke", "--stack", "exnotify", "--to", "me@example.com", "--yes")
    assert (done.code, mine()) == (0, 1)
    assert [line.split()[1] for line in done.out.splitlines()] == [
        "dropped", "staged", "decided", "sent", "receipt"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("document_type", "why"),
    [
        ("statement", "journey"),
        ("policy-document", "journey"),
        ("final-demand", "print"),
        ("overdue-notice", "money"),
    ],
)
def test_a_type_that_something_follows_is_refused(document_type: str, why: str) -> None:
    with pytest.raises(MisuseError, match=why):
        plan_smoke(YamlRules(), "me@example.com", document_type=document_type)


def test_the_type_is_one_that_nothing_follows() -> None:
    rules = YamlRules()
    for to, channel in (("me@example.com", "email"), ("+12025550142", "sms")):
        planned = plan_smoke(rules, to)
        assert (planned.channel, unsuited(rules, planned.document_type, planned.channel)) == (channel, "")


@pytest.mark.parametrize("to", ["nobody", "12025550142", "a b@example.com"])
def test_what_is_no_address_is_refused(to: str) -> None:
    with pytest.raises(MisuseError):
        plan_smoke(YamlRules(), to)


def test_a_domain_that_the_site_would_hold_is_refused(tmp_path: object) -> None:
    from pathlib import Path

    site = Path(str(tmp_path))
    (site / "domains.yaml").write_text("domains: {retail: {}}\n", "utf-8")
    rules = YamlRules(site)
    with pytest.raises(MisuseError, match="smoke"):
        plan_smoke(rules, "me@example.com")
    assert plan_smoke(rules, "me@example.com", domain="retail").domain == "retail"
