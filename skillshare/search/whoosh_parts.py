"""Everything that touches Whoosh's private parts, for Whoosh 2.7.4 and its W3 files.

The files stay ordinary Whoosh segments that any Whoosh can read, but they are written grouped by word instead of
posting by posting, and read by offset instead of through Whoosh's matchers: both an order of magnitude faster.
`tests/search/test_whoosh_parts.py` says when a part has moved.

Whoosh unpickles what it reads: whoever can write these files can run code here. Their folder is ours alone.
"""

import os
import secrets
import weakref
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO
from operator import sub
from pathlib import Path
from pickle import dumps, load, loads
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from whoosh.codec.whoosh3 import W3Codec, W3FieldWriter, W3Segment, W3TermInfo, W3TermsReader
from whoosh.columns import FixedBytesColumn, VarBytesColumn
from whoosh.fields import COLUMN, FieldType, Schema
from whoosh.filedb.filestore import FileStorage
from whoosh.filedb.filetables import HashWriter, OrderedHashWriter
from whoosh.filedb.structfile import BufferFile
from whoosh.formats import Existence, Positions
from whoosh.index import TOC, FileIndex, clean_files
from whoosh.system import pack_ushort
from whoosh.util.numeric import byte_to_length, length_to_byte
from whoosh.util.numlists import GrowableArray
from whoosh.writing import SegmentWriter

from .completion import packed
from .grouping import FieldPostings, Postings, WordPostings

NAME = "MAIN"
MAGIC = b"W3Bl"
BLOCK = 1024
"""Postings in a block: Whoosh's 128 would cost eight times as many unpicklings."""
PACKED_FROM = 16
"""Postings in a block from which on they are kept as arrays of numbers, which are read an order of magnitude faster."""
WRITTEN_AT_ONCE, READ_AT_ONCE = 1 << 20, 1 << 18
HEADS_EXT = ".heads"
"""A file of ours beside Whoosh's, which keeps and removes it with the segment."""
INT = Struct("!i")
SLOT = Struct("!Iq")
EMPTY_SLOT = SLOT.pack(0, 0)
TERM_INFO = Struct("!BfIBBfIIqi")
"""W3TermInfo, with where its postings begin and how long they are."""
LENGTHS = Struct("!ii")
LENGTH_OF_BYTE = np.array([byte_to_length(byte) for byte in range(256)], np.float32)
POSITION_MAX = 65_535

FACTS = np.dtype([("version", ">i8"), ("starts_at", ">i8"), ("made_at", ">i8"), ("salt", ">u4")])
FACT_NAMES: tuple[str, ...] = FACTS.names or ()
"""The numbers kept of each document, as one fixed-size record."""

Ids = NDArray[np.int32]
Weights = NDArray[np.float32]


class PackedPositions(Positions):  # type: ignore[misc]  # Whoosh has no types
    """Positions as unsigned 16-bit numbers, so that many documents' are decoded at once."""

    def encode(self, poslist: Iterable[int]) -> bytes:
        return np.array([place for place in poslist if place <= POSITION_MAX], "<u2").tobytes()

    def decode_positions(self, valuestring: bytes) -> list[int]:
        places: list[int] = np.frombuffer(valuestring, "<u2").tolist()
        return places

    def decode_frequency(self, valuestring: bytes) -> int:
        return len(valuestring) // 2


class Prepared(FieldType):  # type: ignore[misc]  # Whoosh has no types
    """A field whose postings are made before Whoosh sees them."""

    indexed, stored, unique, spelling = True, False, False, False
    vector = column_type = analyzer = None

    def __init__(self, scorable: bool, positions: bool = False) -> None:
        self.scorable = scorable
        self.format = PackedPositions() if positions else Existence()


SCHEMA = Schema(
    key=Prepared(scorable=False),
    words=Prepared(scorable=True, positions=True),
    stems=Prepared(scorable=True, positions=True),  # in place of positions, the halves: see fields.HALVES
    names=Prepared(scorable=False),
    filters=Prepared(scorable=False),
    keys=COLUMN(VarBytesColumn()),
    heads=COLUMN(VarBytesColumn()),
    facts=COLUMN(FixedBytesColumn(FACTS.itemsize)),
)
INDEXED = ("filters", "key", "names", "stems", "words")
SCORED = ("words", "stems")
TEXT_COLUMNS = ("keys", "heads")


