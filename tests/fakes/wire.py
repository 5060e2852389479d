"""The wire between a worker and its services: where calls are counted, and where a worker can die."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeVar, cast

T = TypeVar("T")
P = TypeVar("P")


class Killed(BaseException):
    """The worker is gone (out of memory, out of time): nothing of it runs on, no handler sees it."""


class Wire:
    """Numbers every call to a service, from 1, and kills or interrupts the worker at a chosen one.

    Killed `before`, the service never saw the call; killed `after`, it did all and the worker never
    saw the answer.
    """

    def __init__(self) -> None:
        self.number = 0
        self.calls: Counter[str] = Counter()
        self.log: list[str] = []
        self.killed_at = ""
        self._kill: tuple[int | str, Literal["before", "after"]] | None = None
        self._interruptions: dict[int, Callable[[], object]] = {}

    def kill_at(self, number: int, when: Literal["before", "after"]) -> None:
        """Have the worker die at its call of that number."""
        self._kill = (number, when)

    def kill_on(self, name: str, when: Literal["before", "after"]) -> None:
        """Have the worker die at its next call of that name, such as `provider.send`."""
        self._kill = (name, when)

    def interrupt_at(self, number: int, other: Callable[[], object]) -> None:
        """Have `other` run, whole, just before the call of that number: another worker's turn."""
        self._interruptions[number] = other

    def step(self, name: str, effect: Callable[[], T]) -> T:
        """One call: `effect` is what the service does."""
        self.number += 1
        number = self.number
        self.calls[name] += 1
        self.log.append(name)
        if other := self._interruptions.pop(number, None):
            other()
        self._die_if(number, "before", name)
        result = effect()
        self._die_if(number, "after", name)
        return result

    def _die_if(self, number: int, when: Literal["before", "after"], name: str) -> None:
        if self._kill in ((number, when), (name, when)):
            self._kill = None
            self.killed_at = f"{when} call {number}, {name}"
            raise Killed(self.killed_at)


_END = object()


class _Watched:
    """A service whose every method call goes over the wire; an iterator's every item is one."""

    def __init__(self, service: Any, name: str, wire: Wire, local: frozenset[str]) -> None:
        self._service = service
        self._name = name
        self._wire = wire
        self._local = local

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(self._service, attribute)
        if attribute in self._local or not callable(found):
            return found
        name = f"{self._name}.{attribute}"

        def call(*args: Any, **kwargs: Any) -> Any:
            # A generator does nothing before its first item is asked for, so it is no call yet.
            if attribute in ("due", "outcomes", "slices") or (self._name == "provider"):
                return self._items(name, iter(found(*args, **kwargs)))
            return self._wire.step(name, lambda: found(*args, **kwargs))

        return call

    def _items(self, name: str, items: Iterator[Any]) -> Iterator[Any]:
        while True:
            item = self._wire.step(name, lambda: next(items, _END))
            if item is _END:
                return
            yield item


def watched(service: P, name: str, wire: Wire, *, local: frozenset[str] = frozenset()) -> P:
    """The service behind the wire; methods named in `local` are the worker's own code."""
    return cast(P, _Watched(service, name, wire, local))
