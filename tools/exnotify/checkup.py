"""What `exnotify doctor` looks at. Each check is a function of what it needs; it says what to do.

The sender's DNS: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489). Sandbox: "Request production access",
SES developer guide; "SMS sandbox", AWS End User Messaging.
"""

import json
import re
import subprocess
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
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


@dataclass(frozen=True, slots=True)
class Sending:
    """How a provider sends for the sender, as far as it is known.

    `dkim_names` are where its keys must be, `includes` what one of must stand in the SPF record that counts.
    `signs_as` is the domain of its DKIM signature (d=), `returns_to` that of the return path (MAIL FROM),
    whose SPF receivers look at; None where only the provider knows.
    """

    dkim_names: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    signs_as: str | None = None
    returns_to: str | None = None


def dns_findings(sender: str, resolve: Resolver, sending: Sending = Sending()) -> list[Finding]:
    """SPF, DKIM and DMARC of the sender's domain, and whether what the provider does is aligned with it."""
    domain = sender.rpartition("@")[2].lower()
    returns = (sending.returns_to or domain).lower()
    ours = _organisation(returns) == _organisation(domain)
    spf = returns if ours else domain  # the provider's own return path is the provider's to keep
    checks: Iterable[tuple[str, str, Callable[[], Finding]]] = (
        ("SPF", spf, lambda: _spf(spf, resolve, sending.includes, "" if ours else returns)),
        *((f"DKIM {name}", name, _dkim_of(name, resolve)) for name in sending.dkim_names),
        ("DMARC", domain, lambda: _dmarc(domain, resolve)),
        ("DMARC alignment", domain, lambda: _aligned(domain, resolve, sending)),
    )
    found = []
    for check, name, look in checks:
        try:
            found.append(look())
        except LookupError as error:
            cure = f"look up {name} on a machine that has a resolver"
            found.append(Finding(check, "unknown", str(error), cure))
    return found


SPF_LOOKUPS = 10
"""How many lookups an SPF record may take, those of what it includes among them: RFC 7208, 4.6.4."""


def _spf_records(name: str, resolve: Resolver) -> list[str]:
    # "v=spf10" is another version: RFC 7208, 4.5.
    return [text for text in resolve(name, "TXT") if re.match(r"v=spf1( |$)", text, re.IGNORECASE)]


def _spf(domain: str, resolve: Resolver, includes: Sequence[str], elsewhere: str) -> Finding:
    """The record of the return path; mail that returns `elsewhere` needs none here, but forgers use that."""
    records = _spf_records(domain, resolve)
    if not records and elsewhere:
        what = f"{domain} has no v=spf1 record; mail returns to {elsewhere}, whose own counts"
        return Finding(
            "SPF", "warning", what, "publish v=spf1 -all, with whoever else sends as it before -all"
        )
    if not records:
        return Finding(
            "SPF", "problem", f"{domain} has no v=spf1 record", "publish one that names the provider"
        )
    if len(records) > 1:
        return Finding(
            "SPF", "problem", f"{domain} has {len(records)} SPF records", "leave one: RFC 7208, 3.2"
        )
    (record,) = records
    terms = record.lower().split()
    if {"+all", "all"} & set(terms):
        return Finding("SPF", "problem", record, "end it with -all or ~all: now everybody may send as you")
    lookups, reached = _spf_lookups(domain, resolve)
    if lookups > SPF_LOOKUPS:
        cure = "at most ten are followed, then it fails: RFC 7208, 4.6.4"
        return Finding("SPF", "problem", f"{lookups} lookups", cure)
    if includes and not reached & set(includes):
        return Finding("SPF", "warning", record, f"add include:{includes[0]} unless a MAIL FROM domain does")
    if terms[-1] not in ("-all", "~all") and not any(t.startswith("redirect=") for t in terms):
        return Finding("SPF", "warning", record, "end it with -all or ~all: without, strangers are neutral")
    return Finding("SPF", "ok", record)


def _spf_lookups(domain: str, resolve: Resolver) -> tuple[int, set[str]]:
    """How many lookups the domain's record takes, and all domains it reaches; it ends beyond the limit."""
    count, reached, pending = 0, set[str](), [domain]
    while pending and count <= SPF_LOOKUPS:
        for record in _spf_records(pending.pop(), resolve)[:1]:
            for term in record.lower().split()[1:]:
                kind, _, name = re.sub(r"^[+?~-]", "", term).replace("=", ":", 1).partition(":")
                if kind.partition("/")[0] in ("include", "a", "mx", "ptr", "exists", "redirect"):
                    count += 1
                if kind in ("include", "redirect") and "%" not in name:  # a macro stands for the sender
                    reached.add(name.rstrip("."))
                    pending.append(name.rstrip("."))
    return count, reached


_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "gob", "gov", "gouv", "ltd", "ne", "net", "or", "org"})


