"""Fields: control fields with data, data fields with indicators and subfields. pymarc's Field, read lazily."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from libmarc._names import name_of_package
from libmarc._objects import fastest, use_field
from libmarc.constants import DIRECTORY_ENTRY_LEN, END_OF_FIELD, LEADER_LEN, SUBFIELD_INDICATOR

if not TYPE_CHECKING:  # type checkers find what is misspelt

    def __getattr__(name: str) -> Any:
        return name_of_package(__name__, name)


class Subfield(NamedTuple):
    """A subfield: its code, one character, and its value."""

    code: str
    value: str


class Indicators(NamedTuple):
    """The two indicators of a data field."""

    first: str
    second: str


# A NamedTuple from a pair without running Python code for it.
_new_tuple: Callable[[type[Subfield], tuple[str, str]], Subfield] = tuple.__new__
_make_subfield: Callable[[tuple[str, str]], Subfield] = partial(tuple.__new__, Subfield)

_BLANKS = Indicators(" ", " ")
_EMPTY = SUBFIELD_INDICATOR * 2  # a subfield without a code: it is not written
#: Indicators, and characters of a subfield code.
MARC21_WIDTHS = (2, 1)


def _two_indicators(value: Sequence[str]) -> Indicators:
    if isinstance(value, Indicators):
        return value
    if isinstance(value, list | tuple) and len(value) != 2:
        raise ValueError("a field has two indicators: Indicators(first, second)")
    return Indicators(*value)


# Indicators that occur are few; each pair is made once. Filled by indicators_of only.
_KNOWN_INDICATORS: dict[str, Indicators] = {}


def indicators_of(text: str) -> Indicators:
    """The indicators that stand before the first subfield: missing ones are blank, more than two are passed over."""
    known = _KNOWN_INDICATORS.get(text)
    if known is None:
        padded = f"{text:<2}"
        known = Indicators(padded[0], padded[1])
        if len(text) <= 2 and len(_KNOWN_INDICATORS) < 4096:
            _KNOWN_INDICATORS[text] = known
    return known


def all_indicators_of(text: str) -> Indicators:
    """The same, but of more than two (leader/10) the second has all but the first, so that none is lost."""
    padded = f"{text:<2}"
    return Indicators(padded[0], padded[1:])


def log_indicators(number: int, content: bytes) -> None:
    """What pymarc logs of a field that has so many indicators, which are not two."""
    found = {0: "missing indicators", 1: "only 1 indicator found"}.get(number, "more than 2 indicators found")
    log_warning(f"{found}: %s", content)


class Texts:
    """The contents of the fields of a plain record, which keep them in common until one of them is asked for."""

    __slots__ = ("_content", "_texts")

    def __init__(self, content: bytes) -> None:
        """`content`: the record behind its base address."""
        self._content = content
        self._texts: list[str] = []

    def read(self) -> list[str]:
        """The text of every field, without its terminator; behind them what is left: the end of the record."""
        if not self._texts:
            self._texts = str(self._content, "utf-8").split(END_OF_FIELD)
        return self._texts


@fastest
class FieldSlots:
    """The attributes of a Field."""

    # (There is no __getattr__: with one, every attribute of every field would be slower to get.)
    __slots__ = (
        "_indicators",
        "_number",
        "_position",
        "_source",
        "_subfields",
        "_value",
        "control_field",
        "data",
        "tag",
    )

    tag: str
    data: str | None
    control_field: bool
    _indicators: Indicators | None  # of a data field None if they are to be taken from the text
    _subfields: list[Subfield] | None  # None as long as the text is the field
    _source: str | Texts | None  # that text (two indicators, subfields; no terminator), or where it can be had
    _number: int  # of the field among the texts
    _value: str | None  # what value() gives, if it is known; only while the text is the field
    _position: int  # for next(field); not set before the first

    def __init__(
        self,
        tag: str | int,
        indicators: Sequence[str] | None = None,
        subfields: list[Subfield] | None = None,
        data: str | None = None,
    ) -> None:
        self.tag = tag = tag if isinstance(tag, str) and len(tag) == 3 else _normal_tag(tag)
        if subfields and isinstance(subfields[0], str):
            raise ValueError("subfields are a list of Subfield(code, value), no longer a flat list of strings")
        self._source = self._value = None
        if tag < "010" and tag.isdigit():
            self.control_field = True
            self._indicators = None
            self.data = data
            self._subfields = []
            return
        self.control_field = False
        if type(indicators) is Indicators:
            self._indicators = indicators
        else:
            self._indicators = _two_indicators(indicators) if indicators else _BLANKS
        self.data = None
        self._subfields = subfields or []

    __init__.__qualname__ = "Field.__init__"  # as errors name it


class Field(FieldSlots):
    """A field of a record.

    Field("245", Indicators("0", "1"), [Subfield("a", "Title")]) is a data field, Field("001", data="123") a control
    field; control fields are those with a numeric tag below 010.

    ``tag``         three characters
    ``data``        str, of a control field; else None
    ``indicators``  Indicators, of a data field; else None
    ``subfields``   list of Subfield, yours to change; [] for a control field

    A field that was read keeps its text and answers from it until its list of subfields is asked for, or set. From then
    on that list is the field.
    """

    __slots__ = ()

    def __getstate__(self) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        # For copies and pickles: the list of subfields, not the text.
        self._take_apart()
        names = ("tag", "control_field", "data", "_indicators", "_subfields", "_source", "_value")
        return state_of(self, Field, {name: getattr(self, name) for name in names})

    def _text(self) -> str | None:
        """The text that is the field, two indicators and subfields without the terminator; None if it is none."""
        source = self._source
        if isinstance(source, Texts):
            self._source = source = source.read()[self._number]
        return source

    def _take_apart(self) -> list[Subfield]:
        """Makes the list of subfields the field."""
        if self._subfields is None:
            self._indicators = self.indicators  # out of the text, before it is gone
            self._subfields = self._pairs()
            self._source = self._value = None
        return self._subfields

    def _pairs(self) -> list[Subfield]:
        """The subfields, for reading only."""
        if self._subfields is not None:
            return self._subfields
        make = _make_subfield
        return [make((part[0], part[1:])) for part in (self._text() or "")[3:].split(SUBFIELD_INDICATOR) if part]

    def _content(self) -> str:
        """The field as it is written, without the terminator."""
        return contents_of([self])[0]

    @property
    def subfields(self) -> list[Subfield]:
        """The subfields in their order: an ordinary list, and from now on the field."""
        subfields = self._subfields
        return self._take_apart() if subfields is None else subfields

    @subfields.setter
    def subfields(self, subfields: list[Subfield]) -> None:
        self._take_apart()
        self._subfields = subfields

    @classmethod
    def convert_legacy_subfields(cls, subfields: Sequence[str]) -> list[Subfield]:
        """Subfields from the flat list of codes and values that pymarc 4 had. ValueError if a value is missing."""
        return [Subfield(code, value) for code, value in zip(subfields[::2], subfields[1::2], strict=True)]

    @property
    def indicators(self) -> Indicators | None:
        """The two indicators; None for a control field."""
        pair = self._indicators
        if pair is None and self._subfields is None:
            self._indicators = pair = indicators_of((self._text() or "")[:2])
        return pair

    @indicators.setter
    def indicators(self, value: Sequence[str] | None) -> None:
        if value is not None:
            pair = _two_indicators(value)
            self._take_apart()
            self._indicators = pair

    @property
    def indicator1(self) -> str:
        """The first indicator; "" for a control field."""
        pair = self.indicators
        return pair.first if pair else ""

    @indicator1.setter
    def indicator1(self, value: str) -> None:
        self.indicators = self._own_indicators()._replace(first=value)

    @property
    def indicator2(self) -> str:
        """The second indicator; "" for a control field."""
        pair = self.indicators
        return pair.second if pair else ""

    @indicator2.setter
    def indicator2(self, value: str) -> None:
        self.indicators = self._own_indicators()._replace(second=value)

    def _own_indicators(self) -> Indicators:
        pair = self.indicators
        if pair is None:
            raise AttributeError(f"control field {self.tag} has no indicators")
        return pair

    def is_control_field(self) -> bool:
        """Whether this is a control field."""
        return self.control_field

    def is_subject_field(self) -> bool:
        """Whether the tag begins with 6."""
        return self.tag.startswith("6")

    @overload
    def get(self, code: str, default: str) -> str: ...

    @overload
    def get(self, code: str, default: None = None) -> str | None: ...

    def get(self, code: str, default: str | None = None) -> str | None:
        """The value of the first subfield with this code, or `default`."""
        text = self._text()
        if text is not None and len(code) == 1:
            at = text.find(f"{SUBFIELD_INDICATOR}{code}")
            return default if at < 0 else text[at + 2 :].partition(SUBFIELD_INDICATOR)[0]
        for subfield in self._pairs():
            if subfield.code == code:
                return subfield.value
        return default

    def __getitem__(self, code: str) -> str:
        """The value of the first subfield with this code. KeyError if there is none."""
        value = self.get(code)
        if value is None:
            raise KeyError(code)
        return value

    def __contains__(self, code: str) -> bool:
        return any(subfield.code == code for subfield in self._pairs())

    def __setitem__(self, code: str, value: str) -> None:
        """Sets the value of the one subfield with this code. KeyError if there is none, or more than one."""
        found = [number for number, subfield in enumerate(self.subfields) if subfield.code == code]
        if len(found) != 1:
            raise KeyError(f"{len(found)} subfields have the code {code!r}, not one")
        self.subfields[found[0]] = Subfield(code, value)

    def __iter__(self) -> Iterator[Subfield]:
        """The subfields. Each loop has its own place in them."""
        self._position = 0
        return iter(self.subfields)

    def __next__(self) -> Subfield:
        """The next subfield for next(field), from the first one, or from the last iter(field), on."""
        position: int = getattr(self, "_position", 0)
        if position >= len(self.subfields):
            raise StopIteration
        self._position = position + 1
        return self.subfields[position]

    def get_subfields(self, *codes: str) -> list[str]:
        """The values of the subfields with one of these codes, in their order."""
        subfields = self._subfields
        if subfields is None:
            source = self._source
            text = source if isinstance(source, str) else self._text() or ""
            return [part[1:] for part in text[3:].split(SUBFIELD_INDICATOR) if part and part[0] in codes]
        return [subfield.value for subfield in subfields if subfield.code in codes]

    def subfields_as_dict(self) -> dict[str, list[str]]:
        """The values by their code, in their order; {} for a control field."""
        values: dict[str, list[str]] = {}
        for code, value in self._pairs():
            values.setdefault(code, []).append(value)
        return values

    def linkage_occurrence_num(self) -> str | None:
        """The number in $6 (``880-03/r``: "03") that links this field with others. None if there is no such number."""
        _, hyphen, rest = self.get("6", "").partition("-")
        return rest.split("-", 1)[0].split("/", 1)[0] if hyphen else None

    def add_subfield(self, code: str, value: str, pos: int | None = None) -> None:
        """Puts a subfield before position `pos`, or at the end. A control field stays as it is."""
        if not self.control_field:
            self.subfields.insert(len(self.subfields) if pos is None else pos, Subfield(code, value))

    def delete_subfield(self, code: str) -> str | None:
        """Takes the first subfield with this code out. Returns its value, or None if there is none."""
        for number, subfield in enumerate(self.subfields):
            if subfield.code == code:
                return self.subfields.pop(number).value
        return None

    def value(self) -> str:
        """All values, stripped and joined by a blank; the data of a control field."""
        value = self._value
        if value is not None:
            return value
        if self.control_field:
            return self.data or ""
        value = " ".join([subfield.value.strip() for subfield in self._pairs()])
        if self._subfields is None:
            self._value = value
        return value

    def format_field(self) -> str:
        """All values as a text to read: without $6, and with dashes before the subdivisions of subjects."""
        if self.control_field:
            return self.data or ""
        divided = "vxyz" if self.is_subject_field() else ""
        parts = [
            f" -- {value}" if code in divided and code else f" {value}" for code, value in self._pairs() if code != "6"
        ]
        return "".join(parts).strip()

    def as_marc(self, encoding: str) -> bytes:
        """The bytes of the field, with its terminator."""
        return f"{self._content()}{END_OF_FIELD}".encode(encoding)

    as_marc21 = as_marc

    def __str__(self) -> str:
        """A line of MARCMaker, such as ``=245  01$aTitle``; blanks in indicators and control fields are ``\\``."""
        if self.control_field:
            return f"={self.tag}  {(self.data or '').replace(' ', chr(92))}"
        indicators = "".join(["\\" if i in (" ", "\\") else i for i in self.indicators or ()])
        return f"={self.tag}  {indicators}{''.join([f'${code}{value}' for code, value in self._pairs()])}"


use_field(Field, Subfield, Indicators, _BLANKS)


class RawField(Field):
    """A field whose data and values are the bytes that were read, not decoded (``to_unicode=False``)."""

    __slots__ = ()

    def as_marc(self, encoding: str | None = None) -> bytes:
        """The bytes of the field, with its terminator. They have their encoding: `encoding` only brings a log line."""
        if encoding is not None:
            log_warning("a RawField is not written in another encoding, also not in %s", encoding)
        end = END_OF_FIELD.encode()
        data: Any = self.data
        if self.control_field:
            return data + end  # type: ignore[no-any-return]
        content = f"{self.indicator1}{self.indicator2}".encode("ascii")
        subfields: list[tuple[str, Any]] = list(self.subfields)
        for code, value in subfields:
            content += f"{SUBFIELD_INDICATOR}{code}".encode("ascii") + value
        return content + end

    as_marc21 = as_marc

    def __str__(self) -> str:
        """As for any field; bytes above 0x7F as ``\\xNN``, and text that was put among them as it is."""
        if self.control_field:
            return str(Field(self.tag, data=_shown(self.data)))
        return str(Field(self.tag, self.indicators, [Subfield(code, _shown(value)) for code, value in self.subfields]))


def _shown(content: bytes | str | None) -> str:
    return content.decode("ascii", "backslashreplace") if isinstance(content, bytes) else content or ""


def map_marc8_field(f: Field) -> Field:
    """The field itself, its MARC-8 values (bytes) converted to Unicode. What is text already stays as it is."""
    if f.control_field:
        f.data = _unicode(f.data)
    else:
        f.subfields = [Subfield(code, _unicode(value)) for code, value in f.subfields]
    return f


def _unicode(value: Any) -> Any:
    from libmarc.marc8 import marc8_to_unicode

    return marc8_to_unicode(value) if isinstance(value, bytes) else value


def state_of(item: Any, base: type, own: dict[str, Any]) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """What copies and pickles take: the attributes of the base, and what a class derived from it has added."""
    derived = type(item).__mro__[: type(item).__mro__.index(base)]
    names = [name for cls in derived for name in cls.__dict__.get("__slots__", ())]
    return getattr(item, "__dict__", None), {
        **own,
        **{name: getattr(item, name) for name in names if hasattr(item, name)},
    }


def log_warning(message: str, *content: object) -> None:
    """Logs under the name that users of pymarc have configured."""
    import logging  # here: most programs never need it, and `import libmarc` is quicker without

    logging.getLogger("pymarc").warning(message, *content)


#: The tags of control fields that three ASCII characters can spell.
CONTROL_TAGS = frozenset(f"{number:03}" for number in range(10))


def is_control_tag(tag: str) -> bool:
    """Whether it is a tag of control fields."""
    return tag < "010" and tag.isdigit()


Shape = tuple[str, "Indicators | None", int]  # tag; indicators, but of control fields; number of subfields


def contents_of(fields: Iterable[Field]) -> list[str]:
    """The fields as they are written, without their terminators."""
    contents = []
    for field in fields:
        subfields = field._subfields
        if subfields is None:
            text = field._text() or ""
            if _EMPTY not in text and not text.endswith(SUBFIELD_INDICATOR):
                contents.append(text)
                continue
            subfields = field._pairs()
        elif field.control_field:
            contents.append(f"{field.data}")
            continue
        first, second = field._indicators or field.indicators or ("", "")
        text = f"{first}{second}"
        for code, value in subfields:
            text += f"{SUBFIELD_INDICATOR}{code}{value}"
        contents.append(text)
    return contents


def shape_of(text: str) -> Shape:
    """The shape that an entry of marc_batch_shapes stands for."""
    tag = text[:3]
    if is_control_tag(tag):
        return tag, None, 0
    return tag, indicators_of(text[3:5]), int(text[5:] or 0)


def make_subfields(codes: str, values: list[str]) -> list[Subfield]:
    """Subfields from their codes, a character each, and their values."""
    return list(map(_new_tuple, repeat(Subfield), zip(codes, values)))


def what_was_asked(fields: list[Field]) -> tuple[int, int, int]:
    """Of the data fields among these, which kept their text: from how many the subfields were taken, how many were
    asked for their value; and how many there are."""
    data = [field for field in fields if not field.control_field]
    touched = sum(field._subfields is not None for field in data)
    return touched, sum(field._value is not None for field in data), len(data)


def _normal_tag(tag: str | int) -> str:
    """Numbers as three digits; anything else as its text."""
    if isinstance(tag, str) and not tag.isdigit():
        return tag
    try:
        return f"{int(tag):03}"
    except (TypeError, ValueError):
        return str(tag)


def tags_of(raw: bytes) -> list[str]:
    """The tags of a plain record, by its directory."""
    directory = str(raw[LEADER_LEN : int(raw[12:17]) - 1], "ascii")
    return [directory[at : at + 3] for at in range(0, len(directory), DIRECTORY_ENTRY_LEN)]


@fastest
def read_fields(tags: list[str], texts: list[str], with_controls: bool = True) -> list[Field]:
    """Fields of a plain record: `texts` are their contents without the terminator. `with_controls`: perhaps some are
    control fields."""
    new = Field.__new__
    fields = []
    for tag, text in zip(tags, texts):
        field = new(Field)
        field.tag = tag
        field._indicators = field._value = None
        if with_controls and tag in CONTROL_TAGS:
            field.control_field = True
            field.data = text
            field._source = None
            field._subfields = []
        else:
            field.control_field = False
            field.data = field._subfields = None
            field._source = text
        fields.append(field)
    return fields


def read_odd_fields(tags: Iterable[str], texts: Iterable[str], widths: tuple[int, int] = MARC21_WIDTHS) -> list[Field]:
    """The same for any record: what deviates from two indicators and subfields behind them is brought into that form.

    `widths`: number of indicators, and length of subfield codes (leader/10 and /11). Of more than two indicators the
    second of the Field has all but the first, so that none is lost.
    """
    count, size = widths
    fields = []
    for tag, text in zip(tags, texts):
        if is_control_tag(tag):
            fields.append(Field(tag, data=text))
            continue
        head, *parts = text.split(SUBFIELD_INDICATOR)
        field = Field(tag, subfields=[Subfield(part[:size], part[size:]) for part in parts if part])
        field._indicators = indicators_of(head) if widths == MARC21_WIDTHS else all_indicators_of(head[:count])
        fields.append(field)
    return fields


def read_field_bytes(tag: str, content: bytes, encoding: str) -> Field:
    """A field from its bytes, also where a subfield code is above 0x7F: such a code is made ASCII, as pymarc does.

    `encoding`: "utf-8" or "marc8". UnicodeDecodeError where a subfield is not text in this encoding; IndexError where
    nothing is left of a code.
    """
    from libmarc.marc8 import marc8_to_unicode  # here: most programs never need it

    if is_control_tag(tag):
        return Field(tag, data=content.decode("utf-8" if encoding == "utf-8" else "latin-1"))
    head, *parts = content.split(SUBFIELD_INDICATOR.encode())
    subfields = []
    for part in parts:
        if part:
            code, size = subfield_code(part)
            value = part[size:]
            text = value.decode("utf-8") if encoding == "utf-8" else marc8_to_unicode(value, True)
            subfields.append(Subfield(code, text))
    return Field(tag, indicators_of(head.decode("ascii")), subfields)


def subfield_code(subfield: bytes) -> tuple[str, int]:
    """The code of a subfield and the number of its bytes. One above 0x7F becomes the first ASCII character that is
    left when the subfield loses its diacritics."""
    if subfield[0] < 0x80:
        return chr(subfield[0]), 1
    size = 1
    try:
        text = subfield.decode("utf-8")
        size = len(text[0].encode("utf-8"))
    except UnicodeDecodeError:
        text = subfield.decode("latin-1")
    bare = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return bare[0], size
