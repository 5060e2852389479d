"""What lies on the queues comes back as it was, and has nothing personal in it."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.domain.work import Member, SendJob, SlicePointer

_COUNT = st.integers(0, 10**7)
_NAME = st.text(min_size=1, max_size=12)
POINTERS = st.builds(
    SlicePointer,
    domain=_NAME,
    run_id=_NAME,
    number=_COUNT,
    part=_NAME,
    offset=_COUNT,
    length=_COUNT,
    count=_COUNT,
    first=_COUNT,
    kind=st.sampled_from(["documents", "digests"]),
    positions=st.lists(_COUNT, max_size=5).map(tuple),
)
MEMBERS = st.builds(
    Member,
    notice_id=_NAME,
    position=_COUNT,
    audience=_NAME,
    attempt=_COUNT,
    stored=_COUNT,
    waiting=st.lists(st.sampled_from(["email", "sms"]), unique=True).map(tuple),
    both=st.booleans(),
)
JOBS = st.builds(
    SendJob,
    job_id=_NAME,
    pointer=POINTERS,
    channel=st.sampled_from(["email", "sms"]),
    provider=_NAME,
    urgent=st.booleans(),
    members=st.lists(MEMBERS, max_size=4).map(tuple),
)


def over_the_queue(body: Any) -> Any:
    """What arrives of a body."""
    return json.loads(json.dumps(body))


@given(POINTERS)
def test_a_pointer_comes_back_as_it_was(pointer: SlicePointer) -> None:
    assert SlicePointer.from_message(over_the_queue(pointer.to_message())) == pointer


@given(JOBS)
def test_a_job_comes_back_as_it_was(job: SendJob) -> None:
    assert SendJob.from_message(over_the_queue(job.to_message())) == job


@given(JOBS, st.integers(0, 5))
def test_the_rest_of_a_job_is_the_same_job_with_fewer_members(job: SendJob, done: int) -> None:
    rest = job.rest(done)

    assert rest.members == job.members[done:]
    assert (rest.job_id, rest.pointer) == (job.job_id, job.pointer)


@pytest.mark.parametrize(("urgent", "queue"), [(False, "sms"), (True, "urgent")])
def test_a_job_lies_on_its_channels_queue_or_the_urgent_one(urgent: bool, queue: str) -> None:
    pointer = SlicePointer("retail", "run-1", 0, "p", 0, 1, 1, 1)

    assert SendJob("j", pointer, "sms", "text", urgent, ()).queue == queue


def test_a_message_that_lacks_a_field_is_refused() -> None:
    pointer = SlicePointer("retail", "run-1", 0, "p", 0, 1, 1, 1)
    body = pointer.to_message()
    del body["part"]
    with pytest.raises(TypeError, match="part"):
        SlicePointer.from_message(body)
    job = SendJob("j", pointer, "sms", "text", False, ()).to_message()
    del job["members"]
    with pytest.raises(KeyError, match="members"):
        SendJob.from_message(job)


def test_a_hundred_members_fit_many_times_into_a_message() -> None:
    pointer = SlicePointer(
        "retail", "run-1", 0, "parts/retail/run-1/0123456789abcdef/00000.jsonl", 0, 1, 100, 1
    )
    members = tuple(
        Member(f"{n:032x}", 10**7 + n, "team:underwriting", 2, 3, ("email", "sms"), True) for n in range(100)
    )
    size = len(json.dumps(SendJob("j" * 24, pointer, "email", "opentext", False, members).to_message()))

    assert size < 240_000 / 10, "ten jobs a call"


# --- as it stands on the queues ---------------------------------------------------------------------------------

POINTER = SlicePointer("retail", "run-1", 3, "part", 10, 20, 4, 1)


def test_a_pointer_says_only_what_it_has() -> None:
    plain = {
        "domain": "retail",
        "run_id": "run-1",
        "number": 3,
        "part": "part",
        "offset": 10,
        "length": 20,
        "count": 4,
        "first": 1,
        "kind": "documents",
        "positions": (),
    }
    assert POINTER.to_message() == plain
    assert POINTER.run == "retail/run-1"
    step = replace(POINTER, purpose="step:x:1", version="v", notices=("n",), together=(("a", "b"), ("c",)))
    told = {"purpose": "step:x:1", "version": "v", "notices": ("n",), "together": (("a", "b"), ("c",))}
    assert step.to_message() == {**plain, **told}
    assert SlicePointer.from_message(over_the_queue(step.to_message())) == step
    assert SlicePointer.from_message(plain) == POINTER


def test_a_job_as_a_message() -> None:
    member = Member("n", 7, "team/claims", 2, 3, ("sms",), both=True)
    job = SendJob("j", POINTER, "email", "ses", True, (member, Member("m", 8)))
    assert job.to_message() == {
        "job_id": "j",
        "pointer": POINTER.to_message(),
        "channel": "email",
        "provider": "ses",
        "urgent": True,
        "members": [["n", 7, "team/claims", 2, 3, ["sms"], 1], ["m", 8, "customer", 1, 0, [], 0]],
    }
    assert (job.aside, job.rest(1).aside) == (("j", "n"), ("j", "m"))
    assert Member.from_message(["m", 8, "customer", 1, 0, [], 0]) == Member("m", 8)
