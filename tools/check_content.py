"""Check rules and wording together, with a site's own laid over them: `python tools/check_content.py [SITE]`.

A step of `make lint`; `make lint SITE=folder` takes the folder that the site's layer holds as `site/`, with
`rules/` and `wording/` in it; `--email-provider` and `--providers`, as the parameters EmailProvider and
ProviderOverrides, tell whether each type's provider can do what the type needs, `--retention-days`, as
RecordRetentionDays, whether records are kept for as long as links and journeys need them, and
`--default-language`, as DefaultLanguage, which language stands in where another has no words. Every problem
is a line with file, place and reason; exit code 0 if there is none, else 1. Remarks are not problems.
"""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from exstream_notify.adapters.rendering.check import check_wording
from exstream_notify.adapters.rendering.coverage import remarks
from exstream_notify.adapters.rules import RulesInvalid, YamlRules
from exstream_notify.adapters.settings import Settings, provider_choice

RETENTION_DAYS = 120
"""What the template sets unless told otherwise."""

DEFAULT_LANGUAGE = "en"
"""The same of DefaultLanguage."""


def problems(
    site: Path | None = None,
    email_provider: str = "opentext",
    providers: str = "",
    retention_days: int = RETENTION_DAYS,
    default_language: str = DEFAULT_LANGUAGE,
) -> list[str]:
    """What is wrong, a line each."""
    if site is not None and not site.is_dir():
        return [f"{site}: there is no such folder"]
    wording = _folder(site, "wording")
    rules = YamlRules(_folder(site, "rules"))
    try:
        chosen = {"EMAIL_PROVIDER": email_provider, "PROVIDER_OVERRIDES": providers}
        today = datetime.now(UTC).date()
        rules.check(provider_choice(Settings.from_environment(chosen)), retention_days, today)
    except (RulesInvalid, ValueError) as invalid:
        # What such rules ask for nobody can tell: the wording is checked as the package's rules have it.
        return [str(invalid), *map(str, check_wording(wording, default_language=default_language))]
    return [str(problem) for problem in check_wording(wording, None, rules, default_language)]


def remarked(site: Path | None = None, default_language: str = DEFAULT_LANGUAGE) -> list[str]:
    """What a site may not expect of rules and wording that are sound, a line each."""
    return remarks(_folder(site, "wording"), YamlRules(_folder(site, "rules")), default_language)


def _folder(site: Path | None, name: str) -> Path | None:
    """A part of the site's folder, if it has that part."""
    return site / name if site is not None and (site / name).is_dir() else None


def main() -> int:
    """The command line: `check_content.py [SITE]`."""
    parser = argparse.ArgumentParser(description="check rules and wording")
    parser.add_argument("site", type=Path, nargs="?", help="folder with a site's own rules/ and wording/")
    parser.add_argument("--email-provider", default="opentext", help="the parameter EmailProvider")
    parser.add_argument("--providers", default="", help="the parameter ProviderOverrides")
    parser.add_argument(
        "--retention-days", type=int, default=RETENTION_DAYS, help="the parameter RecordRetentionDays"
    )
    parser.add_argument("--default-language", default=DEFAULT_LANGUAGE, help="the parameter DefaultLanguage")
    given = parser.parse_args()
    language = given.default_language
    found = problems(given.site, given.email_provider, given.providers, given.retention_days, language)
    if not found:
        found_odd = [f"remark: {text}" for text in remarked(given.site, language)]
        print("\n".join([*found_odd, "rules and wording are sound"]))
        return 0
    print("\n".join(found))
    return 1


if __name__ == "__main__":
    sys.exit(main())
