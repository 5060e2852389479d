"""DNS of the sender: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489), and whether they fit together."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from .finding import Finding, Resolver


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
    ours = organisation(returns) == organisation(domain)
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
    lookups, reached, broken = _spf_lookups(domain, resolve)
    if lookups > SPF_LOOKUPS:
        cure = "at most ten are followed, then it fails: RFC 7208, 4.6.4"
        return Finding("SPF", "problem", f"{lookups} lookups", cure)
    if broken:
        what = f"it includes {', '.join(broken)}, without one SPF record"
        return Finding("SPF", "problem", what, "take it out, or mend it there: the whole record fails now")
    if includes and not reached & set(includes):
        return Finding("SPF", "warning", record, f"add include:{includes[0]} unless a MAIL FROM domain does")
    if terms[-1] not in ("-all", "~all") and not any(t.startswith("redirect=") for t in terms):
        return Finding("SPF", "warning", record, "end it with -all or ~all: without, strangers are neutral")
    return Finding("SPF", "ok", record)


def _spf_lookups(domain: str, resolve: Resolver) -> tuple[int, set[str], list[str]]:
    """How many lookups the domain's record takes, all domains it reaches, and those of them that have not
    exactly one record, which makes the whole fail (RFC 7208, 5.2); it ends beyond the limit."""
    count, reached, broken, pending = 0, set[str](), list[str](), [domain]
    while pending and count <= SPF_LOOKUPS:
        name = pending.pop()
        records = _spf_records(name, resolve)
        if len(records) != 1:
            broken.append(name)
        for record in records[:1]:
            for term in record.lower().split()[1:]:
                kind, _, name = re.sub(r"^[+?~-]", "", term).replace("=", ":", 1).partition(":")
                if kind.partition("/")[0] in ("include", "a", "mx", "ptr", "exists", "redirect"):
                    count += 1
                if kind in ("include", "redirect") and "%" not in name:  # a macro stands for the sender
                    reached.add(name.rstrip("."))
                    pending.append(name.rstrip("."))
    return count, reached, sorted(set(broken))


_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "gob", "gov", "gouv", "ltd", "ne", "net", "or", "org"})


def organisation(domain: str) -> str:
    # In place of the public suffix list: the last two labels, three under a country's own second level.
    labels = domain.split(".")
    under = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3 if under else -2 :])


def _policy(domain: str, resolve: Resolver) -> tuple[str, list[str], Mapping[str, str]]:
    """Where the policy that holds for a domain stands, the records there, and the first one's tags."""
    for name in dict.fromkeys((domain, organisation(domain))):
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
            name.lower() == domain if strict else organisation(name.lower()) == organisation(domain)
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
        keys = [text for text in resolve(name, "TXT") if re.search(r"\bp\s*=", text)]
        if keys and re.search(r"\bp=;?$", keys[0].replace(" ", "")):
            cure = "publish the provider's key of now: an empty one is revoked (RFC 6376, 3.6.1)"
            return Finding(f"DKIM {name}", "problem", "the key is revoked", cure)
        if keys and re.search(r"\bp=[A-Za-z0-9+/]{40,}", keys[0].replace(" ", "")):
            return Finding(f"DKIM {name}", "ok", "a key")
        if target := resolve(name, "CNAME"):
            cure = f"publish the provider's record for {name}; if it is this one, wait for the provider"
            return Finding(f"DKIM {name}", "problem", f"no key at {target[0].rstrip('.')}", cure)
        return Finding(f"DKIM {name}", "problem", "no key", f"publish the provider's record for {name}")

    return look
