"""The approved files of stories."""

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.use_cases.stories import Approved


@pytest.fixture
def approved(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """The approved file of this test's story; see `stories`."""
    return snapshot.use_extension(Approved)
