"""Blocks read without GDAL, judged by GDAL, and handed to it where anything is odd."""

import struct
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import GridError
from geo.raster import Band, Grid, blocks
from geo.raster.blocks import HUGE, Blocks, Shelf
from geo.raster.sheets import Window, reading
from geo.raster.sources import open_source
from geo.raster.tiff import About, pack

SHAPE = (230, 330)
TILE = (64, 96)
GRID = Grid(west=3e5, north=44e5, dx=30, dy=30, shape=SHAPE, crs="EPSG:32651")
TYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"]


@pytest.fixture(autouse=True)
def _small_blocks_count(monkeypatch):
    monkeypatch.setattr(blocks, "_LEAST", 1)


def drawn(dtype, seed=0):
    """Numbers of all sizes a type has, and the odd ones among floats."""
    draw = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    if dtype.kind != "f":
        kind = np.iinfo(dtype)
        return draw.integers(kind.min, kind.max, SHAPE, dtype, endpoint=True)
    values = draw.normal(0, 1, SHAPE) * 10.0 ** draw.integers(-40, 14, SHAPE)
    values = values.astype(dtype)
    odd = [0, -0.0, np.nan, np.inf, -np.inf, HUGE, -HUGE, 2e15, -9999, 1e-42]
    places = draw.random(SHAPE) < 0.2
    values[places] = draw.choice(np.array(odd, dtype), places.sum())
    values[:3] = np.array(odd, dtype)[7]
    return values


def write(path, values, **profile):
    tile = {"tiled": True, "blockysize": TILE[0], "blockxsize": TILE[1]}
    usual = {"driver": "GTiff", "compress": "deflate", **tile, **profile}
    many = values if values.ndim == 3 else values[None]
    with rasterio.open(
        path,
        "w",
        count=len(many),
        height=SHAPE[0],
        width=SHAPE[1],
        dtype=values.dtype,
        crs=GRID.crs,
        transform=GRID.transform,
        **usual,
    ) as target:
        target.write(many)
    return path


def raw(path, window, dtype=None, shelf=None):
    """A window as it is stored, read here, and what was left to GDAL."""
    with rasterio.open(path) as source:
        file = Blocks(source, shelf or Shelf())
        out = np.empty((window.rows, window.columns), dtype or source.dtypes[0])
        inside = window.within(Window(0, 0, *SHAPE))
        left = file.read(out, inside, None)
        file.close()
    return out, left


def by_gdal(path, window):
    inside = window.within(Window(0, 0, *SHAPE))
    with rasterio.open(path) as source:
        return source.read(1, window=tuple((s.start, s.stop) for s in inside))


def without_none(values, nodata=np.nan):
    """What is no value turned into NaN by numpy."""
    if values.dtype.kind != "f":
        return values
    good = np.abs(values.astype("float64")) < HUGE  # the nearest float32 is less
    good &= values != values.dtype.type(nodata)
    return np.where(good, values, values.dtype.type(np.nan))


def assert_same_bits(got, expected):
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(got, expected)
    if got.dtype.kind == "f":  # 0 and −0 are equal
        np.testing.assert_array_equal(np.signbit(got), np.signbit(expected))


WHOLE = Window(0, 0, *SHAPE)
windows = st.builds(
    lambda top, left, rows, columns: Window(
        top, left, min(rows, SHAPE[0] - top), min(columns, SHAPE[1] - left)
    ),
    top=st.integers(0, SHAPE[0] - 1),
    left=st.integers(0, SHAPE[1] - 1),
    rows=st.integers(1, SHAPE[0]),
    columns=st.integers(1, SHAPE[1]),
)


@pytest.mark.parametrize(
    ("dtype", "predictor"),
    [(t, p) for t in TYPES for p in (1, 2, 3) if p < 3 or t.startswith("float")],
)
def test_every_type_and_predictor_as_gdal_reads_it(tmp_path, dtype, predictor):
    path = write(tmp_path / "x.tif", drawn(dtype), predictor=predictor)

    @settings(max_examples=12)
    @given(windows)
    def windows_are_the_same(window):
        got, left = raw(path, window)
        assert not left
        assert_same_bits(got, without_none(by_gdal(path, window)))

    got, left = raw(path, WHOLE)
    assert not left
    assert_same_bits(got, without_none(by_gdal(path, WHOLE)))
    windows_are_the_same()


