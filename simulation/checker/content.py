"""What a message says: to whom, about which document, in which language, and nothing of anybody else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from .book import Book, Given, when
from .claims import claim
from .reading import languages, subjects
from .seen import NOBODY_NAMED, Act, Row, Sent

Contradictions = Iterator[tuple[str, list[str]]]

OWN_MARKS = ("email", "mobile", "account_number", "reference_no", "document_id", "case_id", "output_uri")
"""Fields whose values name one customer or one document."""

LEAST = 6
"""Shorter values are no marks: they occur by accident."""

_TOKEN = re.compile(r"[\w@.+/-]{6,}")
_MONEY = re.compile(
    r"(?<![\w.,/:-])\d{1,3}(?:[.,\u00a0\u202f' ]?\d{3})*[.,]\d{2}(?![\w/-])|(?<=[¥￥])[\d,.]+"
)


def _ours(book: Book) -> Iterator[tuple[Sent, Row]]:
    for message in book.messages:
        if book.to_customer(message):
            yield message, book.notice(message.notice)


@claim("A message goes to an address that its customer had when it was handed over.")
def address_is_the_customers(book: Book) -> Contradictions:
    """Its record's, what the customer or an operator set, or what another record of the customer says."""
    known = _addresses(book)
    for message, notice in _ours(book):
        whose = book.key_of(notice)[:3]
        # Who is told apart by a hash may have changed the address on a page, which knows the hash.
        own = known.get((*whose[:2], str(notice.get("recipient") or "")), {})
        addresses = {**own, **known.get(whose, {})}
        if message.address.lower() not in addresses:
            yield (
                message.ref,
                [book.line(message), f"the customer's addresses: {', '.join(sorted(addresses)) or 'none'}"],
            )
            continue
        since = addresses[message.address.lower()]
        if message.began < since - book.seen.slack:
            yield message.ref, [book.line(message), f"the customer has this address since {when(since)}"]


@claim("After a customer's address was changed nothing goes to the old one.")
def old_address_is_silent(book: Book) -> Contradictions:
    """`set address` acts that a customer or an operator made; the system of record may bring another
    later."""
    for act in book.acts["set address"]:
        later = [
            given.at
            for given in book.seen.drops
            for record in given.records
            if given.at > act.at and record.fields.get("customer_key") == act.customer
        ]
        end = min(
            [
                *later,
                *(o.at for o in book.acts["set address"] if o.at > act.at and o.customer == act.customer),
            ],
            default=float("inf"),
        )
        for message, notice in _ours(book):
            mine = book.about(act, notice) and message.channel == act.channel
            if (
                mine
                and book.holds_from(act) < message.began < end
                and message.address.lower() != act.address.lower()
            ):
                yield (
                    message.ref,
                    [f"{when(act.at)} {act.customer} has {act.address} from now on", book.line(message)],
                )


def _addresses(book: Book) -> Mapping[tuple[str, str, str], dict[str, float]]:
    """Each contact's addresses, with the first time that anybody said them."""
    known: dict[tuple[str, str, str], dict[str, float]] = {}
    for drop in book.seen.drops:
        for record in drop.records:
            whose = Given(drop, record).key[:3]
            for name in ("email", "mobile"):
                if value := str(record.fields.get(name) or "").lower():
                    have = known.setdefault(whose, {})
                    have[value] = min(have.get(value, drop.at), drop.at)
    for act in (*book.acts["set address"], *book.acts["may set address"]):
        holder = "" if act.recipient == NOBODY_NAMED else act.recipient
        have = known.setdefault((act.domain, act.customer, holder), {})
        have[act.address.lower()] = min(have.get(act.address.lower(), act.at), act.at)
    return known


@claim("A message has nothing of another customer, and no whole account number.")
def nobody_elses_data(book: Book) -> Contradictions:
    """By everything in the dropped records that names one customer alone."""
    owners: dict[str, set[tuple[str, str]]] = {}
    accounts: set[str] = set()
    for drop in book.seen.drops:
        for record in drop.records:
            customer = (drop.domain, str(record.fields.get("customer_key") or ""))
            for name in OWN_MARKS:
                value = str(record.fields.get(name) or "").lower()
                if len(value) >= LEAST:
                    owners.setdefault(value, set()).add(customer)
                    if name == "account_number":
                        accounts.add(value)
    for message in book.messages:
        notice = book.notice(message.notice)
        whose = (str(notice.get("domain", "")), str(notice.get("customer_key", "")))
        for token in _tokens((message.subject, message.text, message.html)):
            foreign = owners.get(token)
            if foreign and whose not in foreign and notice.get("audience") == "customer":
                yield message.ref, [book.line(message), f"{token!r} is of {sorted(foreign)}"]
            if token in accounts:
                yield message.ref, [book.line(message), f"the whole account number {token!r}"]


def _tokens(texts: Iterable[str]) -> set[str]:
    found = {token for text in texts for token in _TOKEN.findall(text)}
    return {form for token in map(str.lower, found) for form in (token, token.strip(".-/"))}


@claim("A message is in its customer's language, where there are words in it.")
def language_is_the_customers(book: Book) -> Contradictions:
    """By the subject of an e-mail."""
    for message, notice in _ours(book):
        spoken = subjects().get(message.subject)
        if message.channel != "email" or not spoken:
            continue
        wanted = _languages(book, notice, message)
        if wanted and not wanted & spoken:
            yield (
                message.ref,
                [
                    book.line(message),
                    f"subject {message.subject!r} is {sorted(spoken)}",
                    f"wanted {sorted(wanted)}",
                ],
            )


