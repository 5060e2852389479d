"""Time and chance: the machine's own, or the embedded cloud's."""

import json
import os
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path


class SystemClock:
    """`Clock`. EXNOTIFY_CLOCK, which only the embedded cloud sets, gives another time and pace:
    `{"real": epoch, "virtual": epoch, "rate": virtual seconds per real second}`, and with `file` the
    place where they are written anew whenever the pace changes."""

    def __init__(self, setting: str | None = None) -> None:
        given = setting if setting is not None else os.environ.get("EXNOTIFY_CLOCK", "")
        pace = json.loads(given) if given else {"real": 0.0, "virtual": 0.0, "rate": 1.0}
        self._pace = pace
        self._file = str(pace.get("file", ""))

    def now(self) -> datetime:
        """See `Clock.now`."""
        if self._file:
            self._read()
        pace = self._pace
        moment = pace["virtual"] + (time.time() - pace["real"]) * pace["rate"]
        return datetime.fromtimestamp(moment, UTC)

    def _read(self) -> None:
        try:
            self._pace = json.loads(Path(self._file).read_text("utf-8"))
        except OSError:
            self._file = ""  # the embedded cloud has stopped: its clock goes on as it was

    def machine_time(self) -> float:
        """See `Clock.machine_time`."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`."""
        time.sleep(seconds)

    def random_id(self) -> str:
        """See `Clock.random_id`."""
        return secrets.token_hex(16)
