"""What can be known of rows while the rest of their file is still being read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo.wkb import from_wkb
from layers.errors import ReadError
from layers.importing.places import Places, places_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Shapes = NDArray[np.object_]

_ROWS_AT_MOST = 2_000_000
_MAGIC = 8  # bytes before the first message of an Arrow file


class Growing:
    """Record batches of an Arrow file that another process still writes.

    Parameters
    ----------
    path
        The file.
    name
        What to call it in a message.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name
        self._at, self._rows = _MAGIC, 0
        self._schema: pa.Schema | None = None

    def until(self, rows: int) -> Iterator[pa.RecordBatch]:
        """Read on.

        Parameters
        ----------
        rows
            Rows that are there by now.

        Yields
        ------
        pyarrow.RecordBatch
            Those that were not read yet, in the order of the file.

        Raises
        ------
        ReadError
            If they are not there, or damaged.
        """
        import pyarrow as pa

        try:
            # A map does not grow with its file.
            with pa.memory_map(str(self._path)) as stream:
                stream.seek(self._at)
                if self._schema is None:
                    self._schema = pa.ipc.read_schema(stream)
                while self._rows < rows:
                    message = pa.ipc.read_message(stream)
                    batch = pa.ipc.read_record_batch(message, self._schema)
                    self._rows += batch.num_rows
                    self._at = stream.tell()
                    yield batch
        except (OSError, EOFError, pa.ArrowException) as error:
            raise ReadError(
                f"{self._name}: the rows that were read are damaged"
            ) from error


class Ahead:
    """Places of the batches of a file, read before all of them are there.

    Parameters
    ----------
    with_shapes
        Whether the geometries themselves will be wanted, too.

    Attributes
    ----------
    places
        Of each batch by its number, counted from 0.
    shapes
        Geometries of those batches of which all rows are plain points or polygons.
    """

    def __init__(self, *, with_shapes: bool) -> None:
        self._with_shapes, self._rows, self._number = with_shapes, 0, 0
        self.places: dict[int, Places] = {}
        self.shapes: dict[int, Shapes] = {}

    def take(self, batch: pa.RecordBatch) -> None:
        """Look at the next batch, if not too many are held already.

        Parameters
        ----------
        batch
            Rows of a file; without a column ``geometry`` nothing is known of them yet.
        """
        number, self._number = self._number, self._number + 1
        before, self._rows = self._rows, self._rows + batch.num_rows
        if self._rows > _ROWS_AT_MOST or "geometry" not in batch.schema.names:
            return
        column = batch.column("geometry")
        places = self.places[number] = places_of(column, before=before)
        if self._with_shapes and _is_plain(places):
            self.shapes[number] = shapes_of(column)


def _is_plain(places: Places) -> bool:
    """Whether geometries are likely to stay as they are in the file."""
    if places.shapes is None:
        return not bool(places.missing.any())
    return places.outlines is not None and bool(places.outlines.plain.all())


def shapes_of(column: pa.Array) -> Shapes:
    """Geometries of a column of WKB.

    Parameters
    ----------
    column
        Of a record batch, shape ``(n,)``.

    Returns
    -------
    numpy.ndarray
        Shape ``(n,)``.
    """
    return from_wkb(column.to_numpy(zero_copy_only=False))