class StillFile(BufferFile):  # type: ignore[misc]  # Whoosh has no types
    """A file that no longer changes, read by offset.

    Whoosh would copy it into every process; a memory map would kill the process if the file were cut short.
    Reading by offset shares the system's cache, moves no shared position between threads, and fails politely.
    """

    def __init__(self, path: Path) -> None:
        self.file = path.open("rb")
        self._name, self.onclose, self.is_real, self.is_closed = path.name, None, False, False
        self._descriptor = self.file.fileno()
        weakref.finalize(self, self.file.close)

    def get(self, position: int, length: int) -> bytes:
        found = os.pread(self._descriptor, length, position)
        if len(found) != length:
            raise EOFError(f"{self._name} ends early")
        return found

    def size(self) -> int:
        return os.fstat(self._descriptor).st_size

    def whole(self) -> bytes:
        return self.get(0, self.size())


class StillStorage(FileStorage):  # type: ignore[misc]  # Whoosh has no types
    """A folder whose finished files are read by offset, and reach the disk before anything names them."""

    def open_file(self, name: str, **options: Any) -> Any:
        if name.endswith(".toc"):
            return BufferFile((Path(self.folder) / name).read_bytes(), name=name)
        return StillFile(Path(self.folder) / name)

    def rename_file(self, oldname: str, newname: str, safe: bool = False) -> None:
        """Whoosh's last step of a commit: its table of contents gets its name."""
        to_disk(Path(self.folder) / oldname)
        super().rename_file(oldname, newname, safe)


def to_disk(path: Path) -> None:
    """Wait until a file or folder stands on the disk; Whoosh itself never does."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_words(data: bytes, prefix: bytes, found: list[bytes]) -> int:
    """Add the words that stand whole in `data` and begin so; how many bytes they take, 0 after the last of them."""
    at = 0
    while at + LENGTHS.size <= len(data):
        key_size, value_size = LENGTHS.unpack_from(data, at)
        end = at + LENGTHS.size + key_size + value_size
        if end > len(data):
            break
        key = data[at + LENGTHS.size : at + LENGTHS.size + key_size]
        if not key.startswith(prefix):
            return 0
        found.append(key[2:])
        at = end
    return at


def checksum(path: Path) -> int:
    """The CRC-32 of a file."""
    total = 0
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            total = zlib.crc32(piece, total)
    return total


class Stored:
    """One segment on disk: immutable but for what the table of contents says is deleted."""

    def __init__(self, folder: Path, segment: Any) -> None:
        storage = StillStorage(str(folder))
        self.name: str = segment.segment_id()
        self.size: int = segment.doc_count_all()
        self._field_lengths: Mapping[str, int] = segment._fieldlengths
        self._reader = W3TermsReader(segment.codec(), *self._terms_file(storage, segment))
        self.heads: StillFile = storage.open_file(segment.make_filename(HEADS_EXT))
        self._columns: dict[str, StillFile] = {}
        for column in (*TEXT_COLUMNS, "facts", *(f"_{field}_len" for field in SCORED)):
            name = W3Codec.column_filename(segment, column)
            if storage.file_exists(name):
                self._columns[column] = storage.open_file(name)

    @staticmethod
    def _terms_file(storage: StillStorage, segment: Any) -> tuple[Any, int, Any]:
        name = segment.make_filename(W3Codec.TERMS_EXT)
        postings = storage.open_file(segment.make_filename(W3Codec.POSTS_EXT))
        return storage.open_file(name), storage.file_length(name), postings

    def field_length(self, field: str) -> int:
        """How many words all documents hold together in a field."""
        return self._field_lengths.get(field, 0)

    def words(self, field: str, start: bytes = b"") -> list[bytes]:
        """The words of a field that begin so, in order of their bytes."""
        table, prefix = self._reader._tindex, self._reader._keycoder(field, start)
        if field not in self._reader._fieldmap:
            return []
        at = table.closest_key_pos(prefix)
        found: list[bytes] = []
        while at is not None and at < table.endofdata:
            data = table.dbfile.get(at, min(READ_AT_ONCE, table.endofdata - at))
            read = _read_words(data, prefix, found)
            if not read:
                break
            at += read
        return found

    def blocks(self, field: str, word: bytes) -> Iterator[tuple[int, Ids, Any, Any]]:
        """(postings, ids, weights, payloads) of each block of a word's postings list, as Whoosh packed them."""
        value = self._reader._tindex.get(self._reader._keycoder(field, word))
        if value is None:
            return
        info = W3TermInfo.from_bytes(value)
        start, (length,) = info.extent()
        data, at, last = self._reader._postfile.get(start, length), 4, False
        while not last:
            (size,) = INT.unpack_from(data, at)
            last, size = size < 0, abs(size)
            head = BytesIO(data[at + 4 : at + 4 + min(size, 100)])
            count, _, _, packed, _, _ = load(head)  # noqa: S301  # our own folder: see above
            body = data[at + 4 + head.tell() : at + 4 + size]
            deltas, weights, payloads = loads(zlib.decompress(body) if packed else body)  # noqa: S301
            yield count, np.cumsum(np.array(deltas, np.uint32), dtype=np.int32), weights, payloads
            at += 4 + size

    def lengths(self, field: str) -> NDArray[np.uint8]:
        """How many words each document holds in a field, as the byte Whoosh keeps of it."""
        return self._padded(f"_{field}_len", np.dtype(np.uint8))

    def facts(self) -> NDArray[np.void]:
        """The FACTS of each document."""
        return self._padded("facts", FACTS)

    def _padded(self, column: str, dtype: np.dtype[Any]) -> NDArray[Any]:
        """A fixed-size column; Whoosh leaves out the zeros at its end."""
        out = np.zeros(self.size, dtype)
        if file := self._columns.get(column):
            found = np.frombuffer(file.whole(), dtype)[: self.size]
            out[: len(found)] = found
        return out

    def texts(self, column: str) -> list[str]:
        """A column of texts, one a document."""
        return [text.decode() for text in self._text_reader(column)]

    def text_reader(self, column: str) -> Callable[[int], str]:
        """A way to look up one document's text in a column."""
        reader = self._text_reader(column)
        return lambda number: reader[number].decode()

    def _text_reader(self, column: str) -> Any:
        file = self._columns[column]
        return VarBytesColumn().reader(file, 0, file.size(), self.size)


