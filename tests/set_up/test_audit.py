"""The audit of dependencies: what is known is named, and no answer is never taken for a good one."""

import json

import audit
import pytest

PIP = {
    "dependencies": [
        {"name": "sound", "version": "1.0", "vulns": []},
        {
            "name": "hurt",
            "version": "2.0",
            "vulns": [
                {"id": "PYSEC-2026-1", "fix_versions": ["2.1"], "aliases": [], "description": "d"},
                {"id": "PYSEC-2026-2", "fix_versions": [], "aliases": [], "description": "d"},
            ],
        },
    ],
    "fixes": [],
}
SKIPPED = {"name": "other", "skip_reason": "Dependency not found on PyPI and could not be audited: other (1)"}
NPM = {"vulnerabilities": {"axe": {"severity": "high"}}, "metadata": {"dependencies": {"total": 7}}}


def test_what_pip_audit_knows_is_named_with_its_cure() -> None:
    found = audit.of_pip_audit(json.dumps(PIP))
    assert found == audit.Audit(
        2,
        (
            "hurt 2.0: PYSEC-2026-1, repaired in 2.1",
            "hurt 2.0: PYSEC-2026-2, repaired in no version yet",
        ),
    )


def test_a_library_that_was_skipped_was_not_asked_for() -> None:
    sound = {"dependencies": [PIP["dependencies"][0], SKIPPED]}
    found = audit.of_pip_audit(json.dumps(sound))
    assert (found.asked, found.known) == (1, ())
    assert "1 of 2 libraries" in found.unasked
    assert "not found on PyPI" in found.unasked


@pytest.mark.parametrize("text", ["", "Traceback", "[]", '{"dependencies": []}'])
def test_no_answer_is_said_with_its_reason(text: str) -> None:
    assert (
        audit.of_pip_audit(text, "trace\nConnectionError: no route\n\n").unasked
        == "ConnectionError: no route"
    )
    assert audit.of_npm_audit(text, "").unasked == "no answer"


def test_npm_s_answer_is_read() -> None:
    assert audit.of_npm_audit(json.dumps(NPM)) == audit.Audit(7, ("axe: high",))
    refused = {"message": "405 Method Not Allowed", "error": {"summary": ""}}
    assert audit.of_npm_audit(json.dumps(refused)).unasked == "405 Method Not Allowed"


@pytest.mark.parametrize(
    ("audits", "code", "said"),
    [
        ([audit.Audit(3)], 0, "no vulnerability is known"),
        ([audit.Audit(3), audit.Audit(2, ("x 1: CVE",))], 1, "  x 1: CVE"),
        ([audit.Audit(3), audit.Audit(unasked="no route")], audit.UNKNOWN, "  NOT ASKED FOR: no route"),
        ([audit.Audit(1, ("x 1: CVE",), "rest"), audit.Audit(3)], 1, "  NOT ASKED FOR: rest"),
    ],
)
def test_the_exit_code_tells_success_from_silence(audits: list[audit.Audit], code: int, said: str) -> None:
    text, ended = audit.screen([(f"lock {n}", one) for n, one in enumerate(audits)])
    assert ended == code
    assert said in text.splitlines() or said in text.splitlines()[-1]


def test_every_lock_is_audited() -> None:
    from tests.set_up.test_locks import LOCKS, PACKAGE_LOCKS

    audited = {str(p.relative_to(audit.ROOT)) for p in (*audit.PYTHON_LOCKS, *audit.NODE_LOCKS)}
    assert audited == {*LOCKS, *PACKAGE_LOCKS}
