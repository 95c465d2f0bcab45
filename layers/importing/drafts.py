"""A mapping proposed for a file, by the names of its columns and what stands there."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layers.importing.place_columns import (
    LATITUDE,
    LONGITUDE,
    find_columns,
    plain_name,
)
from layers.importing.raw import Limits, open_raw
from layers.schema import FEATURE_COLUMNS, PRECISION, STATUS

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    import pyarrow as pa

    from layers.importing.raw import RawFile

_NAMES = {
    "id": "id code uid uuid key no number 번호 코드 관리번호 식별자 编号 編號 代码",
    "name": "name title label namen site mine sitename 이름 명칭 지명 시설명 광산명 "
    "名称 名稱 地名",
    "name_ko": "nameko namekr korean hangul koreanname 한글명 국문명 한국어 "
    "조선말이름 韩文名",
    "name_zh": "namezh namecn chinese chinesename hanja 중국어 한자명 한자 中文名 中文",
    "kind": "kind type category class klass commodity 종류 유형 구분 분류 광종 업종 "
    "类型 類型 种类 类别",
    "uncertainty_m": "uncertaintym uncertainty accuracy accuracym error errorm radius "
    "radiusm precisionm errm coordinateuncertaintyinmeters 오차 오차m "
    "정확도 정밀도 误差 精度",
    "precision_code": "precisioncode precision geoprecision 정밀도코드 精度代码",
    "georeference_protocol": "georeferenceprotocol georeferencemethod method "
    "georeferencesources 측위방법 좌표출처 定位方法",
    "status": "status state condition 상태 현황 가동여부 状态 狀態",
    "claims": "claims claim 주장",
    "sources": "sources source reference references citation 출처 자료출처 "
    "참고문헌 来源 來源",
    "note": "note notes remark remarks comment comments description desc "
    "비고 메모 설명 备注 備註 说明",
}
_HANGUL, _HAN = re.compile("[가-힣]"), re.compile("[\u4e00-\u9fff]")
_MOST_VALUES = 12
_LIKELY_STATUS = {
    "existing": "existing exists operating active open 가동 가동중 운영 운영중 "
    "조업 在营 运行",
    "historic": "historic closed abandoned inactive former 폐광 폐쇄 휴광 중단 关闭 "
    "废弃",
    "reported": "reported planned proposed 보도 계획 예정 规划 计划",
}


def draft_mapping(
    path: str | PathLike[str],
    *,
    layer: str | None = None,
    encoding: str | None = None,
    limits: Limits | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> str:
    """Propose a mapping for a file.

    Parameters
    ----------
    path
        An existing file.
    layer, encoding
        As for :func:`layers.read`.
    limits, progress
        As for :func:`layers.read`.

    Returns
    -------
    str
        TOML that :func:`layers.importing.mapping.read_mapping` reads, with a remark
        wherever it is not sure. Nothing of it holds until somebody has looked it
        through and passes it on.

    Raises
    ------
    ReadError
        If the file cannot be read.
    """
    import pyarrow as pa

    with open_raw(
        path, layer=layer, encoding=encoding, limits=limits, progress=progress
    ) as raw:
        file = pa.ipc.open_file(pa.memory_map(str(raw.arrow)))
        first = file.get_batch(0) if file.num_record_batches else None
        cells = {
            column: [] if first is None else _texts(first.column(column))
            for column in raw.columns
        }
        return "\n".join(_lines(Path(path).name, raw, cells, layer, encoding)) + "\n"


def _texts(column: pa.Array) -> list[str | None]:
    """Cells as text."""
    return [None if cell is None else str(cell) for cell in column.to_pylist()]


def _lines(
    name: str,
    raw: RawFile,
    cells: dict[str, list[str | None]],
    layer: str | None,
    encoding: str | None,
) -> list[str]:
    """Lines of the draft."""
    lines = [
        f"# A mapping for {_remark(name)} ({raw.kind}, {raw.rows} rows). A draft: it",
        "# was made out of names and first rows. Look through every line.",
        "",
        "[read]",
    ]
    if layer is not None:
        lines.append(f"layer = {_quoted(layer)}")
    if encoding is not None:
        lines.append(f"encoding = {_quoted(encoding)}")
    used = _places(lines, name, raw, cells)
    taken = _columns(lines, cells, used)
    _values(lines, cells, taken)
    _constants(lines, taken)
    others = [c for c in cells if c not in used and c not in taken.values()]
    lines += ["", "[others]", f"keep = [{', '.join(map(_quoted, others))}]"]
    lines += [
        "",
        "[source]",
        '# id = "…"  # of a source that ships, or a new one',
        '# title = "…"',
        '# url = "…"',
        '# licence = "CC-BY-4.0"  # SPDX; LicenseRef-… for one that it does not list',
    ]
    return lines


def _places(
    lines: list[str], name: str, raw: RawFile, cells: dict[str, list[str | None]]
) -> tuple[str, ...]:
    """Propose how places are read; return the columns that hold them."""
    from layers.errors import ImportRefusedError

    if raw.has_geometry:
        if raw.crs is None:
            lines.append(
                '# crs = "EPSG:…"  # the file states none; lodemap import lists some'
            )
        return ()
    try:
        found = find_columns(name, raw.columns, lambda column: cells[column][:200])
    except ImportRefusedError as error:
        lines.append(f"# not sure: {_remark(str(error))}")
        likely = {
            axis: next((c for c in cells if plain_name(c) in names), None)
            for axis, names in (("lon", LONGITUDE), ("lat", LATITUDE))
        }
        lines += [f"# {a} = {_quoted(c)}" for a, c in likely.items() if c is not None]
        return ()
    if found.how in {"lonlat", "pair"}:
        pair = found.names if found.how == "lonlat" else found.names * 2
        lines += [f"lon = {_quoted(pair[0])}", f"lat = {_quoted(pair[1])}"]
    else:
        lines.append(f"{found.how} = {_quoted(found.names[0])}")
    return found.names


def _columns(
    lines: list[str], cells: dict[str, list[str | None]], used: tuple[str, ...]
) -> dict[str, str]:
    """Propose which column is which of ours; return it."""
    lines += ["", "[columns]"]
    taken: dict[str, str] = {}
    for ours, names in _NAMES.items():
        known = set(names.split())
        likely = [
            column
            for column in cells
            if column not in used
            and column not in taken.values()
            and (column == ours or plain_name(column) in known)
        ]
        if not likely:
            continue
        taken[ours] = likely[0]
        doubts = [f"or {_remark(other)}" for other in likely[1:]]
        doubts += _doubts(ours, cells[likely[0]])
        remark = f"  # not sure: {'; '.join(doubts)}" if doubts else ""
        lines.append(f"{ours} = {_quoted(likely[0])}{remark}")
    absent = [ours for ours in FEATURE_COLUMNS if ours not in taken]
    if absent:
        lines.append(f"# no column found for {', '.join(absent)}")
    return taken


def _doubts(ours: str, cells: list[str | None]) -> list[str]:
    """Say what speaks against a column."""
    texts = [c.strip() for c in cells if c is not None and c.strip()]
    if not texts:
        return ["it is blank"]
    doubts = []
    if ours == "id" and len(set(texts)) < len(texts):
        doubts.append("values repeat")
    if ours == "uncertainty_m":
        if not all(_is_number(t) for t in texts):
            doubts.append("not all are numbers")
        else:
            doubts.append("are these metres?")
    if ours == "name" and all(_HANGUL.search(t) for t in texts):
        doubts.append("all in Hangul: name_ko, or both?")
    if ours == "name" and all(_HAN.search(t) for t in texts):
        doubts.append("all in Chinese: name_zh, or both?")
    if ours == "name_ko" and not any(_HANGUL.search(t) for t in texts):
        doubts.append("no Hangul in it")
    if ours == "sources":
        doubts.append("then [source] may be left out")
    return doubts


def _values(
    lines: list[str], cells: dict[str, list[str | None]], taken: dict[str, str]
) -> None:
    """Propose what the values of a column mean."""
    for ours, allowed in (("status", STATUS), ("precision_code", PRECISION)):
        if ours not in taken:
            continue
        counts = Counter(c.strip() for c in cells[taken[ours]] if c and c.strip())
        strange = [v for v in counts if v not in {str(a) for a in allowed}]
        if not strange:
            continue
        lines += ["", f"[values.{ours}]  # one of {', '.join(map(str, allowed))}"]
        for value in strange[:_MOST_VALUES]:
            likely = next(
                (s for s, w in _LIKELY_STATUS.items() if value.lower() in w.split()),
                "…",
            )
            if ours == "status" and likely != "…":
                lines.append(f"{_quoted(value)} = {_quoted(likely)}  # not sure")
            else:
                lines.append(f"# {_quoted(value)} = …")


def _constants(lines: list[str], taken: dict[str, str]) -> None:
    """List what holds for every row and has to be said."""
    lines += ["", "[constants]"]
    said: tuple[tuple[str, Any], ...] = (
        ("kind", '"mine"'),
        ("status", '"reported"  # ' + ", ".join(STATUS)),
        (
            "precision_code",
            "2  # " + "; ".join(f"{k} {v}" for k, v in PRECISION.items()),
        ),
        ("uncertainty_m", "500  # metres, for every row"),
    )
    lines += [f"# {ours} = {value}" for ours, value in said if ours not in taken]


def _is_number(text: str) -> bool:
    """Tell whether a text is a number."""
    try:
        float(text.replace(",", ""))
    except ValueError:
        return False
    return True


def _quoted(text: str) -> str:
    """Write a text as a TOML string."""
    special = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    plain = "".join(
        special.get(c) or (c if c.isprintable() else f"\\U{ord(c):08x}") for c in text
    )
    return f'"{plain}"'


def _remark(text: str) -> str:
    """Write a text so that it stays in its remark."""
    return "".join(c if c.isprintable() else " " for c in text)[:300]
