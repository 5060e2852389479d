"""SMS replies: one as the SMS service would hand it over, and what customers wrote in words of their own."""

import json
import uuid
from typing import TYPE_CHECKING, Any

from .errors import MisuseError

if TYPE_CHECKING:
    from .deployment import Deployment


def reply(target: "Deployment", number: str, text: str, reply_id: str = "") -> str:
    """Publish the reply on the topic of replies, for the embedded cloud, where nobody has a phone; its id."""
    if target.url is None:
        raise MisuseError("on a deployed stack customers reply themselves: leave --stack out")
    reply_id = reply_id or str(uuid.uuid4())
    body = {
        "originationNumber": number,
        "destinationNumber": target.settings.sms_sender or "+12025550199",
        "messageKeyword": "KEYWORD_" + target.settings.company_name.upper().replace(" ", "_"),
        "messageBody": text,
        "inboundMessageId": reply_id,
    }
    target.client("sns").publish(TopicArn=target.outputs["SmsRepliesTopicArn"], Message=json.dumps(body))
    return reply_id


def replies(target: "Deployment", domain: str | None = None) -> list[dict[str, Any]]:
    """What customers answered in words of their own, oldest first, opened from its sealed evidence.

    `text` is None for a reply that cannot be opened any more: its customer was erased.
    """
    from exstream_notify.adapters.encryption import EvidenceUnreadable
    from exstream_notify.use_cases.record_reply import REPLY_SALT

    app = target.app
    rows = []
    for incident in app.incidents.all():
        if "sms_reply" not in incident.codes or domain not in (None, incident.domain):
            continue
        for report in app.incidents.reports(incident.incident_id):
            told = report.exception.detail
            if report.exception.code != "sms_reply":
                continue
            contact = app.contacts.by_handle(told["contact"]) if "contact" in told else None
            row = {"at": report.first_seen, "domain": incident.domain, "reply": told["reply"],
                   "customer_key": contact.customer_key if contact else "",
                   "recipient": contact.recipient if contact else "",
                   "customers": int(told["customers"]), "from": None, "text": None}  # fmt: skip
            salt = contact.salt if contact else "" if "contact" in told else REPLY_SALT
            try:
                line = app.evidence.read(told["evidence"], f"{told['reply']}:0", salt) if salt else {}
            except EvidenceUnreadable:
                line = {}
            rows.append({**row, "from": line.get("from"), "text": line.get("text")})
    return sorted(rows, key=lambda row: str(row["at"]))
