"""The command line itself: its list, its exit codes, and what it says where nothing answers."""

import socket
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

from exnotify.cli import COMMANDS
from exnotify.commands.up import parameters_of
from exnotify.errors import MisuseError
from exnotify.local import CHAOS, chaos_of
from exnotify.screen import STYLES

from .shell import exnotify


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> str:
    """An address of this machine at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    monkeypatch.setenv("EXNOTIFY_URL", url)
    return url


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_a_module_with_help(name: str) -> None:
    command = import_module(f"exnotify.commands.{name}").command
    assert isinstance(command, click.Command)
    assert command.name == name
    done = exnotify(name, "--help")
    assert done.code == 0
    assert done.out.lower().startswith("usage: exnotify " + name)


def test_the_list_names_every_command_and_says_what_it_does() -> None:
    done = exnotify("--help")
    assert done.code == 0
    for name, sentence in COMMANDS.items():
        assert name in done.out
        assert sentence.split(",")[0][:40] in " ".join(done.out.split())


def test_the_list_is_quick_since_it_imports_nothing_heavy() -> None:
    code = (
        "import sys; from exnotify.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'boto3', 'botocore', 'moto', 'rich', 'pydantic', 'jinja2'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"


NEEDS_CLOUD = [
    ("plan", "."),
    ("drop", "."),
    ("run", "r1"),
    ("notice", "a" * 32),
    ("notices", "--customer", "C1"),
    ("contact", "C1"),
    ("incidents",),
    ("journeys",),
    ("outbox",),
    ("tick", "release_due"),
    ("evidence", "a" * 32, "-o", "-"),
]


@pytest.mark.parametrize("arguments", NEEDS_CLOUD, ids=[row[0] for row in NEEDS_CLOUD])
def test_where_nothing_answers_one_sentence_says_what_to_do(
    arguments: tuple[str, ...], nowhere: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = exnotify(*arguments)
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        f"exnotify: nothing answers at {nowhere}: start it with `exnotify up`, set EXNOTIFY_URL, "
        "or name a deployed stack with --stack\n"
    )


MISUSES = [
    ("nothing-like-it",),
    ("drop",),
    ("drop", "no such folder"),
    ("drop", ".", "--domain", "a/b"),
    ("drop", ".", "--timeout", "0"),
    ("plan", ".", "--run-id", "-"),
    ("run",),
    ("run", "r1", "--csv", "--json"),
    ("run", "r1", "--csv", "--hold"),
    ("notices",),
    ("journeys", "go"),
    ("journeys", "--customer", "C1"),
    ("journeys", "stop"),
    ("journeys", "stop", "--customer", "C1", "--run", "r1"),
    ("journeys", "resume", "--run", "r1", "--document", "D1"),
    ("contact", "C1", "--set", "salt=x"),
    ("contact", "C1", "--set", "language"),
    ("seal", "no such folder"),
    ("up", "--port", "99999"),
    ("up", "--chaos", "monkeys"),
    ("up", "--at", "yesterday", "--port", "0"),
    ("up", "--set", "EmailProvider"),
]


@pytest.mark.parametrize("arguments", MISUSES, ids=" ".join)
def test_bad_use_ends_with_2_and_says_what_is_wrong(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = exnotify(*arguments)
    assert done.code == 2
    assert done.err.startswith("exnotify") and done.err.count("\n") == 1, done.err  # noqa: PT018 - one sentence


def test_a_sites_own_rules_are_checked_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "domains.yaml").write_text("domains:\n  retail:\n    dates: ymd\n", "utf-8")
    done = exnotify("up", "--port", "0", "--site", tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "domains.yaml (rules) line 3: domains.retail.dates" in done.err


def test_a_folder_with_nothing_of_a_sites_is_refused(tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text("rerun_chars: 40\n", "utf-8")
    done = exnotify("up", "--port", "0", "--site", tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "has neither rules/ nor wording/" in done.err


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = exnotify("up", "--port", port)
    assert (done.code, done.out) == (1, "")
    assert done.err == f"exnotify: port {port} is taken: stop what uses it, or choose another with --port\n"


def test_an_address_that_is_none_is_bad_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXNOTIFY_URL", "file:///etc/passwd")
    done = exnotify("incidents")
    assert done.code == 2
    assert "no http address" in done.err


def test_seal_is_the_one_file_tool(tmp_path: Path) -> None:
    (tmp_path / "a.index.csv").write_text("customer_key\n1\n")
    done = exnotify("seal", tmp_path, "--run-id", "r1")
    assert done.code == 0
    assert done.out.startswith("sealed default/r1: a.index.csv (1)")
    (tmp_path / "a.index.csv").write_text("")
    done = exnotify("seal", tmp_path)
    assert (done.code, done.err) == (1, "not sealed: a.index.csv: it is empty\n")


def test_demo_can_write_its_samples_for_others_to_drop(tmp_path: Path) -> None:
    done = exnotify("demo", "--samples", tmp_path)
    assert done.code == 0
    assert [Path(line).name for line in done.out.splitlines()] == sorted(p.name for p in tmp_path.iterdir())


def test_preview_writes_a_page(tmp_path: Path) -> None:
    page = tmp_path / "preview.html"
    assert exnotify("preview", "-o", page).code == 0
    assert "</html>" in page.read_text("utf-8")
    done = exnotify("preview", "-o", tmp_path / "no" / "such" / "folder.html")
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert "No such file" in done.err


def test_chaos_and_parameters_are_named() -> None:
    assert chaos_of("duplicates, faults") == {"duplicates", "faults"}
    assert chaos_of(None) == frozenset()
    with pytest.raises(ValueError, match=", ".join(CHAOS)):
        chaos_of("duplicates,x")
    assert parameters_of(("A=1", "B=x=y", "C=")) == {"A": "1", "B": "x=y", "C": ""}
    with pytest.raises(MisuseError, match="not PARAMETER=VALUE"):
        parameters_of(("=1",))


def test_every_outcome_and_status_has_its_colour() -> None:
    from exstream_notify.domain.notices import Outcome, Status

    assert {str(word) for word in (*Outcome, *Status)} <= set(STYLES)
