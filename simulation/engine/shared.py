"""What instances share though each would make its own: rules, wording and pages, read from files.

They depend on the files and on settings alone, keep what they have read, and know neither time nor any
service. So it changes nothing that two instances hold the same object, and an instance starts in a
millisecond instead of a hundred. The key is the content of the site's files: a site folder whose files change
is another one to whoever starts after that.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

from exstream_notify.adapters import bootstrap, pages, rendering
from exstream_notify.adapters.rendering import notes
from exstream_notify.adapters.rules import YamlRules

_MADE: dict[tuple[Any, ...], Any] = {}


def swaps() -> list[tuple[Any, dict[str, Any]]]:
    """Which name of which module is made by what: for `surroundings`."""
    return [
        (bootstrap, {"YamlRules": _rules(YamlRules)}),
        (rendering, {"Renderer": _by_arguments(rendering.Renderer)}),
        (pages, {"Pages": _by_arguments(pages.Pages)}),
        (notes, {"Notes": _by_arguments(notes.Notes)}),
    ]


def _rules(real: Callable[..., Any]) -> Callable[..., Any]:
    def made(site: Path | None, runbook: Callable[[], str]) -> Any:
        said = runbook()
        return _once((real, _fingerprint(site), said), lambda: real(site, lambda: said))

    return made


def _by_arguments(real: Callable[..., Any]) -> Callable[..., Any]:
    def made(*given: Any, **named: Any) -> Any:
        values = (*given, *(value for _, value in sorted(named.items())))
        key = tuple(_fingerprint(value) if isinstance(value, Path) else value for value in values)
        return _once((real, *key), lambda: real(*given, **named))

    return made


def _once(key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
    if key not in _MADE:
        _MADE[key] = make()
    return _MADE[key]


def _fingerprint(folder: Path | None) -> str:
    """The content of all files of a folder; empty for none."""
    if folder is None:
        return ""
    digest = blake2b(str(folder).encode(), digest_size=16)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(f"{path} ".encode() + path.read_bytes())
    return digest.hexdigest()
