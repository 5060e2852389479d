"""All checks of `exnotify doctor`, in the order in which they are shown."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import channels, concurrency, hosts, keeping, secrets, sender, ses, sms
from .finding import Finding, Resolver
from .look import Look, Untold
from .resolver import resolver

if TYPE_CHECKING:
    from ..deployment import Deployment


def _always(look: Look) -> bool:
    return True


def _on_aws(look: Look) -> bool:
    """The embedded cloud has examples for parameters, and nobody outside who could be asked."""
    return not look.embedded


def _by_ses(look: Look) -> bool:
    return "ses" in look.providers


def _by_sms(look: Look) -> bool:
    return "sms" in look.providers


@dataclass(frozen=True, slots=True)
class Check:
    """One check: `name` stands for its rows where it gets no answer, `when` says where it applies."""

    name: str
    look: Callable[[Look], Iterable[Finding]]
    when: Callable[[Look], bool] = _always


def _secrets(look: Look) -> Iterator[Finding]:
    def read(name: str) -> str | None:
        told = look.ask("secretsmanager", "get_secret_value", SecretId=name)
        return str(told.get("SecretString", "")) if told else None

    yield from secrets.secret_findings(look.outputs, read, look.providers)


def _sender(look: Look) -> Iterator[Finding]:
    address = look.parameters.get("SenderEmail", "")
    sending = sender.Sending()
    if _by_ses(look):
        with suppress(Untold):  # the row of the identity says so
            sending = ses.ses_sending(*ses.identity_of(look, address))
    yield from sender.dns_findings(address, look.resolve, sending)


CHECKS: tuple[Check, ...] = (
    Check("parameters", lambda look: secrets.placeholder_findings(look.parameters), _on_aws),
    Check("secrets", _secrets),
    Check("secrets kept", keeping.secret_deletion_findings),
    Check("concurrency", concurrency.concurrency_findings),
    Check("functions", concurrency.function_findings),
    Check("SES account", ses.account_findings, _by_ses),
    Check("SES quota", ses.quota_findings, _by_ses),
    Check("SES identity", ses.identity_findings, _by_ses),
    Check("SES events", ses.event_findings, _by_ses),
    Check("SMS sandbox", sms.account_findings, _by_sms),
    Check("SMS spend limit", sms.spend_findings, _by_sms),
    Check("SMS sender", sms.sender_findings, _by_sms),
    Check("SMS events", sms.event_findings, _by_sms),
    Check("DNS of the sender", _sender, _on_aws),
    Check(
        "MX of BounceAddress",
        hosts.bounce_mail_findings,
        lambda look: _on_aws(look) and _by_ses(look) and bool(look.parameters.get("BounceAddress")),
    ),
    Check("link host", hosts.link_host_findings, _on_aws),
    Check("tables", keeping.table_findings),
    Check("evidence lock", keeping.evidence_findings),
    Check("expiry of objects", keeping.expiry_findings),
    Check("log retention", keeping.log_findings),
    Check("KMS keys", keeping.key_findings),
    Check("alarm topic", keeping.alarm_topic_findings, _on_aws),
    Check("team topics", keeping.team_findings, _on_aws),
    Check("alert channels", channels.channel_findings),
)


def examine(target: "Deployment", resolve: Resolver | None = None) -> list[Finding]:
    """Every check that applies; what cannot be looked at is `unknown`."""
    look = Look(target, resolve or resolver())
    found: list[Finding] = []
    for check in CHECKS:
        if not check.when(look):
            continue
        try:
            found.extend(check.look(look))
        except Untold as untold:
            found.append(untold.finding(check.name))
        except (KeyError, IndexError) as error:
            cure = "deploy this release: the stack or an answer of AWS lacks it"
            found.append(Finding(check.name, "unknown", f"there is no {error.args[0]}", cure))
        except LookupError as error:
            cure = "run this where a resolver answers, or name one with --resolver"
            found.append(Finding(check.name, "unknown", str(error), cure))
    return found