class GroupedPostings:
    """Postings grouped by word, in place of Whoosh's pool, which sorts a tuple for each."""

    def __init__(self) -> None:
        self.fields = {name: FieldPostings(SCHEMA[name].format.__class__ is PackedPositions) for name in INDEXED}
        self.lengths = {name: bytearray() for name in INDEXED}

    def iter_postings(self) -> "GroupedPostings":
        return self

    def cleanup(self) -> None:
        self.fields.clear()


class TermsWriter(OrderedHashWriter):  # type: ignore[misc]  # Whoosh has no types
    """Whoosh's table of words, hashed by CRC-32 (which it knows as well as MD5) and written a thousand at a time."""

    def __init__(self, file: Any) -> None:
        HashWriter.__init__(self, file, hashtype=1)
        self.index, self.lastkey = GrowableArray("H"), b""

    def add_all(self, items: Iterable[tuple[bytes, bytes]]) -> None:
        """Add words in order."""
        at, out = self.dbfile.tell(), bytearray()
        for key, value in items:
            hashed = zlib.crc32(key)
            self.buckets[hashed & 255].append((hashed, at + len(out)))
            self.index.append(at + len(out))
            out += LENGTHS.pack(len(key), len(value)) + key + value
            if len(out) > WRITTEN_AT_ONCE:
                self.dbfile.write(bytes(out))
                at, out = at + len(out), bytearray()
        self.dbfile.write(bytes(out))

    def _write_hashes(self) -> None:
        for entries in self.buckets:
            size = 2 * len(entries)
            self.directory.append((self.dbfile.tell(), size))
            table = [EMPTY_SLOT] * size
            for hashed, position in entries:
                slot = (hashed >> 8) % size
                while table[slot] is not EMPTY_SLOT:
                    slot = (slot + 1) % size
                table[slot] = SLOT.pack(hashed, position)
            self.dbfile.write(b"".join(table))


