"""boto3's own client over a simulated service of the JSON protocol: only the network is missing."""

import json
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from simulation.service import Refused, Service


def answer_with(service: Service, client: Any) -> None:
    """Have a client's calls answered by a service; signing, retries and errors are botocore's."""

    def answer(model: Any, params: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        try:
            told = service.call(model.name, json.loads(params["body"]))
        except Refused as refused:
            error = {"Code": refused.code, "Message": refused.message}
            return _response(refused.status), {"Error": error, "ResponseMetadata": {}, **refused.body}
        return _response(200), {**told, "ResponseMetadata": {"HTTPStatusCode": 200}}

    client.meta.events.register_last(f"before-call.{service.name}", answer)


def _response(status: int) -> AWSResponse:
    return AWSResponse("https://simulated.example.com", status, HTTPHeaders(), None)
