"""Does what each order says, and counts it: the tests' hands inside the embedded cloud."""

import json
import os
import time
from typing import Any

import boto3
from botocore.exceptions import ClientError
from shared_words import WORD

TABLE = os.environ["TABLE"]
dynamodb = boto3.client("dynamodb")


def handler(event: dict[str, Any], context: Any) -> Any:
    """An SQS batch with partial responses, or one order directly."""
    if "Records" not in event:
        return obey(event, {}, context)
    failed = []
    for record in event["Records"]:
        order = json.loads(record["body"])
        if "detail-type" in order:
            order = {"do": "file", **order}
        if obey(order, record, context) is False:
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def obey(order: dict[str, Any], record: dict[str, Any], context: Any) -> Any:
    """One order; False means failed."""
    do = order["do"]
    if "id" in order:
        count(order["id"], record)
    if do == "fail":
        return False
    if do == "raise":
        raise ValueError(f"told to: {WORD}")
    if do == "exit":
        os._exit(3)
    if do == "sleep":
        time.sleep(order["seconds"])
    if do == "hold":
        boto3.client("sqs").change_message_visibility(
            QueueUrl=os.environ["QUEUE_URL"],
            ReceiptHandle=record["receiptHandle"],
            VisibilityTimeout=order["seconds"],
        )
        return False
    if do == "file":
        key = order["detail"]["object"]["key"]
        body = boto3.client("s3").get_object(Bucket=order["detail"]["bucket"]["name"], Key=key)["Body"].read()
        count(key, record, text=body.decode(), event=json.dumps(order))
    if do == "call":
        try:
            answer = getattr(boto3.client(order["service"]), order["operation"])(**order["arguments"])
        except ClientError as error:
            return error.response["Error"]["Code"]
        return sorted(set(answer) - {"ResponseMetadata"})
    if do == "tell":
        return {
            "environment": dict(os.environ),
            "word": WORD,
            "pid": os.getpid(),
            "time": time.time(),
            "remaining": context.get_remaining_time_in_millis(),
            "context": {
                name: getattr(context, name)
                for name in ("function_name", "memory_limit_in_mb", "invoked_function_arn", "log_group_name")
            },
        }
    if do == "print":
        print(order["text"], end=order.get("end", "\n"))
    if do == "return":
        return eval(order["expression"])  # noqa: S307 - a test's own expression
    return True


def count(name: str, record: dict[str, Any], **more: str) -> None:
    """Counts a delivery, and notes the message's latest receive count."""
    values = {"message": json.dumps(record), **more}
    dynamodb.update_item(
        TableName=TABLE,
        Key={"pk": {"S": name}},
        UpdateExpression="ADD deliveries :one SET " + ", ".join(f"#{key} = :{key}" for key in values),
        ExpressionAttributeNames={f"#{key}": key for key in values},
        ExpressionAttributeValues={
            ":one": {"N": "1"},
            **{f":{key}": {"S": text} for key, text in values.items()},
        },
    )
