"""DNS beside the sender: who takes the mail that comes back, and where customers' links lead."""

from collections.abc import Iterator

from .finding import Finding, Resolver
from .look import Look

_INBOUND = "inbound-smtp.{region}.amazonaws.com"
_CHAIN = 8


def mail_exchangers(domain: str, resolve: Resolver) -> list[str]:
    """The hosts that take a domain's mail, the first preference first; a null MX (RFC 7505) is none."""
    found = sorted(
        (int(preference), host.rstrip(".").lower())
        for preference, _, host in (record.partition(" ") for record in resolve(domain, "MX"))
    )
    return [host for _, host in found if host]


def bounce_mail_findings(look: Look) -> Iterator[Finding]:
    """MX of the bounce domain. SES refuses no address for want of it, but the bounces go nowhere."""
    check = "MX of BounceAddress"
    domain = look.parameters["BounceAddress"].rpartition("@")[2].lower()
    hosts = mail_exchangers(domain, look.resolve)
    inbound = _INBOUND.format(region=look.region)
    if not hosts:
        cure = f"publish MX 10 {inbound} for {domain}, or leave BounceAddress empty"
        yield Finding(check, "problem", f"{domain} takes no mail", cure)
    elif look.parameters.get("BounceMails") == "on" and inbound not in hosts:
        cure = "have that server forward to SES, or take the bounces where they are: docs/receipts.md"
        yield Finding(check, "warning", f"{hosts[0]}, which is not SES in {look.region}", cure)
    else:
        yield Finding(check, "ok", hosts[0])


def link_host_findings(look: Look) -> Iterator[Finding]:
    """Whether the host of the secure links leads to the stack's API."""
    host = look.parameters.get("LinkHost", "")
    target, said = _entrance(look, host)
    addresses = _addresses(host, look.resolve)
    if look.outputs.get("EdgeDomainName") and not look.parameters.get("EdgeCertificate"):
        cure = "set EdgeCertificate to the host's certificate in us-east-1, and deploy"
        found = f"CloudFront does not know {host}: links either pass by the web ACL or open nothing"
        yield Finding("link host", "problem", found, cure)
    elif not addresses:
        cure = f"publish a CNAME or alias of {host} to {target or 'what stands before the API'}"
        yield Finding("link host", "problem", f"{host} does not resolve: links open nothing", cure)
    elif not target:
        cure = f"open https://{host}/ in a browser: it must be answered by the API"
        yield Finding("link host", "unknown", f"{host} resolves; {said}", cure)
    elif _leads(host, target, look.resolve) or addresses & _addresses(target, look.resolve):
        yield Finding("link host", "ok", f"{host} leads to {target}")
    else:
        cure = f"point it at {target}, unless a proxy of your own stands there and passes everything on"
        yield Finding("link host", "warning", f"{host} leads to {', '.join(sorted(addresses)[:2])}", cure)


def _entrance(look: Look, host: str) -> tuple[str, str]:
    """The name that the host must lead to; empty where only the site knows, with why."""
    if edge := look.outputs.get("EdgeDomainName"):
        return edge.lower(), ""
    if not look.parameters.get("LinkCertificate"):
        return "", "without LinkCertificate the stack has no domain of its own"
    told = look.ask("apigatewayv2", "get_domain_name", DomainName=host) or {}
    names = [row.get("ApiGatewayDomainName", "") for row in told.get("DomainNameConfigurations", ())]
    return (str(names[0]).lower(), "") if names and names[0] else ("", "API Gateway does not know it")


def _addresses(name: str, resolve: Resolver) -> set[str]:
    return {*resolve(name, "A"), *resolve(name, "AAAA")}


def _leads(name: str, target: str, resolve: Resolver) -> bool:
    for _ in range(_CHAIN):
        names = resolve(name, "CNAME")
        if not names:
            return False
        name = names[0].rstrip(".").lower()
        if name == target:
            return True
    return False
