"""The one document of a KML file, written row by row."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from layers.export.kml_elements import (
    attribute,
    element,
    geometries,
    html,
    html_table,
    kml_type,
    text,
)
from layers.export.kml_styles import UNMARKED, styles
from layers.export.losses import loss_report
from layers.export.parts import Steps
from layers.export.shapes import cut_at_180, wound
from layers.export.values import Values, as_text, kind_of
from layers.symbology import BASE_MAP

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    import pyarrow as pa

    from geo.parallel import Progress
    from layers.export.content import Content, Sheet

_NAMESPACE = "http://www.opengis.net/kml/2.2"
_DEGREE_M = 111_000
_ROWS = 5_000


def write_document(
    content: Content,
    stream: IO[bytes],
    *,
    form: str,
    progress: Progress | None = None,
) -> None:
    """Write the document.

    Parameters
    ----------
    content
        What is to be written.
    stream
        Where to write; UTF-8.
    form
        ``"kmz"`` if the pictures of the symbols stand beside it, else ``"kml"``.
    progress
        Takes rows written and rows in all.
    """
    steps = Steps(content, progress)
    sheets = [(sheet, Values(sheet)) for sheet in content.layers]
    stream.write(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="{_NAMESPACE}"><Document>'
        f"{element('name', content.title)}<open>1</open>"
        f"<description>{text(_about(content, form))}</description>{_view(content)}\n"
        f"{styles(content, pictures=form == 'kmz')}".encode()
    )
    for number, (sheet, values) in enumerate(sheets):
        stream.write(_schema(number, sheet, values).encode())
    for number, (sheet, values) in enumerate(sheets):
        shown = sheet.on and sheet.group != BASE_MAP
        stream.write(
            f"<Folder>{element('name', sheet.title)}"
            f"<visibility>{int(shown)}</visibility>"
            f"<description>{text(_credit(sheet))}</description>\n".encode()
        )
        for rows in _placemarks(number, values, shown=shown):
            stream.write("".join(rows).encode())
            steps.add(len(rows))
        stream.write(b"</Folder>\n")
    stream.write(b"</Document></kml>\n")


def _about(content: Content, form: str) -> str:
    """Say in HTML what the export is."""
    lines = loss_report(content, form).lines
    lost = f"What this format changed: {'; '.join(lines)}." if lines else ""
    made = f"Made by Lodemap {content.version}; dated {content.dated}."
    said = [content.abstract, made, lost]
    return "".join(f"<p>{html(part)}</p>" for part in said if part)


def _credit(sheet: Sheet) -> str:
    """Say in HTML what a layer is, where it comes from, how it may be used."""
    retrieved = sheet.retrieved.isoformat() if sheet.retrieved else ""
    pairs = [
        ("Credit", sheet.rights),
        ("Licence", sheet.licence),
        ("Source", sheet.source),
        ("Link", sheet.url),
        ("Retrieved", retrieved),
    ]
    table = html_table([(name, said) for name, said in pairs if said])
    return f"<p>{html(sheet.abstract)}</p>{table}"


def _view(content: Content) -> str:
    """Where Google Earth looks at first."""
    west, south, east, north = content.bbox
    lon, lat = (west + east) / 2, (south + north) / 2
    width = (east - west) * math.cos(math.radians(lat))
    distance = max(width, north - south, 0.01) * _DEGREE_M * 1.4
    return (
        f"<LookAt><longitude>{lon:.6f}</longitude><latitude>{lat:.6f}</latitude>"
        f"<heading>0</heading><tilt>0</tilt><range>{min(distance, 2e7):.0f}</range>"
        "</LookAt>"
    )


def _schema(number: int, sheet: Sheet, values: Values) -> str:
    """Declare the columns of a layer."""
    fields = []
    for name, column in values.columns.items():
        alias = _alias(sheet, name)
        fields.append(
            f'<SimpleField type="{kml_type(column)}" name={attribute(name)}>'
            f"<displayName>{text(alias)}</displayName></SimpleField>"
        )
    named = attribute(sheet.title)
    return f'<Schema name={named} id="schema-{number}">{"".join(fields)}</Schema>\n'


def _alias(sheet: Sheet, name: str) -> str:
    """Name of a column for people, with its unit."""
    field = sheet.fields.get(name)
    if field is None:
        return name
    unit = f" [{field.unit}]" if field.unit not in {"", "1"} else ""
    return f"{field.alias or name}{unit}"


def _placemarks(number: int, values: Values, *, shown: bool) -> Iterator[list[str]]:
    """Rows of a layer as placemarks, a batch at a time."""
    sheet = values.sheet
    label = sheet.style.label if sheet.style else ""
    label = next((n for n in (label, "name", "id") if n in values.columns), "")
    known = {mark.key for mark in sheet.style.marks} if sheet.style else set()
    aliases = [_alias(sheet, name) for name in values.columns]
    heads = [f"<SimpleData name={attribute(name)}>" for name in values.columns]
    data = f'<ExtendedData><SchemaData schemaUrl="#schema-{number}">'
    for columns, shapes in values.batches(_ROWS):
        cells = {name: _cells(column) for name, column in columns.items()}
        names = cells.get(label) or [None] * len(shapes)
        marks = cells.get("mark") or [None] * len(shapes)
        rows = []
        places = geometries(wound(cut_at_180(shapes)))
        for place, name, mark, *row in zip(
            places, names, marks, *cells.values(), strict=True
        ):
            pairs = [(a, v) for a, v in zip(aliases, row, strict=True) if v]
            said = f"<h3>{html(name or '')}</h3>{html_table(pairs)}"
            if sheet.rights:
                said += f"<p>{html(sheet.rights)}</p>"
            inside = "".join(
                f"{head}{text(value)}</SimpleData>"
                for head, value in zip(heads, row, strict=True)
                if value is not None
            )
            style = _style_of(mark, known) if known else ""
            rows.append(
                f"<Placemark>{element('name', name or '')}"
                f"{'' if shown else '<visibility>0</visibility>'}"
                '<Snippet maxLines="0"></Snippet>'
                f"<description>{text(said)}</description>{style}"
                f"{data}{inside}</SchemaData></ExtendedData>{place}"
                "</Placemark>\n"
            )
        yield rows


def _style_of(mark: str | None, known: set[str]) -> str:
    key = mark if mark in known else UNMARKED
    return f"<styleUrl>#mark-{key}</styleUrl>"


def _cells(column: pa.ChunkedArray) -> list[str | None]:
    """Values of a column as text; None where missing or infinite."""
    if kind_of(column.type) == "number":
        return [
            None if v is None or not math.isfinite(v) else repr(v)
            for v in column.to_pylist()
        ]
    found: list[Any] = as_text(column).to_pylist()
    return found
