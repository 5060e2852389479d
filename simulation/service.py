"""What a simulated service is to the rest."""

from typing import Any, Protocol


class Refused(Exception):
    """An error answer, as botocore's ClientError has it: the service's code, HTTP status and other fields."""

    def __init__(self, code: str, message: str = "", status: int = 400, **body: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.body = body


class Service(Protocol):
    """One AWS service of one account. It gives copies: no caller shares its objects."""

    name: str
    """botocore's name: `dynamodb`, `sqs`, `pinpoint-sms-voice-v2`."""

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to an operation, named as in the API (`TransactWriteItems`); it takes no time.

        Raises Refused; NotImplementedError for an operation or parameter that the simulation does not
        know: nothing is accepted unread.
        """
