"""Tables of text: CSV and its kin, cell by cell as they stand, a batch at a time."""

from __future__ import annotations

import csv
import itertools
import re
from typing import TYPE_CHECKING

from layers.errors import ReadError
from layers.importing.batches import CELL_AT_MOST, COLUMNS_AT_MOST, write_batches
from layers.importing.encodings import Encoding, proven_encoding
from layers.importing.jobs import Job, Reading, chosen
from layers.importing.sniffing import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TextIO

    import pyarrow as pa

_DELIMITERS = ",;\t|"
_TRIED, _TRIED_LENGTH = 50, 1 << 18
_SAMPLE = 1 << 20
_ROWS = 16_384
_BYTES_AT_ONCE = 32 << 20
_SAID = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)
_WORDS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def read_text_table(kind: str, job: Job) -> Reading:
    """Read a table of text; every column stays text, and there are no places yet.

    Parameters
    ----------
    kind
        ``"csv"`` or ``"tsv"``.
    job
        The file and what is wanted of it.

    Returns
    -------
    Reading
        What was read. The first record names the columns; blank records and columns
        without name and content are left out.

    Raises
    ------
    ReadError
        If the encoding is not certain, a record is longer or shorter than the first, a
        column is named twice or not at all, or a quote is not closed.
    """
    chosen(job.name, [job.stem], job.layer, what="layer")
    encoding = encoding_of_text(job.file, job.name, job.encoding)
    notes = [encoding.reason] if encoding.reason else []
    csv.field_size_limit(CELL_AT_MOST)
    try:
        with job.file.open("r", encoding=encoding.name, newline="") as stream:
            delimiter = _delimiter(stream, kind)
            table = _Table(job, stream, delimiter)
            written = write_batches(job, table.schema(), table.batches(), geometry=None)
    except UnicodeError as error:
        raise ReadError(
            f"{job.name} is no text in {encoding.name} throughout "
            f"({str(error)[:80]}); pass --encoding with the right one"
        ) from None
    if delimiter != ("\t" if kind == "tsv" else ","):
        notes.append(f"Its cells are parted by {_WORDS.get(delimiter, delimiter)}.")
    if table.blank:
        notes.append(f"{table.blank} records without content were left out.")
    return Reading(
        kind=KINDS[kind].title,
        layer=job.stem,
        layers=(job.stem,),
        written=written,
        encoding=encoding.name.removesuffix("-sig"),
        notes=[*notes, *written.notes],
    )


def encoding_of_text(file: Path, name: str, flag: str | None) -> Encoding:
    """Find the encoding of a text file, by all of its bytes.

    Parameters
    ----------
    file
        The file.
    name
        What to call it in a message.
    flag
        Codec that the caller asks for, if any.

    Returns
    -------
    Encoding
        By the flag, else by a mark at the beginning, else by proof.

    Raises
    ------
    ReadError
        If the bytes leave several readings.
    """
    with file.open("rb") as stream:
        head = stream.read(4)
        found = proven_encoding(head, name) if head[:2] in _MARKS else None
        if flag is not None:
            if found is not None and flag.startswith("utf"):
                return found  # the mark says the order of bytes as well
            signed = head.startswith(b"\xef\xbb\xbf") and flag == "utf-8"
            return Encoding(name="utf-8-sig" if signed else flag)
        if found is not None:
            return found
        stream.seek(0)
        foreign: list[bytes] = [head[:3]] if head.startswith(b"\xef\xbb\xbf") else []
        length = 0
        is_utf8 = True
        for line in stream:
            if line.isascii() and b"\0" not in line:
                continue
            if is_utf8:
                try:
                    line.decode("utf-8")
                except UnicodeDecodeError:
                    is_utf8 = False
                    foreign, length = [], 0
                if b"\0" in line:
                    return proven_encoding(b"\0", name)
            if length < _SAMPLE and not (is_utf8 and foreign):
                foreign.append(line)
                length += len(line)
    return proven_encoding(b"".join(foreign), name)


_MARKS = (b"\xff\xfe", b"\xfe\xff")