@pytest.mark.parametrize("nodata", [None, np.nan, -9999.0, 0.0, -0.0, 1e-42, 2e15])
@pytest.mark.parametrize("predictor", [1, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_no_value_becomes_nan_on_the_way(tmp_path, dtype, predictor, nodata):
    path = write(tmp_path / "x.tif", drawn(dtype), predictor=predictor, nodata=nodata)
    with reading() as handles:
        source = open_source(Band(paths=path), "x", GRID, codes=(), handles=handles)
        out = np.empty(SHAPE, source.dtype)
        source.fill(out, WHOLE, handles)
    expected = without_none(drawn(dtype), np.nan if nodata is None else nodata)
    assert np.isnan(expected).any()
    assert_same_bits(out, expected)


@pytest.mark.parametrize("rows", [1, 7, 64, 230, 999])
@pytest.mark.parametrize("predictor", [1, 2, 3])
def test_strips(tmp_path, predictor, rows):
    values = drawn("float32")
    path = write(
        tmp_path / "x.tif", values, predictor=predictor, tiled=False, blockysize=rows
    )
    for window in (WHOLE, Window(5, 10, 100, 50), Window(229, 0, 1, 330)):
        got, left = raw(path, window)
        assert not left
        assert_same_bits(got, without_none(by_gdal(path, window)))


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("kind", ["gdal", "own"])
def test_cogs_of_both_makers(tmp_path, kind, big):
    values = drawn("uint8")
    path = tmp_path / "cog.tif"
    if kind == "own":
        values.tofile(tmp_path / "cells")
        what = About(
            grid=GRID,
            dtype=values.dtype,
            nodata=255,
            description="",
            scale=1.0,
            smooth=False,
        )
        pack([tmp_path / "cells"], [SHAPE], what, path, big=big)
    else:
        rasterio.shutil.copy(
            write(tmp_path / "x.tif", values),
            path,
            driver="COG",
            compress="deflate",
            blocksize=128,
            bigtiff="YES" if big else "NO",
            predictor="YES",
        )
    got, left = raw(path, WHOLE)
    assert not left
    assert_same_bits(got, values)


OTHERS = {
    "lzw": {"compress": "lzw"},
    "plain": {"compress": "none"},
    "big-endian": {"ENDIANNESS": "BIG"},
    "bits": {"nbits": 12},
    "two bands": {"interleave": "pixel"},
    "other driver": {"driver": "ENVI"},
}


@pytest.mark.parametrize("kind", OTHERS)
def test_everything_else_is_left_to_gdal(tmp_path, kind):
    values = drawn("uint16") % 4096
    if kind == "two bands":
        values = np.stack([values, values + 1])
    profile = OTHERS[kind]
    if kind == "other driver":
        profile = profile | {"compress": None, "tiled": None}
        profile |= {"blockysize": None, "blockxsize": None}
    path = write(tmp_path / "x.tif", values, **profile)
    _, left = raw(path, WHOLE)
    assert left == [WHOLE.within(WHOLE)]
    first = values[0] if values.ndim == 3 else values
    assert_same_bits(filled(path), first.astype("float32"))


def filled(path):
    with reading() as handles:
        source = open_source(Band(paths=path), "x", GRID, codes=(), handles=handles)
        out = np.full(SHAPE, 7, source.dtype)
        source.fill(out, WHOLE, handles)
    return out


def test_small_blocks_are_left_to_gdal(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "_LEAST", 64 * 96 * 4 + 1)
    path = write(tmp_path / "x.tif", drawn("float32"))
    assert raw(path, WHOLE)[1] == [WHOLE.within(WHOLE)]
    monkeypatch.setattr(blocks, "_LEAST", 64 * 96 * 4)
    assert raw(path, WHOLE)[1] == []


@pytest.mark.parametrize("nodata", [None, -5.0])
def test_blocks_never_written_are_left_to_gdal(tmp_path, nodata):
    path = tmp_path / "x.tif"
    profile = {"driver": "GTiff", "tiled": True, "blockysize": 64, "blockxsize": 96}
    with rasterio.open(
        path,
        "w",
        count=1,
        height=SHAPE[0],
        width=SHAPE[1],
        dtype="float32",
        crs=GRID.crs,
        transform=GRID.transform,
        nodata=nodata,
        compress="deflate",
        SPARSE_OK=True,
        **profile,
    ) as target:
        part = drawn("float32")[:64, :96]
        target.write(part, 1, window=((64, 128), (96, 192)))
    _, left = raw(path, WHOLE)
    assert len(left) == 4 * 4 - 1
    expected = np.full(SHAPE, 0 if nodata is None else np.nan, "float32")
    expected[64:128, 96:192] = without_none(part)
    assert_same_bits(filled(path), expected)


def entry(whole, key):
    """Where the directory of a small TIFF has the value of a tag: place and numbers."""
    (at,) = struct.unpack_from("<I", whole, 4)
    (entries,) = struct.unpack_from("<H", whole, at)
    for n in range(entries):
        place = at + 2 + 12 * n
        found, kind, count = struct.unpack_from("<HHI", whole, place)
        if found == key:
            size = {3: 2, 4: 4}[kind]
            place += 8
            if size * count > 4:
                (place,) = struct.unpack_from("<I", whole, place)
            code = f"<{count}{'H' if size == 2 else 'I'}"
            return place, code, list(struct.unpack_from(code, whole, place))
    raise AssertionError(key)


def spoil(path, how, block=5):
    """Damage one block of a file, or what the directory says of it."""
    whole = bytearray(path.read_bytes())
    place, code, offsets = entry(whole, 324)
    size_place, size_code, sizes = entry(whole, 325)
    at, size = offsets[block], sizes[block]
    cells = zlib.decompress(whole[at : at + size])
    fresh = {
        "inflates to less": zlib.compress(cells[:-1]),
        "inflates to more": zlib.compress(cells + b"\0"),
        "inflates to nothing": zlib.compress(b""),
        "no DEFLATE": b"\xff" * size,
    }.get(how)
    if fresh is not None:
        offsets[block], sizes[block] = len(whole), len(fresh)
        whole += fresh
    elif how == "one bit":
        whole[at + size // 2] ^= 4
    elif how == "wrong sum":
        whole[at + size - 1] ^= 1
    elif how == "size too small":
        sizes[block] = size // 2
    elif how == "size of four":
        sizes[block] = 4
    elif how == "size beyond the file":
        sizes[block] = 1 << 31
    elif how == "offset beyond the file":
        offsets[block] = len(whole) + 100
    elif how == "cut off":
        del whole[max(offsets) + 10 :]
    else:
        raise AssertionError(how)
    struct.pack_into(code, whole, place, *offsets)
    struct.pack_into(size_code, whole, size_place, *sizes)
    path.write_bytes(whole)


SPOILT = [
    "inflates to less",
    "inflates to nothing",
    "no DEFLATE",
    "one bit",
    "wrong sum",
    "size too small",
    "size of four",
    "offset beyond the file",
    "cut off",
]


@pytest.mark.parametrize("predictor", [1, 3])
@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_block_is_an_error_of_gdals(tmp_path, how, predictor):
    path = write(tmp_path / "x.tif", drawn("float32"), predictor=predictor)
    spoil(path, how)
    _, left = raw(path, WHOLE)
    assert len(left) == 1
    with pytest.raises(GridError, match=r"x\.tif cannot be read in rows .* truncated"):
        filled(path)


@pytest.mark.parametrize("how", ["inflates to more", "size beyond the file"])
def test_what_gdal_can_still_read_is_read_by_it(tmp_path, how):
    path = write(tmp_path / "x.tif", drawn("float32"))
    spoil(path, how)
    _, left = raw(path, WHOLE)
    assert len(left) == 1
    try:
        expected = without_none(by_gdal(path, WHOLE))
    except rasterio.errors.RasterioIOError:
        with pytest.raises(GridError, match="truncated"):
            filled(path)
    else:
        assert_same_bits(filled(path), expected)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_damage_is_an_error_or_what_gdal_reads(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    whole = folder / "damage-whole.tif"
    if not whole.exists():
        write(whole, drawn("float32"), predictor=3)
    bytes_ = bytearray(whole.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        # The directory stands at the front.
        at = data.draw(st.one_of(st.integers(0, 900), st.integers(0, len(bytes_) - 1)))
        bytes_[at] = data.draw(st.integers(0, 255))
    path = folder / "damage.tif"
    path.write_bytes(bytes_[: data.draw(st.integers(len(bytes_) // 2, len(bytes_)))])
    try:
        with rasterio.open(path) as source:
            if source.shape != SHAPE or source.count != 1 or not source.crs:
                return
            expected = source.read(1)
    except rasterio.errors.RasterioError:
        expected = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_LEAST", 1)
        try:
            with rasterio.open(path) as source:
                file = Blocks(source, Shelf())
                if source.shape != SHAPE or source.count != 1:
                    return
                out = np.zeros(SHAPE, source.dtypes[0])
                left = file.read(out, WHOLE.within(WHOLE), None)
                file.close()
        except rasterio.errors.RasterioError:
            return
    if expected is None:
        assert left
        return
    for rows, columns in left:
        out[rows, columns] = without_none(expected[rows, columns])
    np.testing.assert_array_equal(out, without_none(expected))


def test_no_directory_is_believed_that_gdal_reads_otherwise(tmp_path):
    path = write(tmp_path / "x.tif", drawn("float32"))
    with rasterio.open(path) as source, path.open("rb") as file:
        assert blocks.layout_of(source, file) is not None
        for other in ("uint32", "float64"):
            wrong = write(tmp_path / f"{other}.tif", drawn(other))
            if other == "float64":
                with wrong.open("rb") as another:
                    assert blocks.layout_of(source, another) is None
        cut = tmp_path / "cut.tif"
        for size in (0, 3, 8, 20, 200):
            cut.write_bytes(path.read_bytes()[:size])
            with cut.open("rb") as another:
                assert blocks.layout_of(source, another) is None


@pytest.mark.parametrize("how", ["type", "count", "twice"])
def test_a_tag_that_is_not_understood_does_not_pass_for_absent(tmp_path, how):
    path = write(tmp_path / "x.tif", drawn("float32"), predictor=3)
    whole = bytearray(path.read_bytes())
    place = entry(whole, 317)[0] - 8
    if how == "type":
        struct.pack_into("<H", whole, place + 2, 8)  # a signed number
    elif how == "count":
        struct.pack_into("<I", whole, place + 4, 2)
    else:  # the one after it becomes a second
        struct.pack_into("<HHII", whole, place + 12, 317, 3, 1, 1)
    with rasterio.open(path) as source, (tmp_path / "odd.tif").open("w+b") as odd:
        odd.write(whole)
        assert blocks.layout_of(source, odd) is None


def test_a_block_used_in_parts_is_inflated_once(tmp_path, monkeypatch):
    path = write(tmp_path / "x.tif", drawn("float32"), predictor=3)
    calls = []
    inflate = blocks.zlib_decompress

    def counted(*args):
        calls.append(args)
        return inflate(*args)

    monkeypatch.setattr(blocks, "zlib_decompress", counted)
    shelf = Shelf()
    for top in range(0, 64, 16):
        window = Window(top, 0, 16, SHAPE[1])
        got, _ = raw(path, window, shelf=shelf)
        assert_same_bits(got, without_none(by_gdal(path, window)))
    assert len(calls) == 4
    # What was used up is not kept, and what is kept is bounded.
    raw(path, Window(64, 0, 64, SHAPE[1]), shelf=shelf)
    raw(path, Window(64, 0, 64, SHAPE[1]), shelf=shelf)
    assert len(calls) == 4 + 8
    monkeypatch.setattr(blocks, "_SHELF", 64 * 96 * 4)
    raw(path, Window(128, 0, 16, SHAPE[1]), shelf=shelf)
    raw(path, Window(128, 0, 16, SHAPE[1]), shelf=shelf)
    assert len(calls) == 12 + 8


def test_threads_share_nothing_but_the_shelf(tmp_path):
    path = write(tmp_path / "x.tif", drawn("float32"), predictor=3)
    expected = without_none(by_gdal(path, WHOLE))
    with reading() as handles:
        source = open_source(Band(paths=path), "x", GRID, codes=(), handles=handles)

        def read(n):
            window = Window(n % 200, n % 300, 30, 30)
            out = np.empty((30, 30), source.dtype)
            source.fill(out, window, handles)
            return window, out

        with ThreadPoolExecutor(4) as pool:
            for window, out in pool.map(read, range(0, 900, 7)):
                np.testing.assert_array_equal(out, expected[window.within(WHOLE)])
