"""The link of a reminder was opened, and the first message, which no provider had accepted, counted as sent."""

from simulation.stories import DropRun, Record, Story
from simulation.stories.history import replayed

STORY = Story(
    start="2027-03-13T23:15:16+00:00",
    acts=(
        DropRun(
            at=0.0,
            domain="lending",
            run_id="bareseal-3",
            records=(
                Record(
                    fields={
                        "customer_key": "L00000",
                        "first_name": "Li",
                        "last_name": "Na",
                        "email": "l00000@example.com",
                        "mobile": "+13035550100",
                        "language": "de",
                        "time_zone": "America/Denver",
                        "country": "US",
                        "document_id": "D-bareseal-3-7",
                        "document_type": "payment-reminder",
                        "customer_in_run": "8",
                        "queue_name": "Email_Reminders",
                        "account_number": "000008792174",
                        "reference_no": "REF-7A3AF5E1",
                        "produced_at": "2027-03-13T23:15:16Z",
                        "output_uri": "output/Email_Reminders/D-bareseal-3-7.pdf",
                        "content_sha256": "9d71877d2d311dc5729f3f4c4c75e98d340e0535bd05bf0ba0aaf90443b81b66",
                        "amount_due": "1974.84",
                        "currency": "USD",
                        "due_date": "2027-03-27",
                        "stage": "1",
                        "days_past_due": "33",
                        "account_status": "current",
                    }
                ),
            ),
        ),
    ),
    parameters={"EmailProvider": "ses", "SmsProvider": "sms"},
    lasts=1075812.0,
)

FAULTS = (
    "customer_opens ses b14309e32bfb210b5b878e9a95c1d19b:1 l00000@example.com #1",
    "provider_hangs send_notices:bb9a0c97-9d36-f1a3-1ab6-a04810abe35f:1 #11 sesv2.SendEmail",
)


def test_a_reminders_link_does_not_prove_that_the_first_message_arrived() -> None:
    assert not replayed("reminder", STORY, FAULTS)
