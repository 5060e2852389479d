"""Which news of a run closes what, and which is compared with the customers that wait for it."""

from types import SimpleNamespace
from typing import Any

import pytest

from exstream_notify.domain.exceptions import FileRead
from exstream_notify.domain.runs import RunNews
from exstream_notify.use_cases import follow_runs

FILE = FileRead("retail", "run-1", "engine.log")


@pytest.mark.parametrize(
    ("news", "open_incidents", "followed"),
    [
        (RunNews("arrived", "retail", "run-1"), 1, ["run_came", "settle_arrival", "settle_run"]),
        (RunNews("arrived", "retail", "run-1"), 0, ["run_came"]),
        (RunNews("dispatched", "retail", "run-1"), 1, ["settle_run", "cover_customers"]),
        (RunNews("dispatched", "retail", "run-1"), 0, ["cover_customers"]),
        (RunNews("again", "retail", "run-1"), 1, ["cover_customers"]),
        (FILE, 1, ["settle_file"]),
        (FILE, 0, []),
    ],
)
def test_each_news_is_followed_by_what_it_can_end(
    monkeypatch: pytest.MonkeyPatch, news: Any, open_incidents: int, followed: list[str]
) -> None:
    done: list[str] = []
    for name in ("run_came", "settle_file", "settle_arrival", "settle_run", "cover_customers"):

        def note(*_: object, name: str = name, **__: object) -> list[str]:
            done.append(name)
            return ["retail/run-0"]

        monkeypatch.setattr(follow_runs, name, note)
    incidents = SimpleNamespace(open_in=lambda domain: [domain] * open_incidents)
    covering: Any = SimpleNamespace(runs=None, alerting=SimpleNamespace(incidents=incidents))
    exceptions: Any = None
    left = follow_runs.follow_run(news, exceptions, exceptions, covering)
    assert done == followed
    assert left == (["retail/run-0"] if "cover_customers" in followed else [])