def _organisation(domain: str) -> str:
    # In place of the public suffix list: the last two labels, three under a country's own second level.
    labels = domain.split(".")
    under = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3 if under else -2 :])


def _policy(domain: str, resolve: Resolver) -> tuple[str, list[str], Mapping[str, str]]:
    """Where the policy that holds for a domain stands, the records there, and the first one's tags."""
    for name in dict.fromkeys((domain, _organisation(domain))):
        records = [
            text for text in resolve(f"_dmarc.{name}", "TXT") if re.match(r"v\s*=\s*DMARC1\s*(;|$)", text)
        ]
        if records:
            tags = dict(re.findall(r"(\w+)\s*=\s*([^;\s]+)", records[0]))
            return name, records, {tag.lower(): value for tag, value in tags.items()}
    return "", [], {}


def _dmarc(domain: str, resolve: Resolver) -> Finding:
    where, records, tags = _policy(domain, resolve)
    if not records:
        cure = "publish _dmarc: bulk senders without it are refused by Gmail and Yahoo"
        return Finding("DMARC", "problem", f"{domain} has no DMARC record", cure)
    (record, *more) = records
    if more:
        cure = "leave one: with two receivers apply none (RFC 7489, 6.6.3)"
        return Finding("DMARC", "problem", f"_dmarc.{where} has {len(records)} records", cure)
    # The organisation's record has a policy of its own for subdomains: RFC 7489, 6.3, `sp`.
    policy = (tags.get("sp") if where != domain else None) or tags.get("p", "none")
    if policy.lower() not in ("quarantine", "reject"):
        return Finding("DMARC", "warning", record, "p=none protects nobody: go to quarantine, then reject")
    if tags.get("pct", "100") != "100":
        return Finding(
            "DMARC", "warning", record, f"it holds for {tags['pct']} % of mail only: take pct away"
        )
    if "rua" not in tags:
        return Finding("DMARC", "warning", record, "add rua=mailto:…: without reports nobody sees a forgery")
    return Finding("DMARC", "ok", record)


def _aligned(domain: str, resolve: Resolver, sending: Sending) -> Finding:
    """Whether DKIM or SPF passes *for the sender's domain*, which is what DMARC asks: RFC 7489, 3.1."""
    check = "DMARC alignment"
    _, records, tags = _policy(domain, resolve)
    if not records:
        return Finding(check, "unknown", "there is no DMARC record to align with", "publish one first")

    def fits(name: str | None, tag: str) -> bool:
        strict = tags.get(tag, "r").lower() == "s"
        return name is not None and (
            name.lower() == domain if strict else _organisation(name.lower()) == _organisation(domain)
        )

    dkim, spf = fits(sending.signs_as, "adkim"), fits(sending.returns_to, "aspf")
    known = f"DKIM d={sending.signs_as or '?'}, return path {sending.returns_to or '?'}, sender {domain}"
    if dkim and spf:
        return Finding(check, "ok", f"both pass for the sender: {known}")
    if dkim:
        what = "DKIM passes for the sender, SPF does not, which is enough"
        return Finding(check, "ok", f"{what}: {known}", "a MAIL FROM subdomain would align SPF too")
    if spf:
        cure = f"have the provider sign as {domain}: SPF does not survive forwarding, DKIM does"
        return Finding(check, "warning", f"only SPF passes for the sender: {known}", cure)
    if sending.signs_as is None:
        cure = f"ask the provider to sign with d={domain}; then send one mail and look for dmarc=pass in its"
        return Finding(check, "unknown", f"only the provider knows: {known}", f"{cure} headers")
    modes = ", ".join(f"{tag}=s" for tag in ("adkim", "aspf") if tags.get(tag, "r").lower() == "s")
    cure = f"sign as {domain}" + (f", or take {modes} out of the DMARC record" if modes else "")
    return Finding(check, "problem", f"neither passes for the sender, so DMARC fails: {known}", cure)


def _dkim_of(name: str, resolve: Resolver) -> Callable[[], Finding]:
    def look() -> Finding:
        if resolve(name, "CNAME"):
            return Finding(f"DKIM {name}", "ok", "a CNAME to the provider's key")
        keys = [text for text in resolve(name, "TXT") if re.search(r"\bp\s*=", text)]
        if keys and re.search(r"\bp=;?$", keys[0].replace(" ", "")):
            cure = "publish the provider's key of now: an empty one is revoked (RFC 6376, 3.6.1)"
            return Finding(f"DKIM {name}", "problem", "the key is revoked", cure)
        if keys and re.search(r"\bp=[A-Za-z0-9+/]{40,}", keys[0].replace(" ", "")):
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


CREDENTIALS = "OpenTextCredentials"


