"""Files that are not what they should be, below the level of their form."""

import gzip
import io
import tracemalloc
import zlib

import pytest

from exstream_notify.adapters.index import IndexUnreadable, Limits, MemoryParts, MemoryRejects, stage_file
from exstream_notify.domain.exceptions import Unusable
from tests.index import a_schema, stage

CSV = b"customer_key,document_type\nC1,invoice\n"


def refusal(data, name, **options):
    with pytest.raises(IndexUnreadable) as refused:
        stage(data, name, **options)
    return refused.value


@pytest.mark.parametrize(
    ("data", "name", "at", "reason"),
    [
        (b"", "_STDDELIVERYFILE.xml", "byte 0", "the file is empty"),
        (b"", "a.index.csv.gz", "byte 0", "the file is empty"),
        (gzip.compress(b""), "a.index.csv.gz", "byte 0", "the file is empty once decompressed"),
        (b"PK\x03\x04rest", "a.index.csv", "byte 0", "a zip archive"),
        (gzip.compress(CSV), "a.index.csv", "byte 0", "gzip data in a file whose name does not end in .gz"),
        (CSV, "a.index.csv.gz", f"byte {len(CSV)}", "damaged gzip data"),
        (gzip.compress(CSV)[:-1], "a.index.csv.gz", "byte 57", "the gzip data is cut off"),
        (gzip.compress(CSV)[:20], "a.index.csv.gz", "byte 20", "the gzip data is cut off"),
        (gzip.compress(CSV) + b"garbage", "a.index.csv.gz", "byte 65", "garbage after the gzip data"),
        (
            gzip.compress(CSV) + gzip.compress(CSV)[:9],
            "a.index.csv.gz",
            "byte 67",
            "the gzip data is cut off",
        ),
        (CSV + b"C\xff,invoice\n", "a.index.csv", f"byte {len(CSV) + 1}", "not valid UTF-8"),
        (CSV + b"C\xc3", "a.index.csv", f"byte {len(CSV) + 1}", "not valid UTF-8"),
        (
            CSV.decode().encode("utf-16") + b"\x00",
            "a.index.csv",
            f"byte {2 * len(CSV) + 2}",
            "not valid UTF-16",
        ),
        (
            "\ufeffC\ud800,\ud800".encode("utf-16-le", "surrogatepass"),
            "a.index.csv",
            "byte 4",
            "not valid UTF-16",
        ),
        (CSV.decode().encode("utf-32"), "a.index.csv", "byte 0", "UTF-32 is not supported"),
        (
            b'<?xml version="1.0" encoding="EBCDIC-CP-US"?><d/>',
            "a.index.xml",
            "line 1",
            "declares an encoding",
        ),
        (b'<?xml version="1.0" encoding="utf-7"?><d/>', "a.index.xml", "line 1", "declares an encoding"),
        (CSV, "a.csv", "its name", "not the name of any index form"),
        (CSV, "a.index.zip", "its name", "not the name of any index form"),
    ],
)
def test_it_says_where_and_why(data, name, at, reason):
    refused = refusal(data, name)
    assert reason in refused.reason
    assert (refused.file, refused.at) == (name, at)


def test_to_the_use_cases_it_is_input_that_cannot_be_used():
    refused = refusal(b"", "a.index.csv")
    assert isinstance(refused, Unusable)
    assert (refused.code, refused.place) == ("index_unreadable", "a.index.csv, byte 0")
    assert str(refused) == "a.index.csv, byte 0: the file is empty"


@pytest.mark.parametrize("at", [256 * 1024 - 2, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 700_001])
def test_invalid_bytes_are_found_wherever_the_pieces_end(at):
    header = b"customer_key,document_type,note\n"
    data = (header + b"C1,invoice," + b"\xc3\xa9" * 450_000)[:at] + b"\xff" + b"x" * 10
    split = data[at - 1 : at] == b"\xc3"  # then it is the character before that is not whole
    assert refusal(data, "a.index.csv").at == f"byte {at - split}"


def test_a_declared_encoding_that_is_not_kept_is_found():
    data = '<?xml version="1.0" encoding="UTF-8"?><d><r><customer_key>é</customer_key></r></d>'.encode(
        "latin-1"
    )
    assert "not valid UTF-8" in refusal(data, "a.index.xml", encoding="latin-1").reason


def test_utf_16_wins_over_a_declaration_that_says_otherwise():
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><d><r><customer_key>é</customer_key>'
        "<document_type>invoice</document_type></r></d>"
    )
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        assert stage(text.encode(encoding), "a.index.xml").documents[0]["customer_key"] == "é"
    assert stage(text.replace("UTF-8", "UTF-16").encode(), "a.index.xml").documents[0]["customer_key"] == "é"


def test_an_encoding_setting_that_is_none_is_a_mistake_of_the_site():
    with pytest.raises(ValueError, match="not supported"):
        stage(CSV, "a.index.csv", encoding="utf-7")
    with pytest.raises(ValueError, match="not supported"):
        stage(CSV, "a.index.csv", encoding="no-such")


def bomb(size):
    packer = zlib.compressobj(9, wbits=31)
    line = b"C1,invoice".ljust(100_000) + b"\n"
    data = packer.compress(CSV)
    for _ in range(size // len(line)):
        data += packer.compress(line)
    return data + packer.flush()


def test_a_gzip_bomb_is_refused_by_its_growth():
    refused = refusal(bomb(200_000_000), "a.index.csv.gz")
    assert refused.reason == "grows more than 200 times when decompressed"


def test_a_gzip_bomb_is_refused_by_its_size():
    data = gzip.compress(CSV + b"C1,invoice\n" * 10_000)
    refused = refusal(data, "a.index.csv.gz", limits=Limits(decompressed_bytes=100_000))
    assert refused.reason == "more than 100000 bytes once decompressed"


def test_a_gzip_bomb_does_not_fill_the_memory():
    data = bomb(60_000_000)
    tracemalloc.start()
    try:
        stage(data, "a.index.csv.gz", limits=Limits(decompression_ratio=10_000))
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_damage_within_gzip_data_is_found():
    data = bytearray(gzip.compress(CSV * 10_000))
    data[-5] ^= 0xFF  # the checksum's last byte but four, before the length
    assert refusal(bytes(data), "a.index.csv.gz").reason == "damaged gzip data"


def test_a_read_that_fails_is_nobodys_index_fault():
    class Broken(io.BytesIO):
        def read(self, size=-1):
            raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        stage_file(Broken(), "a.index.csv", schema=a_schema(), parts=MemoryParts(), rejects=MemoryRejects())


class Counted(io.BytesIO):
    """A source that tells how much of it was read."""

    taken = 0

    def read(self, size=-1):
        data = super().read(size)
        self.taken += len(data)
        return data


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("a.index.csv", b"customer_key,document_type\nC1,"),
        ("a.index.csv", b'customer_key,document_type\nC1,"'),
        ("a.index.jsonl", b'{"customer_key": "'),
        ("a.index.jsonl", b'{"customer_key": nope '),
        ("a.index.jsonl", b"[["),
        ("a.index.xml", b"<a><r><customer_key>"),
        ("_STDDELIVERYFILE.xml", b"<a><outputList><!-- "),
    ],
)
def test_what_has_no_end_is_refused_after_a_megabyte(name, start):
    source = Counted(start + b"x" * 20_000_000)
    with pytest.raises(IndexUnreadable):
        stage_file(source, name, schema=a_schema(), parts=MemoryParts(), rejects=MemoryRejects())
    assert source.taken < 3_000_000
