"""Groups of fields of a delivery report (RFC 3464, 2.1), as mailers write them."""

import pytest

from exstream_notify.adapters.receipts.mails.reports import _groups, _row


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("", [{}, {}]),
        (
            "Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; a\nAction: failed",
            [{"reporting-mta": ["dns; mx"]}, {"final-recipient": ["rfc822; a"], "action": ["failed"]}],
        ),
        (
            "Diagnostic-Code: smtp;\n 550 5.1.1\n\tuser unknown\nStatus: 5.1.1",
            [{"diagnostic-code": ["smtp; 550 5.1.1 user unknown"], "status": ["5.1.1"]}],
        ),
        (
            "Final-Recipient: a\nStatus: 5.1.1\nFinal-Recipient: b\nStatus: 4.2.2",
            [
                {"final-recipient": ["a"], "status": ["5.1.1"]},
                {"final-recipient": ["b"], "status": ["4.2.2"]},
            ],
        ),
        ("Status: 1\nSTATUS: 2", [{"status": ["1", "2"]}]),
        (" folded onto nothing\nStatus: 1", [{"status": ["1"]}]),
        ("Status: 1\n\n folded onto nothing", [{"status": ["1"]}, {}]),
        ("a sentence: of words\n of more\nno field\nStatus: 1", [{"status": ["1"]}]),
        ("X:\nStatus: 1\nno field\n folded onto that", [{"x": [""], "status": ["1"]}]),
    ],
)
def test_fields_come_in_groups(text: str, groups: list[dict[str, list[str]]]) -> None:
    assert list(_groups(text)) == groups


def test_a_row_has_up_to_three_recipients_a_field_and_the_answers_without_their_type() -> None:
    row = _row(
        {
            "original-recipient": ["rfc822; c100001@example.com"],
            "final-recipient": [f"rfc822;c10000{n}@example.com" for n in range(1, 6)],
            "action": ["Failed (for good)", "delayed"],
            "status": ["5.1.1", "4.2.2"],
            "diagnostic-code": [
                "smtp; 550 5.1.1 unknown; ask your postmaster",
                "x-unix; 67",
                "",
                "smtp;550 5.1.1 unknown; ask your postmaster",
                "5",
                "6",
            ],
        }
    )
    assert row.address == "c100001@example.com"
    assert [name for name in row.also if "@example.com" in name] == [
        "c100002@example.com",
        "c100003@example.com",
    ]
    assert (row.action, row.status, row.waits) == ("failed", "5.1.1", False)
    assert row.answer == "550 5.1.1 unknown; ask your postmaster\n67\n5"
    waiting = _row({"will-retry-until": [""]})
    assert (waiting.address, waiting.also, waiting.answer, waiting.waits) == ("", (), "", True)