class GroupedFieldWriter(W3FieldWriter):  # type: ignore[misc]  # Whoosh has no types
    """Writes each word's postings at once."""

    def __init__(self, codec: Any, storage: Any, segment: Any) -> None:
        super().__init__(codec, storage, segment)
        begun: Any = self._tindex
        begun.dbfile.seek(0)
        self._tindex: Any = TermsWriter(begun.dbfile)
        self._tindex.extras["fieldmap"] = self._fieldmap

    def add_postings(self, schema: Any, lengths: Any, postings: GroupedPostings) -> None:
        """Write all fields; `lengths` is not needed, since the postings bring their own."""
        for field in sorted(postings.fields):
            found = postings.fields.pop(field)
            if found.words:
                self.start_field(field, schema[field])
                self._tindex.add_all(self._written(found, np.frombuffer(postings.lengths[field], np.uint8)))
                self.finish_field()

    def _written(self, postings: FieldPostings, lengths: NDArray[np.uint8]) -> Iterator[tuple[bytes, bytes]]:
        """Each word's key, and where its postings stand."""
        code, at = pack_ushort(self._fieldid), self._postfile.tell()
        for word in postings.by_word(lengths):
            written = MAGIC + b"".join(_blocks(word))
            self._postfile.write(written)
            weights, ids = word.weights, word.ids
            shortest, longest = word.lengths
            where = (at, len(written))
            facts = (0, sum(weights), len(ids), shortest, longest, max(weights), ids[0], ids[-1])
            yield code + word.word, TERM_INFO.pack(*facts, *where)
            at += len(written)


def _blocks(word: WordPostings) -> Iterator[bytes]:
    """A word's postings in blocks, as Whoosh packs them, but with Python's own arrays where they are long."""
    count = len(word.ids)
    if count == 1:  # as of most words
        (number,), (weight,) = word.ids, word.weights
        yield _packed(
            (1, number, weight, 0, *word.lengths), ((number,), None if weight == 1.0 else weight, word.places)
        )
        return
    for at in range(0, count, BLOCK):
        part = slice(at, at + BLOCK)
        ids, weights = word.ids[part], word.weights[part]
        top = max(weights)
        if min(weights) == top:
            mass: Any = None if top == 1.0 else top
        else:
            mass = array("f", weights) if len(ids) >= PACKED_FROM else tuple(weights)
        places = tuple(word.places[part]) if word.places is not None else None
        head, body = (len(ids), ids[-1], top, 0, *word.lengths), (_deltas(ids), mass, places)
        yield _packed(head, body, last=at + BLOCK >= count)


def _packed(head: tuple[Any, ...], body: tuple[Any, ...], last: bool = True) -> bytes:
    # Protocol 3: the 2 that Whoosh uses spells every bytes object as a call, a third more to read and to store.
    packed = dumps(head, 3) + dumps(body, 3)
    return INT.pack(-len(packed) if last else len(packed)) + packed


def _deltas(ids: Sequence[int]) -> Any:
    if len(ids) < PACKED_FROM:
        return tuple(map(sub, ids, (0, *ids)))
    return array("I", np.diff(np.array(ids, np.uint32), prepend=np.uint32(0)).tobytes())


class GroupedCodec(W3Codec):  # type: ignore[misc]  # Whoosh has no types
    """Whoosh's own file format, written grouped."""

    def field_writer(self, storage: Any, segment: Any) -> GroupedFieldWriter:
        return GroupedFieldWriter(self, storage, segment)

    def new_segment(self, storage: Any, indexname: str) -> Any:
        # Whoosh names segments by `random`: whoever seeds that would have two segments overwrite each other.
        kept = W3Codec(blocklimit=BLOCK, compression=0)  # what is pickled is Whoosh's own
        return W3Segment(kept, indexname, segid=secrets.token_hex(8))


