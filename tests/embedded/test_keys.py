"""Keys rotated on the embedded cloud: what was made before still holds, what is made after uses the new one."""

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from exnotify.local import LocalCloud
from exnotify.proof import proof_of
from exnotify.rotating import MOST, key_secrets, rotate
from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.domain.links import read_token
from tests.cli.shell import exnotify

from .conftest import MakeRun, drop, outcomes, record

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def keyed() -> Iterator[LocalCloud]:
    with LocalCloud(at="2026-11-24T15:00:00+00:00") as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXNOTIFY_URL", running.url)
        yield running


def text_of(cloud: LocalCloud, name: str) -> dict[str, Any]:
    answer = cloud.client("secretsmanager").get_secret_value(SecretId=cloud.resource(name))
    return dict(json.loads(answer["SecretString"]))


def app(cloud: LocalCloud) -> Bootstrap:
    """Adapters that have read nothing yet, as those of a new function instance."""
    return cloud.deployment().app


def token_to(cloud: LocalCloud, address: str) -> str:
    (message,) = [m for m in cloud.messages if m.to == address]
    return message.text.partition("/d/")[2].split()[0].rstrip(".,)")


def test_the_versions_are_shown_and_no_key_is(keyed: LocalCloud) -> None:
    done = exnotify("keys")
    assert done.code == 0
    for name in ("Peppers", "LinkKeys", "ReferenceKeys", "EvidenceMaster"):
        assert f"{name}: current 1 of 1" in done.out
        assert text_of(keyed, name)["1"] not in done.out + exnotify("keys", "--json").out
    assert "OpenTextCredentials" not in done.out, "an account is no key"


def test_without_yes_nothing_changes(keyed: LocalCloud) -> None:
    before = text_of(keyed, "LinkKeys")
    done = exnotify("keys", "rotate", "LinkKeys")
    assert done.code == 0
    assert "version 2 would be added" in done.out
    assert "nothing was changed" in done.out
    assert text_of(keyed, "LinkKeys") == before


@pytest.mark.parametrize("name", ["Nothing", "OpenTextCredentials", "peppers"])
def test_a_name_that_nobody_knows_is_refused(name: str, keyed: LocalCloud) -> None:
    done = exnotify("keys", "rotate", name, "--yes", "--wait", 0)
    assert done.code == 2
    assert "Peppers" in done.err


def test_old_hashes_links_and_proofs_hold_after_a_rotation(keyed: LocalCloud, make_run: MakeRun) -> None:
    first, held = record(1), record(9)
    drop(keyed, make_run("before", [first]), "before")
    old = token_to(keyed, first["email"])
    (notice,) = [n for n in app(keyed).ledger.of_customer("retail", "E000001") if n.audience == "customer"]
    suppress(keyed, held["email"])

    reference = app(keyed).references.make(f"{notice.notice_id}:1")
    for name in ("LinkKeys", "Peppers", "EvidenceMaster", "ReferenceKeys"):
        before = text_of(keyed, name)
        done = exnotify("keys", "rotate", name, "--yes", "--wait", 0, "--json")
        assert (done.code, done.json["current"], done.json["versions"]) == (0, "2", ["1", "2"])
        after = text_of(keyed, name)
        assert after["1"] == before["1"], "an old key is never changed"
        assert len(after["2"]) >= 43
        assert after["2"] != after["1"]

    known = {int(v): key.encode() for v, key in text_of(keyed, "LinkKeys").items() if v != "current"}
    assert read_token(old, known) == notice.notice_id
    assert proof_of(app(keyed), notice)["holds"]
    assert app(keyed).references.make(f"{notice.notice_id}:1") != reference
    assert app(keyed).references.verify(reference) == (notice.notice_id, 1)
    assert app(keyed).suppressions.suppressed([("email", held["email"])]) == {("email", held["email"])}

    # The functions' instances of before keep what they read for five minutes: those of after are asked.
    for function in ("DecideNoticesFunction", "SendNoticesFunction"):
        for pid in keyed.worker_pids(function):
            os.kill(pid, signal.SIGKILL)
    second = record(2)
    assert outcomes(drop(keyed, make_run("after", [second, held]), "after")) == {"notified": 2}
    new = token_to(keyed, second["email"])
    assert not [m for m in keyed.messages if m.to == held["email"]], "told by SMS: the hash was found"
    assert read_token(new, known) is not None
    assert read_token(new, {1: known[1]}) is None, "made with the new key"


def suppress(cloud: LocalCloud, address: str) -> None:
    """An entry under the pepper of now, as a bounce leaves it."""
    from exstream_notify.adapters.dynamodb.contacts import suppression_key

    pepper = text_of(cloud, "Peppers")["1"].encode()
    cloud.client("dynamodb").put_item(
        TableName=cloud.resource("SuppressionsTable"),
        Item={"pk": {"S": suppression_key(pepper, "email", address)}, "v": {"N": "1"}},
    )


def test_a_rotation_that_was_broken_off_goes_on_with_its_version(keyed: LocalCloud) -> None:
    target = keyed.deployment()
    before = key_secrets(target)["LinkKeys"]

    def broken() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate(target, "LinkKeys", broken)
    added = key_secrets(target)["LinkKeys"]
    assert (added.current, added.pending) == (before.current, before.next), "added, and used by nobody yet"
    key = text_of(keyed, "LinkKeys")[str(added.pending)]
    after = rotate(target, "LinkKeys", lambda: None)
    assert (after.current, after.pending, len(after.versions)) == (
        str(before.next),
        None,
        len(added.versions),
    )
    assert text_of(keyed, "LinkKeys")[after.current] == key


def test_two_who_rotate_at_once_do_not_lose_a_key(keyed: LocalCloud) -> None:
    target = keyed.deployment()
    with pytest.raises(Exception, match="somebody else"):
        rotate(target, "LinkKeys", lambda: rotate(target, "LinkKeys", lambda: None) and None)
    secret = key_secrets(target)["LinkKeys"]
    assert secret.pending is None
    assert secret.current == str(secret.versions[-1])


def test_a_link_can_name_no_more_keys_than_a_byte(keyed: LocalCloud) -> None:
    fields = text_of(keyed, "EvidenceMaster")
    full = {**fields, **{str(n): fields["1"] for n in range(1, MOST + 1)}, "current": str(MOST)}
    keyed.client("secretsmanager").put_secret_value(
        SecretId=keyed.resource("EvidenceMaster"), SecretString=json.dumps(full)
    )
    done = exnotify("keys", "rotate", "EvidenceMaster", "--yes", "--wait", 0)
    assert done.code == 2
    assert str(MOST) in done.err
