"""Sites: rules that stories run with, and change while work is under way; site folders as users have them."""

from pathlib import Path

FOLDER = Path(__file__).parent / "sites"

SITES = ("", "plain", "brisk", "cautious")
"""By name; empty: the rules that ship, which know no marketing type."""

NARROW_SITES = ("hasty", "following")
"""Those that only profiles name."""


def folder_of(site: str) -> Path | None:
    """The site folder of that name; None for the rules that ship. KeyError for a name that there is not."""
    if site not in (*SITES, *NARROW_SITES):
        raise KeyError(f"there is no site {site!r}: {', '.join((*SITES[1:], *NARROW_SITES))}")
    return FOLDER / site if site else None
