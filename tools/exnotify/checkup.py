"""What `exnotify doctor` looks at. Each check is a function of what it needs; it says what to do.

The sender's DNS: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489). Sandbox: "Request production access",
SES developer guide; "SMS sandbox", AWS End User Messaging.
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from .deployment import Deployment

Verdict = Literal["ok", "warning", "problem", "unknown"]
Resolver = Callable[[str, str], Sequence[str]]
"""The records of a name and type (`TXT`, `CNAME`), texts joined; LookupError where nobody can tell."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `cure` says what to do, empty where nothing is."""

    check: str
    verdict: Verdict
    found: str
    cure: str = ""


# ---- DNS of the sender ----


def dns_findings(
    sender: str, resolve: Resolver, dkim_names: Sequence[str] = (), includes: Sequence[str] = ()
) -> list[Finding]:
    """SPF, DKIM and DMARC of the sender's domain.

    `dkim_names` are where its keys must be, `includes` what one of must stand in its SPF record.
    """
    domain = sender.rpartition("@")[2].lower()
    checks: Iterable[tuple[str, Callable[[], Finding]]] = (
        ("SPF", lambda: _spf(domain, resolve, includes)),
        ("DMARC", lambda: _dmarc(domain, resolve)),
        *((f"DKIM {name}", _dkim_of(name, resolve)) for name in dkim_names),
    )
    found = []
    for check, look in checks:
        try:
            found.append(look())
        except LookupError as error:
            found.append(
                Finding(check, "unknown", str(error), f"look up {domain} on a machine that has a resolver")
            )
    return found


def _spf(domain: str, resolve: Resolver, includes: Sequence[str]) -> Finding:
    records = [text for text in resolve(domain, "TXT") if text.lower().startswith("v=spf1")]
    if not records:
        return Finding(
            "SPF", "problem", f"{domain} has no v=spf1 record", "publish one that names the provider"
        )
    if len(records) > 1:
        return Finding(
            "SPF", "problem", f"{domain} has {len(records)} SPF records", "leave one: RFC 7208, 3.2"
        )
    (record,) = records
    if "+all" in record.lower().split() or "all" in record.lower().split():
        return Finding("SPF", "problem", record, "end it with -all or ~all: now everybody may send as you")
    if includes and not any(f"include:{name}" in record for name in includes):
        return Finding("SPF", "warning", record, f"add include:{includes[0]} unless a MAIL FROM domain does")
    lookups = len(re.findall(r"\b(?:include|a|mx|ptr|exists|redirect)[:=]", record))
    if lookups > 10:
        return Finding("SPF", "problem", f"{lookups} lookups", "at most ten are followed: RFC 7208, 4.6.4")
    return Finding("SPF", "ok", record)


def _dmarc(domain: str, resolve: Resolver) -> Finding:
    parts = domain.split(".")
    # The organisational domain's policy holds for its subdomains; without a suffix list, the last two labels.
    for name in dict.fromkeys((domain, ".".join(parts[-2:]))):
        records = [text for text in resolve(f"_dmarc.{name}", "TXT") if text.startswith("v=DMARC1")]
        if records:
            tags = dict(re.findall(r"(\w+)\s*=\s*([^;\s]+)", records[0]))
            if tags.get("p") not in ("quarantine", "reject"):
                return Finding(
                    "DMARC", "warning", records[0], "p=none protects nobody: go to quarantine, then reject"
                )
            return Finding("DMARC", "ok", records[0])
    cure = "publish _dmarc: bulk senders without it are refused by Gmail and Yahoo"
    return Finding("DMARC", "problem", f"{domain} has no DMARC record", cure)


def _dkim_of(name: str, resolve: Resolver) -> Callable[[], Finding]:
    def look() -> Finding:
        if resolve(name, "CNAME"):
            return Finding(f"DKIM {name}", "ok", "a CNAME to the provider's key")
        keys = [text for text in resolve(name, "TXT") if "p=" in text]
        if keys and re.search(r"p=[A-Za-z0-9+/]{100,}", keys[0].replace(" ", "")):
            return Finding(f"DKIM {name}", "ok", "a key")
        return Finding(f"DKIM {name}", "problem", "no key", f"publish the provider's record for {name}")

    return look


