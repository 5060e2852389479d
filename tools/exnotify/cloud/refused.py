"""An error answer of an AWS service."""

from typing import Any


class Refused(Exception):
    """An error answer, as botocore's ClientError has it: the service's code, HTTP status and other fields."""

    def __init__(self, code: str, message: str = "", status: int = 400, **body: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.body = body
