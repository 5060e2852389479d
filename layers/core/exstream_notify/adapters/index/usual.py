"""The usual record: one in which a few looks at all values together show that none needs a look of its own.

Nearly every record of a run is of that kind. What is not provably so is read field by field (`schema`), and
what comes out for a usual record is the same that comes out there.
"""

from collections.abc import Callable, Sequence
from itertools import compress
from operator import itemgetter
from typing import Annotated, Any, TypeAlias, get_args

from pydantic import StringConstraints, TypeAdapter, ValidationError
from typing_extensions import get_type_hints

from ...domain.second_step import CONCEALED
from ...domain.values import UNSET, hints_rounded, hints_unset
from .faults import Limits
from .names import AliasTable
from .record import DATE_FIELDS, KEYS, Normalised, Record
from .together import Together

_Picker: TypeAlias = Callable[[Sequence[str]], tuple[str, ...]]

# What `is_plain` accepts, but for a minus.
_Amount = Annotated[str, StringConstraints(pattern=r"^(?:0|[1-9][0-9]{0,14})(?:\.(?:[0-9]{2}|[0-9]{4}))?$")]
_TYPES: dict[str, Any] = {
    name: get_args(hint)[0] if name in Record.__required_keys__ else hint
    for name, hint in get_type_hints(Record, include_extras=True).items()
}
_TYPES["amount_due"] = _Amount
_DATED = ("produced_at", *DATE_FIELDS)
_TRUTHS = frozenset({"requires_ack", "test_flag"})
_TRUTH = {True: "true", False: "false"}

_USED = 20
"""Records of the same names before their shape is worked out, which takes as long as 100 records do."""

_SHAPES, _COUNTED = 128, 1024
"""Shapes that are kept, and lists of names that are counted; enough for any index that has columns."""


def _picker(positions: Sequence[int]) -> _Picker:
    """Takes the values at some positions, as a tuple."""
    if len(positions) > 1:
        return itemgetter(*positions)
    return lambda values: tuple([values[at] for at in positions])


class _Shape:
    """How to read usual records that have values for just these names."""

    __slots__ = ("ascii", "blank", "dated", "days", "fields", "keys", "names", "pick", "validate")

    def __init__(self, fields: Sequence[str | None]) -> None:
        """`fields` are those that the names feed, each once, the customer key among them."""
        at = {field: place for place, field in enumerate(fields)}
        fed = {field: place for field, place in at.items() if field is not None}
        self.fields = tuple(fed)
        self.pick = _picker(list(fed.values())) if len(fed) < len(fields) else None
        self.dated = [self.fields.index(field) for field in _DATED if field in fed]
        self.blank: Normalised = dict.fromkeys(self.fields)
        keys = [at[field] for field in KEYS if field in at]
        self.keys = _picker(keys)
        self.ascii = _picker(keys + [at[field] for field in ("email", "mobile") if field in at])
        self.names = _picker([at[field] for field in ("first_name", "last_name") if field in at])
        self.days = [at[field] for field in DATE_FIELDS if field in at]
        types = tuple(_TYPES[field] for field in self.fields)
        self.validate = TypeAdapter(tuple[types]).validator.validate_python  # type: ignore[valid-type]


class Usual:
    """Reads the usual records of one site.

    `read` gives a record as `validate` does, or None for one that has to be read field by field; that says
    nothing yet about whether anything is wrong with it.
    """

    def __init__(self, aliases: AliasTable, limits: Limits, together: Together) -> None:
        self._aliases = aliases
        self._limits = limits
        self._far_dates = together.far_dates
        self._year = together.today[:4]
        self._shapes: dict[tuple[str, ...], _Shape | None] = {}
        self._counts: dict[tuple[str, ...], int] = {}
        self._last_names: tuple[str, ...] = ()
        self._last: _Shape | None = None

    def read(self, names: tuple[str, ...], values: Sequence[object]) -> Normalised | None:
        """A record's fields in their kept form, if it is usual."""
        texts: Sequence[str] = values  # type: ignore[assignment]
        try:
            joined = "|".join(texts)
        except TypeError:
            if (found := self._texts(names, values)) is None:
                return None
            joined = "|".join(texts := found)
        if "" in texts:
            if len(names) > self._limits.record_fields:
                return None
            names, texts = tuple(compress(names, texts)), list(filter(None, texts))
        if names is self._last_names:
            shape = self._last
        else:
            try:
                shape = self._shapes[names]
            except KeyError:
                shape = self._count(names)
            self._last_names, self._last = names, shape
        if (
            shape is None
            or len(joined) > self._limits.record_chars
            or not joined.isprintable()
            or (" " in joined and ("| " in joined or " |" in joined or joined[0] == " " or joined[-1] == " "))
            or not UNSET.isdisjoint(texts)
            or hints_rounded("".join(shape.keys(texts)))
            or hints_unset("|".join(shape.names(texts)))
            or not (joined.isascii() or "".join(shape.ascii(texts)).isascii())
        ):
            return None
        for at in shape.days:
            if len(texts[at]) != 10:
                return None
        try:
            valid = shape.validate(texts if shape.pick is None else shape.pick(texts))
        except ValidationError:
            return None
        record = shape.blank.copy()  # large enough from the beginning
        record.update(zip(shape.fields, valid, strict=True))
        for at in shape.dated:
            if valid[at][:4] != self._year:  # dates of this year are near one another
                return None if self._far_dates(record) else record
        return record

    def _texts(self, names: tuple[str, ...], values: Sequence[object]) -> list[str] | None:
        """Values of JSON as text, where they are text, nothing, or the answer yes or no."""
        fields = self._aliases.plan(names).fields
        texts: list[str] = []
        for field, value in zip(fields, values, strict=True):
            if isinstance(value, str):
                texts.append(value)
            elif value is None:
                texts.append("")
            elif isinstance(value, bool) and field in _TRUTHS:
                texts.append(_TRUTH[value])
            else:
                return None
        return texts

    def _count(self, names: tuple[str, ...]) -> _Shape | None:
        """The shape of records with these names, once there have been enough of them."""
        used = self._counts[names] = self._counts.get(names, 0) + 1
        if used < _USED:
            if len(self._counts) > _COUNTED:
                self._counts.clear()
            return None
        if len(self._shapes) >= _SHAPES:
            self._shapes.clear()
        self._shapes[names] = shape = self._worked_out(names)
        return shape

    def _worked_out(self, names: tuple[str, ...]) -> _Shape | None:
        if len(names) > self._limits.record_fields:
            return None
        plan = self._aliases.plan(names)
        fields = set(plan.fields)
        if plan.careful or "customer_key" not in fields or not CONCEALED.isdisjoint(fields):
            return None
        return _Shape(plan.fields)
