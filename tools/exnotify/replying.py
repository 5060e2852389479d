"""An SMS reply as the SMS service would hand it over; for the embedded cloud, where nobody has a phone."""

import json
import uuid
from typing import TYPE_CHECKING

from .errors import MisuseError

if TYPE_CHECKING:
    from .deployment import Deployment


def reply(target: "Deployment", number: str, text: str, reply_id: str = "") -> str:
    """Publish the reply on the topic of replies; its id."""
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
