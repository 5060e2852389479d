"""`exnotify contact KEY`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import NEEDS_LOOK, CommandError, MisuseError
from .options import as_json, deployment, on_stack

if TYPE_CHECKING:
    from exstream_notify.domain.contacts import Address, Contact
    from exstream_notify.domain.debt_hold import DebtHold
    from exstream_notify.domain.documents import Channel

    from ..contact_changes import Change
    from ..deployment import Deployment
    from ..personal.places import Scrubbed

_TRIES = 5
_HANDLE = "handle:"


@click.command("contact")
@click.argument("customer_key", metavar="KEY")
@click.option(
    "--set", "settings", multiple=True, metavar="FIELD=VALUE", help="Change a field; may be repeated."
)
@click.option(
    "--release", type=click.Choice(("email", "sms")), help="Lift the suppression of an address; needs --why."
)
@click.option(
    "--allow-change",
    type=click.Choice(("email", "sms")),
    help="Allow a new address that no note about reached its owner; needs --why.",
)
@click.option(
    "--undo-change",
    type=click.Choice(("email", "sms")),
    help="Undo a change of address that is not in effect yet; needs --why.",
)
@click.option(
    "--held",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write all that is held about the customer.",
)
@click.option("--do-not-dun", is_flag=True, help="Ask the customer for no money any more; needs --why.")
@click.option("--dun-again", is_flag=True, help="Lift the hold of --do-not-dun or of a status; needs --why.")
@click.option("--erase", is_flag=True, help="Erase the profile; needs --why.")
@click.option("--domain", metavar="NAME", help="Needed on a deployed stack, or where several know the key.")
@click.option("--recipient", default="", metavar="R", help="Which holder of the account, where records say.")
@click.option("--why", default="", metavar="TEXT", help="The reason, for the contact's history.")
@as_json
@on_stack
def command(
    customer_key: str,
    settings: tuple[str, ...],
    release: "Channel | None",
    allow_change: "Channel | None",
    undo_change: "Channel | None",
    held: Path | None,
    do_not_dun: bool,
    dun_again: bool,
    erase: bool,
    domain: str | None,
    recipient: str,
    why: str,
    as_json: bool,
    stack: str | None,
) -> int:
    """Show a contact, or change it: who changed what, and when, stays in its history.

    KEY is the customer's, or handle:… as incidents name a contact.

    Fields: email, mobile, language, time_zone, country, postcode, paper_required (yes, no),
    channel_order (sms,email), opt_out and opt_in (sms, or statements/sms for one topic), opt_outs
    (all of them at once), consent (yes, no), legal_hold (the matter; it forbids to erase). An empty
    value gives the field back to the drops.
    """
    from ..contact_changes import ChangeRefusedError, parse_change
    from ..dunning import account_of
    from ..screen import emit_json

    try:
        changes = [parse_change(text) for text in settings]
    except ChangeRefusedError as error:
        raise MisuseError(str(error)) from error
    for option, given in (
        ("--release", release), ("--allow-change", allow_change), ("--undo-change", undo_change),
        ("--do-not-dun", do_not_dun), ("--dun-again", dun_again),
    ):  # fmt: skip
        if given and not why.strip():
            raise MisuseError(f"{option} needs --why TEXT: whoever asks later must find the reason")
    if do_not_dun and dun_again:
        raise MisuseError("--do-not-dun and --dun-again contradict each other")
    target = deployment(stack)
    if do_not_dun or dun_again:
        from ..dunning import control_dunning

        control_dunning(target, customer_key, domain, why, hold=do_not_dun)
    contact = _find(target, customer_key, recipient, domain, unknown_too=erase)
    if contact.is_erased and (changes or release or allow_change or undo_change):
        raise CommandError(f"{_erased(contact)}: nothing of it can be changed")
    if release:
        contact = _release(target, contact, release, why)
    for channel, allow in ((undo_change, False), (allow_change, True)):
        if channel:
            contact = _judge(target, contact, channel, why, allow=allow)
    if held is not None or erase:
        from ..holdings import erase as erase_it
        from ..holdings import write_held

        if held is not None:
            write_held(target, contact, held)
        return _told_erased(*erase_it(target, contact, why)) if erase else 0
    if changes:
        contact = _change(target, contact, changes, why)
    account = account_of(target, contact)
    if as_json:
        row = {**contact_row(contact), "changing": change_rows(target, contact)}
        row["debt_hold"] = contact_row(account)["debt_hold"]
        emit_json({**row, "suppressions": suppression_rows(target, contact)})
    else:
        _show(contact, account, suppression_rows(target, contact), change_rows(target, contact))
    return 0


def _told_erased(mark: "Contact", done: "Scrubbed") -> int:
    """Say what an erasure came to: 3 where something is left to do."""
    from ..screen import remark

    remark(_erased(mark))
    if changed := ", ".join(f"{number} {name}" for name, number in done.changed.items() if number):
        remark(f"erased with the profile: {changed}")
    for sentence in done.left:
        remark(f"left: {sentence}")
    if done.left:
        remark("the erasure is not finished: run the same command again later")
    return NEEDS_LOOK if done.left else 0


def _release(target: "Deployment", contact: "Contact", channel: "Channel", why: str) -> "Contact":
    from exstream_notify.use_cases.release_address import NothingToRelease, release_address

    from ..screen import remark

    app = target.app
    try:
        after, lifted = release_address(
            contact,
            channel,
            target.who,
            why,
            contacts=app.contacts,
            suppressions=app.suppressions,
            bus=app.exceptions,
            clock=app.clock,
        )
    except NothingToRelease as error:
        raise CommandError(str(error)) from error
    remark(f"released: {len(lifted)} suppression(s) of the address for {channel} lifted")
    return after


def _judge(
    target: "Deployment", contact: "Contact", channel: "Channel", why: str, *, allow: bool
) -> "Contact":
    from exstream_notify.use_cases.change_preferences import Judgement, judge_change

    app = target.app
    judgement = Judgement(channel, allow, target.who, why)
    after = judge_change(contact, judgement, contacts=app.contacts, due=app.due, clock=app.clock)
    if after is None:
        waits = "waits for a person" if allow else "was confirmed and is not in effect yet"
        raise CommandError(f"no change of address for {channel} {waits}")
    return after


def suppression_rows(target: "Deployment", contact: "Contact") -> list[dict[str, Any]]:
    """What the suppression list holds of a contact's addresses, with its history."""
    app = target.app
    rows = []
    channels: tuple[Channel, ...] = ("email", "sms")
    for channel in channels:
        address = contact.address(channel)
        if address is None:
            continue
        places = [(channel, one) for one in app.suppressions.hashes(channel, address.value)]
        for entry in app.suppressions.entries(places).values():
            if entry.version or entry.reason:
                row = asdict(entry)
                del row["address"], row["version"]
                rows.append({**row, "in_force": entry.in_force(app.clock.now())})
    return rows


