"""Who acknowledges an incident by its link: whatever is posted there, by anybody, is no failure of ours."""

import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from exstream_notify.adapters.incident_page import NAME_CHARS, name_in

NOBODY = "somebody with the link"


@pytest.mark.parametrize(
    ("body", "encoded", "name"),
    [
        ("name=Ann", False, "Ann (by link)"),
        ("bmFtZT1Bbm4=", True, "Ann (by link)"),
        ("name=Ann%0D%0ABcc%3A+x", False, "AnnBcc: x (by link)"),
        ("name=%E2%80%AEnnA", False, "nnA (by link)"),
        ("name=" + "x" * 100_000, False, "x" * NAME_CHARS + " (by link)"),
        ("name=a&name=b&" * 50, False, NOBODY),
        ("name=%00", False, NOBODY),
        ("/w==", True, NOBODY),
        ("no base64", True, NOBODY),
        ("", False, NOBODY),
        (None, False, NOBODY),
    ],
)
def test_a_name_is_what_can_be_shown_of_it(body: str | None, encoded: bool, name: str) -> None:
    """A failure here would be an error of the function, with which anybody could ring its alarm."""
    assert name_in(APIGatewayProxyEventV2({"body": body, "isBase64Encoded": encoded})) == name
