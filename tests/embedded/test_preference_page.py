"""What each form of the preference page does to the next document; links that lead nowhere."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from exnotify.local import LocalCloud

from .conftest import MakeRun, drop, outcomes, record
from .test_preferences import DOMAIN, contact, eligibility, form_of, known, page_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    """Three in the afternoon in New York; e-mail through SES, texts through the SMS service."""
    providers = {"EmailProvider": "ses", "SmsProvider": "sms"}
    with LocalCloud(at="2026-11-24T20:00:00+00:00", parameters=providers) as running:
        yield running


@pytest.fixture
def api(cloud: LocalCloud) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=cloud.api_url, trust_env=False) as client:
        yield client


def post(api: httpx.Client, path: str, **fields: Any) -> httpx.Response:
    return api.post(path, data={"form": form_of(api.get(path).text), **fields})


def next_outcome(
    cloud: LocalCloud, make_run: MakeRun, number: int, run: str, **fields: Any
) -> dict[str, int]:
    row = record(number, postcode="10001", document_id=f"{run}-2", **fields)
    found: dict[str, int] = outcomes(drop(cloud, make_run(run, [row]), run, DOMAIN))
    return found


def test_language_and_own_hours_hold_for_what_comes_next(
    cloud: LocalCloud, api: httpx.Client, make_run: MakeRun
) -> None:
    path = page_of(known(cloud, make_run, 60, "own-1", language="en"))
    wanted = ["statements/sms"]
    saved = post(
        api, path, action="save", want=wanted, first="sms", language="de", opens="09:00", closes="14:00"
    )
    assert saved.status_code == 303
    assert 'lang="de"' in api.get(saved.headers["location"]).text
    after = contact(cloud, 60)
    assert (after.language, after.quiet_hours, after.channel_order) == ("de", ("09:00", "14:00"), ("sms",))
    # It is past two in New York: the text waits for the customer's own morning.
    said = eligibility(cloud, api, 60)["documents"][0]
    assert (said["channel"], said["not_before"]) == ("sms", "2026-11-25T14:00:00+00:00")
    assert next_outcome(cloud, make_run, 60, "own-2", language="en") == {"deferred": 1}

    bad = post(api, path, action="save", want=wanted, first="", language="de", opens="03:00", closes="23:00")
    assert bad.status_code == 422
    assert contact(cloud, 60) == after


def test_consent_taken_back_means_paper_until_it_is_given_again(
    cloud: LocalCloud, api: httpx.Client, make_run: MakeRun
) -> None:
    path = page_of(known(cloud, make_run, 61, "consent-1"))
    assert post(api, path, action="withdraw").headers["location"].endswith("done=withdrawn")
    taken_back = contact(cloud, 61).consent
    assert (taken_back.given, taken_back.scope) == (False, "electronic delivery")
    assert taken_back.at.startswith("2026-11-24T20:")
    assert "page" in taken_back.source
    assert eligibility(cloud, api, 61)["documents"][0]["channel"] == "paper"
    assert next_outcome(cloud, make_run, 61, "consent-2") == {"paper": 1}

    assert post(api, path, action="consent").headers["location"].endswith("done=consented")
    given = contact(cloud, 61).consent
    assert given.given
    assert given.version
    assert [e["field"] for e in contact(cloud, 61).history] == ["consent", "consent"]
    assert next_outcome(cloud, make_run, 61, "consent-3") == {"notified": 1}


def test_leaving_all_leaves_what_the_law_keeps_and_says_so(
    cloud: LocalCloud, api: httpx.Client, make_run: MakeRun
) -> None:
    path = page_of(known(cloud, make_run, 62, "leave-1"))
    left = post(api, path, action="leave")
    assert left.status_code == 303
    stopped = set(contact(cloud, 62).opt_outs)
    assert "statements" in stopped
    assert not {"contracts", "overdue", "*"} & stopped
    assert next_outcome(cloud, make_run, 62, "leave-2") == {"suppressed": 1}
    regulated = next_outcome(cloud, make_run, 62, "leave-3", document_type="policy-document")
    assert regulated == {"notified": 1}


def test_a_link_that_was_touched_leads_nowhere_and_says_nothing(
    cloud: LocalCloud, api: httpx.Client, make_run: MakeRun
) -> None:
    path = page_of(known(cloud, make_run, 63, "touched-1"))
    other = page_of(known(cloud, make_run, 64, "touched-2"))
    token, theirs = path.rpartition("/")[2], other.rpartition("/")[2]
    # Changed at any place, cut, longer, or made of two customers' halves.
    touched = {token[:n] + ("A" if token[n] != "A" else "B") + token[n + 1 :] for n in range(len(token) - 1)}
    touched |= {token[:-4], token + "A", token[:16] + theirs[16:], theirs[:16] + token[16:]}
    before = contact(cloud, 63), contact(cloud, 64)
    said = set()
    for one in sorted(touched - {token, theirs}):
        answer = api.get(f"/p/{one}")
        assert answer.status_code == 404, one
        said.add(answer.text)
        assert api.post(f"/p/{one}", data={"action": "leave"}).status_code == 404
    assert len(said) == 1
    assert (contact(cloud, 63), contact(cloud, 64)) == before
    # Nor does the token open anything that is not the page.
    assert api.get(f"/u/{token}").status_code == 404
    assert api.get(f"/p/undo/{token}").status_code == 404


def test_the_page_keeps_addresses_masked_and_is_kept_by_nobody(
    cloud: LocalCloud, api: httpx.Client, make_run: MakeRun
) -> None:
    message = known(cloud, make_run, 65, "masked-1")
    answer = api.get(page_of(message))
    assert message.to not in answer.text
    assert "+1202555" not in answer.text
    assert "E000065" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers
    assert "script-src" in answer.headers["content-security-policy"] or (
        "default-src 'none'" in answer.headers["content-security-policy"]
    )


@pytest.mark.browser
def test_it_works_in_a_browser_without_javascript(cloud: LocalCloud, make_run: MakeRun, browser: Any) -> None:
    message = known(cloud, make_run, 66, "plain-1", language="fr")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(cloud.api_url + page_of(message))
    page.locator("[value='statements/sms']").uncheck()
    page.locator("#language").select_option("es")
    page.locator("form").first.get_by_role("button").click()
    page.locator("[role=status]").wait_for()
    assert page.locator("html").get_attribute("lang") == "es"
    context.close()
    after = contact(cloud, 66)
    assert (after.opt_outs, after.language) == ({"statements": ("sms",)}, "es")
