"""Our own events about runs and files, as the queue brings them."""

from exstream_notify.adapters.run_events import news_of, said_at, told_by
from exstream_notify.domain.exceptions import FileRead
from exstream_notify.domain.masking import Vocabulary
from exstream_notify.domain.runs import RunNews

TIME = "2026-11-20T15:00:00Z"
SAID = "2026-11-20T15:00:00+00:00"


def test_each_event_is_read_and_any_other_message_is_none() -> None:
    run = {"domain": "retail", "run_id": "r"}
    arrived = {"detail-type": "Run Arrived", "detail": run, "time": TIME}
    assert news_of(arrived) == RunNews("arrived", "retail", "r", SAID)
    assert news_of({"detail-type": "Run Dispatched", "detail": run}) == RunNews("dispatched", "retail", "r")
    file = {**run, "file": "a.dat", "reported": ["EX1#a.dat"], "said_at": SAID}
    assert news_of({"detail-type": "File Read", "detail": file}) == (
        FileRead("retail", "r", "a.dat", ("EX1#a.dat",), SAID)
    )
    again = {"look": {"kind": "cover", "name": "retail/r/2"}}
    assert news_of(again) == RunNews("again", "retail", "r", tried=2)
    for other in (
        {"detail": run},
        {"look": {"kind": "incident", "name": "x"}},
        {"detail-type": "Missing Data"},
    ):
        assert news_of(other) is None


def test_an_exception_is_said_when_its_event_was_put_unless_it_says_when() -> None:
    plain = {"code": "EX1", "severity": "error", "domain": "retail", "run_id": "r", "text": "x"}
    of_a_file = "2026-11-20T14:00:00+00:00"
    for detail, said in ((plain, SAID), ({**plain, "said_at": of_a_file}, of_a_file)):
        body = {"detail-type": "Exception Raised", "source": "exnotify", "detail": detail, "time": TIME}
        assert [e.said_at for e in told_by(body, Vocabulary())] == [said]
    assert said_at({}) == said_at({"time": "yesterday"}) == ""