def change_rows(target: "Deployment", contact: "Contact") -> list[dict[str, Any]]:
    """Changes of address that are not in effect yet, with how each message to the owner stands now.

    The code's keyed hash stays out.
    """
    told = {row.notice_id for change in contact.changing for row in change.told}
    stored = target.app.ledger.get(told) if told else {}
    rows = []
    for change in contact.changing:
        row = asdict(change)
        del row["code"], row["address"]["holder"]
        for message in row["told"]:
            notice = stored.get(message["notice_id"])
            message["status"] = str(notice.status) if notice else message["status"]
        rows.append(row)
    return rows


def _erased(contact: "Contact") -> str:
    return f"the customer was erased at {contact.erased_at} by {contact.erased_by}: {contact.erased_why}"


def _find(
    target: "Deployment", customer_key: str, recipient: str, domain: str | None, *, unknown_too: bool
) -> "Contact":
    """The contact; with `unknown_too` and a domain also one of a customer of whom no record came yet, since
    a held run may have some."""
    from exstream_notify.domain.contacts import Contact
    from exstream_notify.domain.identity import contact_key

    from ..notices import domains_of

    if customer_key.startswith(_HANDLE):
        by_handle = target.app.contacts.by_handle(customer_key.removeprefix(_HANDLE))
        if by_handle is None:
            raise CommandError(f"no contact {customer_key}: was the customer erased?")
        return by_handle
    domains = domains_of(target, customer_key, domain)
    if len(domains) > 1:
        raise MisuseError(f"{', '.join(domains)} all know a customer {customer_key}: say which with --domain")
    key = contact_key(customer_key, recipient)
    found = target.app.contacts.get(domains[0], [key]).get(key) if domains else None
    if found is None:
        where = f" in domain {domain}" if domain else ""
        if others := _recipients(target, domains, customer_key):
            raise CommandError(
                f"no contact {customer_key}{f' of recipient {recipient}' if recipient else ''}{where}: "
                f"its notices name {', '.join(others)}: say which with --recipient"
            )
        if unknown_too and domain is not None:
            fields = target.app.rules.domain(domain).holders
            if fields and not recipient:
                # Its records will name a recipient, so a mark without one would stop none of them.
                raise CommandError(
                    f"no contact {customer_key}{where}, where {', '.join(fields)} tell holders apart: "
                    "say which with --recipient"
                )
            return Contact(domain, customer_key, "", recipient=recipient)
        raise CommandError(f"no contact {customer_key}{where}: a customer's first document makes one")
    return found


def _recipients(target: "Deployment", domains: list[str], customer_key: str) -> list[str]:
    """The recipients that a customer's notices name."""
    notices = target.app.ledger.of_customer(domains[0], customer_key) if domains else []
    return sorted({notice.recipient for notice in notices if notice.recipient})


