"""What a simulated service is to the rest."""

from typing import Any, Protocol

from exnotify.cloud.refused import Refused

__all__ = ["Refused", "Service"]


class Service(Protocol):
    """One AWS service of one account. It gives copies: no caller shares its objects."""

    name: str
    """botocore's name: `dynamodb`, `sqs`, `pinpoint-sms-voice-v2`."""

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to an operation, named as in the API (`TransactWriteItems`); it takes no time.

        Raises Refused; NotImplementedError for an operation or parameter that the simulation does not
        know: nothing is accepted unread.
        """
