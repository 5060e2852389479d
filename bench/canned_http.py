"""HTTP/1.1 answered within the process: stands in for the socket under urllib3 and under httpx.

All that the clients do above a socket stays as it is: pools, request lines and headers, chunking,
`Expect: 100-continue`, the parsing of answers. What is left out is the kernel, TLS and the network.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote, urlsplit

import httpcore
from urllib3.connection import HTTPSConnection

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it arrived; header names in lower case, the path without its query."""

    method: str
    host: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def encoded(self) -> bytes:
        """The bytes on the wire."""
        lines = [f"HTTP/1.1 {self.status} Canned", f"content-length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


Responder = Callable[[Request], Answer]
Clocked = Callable[[Callable[[], bytes]], bytes]


class Conversation:
    """The far end of one connection: takes bytes, gives the answer's when a request is whole."""

    def __init__(self, respond: Responder) -> None:
        self._respond = respond
        self._taken = bytearray()
        self._head: tuple[str, str, dict[str, str]] | None = None

    def take(self, data: bytes) -> bytes:
        """More bytes from the client; what it can read then, if anything."""
        self._taken += data
        if self._head is None:
            end = self._taken.find(b"\r\n\r\n")
            if end < 0:
                return b""
            first, *rest = bytes(self._taken[:end]).decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (row.partition(":") for row in rest)}
            method, target, _ = first.split(" ", 2)
            self._head = (method, target, headers)
            del self._taken[: end + 4]
            if not self._taken and headers.get("expect") == "100-continue":
                return _CONTINUE
        method, target, headers = self._head
        body = self._whole_body(headers)
        if body is None:
            return b""
        self._head = None
        self._taken.clear()
        host, path = headers["host"], unquote(urlsplit(target).path)
        return self._respond(Request(method, host, path, headers, body)).encoded()

    def _whole_body(self, headers: Mapping[str, str]) -> bytes | None:
        if headers.get("transfer-encoding", "") == "chunked":
            return unchunked(bytes(self._taken))
        length = int(headers.get("content-length", "0"))
        return bytes(self._taken) if len(self._taken) >= length else None


def unchunked(body: bytes) -> bytes | None:
    """The payload of a chunked body, HTTP's own or S3's `aws-chunked`, or None until its end is there.

    Trailers are dropped. Sizes alone tell the end: a payload may look like one.
    """
    data, position = bytearray(), 0
    while (end := body.find(b"\r\n", position)) >= 0:
        size = int(body[position:end].split(b";")[0], 16)
        position = end + 2 + size + 2
        if len(body) < position:
            return None
        if not size:
            return bytes(data)
        data += body[end + 2 : end + 2 + size]
    return None


class _Socket:
    """A connected socket, as far as `http.client`, urllib3 and botocore use one."""

    def __init__(self, conversation: Conversation, clocked: Clocked) -> None:
        self._conversation = conversation
        self._clocked = clocked
        self._waiting = b""
        # Something to poll: readable only while a "100 Continue" waits, else urllib3 takes it for dropped.
        self._readable, self._writable = os.pipe()

    def fileno(self) -> int:
        return self._readable

    def settimeout(self, seconds: float | None) -> None:
        pass

    def sendall(self, data: bytes) -> None:
        self._waiting += self._clocked(lambda: self._conversation.take(data))
        if self._waiting == _CONTINUE:
            os.write(self._writable, b".")

    def makefile(self, mode: str = "rb", *_: Any) -> io.BytesIO:
        if self._waiting == _CONTINUE:
            os.read(self._readable, 1)
        answer, self._waiting = self._waiting, b""
        return io.BytesIO(answer)

    def shutdown(self, how: int) -> None:
        pass

    def close(self) -> None:
        for end in (self._readable, self._writable):
            if end >= 0:
                os.close(end)
        self._readable = self._writable = -1


class _Stream(httpcore.NetworkStream):
    """A connection of httpx's own transport."""

    def __init__(self, conversation: Conversation, clocked: Clocked) -> None:
        self._conversation = conversation
        self._clocked = clocked
        self._waiting = b""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data, self._waiting = self._waiting[:max_bytes], self._waiting[max_bytes:]
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._waiting += self._clocked(lambda: self._conversation.take(buffer))

    def close(self) -> None:
        pass

    def start_tls(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
        return self

    def get_extra_info(self, info: str) -> Any:
        return False if info == "is_readable" else None


@contextmanager
def answered(respond: Responder, clocked: Clocked) -> Iterator[None]:
    """While this lasts, every connection over TLS ends here. `clocked` calls the far end's work."""

    def connect(connection: HTTPSConnection) -> None:
        connection.sock = _Socket(Conversation(respond), clocked)
        connection.is_verified = True

    def connect_tcp(*_: Any, **__: Any) -> httpcore.NetworkStream:
        return _Stream(Conversation(respond), clocked)

    with (
        patch.object(HTTPSConnection, "connect", connect),
        patch.object(httpcore.SyncBackend, "connect_tcp", connect_tcp),
    ):
        yield