def dig(name: str, kind: str) -> Sequence[str]:
    """The machine's own resolver, through `dig`. LookupError where there is none or it gets no answer."""
    if not re.fullmatch(r"[A-Za-z0-9._-]+", name):
        raise LookupError(f"{name!r} is no name")
    try:
        done = subprocess.run(
            ["dig", "+short", "+time=2", "+tries=1", name, kind],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LookupError(f"dig: {error}") from error
    if done.returncode:
        raise LookupError(f"no resolver answers for {name}")
    return ["".join(re.findall(r'"([^"]*)"', line)) or line for line in done.stdout.splitlines()]


# ---- settings, secrets, quotas ----


def key_findings(name: str, text: str | None) -> list[Finding]:
    """A secret of versioned keys: there, readable, its current version among them, long enough."""
    if text is None:
        return [Finding(f"secret {name}", "problem", "it cannot be read", "deploy again, or restore it")]
    try:
        fields = json.loads(text)
        current = str(fields["current"])
        key = str(fields[current])
    except (ValueError, KeyError, TypeError):
        return [Finding(f"secret {name}", "problem", "it is no set of keys with `current`", "restore it")]
    if len(key) < 32:
        cure = "add a key of 43 random characters and make it current: docs/operations.md, Keys"
        return [Finding(f"secret {name}", "problem", "its current key is short", cure)]
    return [Finding(f"secret {name}", "ok", f"{len(fields) - 1} keys, current {current}")]


def credential_findings(text: str | None) -> list[Finding]:
    """The OpenText account's secret."""
    try:
        fields = json.loads(text or "")
    except ValueError:
        fields = {}
    cure = "put username and password, or client_id and client_secret, into the secret OpenTextCredentials"
    pairs = (("username", "password"), ("client_id", "client_secret"))
    if not any(fields.get(a) and fields.get(b) for a, b in pairs):
        return [Finding("OpenText account", "problem", "incomplete", cure)]
    if "replace-me" in fields.values():
        return [Finding("OpenText account", "problem", "still as deployed", cure)]
    return [Finding("OpenText account", "ok", "there")]


def concurrency_findings(parameters: Mapping[str, str], limit: int | None) -> list[Finding]:
    """The sum of the concurrency parameters against what the account allows at once."""
    wanted = sum(int(v) for k, v in parameters.items() if k.endswith("Concurrency") and v.isdigit())
    if limit is None:
        return [Finding("concurrency", "unknown", f"{wanted} wanted", "ask Lambda for the account's limit")]
    if wanted > limit * 0.8:
        cure = "lower the concurrency parameters, or ask for a higher limit"
        return [Finding("concurrency", "problem", f"{wanted} wanted of {limit}", cure)]
    return [Finding("concurrency", "ok", f"{wanted} wanted of {limit}")]


def rate_findings(parameters: Mapping[str, str], ses_rate: float | None) -> list[Finding]:
    """E-mails a second against what SES allows."""
    wanted = float(parameters.get("EmailRate") or 14)
    if ses_rate is None:
        return [Finding("e-mail rate", "unknown", f"{wanted:g} a second wanted")]
    if wanted > ses_rate:
        cure = f"set EmailRate to {ses_rate:g}, or ask SES for more"
        return [Finding("e-mail rate", "problem", f"{wanted:g} a second wanted of {ses_rate:g}", cure)]
    return [Finding("e-mail rate", "ok", f"{wanted:g} a second of {ses_rate:g}")]


def placeholder_findings(parameters: Mapping[str, str]) -> list[Finding]:
    """Parameters that still are examples."""
    found = [
        Finding(name, "problem", value, f"deploy with your own {name}")
        for name, value in sorted(parameters.items())
        if re.search(r"(^|[@.])example\.(com|net|org)$|^Example |^\+1202555", value)
    ]
    return found or [Finding("parameters", "ok", "none is an example")]


# ---- all of it ----


def examine(target: "Deployment", resolve: Resolver = dig) -> list[Finding]:
    """Every check that the deployment allows; what cannot be looked at is `unknown`."""
    parameters = target.parameters
    providers = {parameters.get("EmailProvider", "opentext"), parameters.get("SmsProvider", "opentext")}
    found: list[Finding] = []
    if target.url is None:
        found += placeholder_findings(parameters)
    settings = target.settings
    for name, secret in (("Peppers", settings.peppers_secret), ("EvidenceMaster", settings.evidence_secret)):
        found += key_findings(name, _secret(target, secret))
    if target.url is None:
        found += _on_aws(target, providers, resolve)
    else:
        found.append(Finding("identities, sandbox, DNS", "ok", "the embedded cloud sends to simulators"))
        found += concurrency_findings(parameters, 1000)
    return found


def _secret(target: "Deployment", name: str) -> str | None:
    try:
        return str(target.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
    except Exception:  # whichever way it cannot be read
        return None


def _on_aws(target: "Deployment", providers: set[str], resolve: Resolver) -> list[Finding]:
    found: list[Finding] = []
    parameters = target.parameters
    sender = parameters.get("SenderEmail", "")
    dkim: list[str] = []
    if "ses" in providers:
        account = _asked(lambda: target.client("sesv2").get_account())
        found += ses_findings(account)
        found += rate_findings(parameters, (account or {}).get("SendQuota", {}).get("MaxSendRate"))
        domain = sender.rpartition("@")[2]
        identity = _asked(lambda: target.client("sesv2").get_email_identity(EmailIdentity=domain))
        found += identity_findings(domain, identity)
        tokens = ((identity or {}).get("DkimAttributes") or {}).get("Tokens", ())
        dkim = [f"{token}._domainkey.{domain}" for token in tokens]
    if "sms" in providers:
        attributes = _asked(lambda: target.client("pinpoint-sms-voice-v2").describe_account_attributes())
        found += sms_findings(attributes)
    if "opentext" in providers:
        found.append(
            Finding("OpenText account", "unknown", "only its functions read it", "send one test run")
        )
    limits = _asked(lambda: target.client("lambda").get_account_settings())
    limit = (limits or {}).get("AccountLimit", {}).get("ConcurrentExecutions")
    found += concurrency_findings(parameters, limit)
    return found + dns_findings(
        sender, resolve, dkim, ["amazonses.com"] if "ses" in providers else []
    )  # fmt: skip


def _asked(call: Callable[[], Any]) -> Mapping[str, Any] | None:
    try:
        answer: Mapping[str, Any] = call()
    except Exception:  # no permission, no such thing, no network: all of it is "unknown"
        return None
    return answer


def ses_findings(account: Mapping[str, Any] | None) -> list[Finding]:
    """The SES account: out of the sandbox, and allowed to send."""
    if account is None:
        return [Finding("SES", "unknown", "not readable", "allow ses:GetAccount to whoever runs this")]
    found = []
    if not account.get("ProductionAccessEnabled"):
        cure = "request production access: in the sandbox only verified recipients get mail"
        found.append(Finding("SES sandbox", "problem", "the account is in the sandbox", cure))
    if not account.get("SendingEnabled", True):
        found.append(Finding("SES sending", "problem", "stopped", "read SES's mail to the account's owner"))
    status = account.get("EnforcementStatus", "HEALTHY")
    if status != "HEALTHY":
        cure = "lower bounces and complaints before SES stops the account"
        found.append(Finding("SES reputation", "problem", status, cure))
    return found or [Finding("SES", "ok", "in production, healthy")]


def identity_findings(domain: str, identity: Mapping[str, Any] | None) -> list[Finding]:
    """The sender's domain as SES knows it."""
    if identity is None:
        return [Finding("SES identity", "problem", f"{domain} is not known", "create the identity in SES")]
    if not identity.get("VerifiedForSendingStatus"):
        return [Finding("SES identity", "problem", f"{domain} is not verified", "publish its DKIM records")]
    return [Finding("SES identity", "ok", f"{domain} is verified")]


def sms_findings(attributes: Mapping[str, Any] | None) -> list[Finding]:
    """The SMS account's tier."""
    if attributes is None:
        return [Finding("SMS account", "unknown", "not readable")]
    tier = {a["Name"]: a["Value"] for a in attributes.get("AccountAttributes", ())}.get("ACCOUNT_TIER")
    if tier == "SANDBOX":
        cure = "request production access: in the sandbox only verified numbers get SMS"
        return [Finding("SMS sandbox", "problem", "the account is in the sandbox", cure)]
    return [Finding("SMS account", "ok", str(tier))]