def _languages(book: Book, notice: Row, message: Sent) -> set[str]:
    """The languages that its customer may be written to in, at that time; empty: any."""
    said = [*book.acts["set language"], *book.acts["may set language"]]
    set_by = [act for act in said if book.about(act, notice) and act.at <= message.at]
    certain = [a for a in set_by if a.kind == "set language" and book.holds_from(a) < message.began]
    newest = max((act.at for act in certain), default=0.0)
    texts = {act.language for act in set_by if act.at >= newest}
    if not certain:
        texts |= _unsaid(book, notice, message)
    if "" in texts or not texts:
        return set()
    return {_spoken(text) for text in texts}


def _unsaid(book: Book, notice: Row, message: Sent) -> set[str]:
    """Its customer's languages where neither the customer nor an operator said one: an import's, else the
    records'. An import that was not certainly done counts perhaps; so does any of somebody who was erased."""
    imports = [a for a in book.acts["import language"] if book.about(a, notice) and a.at <= message.at]
    erased = any(book.about(act, notice) and act.at <= message.at for act in book.acts["erase"])
    found = {act.language for act in imports}
    if erased or not any(a.done is not None and book.holds_from(a) < message.began for a in imports):
        given = book.by_contact.get(book.key_of(notice)[:3], ())
        found |= {str(one.record.fields.get("language") or "") for one in given}
    return found


def _spoken(text: str) -> str:
    language = text.replace("_", "-").split("-")[0].lower()
    return language if language in languages() else "en"


@claim("The link of a message opens its own document, from its run's folder.")
def link_opens_the_document(book: Book) -> Contradictions:
    """Where somebody opened it and a document was shown."""
    messages = {m.number: m for m in book.messages}
    for opened in book.seen.opened:
        message = messages.get(opened.number)
        if message is None or not opened.led_to:
            continue
        notice = book.notice(message.notice)
        if notice.get("audience") != "customer":
            continue
        keys = {
            f"drop/{one.drop.domain}/{one.drop.run_id}/{one.record.fields.get('output_uri')}"
            for one in book.records_of(notice)
        }
        together = {str(identity) for identity in notice.get("together", ())}
        for identity in together:
            keys |= {
                f"drop/{one.drop.domain}/{one.drop.run_id}/{one.record.fields.get('output_uri')}"
                for one in book.records_of(book.notice(identity))
            }
        if opened.led_to not in keys:
            yield (
                message.ref,
                [book.line(message), f"{opened.link} led to {opened.led_to}", f"its own: {sorted(keys)}"],
            )


@claim("The amounts that a message names are its record's, or what is left of them after payments.")
def amounts_are_the_newest(book: Book) -> Contradictions:
    """Of the newest record of the document that the product had when a worker began."""
    for message, notice in _ours(book):
        if len(notice.get("together", ())) > 1:
            continue
        said = {
            _digits(match[0]) for text in (message.subject, message.text) for match in _MONEY.finditer(text)
        }
        if not said:
            continue
        allowed = _amounts(book, notice, message)
        if allowed is not None and not said <= allowed:
            yield (
                message.ref,
                [book.line(message), f"amounts {sorted(said)}", f"known then: {sorted(allowed)}"],
            )


def _amounts(book: Book, notice: Row, message: Sent) -> set[str] | None:
    """The amounts that the message may name, as digits; None where the checker cannot say."""
    records = list(book.records_of(notice))
    if not records:
        return None
    in_time = [one for one in records if one.drop.at <= message.at]
    firm = [one for one in in_time if (one.drop.sealed_at or one.drop.at) + book.seen.slack < message.began]
    newest = max(firm, key=lambda one: str(one.record.fields.get("produced_at") or ""), default=None)
    if str(notice.get("purpose")) == "notice":
        usable = in_time
    else:
        usable = [one for one in in_time if newest is None or one not in firm or _made(one) >= _made(newest)]
    whole = [
        amount
        for one in usable
        if (amount := _cents(str(one.record.fields.get("amount_due") or ""))) is not None
    ]
    payments = [act for act in book.acts["respond"] if act.amount and _pays(act, notice)]
    if any(not act.document for act in payments):
        return None  # how it is shared out among the customer's documents is not the checker's to say
    paid = [amount for act in payments if (amount := _cents(act.amount)) is not None]
    sums = {0}
    for amount in paid[:12]:
        sums |= {known + amount for known in sums}
    left = {total - part for total in whole for part in sums if total >= part}
    return {str(value) for value in left} | {str(value // 100) for value in left}


def _pays(act: Act, notice: Row) -> bool:
    """Whether a payment may be for a notice's document."""
    return (
        act.customer in ("", notice.get("customer_key"))
        and act.domain in ("", notice.get("domain"))
        and act.document in ("", notice.get("document_id"))
    )


def _made(one: Given) -> str:
    return str(one.record.fields.get("produced_at") or "")


@cache
def _cents(text: str) -> int | None:
    """An amount in hundredths; None where it is no plain decimal."""
    found = re.fullmatch(r"(\d+)(?:\.(\d{1,2}))?", text.strip())
    return int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0")) if found else None


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text).lstrip("0") or "0"


@claim("A text message names neither person nor account, and an e-mail's subject no account.")
def texts_are_discreet(book: Book) -> Contradictions:
    """No last name and no document id in a text; the last four digits of an account at most."""
    for message, notice in _ours(book):
        if message.channel != "sms":
            continue
        words = set(re.findall(r"\w+", message.text.lower()))
        for one in book.records_of(notice):
            name = str(one.record.fields.get("last_name") or "").lower()
            if len(name) > 4 and set(re.findall(r"\w+", name)) <= words:
                yield message.ref, [book.line(message), f"the text names {name!r}: {message.text!r}"]
