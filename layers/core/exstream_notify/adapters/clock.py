"""Time and chance: the machine's own, or the embedded cloud's."""

import json
import os
import secrets
import time
from datetime import UTC, datetime


class SystemClock:
    """`Clock`. EXNOTIFY_CLOCK, which only the embedded cloud sets, gives another time and pace:
    `{"real": epoch, "virtual": epoch, "rate": virtual seconds per real second}`."""

    def __init__(self, setting: str | None = None) -> None:
        given = setting if setting is not None else os.environ.get("EXNOTIFY_CLOCK", "")
        pace = json.loads(given) if given else {"real": 0.0, "virtual": 0.0, "rate": 1.0}
        self._real = float(pace["real"])
        self._virtual = float(pace["virtual"])
        self._rate = float(pace["rate"])

    def now(self) -> datetime:
        """See `Clock.now`."""
        return datetime.fromtimestamp(self._virtual + (time.time() - self._real) * self._rate, UTC)

    def machine_time(self) -> float:
        """See `Clock.machine_time`."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`."""
        time.sleep(seconds)

    def random_id(self) -> str:
        """See `Clock.random_id`."""
        return secrets.token_hex(16)
