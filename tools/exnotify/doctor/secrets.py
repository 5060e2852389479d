"""Secrets and parameters of a stack: there, complete, and no examples any more."""

import json
import re
from collections.abc import Callable, Collection, Mapping

from .finding import Finding
from .look import Untold


def fields_of(text: str | None) -> Mapping[str, object]:
    """The fields of a secret; none where it is not a JSON object."""
    try:
        found = json.loads(text or "")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def key_findings(name: str, text: str | None) -> list[Finding]:
    """A secret of versioned keys: there, readable, its current version among them, long enough."""
    if text is None:
        return [Finding(f"secret {name}", "problem", "it is not there", "deploy again, or restore it")]
    fields = fields_of(text)
    current = str(fields.get("current"))
    key = str(fields.get(current, ""))
    if not key:
        return [Finding(f"secret {name}", "problem", "it is not a set of keys with `current`", "restore it")]
    if len(key) < 32:
        cure = "add a key of 43 random characters and make it current: docs/operations.md, Keys"
        return [Finding(f"secret {name}", "problem", "its current key is short", cure)]
    return [Finding(f"secret {name}", "ok", f"{len(fields) - 1} keys, current {current}")]


def credential_findings(text: str | None) -> list[Finding]:
    """The OpenText account's secret."""
    fields = fields_of(text)
    cure = "put username and password, or client_id and client_secret, into the secret OpenTextCredentials"
    pairs = (("username", "password"), ("client_id", "client_secret"))
    if not any(fields.get(a) and fields.get(b) for a, b in pairs):
        return [Finding("OpenText account", "problem", "incomplete", cure)]
    if "replace-me" in fields.values():
        return [Finding("OpenText account", "problem", "still as deployed", cure)]
    return [Finding("OpenText account", "ok", "there")]


CREDENTIALS = "OpenTextCredentials"


def secret_findings(
    outputs: Mapping[str, str], read: Callable[[str], str | None], providers: Collection[str]
) -> list[Finding]:
    """Every secret that the stack's outputs name; `read` gives a secret's text, None if it is not there, and
    raises Untold where nobody can tell."""
    found: list[Finding] = []
    for output, secret in sorted(outputs.items()):
        if not output.endswith(("Secret", "SecretArn")):
            continue
        name = output.removesuffix("Arn") if output.endswith("Arn") else output.removesuffix("Secret")
        if name == CREDENTIALS and "opentext" not in providers:
            continue
        try:
            text = read(secret)
        except Untold as untold:
            found.append(untold.finding("OpenText account" if name == CREDENTIALS else f"secret {name}"))
            continue
        if name == CREDENTIALS:
            found += credential_findings(text)
        elif text is None or '"current"' in text or name in KEYS:
            found += key_findings(name, text)
        elif not fields_of(text):
            cure = "put its fields back: the version before has the stage AWSPREVIOUS"
            found.append(Finding(f"secret {name}", "problem", "it is not a JSON object with fields", cure))
        else:
            found.append(Finding(f"secret {name}", "ok", "there"))
    return found


KEYS = frozenset({"Peppers", "LinkKeys", "EvidenceMaster"})
"""Secrets that are sets of keys, whatever they look like now."""


def placeholder_findings(parameters: Mapping[str, str]) -> list[Finding]:
    """Parameters that still are examples."""
    found = [
        Finding(name, "problem", value, f"deploy with your own {name}")
        for name, value in sorted(parameters.items())
        if re.search(r"(^|[@.])example\.(com|net|org)$|^Example |^\+1202555", value)
    ]
    return found or [Finding("parameters", "ok", "none is an example")]
