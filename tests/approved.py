"""Approved files: what a test came to when somebody last read it, in `__snapshots__` (`make approve`)."""

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode


class _Text(SingleFileSnapshotExtension):
    """A text file for each test."""

    file_extension = "txt"
    _write_mode = WriteMode.TEXT


@pytest.fixture
def approved(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """The approved file of this test; what it is compared with is a text."""
    return snapshot.use_extension(_Text)
