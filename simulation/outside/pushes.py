"""OpenText pushes the status of its jobs to the web hook, again and again while the answer is an error."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from exnotify.simulators.timeline import Moment

from .accepted import Accepted, Ledger, Reported
from .fates import Fates
from .opentext import Document, OpenText
from .ways import Ways

HOOK: Final = "/receipts/opentext"
_TRIES: Final = 5
"""How often a status is pushed at most; each time after twice as long."""

PUSH_KINDS: Final[Mapping[str, float]] = {
    "receipt_push_lost": 0.03,
    "receipt_push_forged": 0.01,
}
"""A push never made; a push by somebody else in its place, without the secret."""


class Pushes:
    """Sends status documents. `made` False: the account pushes nothing, so it must be asked."""

    def __init__(self, ledger: Ledger, ways: Ways, fates: Fates, opentext: OpenText, *, made: bool) -> None:
        self._ledger = ledger
        self._nature = ledger.nature
        self._ways = ways
        self._fates = fates
        self._opentext = opentext
        self._made = made

    def push(self, message: Accepted, moment: Moment, name: str, step: str = "") -> None:
        """Push what had happened to a message at a moment: a push that comes late is as old as it is."""
        until = message.at + moment.happened
        document = self._opentext.document((message,), until=until)

        def note(began: float, status: int) -> None:
            way, named = f"{HOOK} {status}", step or moment.step.name
            self._ledger.report(Reported(began, message.number, named, until, way, document))
            if status < 300:
                self._ledger.report_all(began, message, self._fates.of(message).moments, until, way)

        self._send(document, name, note)

    def push_refused(self, document: Document, job_id: str) -> None:
        """Push that some destinations of a job were refused; nothing of it is about an accepted message."""
        self._send(document, f"refused {job_id}", lambda began, status: None)

    def _send(self, document: Document, name: str, note: Callable[[float, int], None]) -> None:
        chance = self._nature.chance
        if not self._made or chance.happens("receipt_push_lost", name):
            return
        forged = chance.happens("receipt_push_forged", name)
        self._ways.task(f"push {name}", lambda: self._post(document, None if forged else note))

    def _post(self, document: Mapping[str, Any], note: Callable[[float, int], None] | None) -> None:
        secret = self._secret() if note else "not it"
        headers = {"content-type": "application/json", "x-webhook-secret": secret}
        for number in range(_TRIES):
            began = self._nature.timeline.now
            answer = self._ways.http("POST", HOOK, headers, json.dumps(document))
            if note:
                note(began, answer.status)
            if answer.status < 500:
                return
            self._ways.sleep(30.0 * 2**number)

    def _secret(self) -> str:
        fields = json.loads(self._ways.secret(self._ways.outputs["ReceiptHookSecretArn"]))
        found: str = fields[fields["current"]]
        return found
