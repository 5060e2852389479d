"""AWS End User Messaging SMS: account, spend limit, number, keywords, and that its events reach the stack.

"SMS sandbox", "Set a spending limit", "Self-managed opt-outs", "Required opt-out list keywords": user guide.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from .finding import Finding
from .look import Look, Untold
from .ses import reaching, topic_of

SERVICE = "pinpoint-sms-voice-v2"

OPT_OUT_WORDS = frozenset(
    {"ARRET", "CANCEL", "END", "OPT-OUT", "OPTOUT", "QUIT", "REMOVE", "STOP", "TD", "UNSUBSCRIBE"}
)
"""Words on which AWS opts a number out by itself, where opt-outs are not self-managed."""

RATES: Mapping[str, float] = {"TOLL_FREE": 3, "TEN_DLC": 1, "LONG_CODE": 1, "SHORT_CODE": 100, "SIMULATOR": 1}
"""Message parts a second by type of number, where the service does not state the number's own rate."""

_SMALL_SPEND = 1
"""US dollars a month that a new account may spend."""


def account_findings(look: Look) -> Iterator[Finding]:
    """The account's tier."""
    rows = look.rows(SERVICE, "describe_account_attributes", "AccountAttributes")
    tier = {row["Name"]: row["Value"] for row in rows}.get("ACCOUNT_TIER")
    if tier == "SANDBOX":
        cure = "request production access: in the sandbox only verified numbers get SMS"
        yield Finding("SMS sandbox", "problem", "the account is in the sandbox", cure)
    elif tier is None:
        raise Untold("the account states no tier", "look at it in the console")
    else:
        yield Finding("SMS sandbox", "ok", str(tier))


def spend_findings(look: Look) -> Iterator[Finding]:
    """What may be spent on SMS in a month: beyond it the service sends nothing until the next."""
    rows = {row["Name"]: row for row in look.rows(SERVICE, "describe_spend_limits", "SpendLimits")}
    row = rows.get("TEXT_MESSAGE_MONTHLY_SPEND_LIMIT")
    if row is None:
        raise Untold("the account states no limit", "look at it in the console")
    limit = row["EnforcedLimit"] if row.get("Overridden") else row["MaxLimit"]
    found = f"{limit} US dollars a month"
    if limit <= _SMALL_SPEND:
        cure = "ask for more than the month's runs cost: this is a new account's limit"
        yield Finding("SMS spend limit", "problem", found, cure)
    elif limit < row["MaxLimit"]:
        cure = f"raise it yourself where the month's runs cost more: {row['MaxLimit']} are allowed"
        yield Finding("SMS spend limit", "ok", found, cure)
    else:
        yield Finding("SMS spend limit", "ok", found)


# ---- the sender ----


def sender_findings(look: Look) -> Iterator[Finding]:
    """The number, pool or sender id that SMS come from; replies to it; its rate."""
    sender = look.parameters.get("SmsSender", "")
    found = _origination(look, sender)
    if found is None:
        cure = "set SmsSender to a number, pool or sender id of this account and region"
        yield Finding("SMS sender", "problem", f"{sender} is not this account's", cure)
        return
    status = str(found.get("Status", "ACTIVE"))
    if status == "ACTIVE":
        yield Finding("SMS sender", "ok", f"{sender}: {found.get('NumberType', 'active')}")
    else:
        cure = "finish its registration, and wait until it is ACTIVE"
        yield Finding("SMS sender", "problem", f"{sender}: {status}", cure)
    if "TwoWayEnabled" not in found:
        cure = "say in the wording how to opt out, or send from a number"
        yield Finding("SMS replies", "warning", f"{sender} is a sender id: it takes no replies", cure)
        return
    yield from _rate(look, found)
    yield from _replies(look, sender, found)
    yield from _keywords(look, found)


def _origination(look: Look, sender: str) -> Mapping[str, Any] | None:
    if sender.startswith("+"):
        rows = look.rows(SERVICE, "describe_phone_numbers", "PhoneNumbers")
        return next((row for row in rows if row["PhoneNumber"] == sender), None)
    if sender.startswith("pool-"):
        return next(look.rows(SERVICE, "describe_pools", "Pools", PoolIds=[sender]), None)
    rows = look.rows(SERVICE, "describe_sender_ids", "SenderIds")
    return next((row for row in rows if row["SenderId"] == sender), None)