def _delimiter(stream: TextIO, kind: str) -> str:
    """Find what parts the cells, and leave the stream at the first record."""
    first = stream.readline(4096)
    if said := _SAID.fullmatch(first):
        return said[1]
    stream.seek(0)
    sample = list(itertools.islice(_bounded(stream), 2 * _TRIED))
    stream.seek(0)
    order = "\t,;|" if kind == "tsv" else _DELIMITERS
    best, most = order[0], 1
    for even in (True, False):
        for delimiter in order:
            widths = _widths(sample, delimiter)
            if even and len(set(widths)) > 1:
                continue
            if widths and widths[0] > most:
                best, most = delimiter, widths[0]
        if most > 1:
            break
    return best


def _bounded(stream: TextIO) -> Iterator[str]:
    """Yield lines, up to a length."""
    left = _TRIED_LENGTH
    while left > 0 and (line := stream.readline(left)):
        yield line
        left -= len(line)


def _widths(sample: list[str], delimiter: str) -> list[int]:
    """Count the cells of the first records."""
    reader = csv.reader(sample, delimiter=delimiter)
    try:
        widths = [len(r) for r in itertools.islice(reader, _TRIED) if r]
    except csv.Error:
        return []
    # The last one may be cut short by the end of the sample.
    return widths[:-1] if len(widths) > 1 and len(widths) < _TRIED else widths


class _Table:
    """Records of a text file under their header."""

    def __init__(self, job: Job, stream: TextIO, delimiter: str) -> None:
        self._name = job.name
        self._reader = csv.reader(stream, delimiter=delimiter, strict=True)
        self.blank = 0
        header = next((r for r in self._records() if any(map(str.strip, r))), None)
        if header is None:
            raise ReadError(f"{job.name} is empty")
        self._width = len(header)
        named = [i for i, column in enumerate(header) if column.strip()]
        self._unnamed = [i for i, column in enumerate(header) if not column.strip()]
        if len(named) > COLUMNS_AT_MOST:
            raise ReadError(
                f"{job.name} has {len(named):,} columns; expected at most "
                f"{COLUMNS_AT_MOST:,}"
            )
        names = [header[i].strip() for i in named]
        if twice := sorted({n[:40] for n in names if names.count(n) > 1}):
            raise ReadError(
                f"{job.name}: the column {', '.join(twice[:5])} is there twice"
            )
        self._named = dict(zip(names, named, strict=True))

    def schema(self) -> pa.Schema:
        """Every column as text."""
        import pyarrow as pa

        return pa.schema([(name, pa.string()) for name in self._named])

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the records as batches."""
        import pyarrow as pa

        records: list[list[str]] = []
        length = 0

        def batch() -> pa.RecordBatch:
            columns = [[r[i] for r in records] for i in self._named.values()]
            arrays = [pa.array(column, pa.string()) for column in columns]
            return pa.record_batch(arrays, schema=self.schema())

        for record in self._records():
            if not any(map(str.strip, record)):
                self.blank += 1
                continue
            self._check(record)
            records.append(record)
            length += sum(map(len, record))
            if len(records) == _ROWS or length > _BYTES_AT_ONCE:
                yield batch()
                records.clear()
                length = 0
        if records:
            yield batch()

    def _records(self) -> Iterator[list[str]]:
        """Yield records that are not empty lines."""
        try:
            for record in self._reader:
                if record:
                    yield record
        except csv.Error as problem:
            raise ReadError(
                f"{self._name} is no CSV: line {self._reader.line_num}: "
                f"{str(problem)[:120]}"
            ) from None

    def _check(self, record: list[str]) -> None:
        """Refuse a record that does not fit the header."""
        if len(record) != self._width:
            raise ReadError(
                f"{self._name}, line {self._reader.line_num}: {len(record)} cells "
                f"under {self._width} column names; look for a comma too many or too "
                "few, or a text with a comma that lacks its quotes"
            )
        for i in self._unnamed:
            if record[i].strip():
                raise ReadError(
                    f"{self._name}: column {i + 1} has content and no name; name it"
                )