def _change(target: "Deployment", contact: "Contact", changes: "list[Change]", why: str) -> "Contact":
    from exstream_notify.use_cases.tell_portal import PortalNews

    from ..contact_changes import ChangeRefusedError, apply_changes
    from ..screen import remark

    app = target.app
    news = PortalNews(**app.news_ports())
    for _ in range(_TRIES):
        if contact.is_erased:
            raise CommandError(_erased(contact))
        try:
            after = apply_changes(
                contact, changes, check=app.addresses.check, now=app.clock.now(), who=target.who, why=why
            )
        except ChangeRefusedError as error:
            raise MisuseError(str(error)) from error
        if after is contact:
            remark("nothing to change: it says so already")
            return contact
        if news.put(contact, after):
            return after
        # Somebody else wrote in between: their change stays, ours is made on top of it.
        contact = app.contacts.get(contact.domain, [contact.contact_key])[contact.contact_key]
    raise CommandError(f"contact {contact.customer_key} kept changing: try again")


def contact_row(contact: "Contact") -> dict[str, Any]:
    """A contact in the form of `exnotify contact --json`; the salt, a key of its evidence, stays out.

    Of the second step only its kind is told, not the hash of the answer.
    """
    row = asdict(contact)
    del row["salt"]
    for name in ("email", "mobile"):
        if row[name]:
            del row[name]["holder"]
    row["second_step"] = contact.second_step.partition(" ")[0]
    row["opt_outs"] = {topic: list(channels) for topic, channels in sorted((contact.opt_outs or {}).items())}
    return row


def _show(
    contact: "Contact",
    account: "Contact",
    suppressions: list[dict[str, Any]],
    changes: list[dict[str, Any]],
) -> None:
    from exstream_notify.domain.hearing import counts, said_of

    from ..contact_changes import said as field_text
    from ..screen import console, fields, table

    out = console()
    if contact.is_erased:
        out.print(f"{contact.customer_key}: {_erased(contact)}", markup=False)
        if contact.debt_hold is not None and contact.debt_hold.in_force:
            out.print("do not dun: stands until --dun-again")
        return
    plain = ("language", "time_zone", "country", "postcode", "paper_required", "channel_order", "opt_outs")
    out.print(
        fields(
            [
                ("customer", contact.customer_key),
                *([("recipient", contact.recipient)] if contact.recipient else []),
                ("domain", contact.domain),
                *([("erased", _erased(contact))] if contact.erased_at else []),
                ("email", _spoken(contact.email)),
                ("mobile", _spoken(contact.mobile)),
                *(
                    (name.replace("_", " "), field_text(contact, name))
                    for name in (*plain, "consent", "legal_hold")
                ),
                *([("do not dun", _hold(account.debt_hold))] if account.debt_hold else []),
                ("set for the customer", ", ".join(contact.set_by_customer)),
                ("addresses locked until", contact.changes_locked_until),
                ("created", contact.created_at),
                ("changed", f"{contact.changed_at}  (version {contact.version})"),
            ]
        )
    )
    for row in suppressions:
        state = "suppressed" if row["in_force"] else "released" if row["released_at"] else "watched"
        out.print(f"{row['channel']}: {state} {row['reason']} {row['source']} {row['at']}", markup=False)
        for entry in row["history"]:
            out.print(f"    {entry['at']}  {entry['what']}  {entry['who']}  {entry['why']}", markup=False)
    for row in changes:
        out.print(f"{row['channel']}: changes to {row['address']['value']}  {_progress(row)}", markup=False)
        for message in row["told"]:
            columns = ("at", "note", "channel", "to", "status", "notice_id")
            out.print("    " + "  ".join(message[name] for name in columns), markup=False)
    if said := sorted(said_of(contact).values(), key=lambda one: (one.what, one.at)):
        # Of one thing the newest word of each source: the one that counts is marked.
        out.print(
            table(
                ("what", "said", "at", "by", "counts"),
                ((s.what, s.value, s.at, s.by or "?", "yes" if counts(contact, s) else "") for s in said),
            )
        )
    if contact.history:
        columns = ("at", "who", "field", "from", "to", "why")
        out.print(table(columns, ([entry.get(name, "") for name in columns] for entry in contact.history)))


def _hold(hold: "DebtHold") -> str:
    said = f"{', '.join(hold.reasons)}  ({hold.who}, {hold.at}{f', {hold.why}' if hold.why else ''})"
    return said if hold.in_force else f"lifted {hold.lifted_at}; was: {said}"


def _progress(change: dict[str, Any]) -> str:
    if not change["confirmed_at"]:
        return f"asked {change['asked_at']}, waits for its code until {change['expires_at']}"
    review = {"asked": ", waits for a person: --allow-change or --undo-change", "allowed": ", allowed"}
    return (
        f"confirmed {change['confirmed_at']}, in effect from {change['effective_at']}"
        f"{review.get(change['review'], '')}"
    )


def _spoken(address: "Address | None") -> str:
    if address is None:
        return ""
    status = f"{address.status}: {address.why}" if address.why else address.status
    return f"{address.value}  ({status}, from {address.source})"
