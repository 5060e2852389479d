"""A journey was counted from an e-mail that never arrived, so the reminder came a day after the text that told the
customer, and not two."""

from simulation.stories import DropRun, Record, Story
from simulation.stories.history import replayed

STORY = Story(
    start="2026-10-31T22:00:00+00:00",
    acts=(
        DropRun(
            at=0.0,
            domain="retail",
            run_id="repeated-0",
            records=(
                Record(
                    fields={
                        "customer_key": "R00037",
                        "first_name": "Marta",
                        "last_name": "Weiß",
                        "email": "r00037@example.com",
                        "mobile": "+12025550137",
                        "language": "pt",
                        "time_zone": "America/New_York",
                        "country": "US",
                        "document_id": "D-repeated-0-9",
                        "document_type": "statement",
                        "customer_in_run": "10",
                        "queue_name": "Email_Statements",
                        "account_number": "000009085177",
                        "reference_no": "REF-D3F11C41",
                        "produced_at": "2026-10-31T22:00:00Z",
                        "output_uri": "output/Email_Statements/D-repeated-0-9.pdf",
                        "content_sha256": "fe8ad2f9e194833506179c17408b5f9cd4e251d69fe7c4df92d58812571c3494",
                        "amount_due": "2949.72",
                        "currency": "USD",
                        "due_date": "2026-11-03",
                    }
                ),
            ),
        ),
    ),
    parameters={"EmailProvider": "ses", "SmsProvider": "opentext"},
    site="brisk",
    lasts=3600.0,
)

FAULTS = ("provider_reset send_notices:149faabb-ceae-c2c2-687d-ecb4329f3512:1 #12 sesv2.SendEmail",)


def test_the_days_count_from_the_message_that_told_the_customer() -> None:
    assert not replayed("days count", STORY, FAULTS)
