"""One process for each mutant: a fork that has the change and runs the tests that may notice it.

A changed function gets its code in a fork of the process that has collected the tests (`Warm`). What is
executed while a module is imported (tables, defaults, fields) needs a fork from before any import (`cold`).
"""

import gc
import math
import os
import resource
import signal
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from types import CodeType, FunctionType

import pytest

from mutants.coverage_map import PYTEST, TEMPORARY

_POLL = 0.005  # seconds
_WAITS = 8  # how much longer than its processor time a fork may take by the clock
_NEAREST = 4  # files of tests that a fork collects first: most mutants need no others
_MEMORY = 3_000_000_000  # bytes that a fork may have
_KILLED, _SURVIVED, _BROKEN = "killed", "survived", "broken"


def in_fork(work: Callable[[], str], limit: float) -> tuple[str, str]:
    """What `work` returns in a process of its own, as `(status, by)`.

    A fork that takes longer than `limit` seconds of processor time, or _WAITS times as long by the clock, is
    ended, and is `("killed", "time-out")`; one that ends in any other way is `("killed", "crash")`. A busy
    machine thus makes no mutant look killed.
    """
    read, write = os.pipe()
    child = os.fork()
    if not child:
        _quiet(math.ceil(limit))
        try:
            answer = work()
        except BaseException:
            answer = f"{_BROKEN} {traceback.format_exc()}"
        os.write(write, answer.encode()[:60_000])
        os._exit(0)
    os.close(write)
    deadline = time.monotonic() + _WAITS * limit
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0):
        if time.monotonic() > deadline:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(read)
            return _KILLED, "time-out"
        time.sleep(_POLL)
    if os.WIFSIGNALED(ended[1]) and os.WTERMSIG(ended[1]) == signal.SIGXCPU:
        os.close(read)
        return _KILLED, "time-out"
    with os.fdopen(read) as told:
        status, _, by = (told.read() or f"{_KILLED} crash").partition(" ")
    if status == _BROKEN:
        raise RuntimeError(by)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # what the tests started
    return status, by


def _quiet(seconds: int) -> None:
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    used = math.ceil(time.process_time())
    resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, resource.RLIM_INFINITY))


@dataclass(slots=True, eq=False)
class _FirstFailure:
    """Pytest plugin: the fork ends with the first test that fails."""

    write: Callable[[str], None]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A failure of a fixture counts as well."""
        if report.failed:
            self.write(report.nodeid)


class _Noticed(BaseException):
    """A test has failed."""


def _raise_noticed(test: str) -> None:
    raise _Noticed(test)


def parts(code: CodeType) -> Iterator[CodeType]:
    """The code, and all code within it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from parts(constant)


def changed_function(old: CodeType, new: CodeType) -> tuple[CodeType, CodeType] | None:
    """The one function, outermost, in which two codes of a module differ; None if they differ elsewhere."""
    if len(old.co_consts) != len(new.co_consts) or _bare(old) != _bare(new):
        return None
    differ = [
        (before, after)
        for before, after in zip(old.co_consts, new.co_consts, strict=True)
        if before != after or type(before) is not type(after)
    ]
    if len(differ) != 1 or not all(isinstance(code, CodeType) for code in differ[0]):
        return None
    before, after = differ[0]
    if before.co_flags & 1:  # CO_OPTIMIZED: a function, no class body
        return (before, after) if before.co_freevars == after.co_freevars else None
    return changed_function(before, after)


def _bare(code: CodeType) -> CodeType:
    return code.replace(co_consts=tuple(None if isinstance(c, CodeType) else c for c in code.co_consts))


_Place = tuple[str, str, int]


def _place(code: CodeType) -> _Place:
    return code.co_filename, code.co_qualname, code.co_firstlineno


@dataclass(slots=True)
class Warm:
    """A process that has collected the tests: `items` by node id, `functions` by where their code stands."""

    items: dict[str, pytest.Item]
    functions: dict[_Place, list[FunctionType]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        gc.collect()
        gc.freeze()
        gc.unfreeze()
        for thing in gc.get_objects():
            if isinstance(thing, FunctionType):
                self.functions[_place(thing.__code__)].append(thing)
        gc.freeze()

    def has(self, code: CodeType) -> bool:
        """Whether a function with this code is there to be changed."""
        return _place(code) in self.functions

    def judged(self, new: CodeType | None, tests: Sequence[str], limit: float) -> tuple[str, str]:
        """Run the tests on the changed function, or on everything as it is."""
        chosen = [self.items[test] for test in tests if test in self.items]

        def work() -> str:
            for code in parts(new) if new else ():
                for function in self.functions.get(_place(code), ()):
                    if function.__code__.co_freevars == code.co_freevars:
                        function.__code__ = code
            return self._run(chosen)

        return in_fork(work, limit)

    def _run(self, chosen: Sequence[pytest.Item]) -> str:
        plugins = chosen[0].config.pluginmanager
        plugins.unregister(name="terminalreporter")
        plugins.register(_FirstFailure(_raise_noticed))
        try:
            for item, following in zip(chosen, [*chosen[1:], None], strict=True):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        except _Noticed as noticed:
            return f"{_KILLED} {noticed}"
        return _SURVIVED


def cold(file: str, new: CodeType, tests: Sequence[str], limit: float) -> tuple[str, str]:
    """Run the tests in a fork that imports everything anew, the changed module with the changed code.

    Most of its time is imports and collection, so the files of the first tests go first.
    """

    def work() -> str:
        original = SourceFileLoader.get_code

        def get_code(loader: SourceFileLoader, fullname: str) -> CodeType | None:
            return new if loader.path == file else original(loader, fullname)

        SourceFileLoader.get_code = get_code  # type: ignore[method-assign,assignment]
        files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
        options = [*PYTEST, "-x", "-o", "timeout=0", f"--basetemp={_basetemp()}"]
        for some in filter(None, (files[:_NEAREST], files[_NEAREST:])):
            failures: list[str] = []
            plugins = [_Chosen(tests), _FirstFailure(failures.append)]
            ended = pytest.main([*options, *some], plugins=plugins)
            if ended not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
                return f"{_KILLED} {failures[0] if failures else 'import or collection'}"
        return _SURVIVED

    return in_fork(work, limit)


def _basetemp() -> str:
    TEMPORARY.mkdir(parents=True, exist_ok=True)
    return str(TEMPORARY / str(os.getpid()))


@dataclass(slots=True, eq=False)
class _Chosen:
    """Pytest plugin: these tests and no others, in this order."""

    tests: Sequence[str]

    def pytest_collection(self) -> None:
        """A failing example is not made smaller: that it fails is enough."""
        without_shrinking()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """See `Chosen`."""
        rank = {test: number for number, test in enumerate(self.tests)}
        items[:] = sorted((item for item in items if item.nodeid in rank), key=lambda item: rank[item.nodeid])


@dataclass(slots=True, eq=False)
class Collected:
    """Pytest plugin: once the tests are collected, `then` is called with them in place of running them."""

    then: Callable[[Warm], None]

    def pytest_collection(self) -> None:
        """A failing example is not made smaller: that it fails is enough."""
        without_shrinking()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """See the class."""
        self.then(Warm({item.nodeid: item for item in session.items}))
        return True


def without_shrinking() -> None:
    """Have Hypothesis generate examples and stop at the first that fails."""
    from hypothesis import Phase, settings

    phases = (Phase.explicit, Phase.reuse, Phase.generate)
    settings.register_profile("mutants", settings.get_profile("ci"), phases=phases, database=None)
    settings.load_profile("mutants")