class Writer(SegmentWriter):  # type: ignore[misc]  # Whoosh has no types
    """Writes one segment. Whoever makes one holds the folder's lock."""

    def __init__(self, folder: Path) -> None:
        index = FileIndex(StillStorage(str(folder)), schema=SCHEMA, indexname=NAME)
        super().__init__(index, codec=GroupedCodec(blocklimit=BLOCK, compression=0), compound=False, _lk=False)
        self.folder = folder
        self.pool = GroupedPostings()
        self._heads: list[tuple[str, str]] = []

    def add(self, postings: Mapping[str, Postings], columns: Mapping[str, bytes]) -> None:
        """Add one document."""
        number = self._add_columns({field: postings[field].length for field in SCORED}, columns)
        for field, found in postings.items():
            self.pool.fields[field].add(number, found.weights, found.places)

    def take_over(self, stored: Stored, alive: NDArray[np.bool_] | None) -> None:
        """Copy what is alive of another segment into this one."""
        kept = np.arange(stored.size) if alive is None else np.flatnonzero(alive)
        new_number = np.full(stored.size, -1, np.int32)
        lengths = {field: LENGTH_OF_BYTE[stored.lengths(field)].astype(int) for field in SCORED}
        facts, texts = stored.facts(), {column: stored.texts(column) for column in TEXT_COLUMNS}
        for old in kept.tolist():
            columns = {column: values[old].encode() for column, values in texts.items()}
            columns["facts"] = facts[old].tobytes()
            new_number[old] = self._add_columns({field: int(lengths[field][old]) for field in SCORED}, columns)
        for field in INDEXED:
            for word in stored.words(field):
                self._take_over_word(stored, field, word, new_number)

    def _take_over_word(self, stored: Stored, field: str, word: bytes, new_number: Ids) -> None:
        for count, ids, mass, places in stored.blocks(field, word):
            numbers = new_number[ids]
            kept = numbers >= 0
            if kept.any():
                chosen = [places[at] for at in np.flatnonzero(kept)] if places else []
                self.pool.fields[field].extend(word, numbers[kept], weights_of(count, mass)[kept], chosen)

    def _add_columns(self, lengths: Mapping[str, int], columns: Mapping[str, bytes]) -> int:
        number: int = self.docnum
        self.perdocwriter.start_doc(number)
        for field, length in lengths.items():
            self.perdocwriter.add_field(field, SCHEMA[field], None, length)
        for field, kept in self.pool.lengths.items():
            kept.append(length_to_byte(lengths.get(field, 0)))
        for column, value in columns.items():
            self.perdocwriter.add_column_value(column, SCHEMA[column].column_type, value)
        self.perdocwriter.finish_doc()
        self._heads.append((columns["heads"].decode(), columns["keys"].decode()))
        self.docnum += 1
        self._added = True
        return number

    def commit_with(self, kept: list[Any], publish: Callable[[int, list[Any]], None]) -> None:
        """Finish: the new segment joins those `kept`, reaches the disk, and `publish` is told before others go."""
        self._publish = publish
        self.commit(mergetype=lambda writer, segments: kept)

    def _commit_toc(self, segments: list[Any]) -> None:
        if self._added:
            heads, keys = zip(*self._heads, strict=True)
            (self.folder / self.newsegment.make_filename(HEADS_EXT)).write_bytes(packed(heads, keys))
        for file in files_of(self.folder, [self.newsegment] if self._added else []):
            to_disk(file)
        TOC(SCHEMA, segments, self.generation).write(self.storage, NAME)
        to_disk(self.folder)
        self._publish(self.generation, segments)
        clean_files(self.storage, NAME, self.generation, segments)


def weights_of(count: int, mass: Any) -> Weights:
    """A block's weights, unpacked: Whoosh keeps None for ones, and one number where all are alike."""
    if isinstance(mass, tuple | array):
        return np.array(mass, np.float32)
    return np.full(count, 1.0 if mass is None else mass, np.float32)


def create(folder: Path) -> None:
    """Begin an empty index."""
    TOC.create(StillStorage(str(folder)), SCHEMA, NAME)


def segments_of(folder: Path, contents: int) -> list[Any]:
    """Whoosh's segments in one of its tables of contents."""
    found: list[Any] = TOC.read(StillStorage(str(folder)), NAME, gen=contents, schema=SCHEMA).segments
    return found


def contents_file(contents: int) -> str:
    """The file name of a table of contents."""
    return f"_{NAME}_{contents}.toc"


def files_of(folder: Path, segments: Iterable[Any]) -> list[Path]:
    """Every file of these segments."""
    names = {segment.segment_id() for segment in segments}
    return sorted(file for file in folder.iterdir() if segment_of(file.name) in names)


def forget_unpublished(folder: Path, contents: int) -> None:
    """Remove what a writer that died left behind."""
    clean_files(StillStorage(str(folder)), NAME, contents, segments_of(folder, contents))


def segment_of(file: str) -> str:
    """The name of the segment that a file is part of."""
    return file.partition(".")[0]


def alive_in(segment: Any, size: int) -> NDArray[np.bool_] | None:
    """Which documents of a segment are alive, or None where all are."""
    deleted = segment.deleted_docs() if segment.has_deletions() else ()
    if not deleted:
        return None
    alive = np.ones(size, np.bool_)
    alive[list(deleted)] = False
    return alive


@contextmanager
def writing(folder: Path) -> Iterator[Writer]:
    """A writer that gives up when anything fails; what it left behind goes at the next commit."""
    writer = Writer(folder)
    try:
        yield writer
    finally:
        if not writer.is_closed:
            with suppress(Exception):  # it may have failed at any point, half closed
                writer.cancel()