def _rate(look: Look, found: Mapping[str, Any]) -> Iterator[Finding]:
    stated = ((found.get("MessagingLimits") or {}).get("RateLimits") or {}).get("SMS")
    kind = str(found.get("NumberType", ""))
    rate = float(stated) if stated else RATES.get(kind)
    wanted = look.number("SmsRate", 3)
    if rate is None:
        return  # a pool's rate is that of its numbers together
    if wanted > rate:
        cure = f"set SmsRate to {rate:g}, or send from a number or pool that is faster"
        yield Finding("SMS rate", "warning", f"{wanted:g} parts a second wanted of {rate:g}", cure)
    else:
        yield Finding("SMS rate", "ok", f"{wanted:g} parts a second of {rate:g}")


def _replies(look: Look, sender: str, found: Mapping[str, Any]) -> Iterator[Finding]:
    """STOP and HELP reach the stack only by the topic, and only where opt-outs are self-managed."""
    topic = look.outputs.get("SmsRepliesTopicArn", "")
    reaches = bool(found["TwoWayEnabled"]) and found.get("TwoWayChannelArn") == topic
    own = bool(found.get("SelfManagedOptOutsEnabled"))
    name = topic.rpartition(":")[2]
    if not reaches and own:
        cure = f"switch two-way SMS on with the topic {name}: replies of STOP are not recorded now"
        yield Finding(
            "SMS replies", "problem", f"{sender} has self-managed opt-outs and no topic of ours", cure
        )
    elif not reaches:
        cure = f"switch two-way SMS on with the topic {name}"
        yield Finding("SMS replies", "problem", f"replies to {sender} do not reach the stack", cure)
    else:
        yield Finding("SMS replies", "ok", f"two-way to {name}")
    if found.get("NumberType") == "TOLL_FREE":
        # "Required opt-out list keywords": whatever is switched on, carriers take a toll-free number's STOP.
        cure = "a refused send tells the stack: keep another channel for these customers"
        yield Finding("SMS opt-outs", "warning", "toll-free: carriers keep them, the stack is not told", cure)
    elif own:
        yield Finding("SMS opt-outs", "ok", "self-managed: the stack honours and confirms them")
    else:
        cure = "switch self-managed opt-outs on: AWS stops the number without telling the stack"
        yield Finding("SMS opt-outs", "warning", "managed by AWS", cure)


def _keywords(look: Look, found: Mapping[str, Any]) -> Iterator[Finding]:
    """Without self-managed opt-outs no required word may do anything but opt out."""
    check = "SMS keywords"
    if found.get("SelfManagedOptOutsEnabled"):
        return
    identity = str(found.get("PhoneNumberArn") or found.get("PoolArn") or "")
    rows = look.rows(SERVICE, "describe_keywords", "Keywords", OriginationIdentity=identity)
    actions = {str(row["Keyword"]).upper(): str(row["KeywordAction"]) for row in rows}
    wrong = sorted(w for w in OPT_OUT_WORDS if actions.get(w, "OPT_OUT") != "OPT_OUT")
    if "STOP" not in actions:
        yield Finding(check, "problem", "there is no STOP", "add STOP with the action OPT_OUT")
    elif wrong:
        cure = "give these words the action OPT_OUT: carriers and law require it"
        yield Finding(check, "problem", f"{', '.join(wrong)} do not opt out", cure)
    else:
        known = sorted(OPT_OUT_WORDS & set(actions))
        yield Finding(check, "ok", f"{', '.join(known)} opt out; AWS takes the other required words itself")


# ---- events ----


def needed_events() -> frozenset[str]:
    """The event types of text messages that change a notice or a customer's number."""
    from exstream_notify.domain.receipts import SMS_EVENTS, SMS_FAILURES, Kind

    arrived = {
        name for name, kind in SMS_EVENTS.items() if kind is Kind.DELIVERED or name.endswith("_SUCCESSFUL")
    }
    return frozenset(name for name in arrived | SMS_FAILURES if name.startswith("TEXT_"))


def event_findings(look: Look) -> Iterator[Finding]:
    """The configuration set, and a destination of it that brings every needed event to the stack's topic."""
    check, name = "SMS events", look.parameters.get("SmsConfigurationSet", "")
    topic = look.outputs.get("SmsReceiptsTopicArn", "")
    rows = look.rows(
        SERVICE, "describe_configuration_sets", "ConfigurationSets", ConfigurationSetNames=[name]
    )
    found = next(rows, None)
    if found is None:
        cure = f"create the configuration set {name}: without it every SMS is refused"
        yield Finding(check, "problem", f"there is no configuration set {name}", cure)
        return
    ours = [row for row in found.get("EventDestinations", ()) if topic_of(row) == topic]
    yield reaching(check, name, topic, ours, needed_events())
