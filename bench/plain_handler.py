"""The same job written straight from the documentation of Powertools for AWS Lambda: the yardstick.

One queue message a document; a batch processor calls the record handler for each; the idempotency
utility keeps it from telling a customer twice. Five calls a notice: get the contact, look the address up
on the suppression list, claim (idempotency's conditional put), send, record (its update). Clients are
made once and are warm. It does less than the project: no run that adds up, no proof, no
deferral, no fallback, and a kill after the send tells the customer again once the claim has expired.
"""

from __future__ import annotations

import hashlib
import os
from base64 import b64encode
from typing import Any

import boto3
import httpx
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.domain.documents import Document
from exstream_notify.domain.identity import notice_id
from exstream_notify.domain.messages import Content

logger = Logger()
metrics = Metrics()
processor = BatchProcessor(event_type=EventType.SQS)
dynamodb = boto3.resource("dynamodb")
contacts = dynamodb.Table(os.environ["PLAIN_CONTACTS_TABLE"])
suppressions = dynamodb.Table(os.environ["PLAIN_SUPPRESSIONS_TABLE"])
notices = DynamoDBPersistenceLayer(table_name=os.environ["PLAIN_NOTICES_TABLE"])
config = IdempotencyConfig(
    event_key_jmespath="[customer_key, document_type, document_id]", expires_after_seconds=86400
)
ses = boto3.client("sesv2")
opentext = httpx.Client(
    base_url=os.environ["OPENTEXT_URL"],
    auth=(os.environ["PLAIN_OPENTEXT_USER"], os.environ["PLAIN_OPENTEXT_PASSWORD"]),
)
app = Bootstrap()
"""For the words and the links only, which are the same."""


@idempotent_function(  # type: ignore[untyped-decorator]
    data_keyword_argument="document", config=config, persistence_store=notices
)
def notify(document: dict[str, Any]) -> dict[str, str]:
    """Tell one customer of one document; the answer is kept in the idempotency record."""
    contact = contacts.get_item(Key={"id": f"{document['domain']}#{document['customer_key']}"})["Item"]
    address = str(contact["email"])
    hashed = hashlib.sha256(address.lower().encode()).hexdigest()
    opted_out: Any = contact.get("opt_outs", ())
    if "email" in opted_out or "Item" in suppressions.get_item(Key={"id": hashed}):
        return {"status": "suppressed"}
    found = Document(**document)
    identity = notice_id(
        found.domain, found.customer_key, found.document_id, document_type=found.document_type
    )
    rule = app.rules.for_document(found)
    content = app.wording.render(
        rule.wording, "email", found, link=app.link_for(identity), language=found.language
    )
    send = send_by_ses if app.settings.email_provider == "ses" else send_by_opentext
    return {"status": "sent", "provider_ref": send(identity, address, content)}


def send_by_ses(identity: str, address: str, content: Content) -> str:
    """One e-mail through SES; its message id."""
    answer = ses.send_email(
        FromEmailAddress=app.settings.sender_email,
        Destination={"ToAddresses": [address]},
        Content={
            "Simple": {
                "Subject": {"Data": content.subject, "Charset": "UTF-8"},
                "Body": {
                    "Text": {"Data": content.text, "Charset": "UTF-8"},
                    "Html": {"Data": content.html, "Charset": "UTF-8"},
                },
            }
        },
        EmailTags=[{"Name": "notice_id", "Value": identity}],
        ConfigurationSetName=app.settings.ses_configuration_set,
    )
    return answer["MessageId"]


def send_by_opentext(identity: str, address: str, content: Content) -> str:
    """One e-mail as an OpenText job of its own; the job's id."""
    answer = opentext.post(
        "/mra/v1/outbound/emails",
        json={
            "options": {
                "customer_reference": identity,
                "email_options": {"subject": content.subject, "charset": "UTF-8"},
            },
            "destinations": [{"ref": identity, "email": address}],
            "body": [
                {"name": "notice.txt", "type": "text", "charset": "UTF-8", "data": _base64(content.text)},
                {"name": "notice.html", "type": "html", "charset": "UTF-8", "data": _base64(content.html)},
            ],
        },
    )
    return str(answer.raise_for_status().json()["job_id"])


def _base64(words: str) -> str:
    return b64encode(words.encode()).decode()


def record_handler(record: SQSRecord) -> dict[str, str]:
    """One message of the batch."""
    told: dict[str, str] = notify(document=record.json_body)
    metrics.add_metric(name="NoticesSent", unit=MetricUnit.Count, value=1)
    return told


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    """The function's entry point."""
    config.register_lambda_context(context)
    return process_partial_response(event, record_handler, processor, context)