def secret_findings(
    outputs: Mapping[str, str], read: Callable[[str], str | None], providers: Collection[str]
) -> list[Finding]:
    """Every secret that the stack's outputs name; `read` gives a secret's text, None if it cannot be read."""
    found: list[Finding] = []
    for output, secret in sorted(outputs.items()):
        if not output.endswith(("Secret", "SecretArn")):
            continue
        name = output.removesuffix("Arn") if output.endswith("Arn") else output.removesuffix("Secret")
        text = read(secret)
        if name == CREDENTIALS:
            if "opentext" not in providers:
                continue
            if text is None:
                cure = "allow secretsmanager:GetSecretValue to whoever runs this, or send one test run"
                found.append(Finding("OpenText account", "unknown", "not readable", cure))
            else:
                found += credential_findings(text)
        elif text is None or '"current"' in text or name in KEYS:
            found += key_findings(name, text)
        else:
            found.append(Finding(f"secret {name}", "ok", "there"))
    return found


KEYS = frozenset({"Peppers", "LinkKeys", "EvidenceMaster"})
"""Secrets that are sets of keys, whatever they look like now."""


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
    providers |= set(re.findall(r"=\s*(\w+)", parameters.get("ProviderOverrides", "")))
    found: list[Finding] = []
    if target.url is None:
        found += placeholder_findings(parameters)
    found += secret_findings(target.outputs, lambda secret: _secret(target, secret), providers)
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
    sending = Sending()
    if "ses" in providers:
        account = _asked(lambda: target.client("sesv2").get_account())
        found += ses_findings(account)
        found += rate_findings(parameters, (account or {}).get("SendQuota", {}).get("MaxSendRate"))
        domain, identity = _identity(target, sender)
        found += identity_findings(domain, identity)
        sending = ses_sending(domain, identity)
        if bounces := parameters.get("BounceAddress", ""):
            # SES refuses every message whose return path it has not verified.
            found += identity_findings(*_identity(target, bounces), "SES bounce address")
    if "sms" in providers:
        attributes = _asked(lambda: target.client("pinpoint-sms-voice-v2").describe_account_attributes())
        found += sms_findings(attributes)
    limits = _asked(lambda: target.client("lambda").get_account_settings())
    limit = (limits or {}).get("AccountLimit", {}).get("ConcurrentExecutions")
    found += concurrency_findings(parameters, limit)
    return found + dns_findings(sender, resolve, sending)


def _identity(target: "Deployment", address: str) -> tuple[str, Mapping[str, Any] | None]:
    """The domain, or its organisation's, that SES knows for an address; None as its identity: neither."""
    domain = address.rpartition("@")[2].lower()

    def known(name: str) -> Mapping[str, Any] | None:
        return _asked(lambda: target.client("sesv2").get_email_identity(EmailIdentity=name))

    found = ((name, known(name)) for name in dict.fromkeys((domain, _organisation(domain))))
    return next(((name, identity) for name, identity in found if identity is not None), (domain, None))


def ses_sending(domain: str, identity: Mapping[str, Any] | None) -> Sending:
    """How SES sends for an identity: it signs as the domain once Easy DKIM is done, and returns to its own
    domain unless a MAIL FROM domain is set up (SES developer guide, "Complying with DMARC")."""
    dkim = (identity or {}).get("DkimAttributes") or {}
    mail_from = (identity or {}).get("MailFromAttributes") or {}
    own = mail_from.get("MailFromDomain") if mail_from.get("MailFromDomainStatus") == "SUCCESS" else None
    return Sending(
        tuple(f"{token}._domainkey.{domain}" for token in dkim.get("Tokens", ())),
        ("amazonses.com",) if own else (),
        domain if dkim.get("Status") == "SUCCESS" else "amazonses.com",
        own or "amazonses.com",
    )


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


def identity_findings(
    domain: str, identity: Mapping[str, Any] | None, check: str = "SES identity"
) -> list[Finding]:
    """The domain of the sender, or of the bounce address, as SES knows it."""
    if identity is None:
        return [Finding(check, "problem", f"{domain} is not known", "create the identity in SES")]
    if not identity.get("VerifiedForSendingStatus"):
        return [Finding(check, "problem", f"{domain} is not verified", "publish its DKIM records")]
    return [Finding(check, "ok", f"{domain} is verified")]


def sms_findings(attributes: Mapping[str, Any] | None) -> list[Finding]:
    """The SMS account's tier."""
    if attributes is None:
        return [Finding("SMS account", "unknown", "not readable")]
    tier = {a["Name"]: a["Value"] for a in attributes.get("AccountAttributes", ())}.get("ACCOUNT_TIER")
    if tier == "SANDBOX":
        cure = "request production access: in the sandbox only verified numbers get SMS"
        return [Finding("SMS sandbox", "problem", "the account is in the sandbox", cure)]
    return [Finding("SMS account", "ok", str(tier))]
