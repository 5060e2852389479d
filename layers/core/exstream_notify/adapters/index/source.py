"""From a stored file to text: counted and hashed as stored, unpacked, decoded, piece by piece."""

import codecs
import hashlib
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from .faults import IndexUnreadable, Limits

PIECE = 256 * 1024
WINDOWS = "windows-1252-or-control"
"""Error handler of bytes that are not what they should be: as Windows-1252; what that leaves undefined, as
the control character of that number (WHATWG Encoding), which no field of a record may hold."""

_END_MARK = "\x1a"
_AFTER_END = _END_MARK + " \t\r\n\0"
_END_CHARS = 64 * 1024
_HEAD = 1024
# Ratios of small files say nothing: a bomb is only one once it is large.
_RATIO_FROM = 16 * 1024 * 1024
_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")

# By Python's own name of the codec; what is not here cannot be asked for by setting or declaration.
_ENCODINGS = frozenset(
    {"utf-8", "utf-16", "utf-16-le", "utf-16-be", "iso8859-1", "iso8859-15", "cp1252", "ascii"}
)
_MARKS: tuple[tuple[bytes, str | None], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, None),
    (codecs.BOM_UTF32_BE, None),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARATION = re.compile(rb"""\s*<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    if error.encoding.lower().startswith("utf-16"):
        return "\ufffd", error.end
    wrong = error.object[error.start : error.end]
    return "".join(_windows_character(byte) for byte in wrong), error.end


def _windows_character(byte: int) -> str:
    try:
        return bytes((byte,)).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


codecs.register_error(WINDOWS, _as_windows)


def without_end_mark(pieces: Iterable[str]) -> Iterator[str]:
    """The text without the DOS end-of-file mark (0x1A) at its end, and what empty space is around it."""
    held = ""
    for piece in pieces:
        if not held and _END_MARK not in piece:
            yield piece
            continue
        text = held + piece
        mark = text.find(_END_MARK, len(text.rstrip(_AFTER_END)))
        if mark < 0 or len(text) - mark > _END_CHARS:
            mark = len(text)
        held = text[mark:]
        if mark:
            yield text[:mark]


def known_encoding(name: str) -> str | None:
    """Python's name of a supported encoding, None for any other."""
    try:
        found = codecs.lookup(name).name
    except LookupError:
        return None
    return found if found in _ENCODINGS else None


class TextSource:
    """The text of one index file, as an iterator of pieces; it can be read once.

    While it is read, `bytes` and `sha256` are those of the file as it is stored (compressed, if it
    is), `encoding` that of its text once the first piece is out. Memory: some pieces of 256 KiB.

    The encoding is, in this order: the byte-order mark's; UTF-16 where zero bytes show it; for XML
    what the declaration says; `encoding`, the site's setting; UTF-8. Latin-1 is read as Windows-1252, as
    WHATWG Encoding has it, since Windows sites call it that. What cannot be decoded is an error, unless
    `errors` names a codec error handler that knows better. A DOS end-of-file mark (0x1A) at the end is
    not part of the text. `evidence` names the encoding that the first bytes show, if they do: it is asked
    after the byte-order mark.
    """

    def __init__(
        self,
        stream: BinaryIO,
        file: str,
        *,
        compressed: bool = False,
        xml: bool = False,
        encoding: str | None = None,
        limits: Limits | None = None,
        errors: str = "strict",
        evidence: Callable[[bytes], str | None] = lambda head: None,
    ) -> None:
        setting = known_encoding(encoding) if encoding else "utf-8"
        if setting is None:
            raise ValueError(
                f"encoding {encoding!r} is not supported: use one of {', '.join(sorted(_ENCODINGS))}"
            )
        self._stream = stream
        self._file = file
        self._compressed = compressed
        self._xml = xml
        self._setting = setting
        self._limits = limits or Limits()
        self._errors = errors
        self._evidence = evidence
        self._hash = hashlib.sha256()
        self.bytes = 0
        self.encoding = ""

    @property
    def sha256(self) -> str:
        """SHA-256 of the stored bytes read so far."""
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[str]:
        """Pieces of decoded text; `IndexUnreadable` where the file cannot be unpacked or decoded."""
        data = self._stored()
        return without_end_mark(self._decoded(self._unpacked(data) if self._compressed else data))

    def _stored(self) -> Iterator[bytes]:
        first = True
        while piece := self._stream.read(PIECE):
            self._hash.update(piece)
            self.bytes += len(piece)
            if first:
                self._check_magic(piece)
                first = False
            yield piece
        if first:
            raise IndexUnreadable(self._file, "byte 0", "the file is empty")

    def _check_magic(self, head: bytes) -> None:
        if head.startswith(_ZIP):
            raise IndexUnreadable(self._file, "byte 0", "a zip archive; deliver the index itself, or gzip it")
        if head.startswith(_GZIP) and not self._compressed:
            raise IndexUnreadable(self._file, "byte 0", "gzip data in a file whose name does not end in .gz")

    def _unpacked(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """All members of a gzip file (RFC 1952), one after another; zeros or an end mark may follow."""
        unpacker = zlib.decompressobj(wbits=31)
        members = total = 0
        fresh = True  # between members
        try:
            for data in pieces:
                while data or not fresh:
                    if members and fresh and not data.strip(b"\0\x1a\r\n"):
                        break
                    out = unpacker.decompress(data, PIECE)
                    total += len(out)
                    self._check_size(total, self.bytes - len(unpacker.unconsumed_tail))
                    if out:
                        yield out
                    if unpacker.eof:
                        data, fresh = unpacker.unused_data, True
                        unpacker = zlib.decompressobj(wbits=31)
                        members += 1
                        continue
                    data, fresh = unpacker.unconsumed_tail, False
                    if not (data or out):
                        break  # all that this piece gives is out
        except zlib.error:
            reason = "garbage after the gzip data" if fresh and members else "damaged gzip data"
            raise IndexUnreadable(self._file, f"byte {self.bytes}", reason) from None
        if not fresh:
            raise IndexUnreadable(self._file, f"byte {self.bytes}", "the gzip data is cut off")

    def _check_size(self, total: int, taken: int) -> None:
        limits = self._limits
        if total > limits.decompressed_bytes:
            reason = f"more than {limits.decompressed_bytes} bytes once decompressed"
            raise IndexUnreadable(self._file, f"byte {self.bytes}", reason)
        ratio = limits.decompression_ratio
        if ratio is not None and total > _RATIO_FROM and total > taken * ratio:
            reason = f"grows more than {ratio} times when decompressed"
            raise IndexUnreadable(self._file, f"byte {self.bytes}", reason)

    def _decoded(self, pieces: Iterator[bytes]) -> Iterator[str]:
        head = b""
        fault: IndexUnreadable | None = None
        try:
            for piece in pieces:
                head += piece
                if len(head) >= _HEAD:
                    break
        except IndexUnreadable as unreadable:
            fault = unreadable  # what came before it is read first
        if fault and not head:
            raise fault
        if not head:
            raise IndexUnreadable(self._file, "byte 0", "the file is empty once decompressed")
        self.encoding, mark = self._sniff(head)
        errors = self._errors
        if self.encoding in ("iso8859-1", "cp1252"):
            self.encoding, errors = "cp1252", WINDOWS
        decoder = codecs.getincrementaldecoder(self.encoding)(errors)
        taken = mark
        rest = head[mark:]
        while True:
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(rest)
                taken += len(rest)
                if text:
                    yield text
                rest = next(pieces, b"")
                if fault:
                    raise fault
                if not rest:
                    left = decoder.getstate()[0]
                    if left == _END_MARK.encode():
                        return  # put behind UTF-16 as one byte
                    pending = len(left)
                    decoder.decode(b"", final=True)
                    return
            except UnicodeDecodeError as error:
                start = taken - pending + error.start
                raise IndexUnreadable(self._file, f"byte {start}", self._not_decodable()) from None

    def _not_decodable(self) -> str:
        name = {"utf-8": "UTF-8", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16"}.get(
            self.encoding, self.encoding
        )
        if name == "UTF-8":
            return "not valid UTF-8 (a site that writes Latin-1 needs the encoding setting)"
        return f"not valid {name}"

    def _sniff(self, head: bytes) -> tuple[str, int]:
        """Encoding, and the length of the byte-order mark."""
        for mark, name in _MARKS:
            if head.startswith(mark):
                name = name or self._evidence(head)
                if name is None:
                    raise IndexUnreadable(self._file, "byte 0", "UTF-32 is not supported")
                return name, len(mark)
        if shown := self._evidence(head):
            return shown, 0
        # An index begins with a brace, a tag or column names: ASCII, of which UTF-16 makes every
        # other byte zero.
        start = head[:64]
        low, high = start[0::2].count(0), start[1::2].count(0)
        if max(low, high) * 4 > len(start) and not min(low, high):
            return ("utf-16-le" if high else "utf-16-be"), 0
        setting = {"utf-16": "utf-16-le"}.get(self._setting, self._setting)
        if self._xml and (found := _DECLARATION.match(head)):
            declared = found[1].decode("ascii")
            name = known_encoding(declared)
            if name is None:
                raise IndexUnreadable(self._file, "line 1", "declares an encoding that is not supported")
            # A declaration that could be read byte by byte cannot be UTF-16, whatever it says.
            return ("utf-8" if name.startswith("utf-16") else name), 0
        return setting, 0
