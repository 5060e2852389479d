"""What sending through an AWS API has in common: one try, and what its end means.

The SDK repeats calls by itself after time-outs and errors of the service. Neither SES nor the SMS API
knows a repeated message, so a repeat after a lost answer would reach the customer twice: clients for
sending are made with `send_config`, and others are refused.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ...domain.messages import Accepted, Answer, GiveUp, SentRequest
from .connections import IdleConnections
from .errors import Row, exception_codes, read_table, safe_code, status_codes

if TYPE_CHECKING:
    from botocore.config import Config

AwsClient: TypeAlias = Any
ClientFactory: TypeAlias = Callable[[], AwsClient]
"""Makes the service's client with `send_config`; called once, at the first send."""


def send_config(connect: float = 3.0, read: float = 10.0, connections: int = 20) -> Config:
    """Settings of a client that sends: time-outs in seconds, exactly one try a call."""
    from botocore.config import Config

    return Config(
        connect_timeout=connect,
        read_timeout=read,
        max_pool_connections=connections,
        retries={"total_max_attempts": 1, "mode": "standard"},
    )


class TriesTooOften(RuntimeError):
    """A client that could send twice by itself; an error of the program."""


class OneTryClient:
    """The client, made at the first call; TriesTooOften if it was made otherwise. Safe under threads."""

    def __init__(self, factory: ClientFactory, now: Callable[[], float] = time.time) -> None:
        self._factory = factory
        self._lock = threading.Lock()
        self._client: AwsClient = None
        self.connections = IdleConnections(self._disconnect, now)

    def _disconnect(self) -> None:
        """The client stays usable: its next call connects anew."""
        if self._client is not None:
            self._client.close()

    def get(self) -> AwsClient:
        """The client."""
        with self._lock:
            if self._client is None:
                client = self._factory()
                if client.meta.config.retries.get("total_max_attempts") != 1:
                    raise TriesTooOften("a client that sends is made with send_config()")
                self._client = client
            return self._client


def encode(parameters: Mapping[str, Any]) -> bytes:
    """A call's parameters as the SDK puts them on the wire, for both JSON protocols."""
    return json.dumps(parameters).encode()


def call(
    client: OneTryClient, operation: str, method: str, request: SentRequest, table: Sequence[Row]
) -> Answer:
    """Make the call that `request` holds, and read its end off the table."""
    from botocore.exceptions import ClientError

    if request.url != operation:
        return GiveUp("address_of_service_wrong")
    try:
        ready = client.get()
    except TriesTooOften:
        raise
    except Exception:
        # Whatever making a client raises (endpoint, profile, role): nothing was sent.
        return read_table(table, ["client_unavailable"])
    parameters = json.loads(request.body)
    try:
        with client.connections.exchange():
            answer = getattr(ready, method)(**parameters)
    except ClientError as error:
        return read_table(table, _codes(error), _detail(error))
    except Exception as error:
        # Also what is no BotoCoreError: the message may be out, so there has to be an answer.
        return read_table(table, exception_codes(error), str(error))
    message_id = answer.get("MessageId") if isinstance(answer, dict) else None
    if isinstance(message_id, str) and message_id.strip():
        return Accepted(message_id)
    return read_table(table, ["answer_without_id"])


def _codes(error: Any) -> tuple[str, ...]:
    """The service's own code, then the status; a bare status is how the SDK says "no code"."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = safe_code(error.response.get("Error", {}).get("Code", ""))
    bare = () if code.isdigit() or code == "none" else (code,)
    return (*bare, *status_codes(status))


def _detail(error: Any) -> str:
    """What tells rows of one code apart; read here, never passed on, since texts quote addresses."""
    response = error.response
    fields = [str(row.get("Name", "")) for row in response.get("Fields") or [] if isinstance(row, dict)]
    message = str(response.get("Error", {}).get("Message", ""))
    return " ".join([str(response.get("Reason", "")), *fields, message])
