"""A source on this very machine that serves files as the real ones are laid out."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import json
import threading
import time
import zipfile
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from affine import Affine
from rasterio.io import MemoryFile

from layers.fetching import Settings

SOON = {"attempts": 4, "pause_s": 0.0, "reserve_bytes": 0, "read_s": 10.0}
STEM = "Copernicus_DSM_COG_10_N39_00_E{lon:03d}_00_DEM"


class Source:
    """An HTTP server on loopback with files, faults, and a record of what was asked."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list] = {}
        self.headers: dict[str, str] = {}
        self.validators = True
        self.ranges = True
        self.asked: list[tuple[str, dict[str, str]]] = []
        source = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                source.asked.append((self.path, dict(self.headers)))
                faults = source.faults.get(self.path)
                with contextlib.suppress(ConnectionError):
                    if faults:
                        faults.pop(0)(self)
                    else:
                        source.answer(self)

            def log_message(self, *args):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *args):
                pass  # a client that hangs up is what is tested

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    def answer(self, handler, *, cut=None, longer=0, pace_s=0.0, **more) -> None:
        """Answer as Amazon S3 does: ETag, Range, If-Range, 404 with XML."""
        body = self.files.get(handler.path)
        if body is None:
            say(404, b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>")(
                handler
            )
            return
        etag = f'"{hashlib.md5(body).hexdigest()}"'
        start = 0
        wanted = handler.headers.get("Range")
        if self.ranges and wanted and handler.headers.get("If-Range") in (None, etag):
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(body):
                say(416, b"")(handler)
                return
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header(
                "Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}"
            )
        handler.send_header("Content-Length", str(len(body) - start + longer))
        if self.validators:
            handler.send_header("ETag", etag)
        for name, value in {**self.headers, **more}.items():
            handler.send_header(name, value)
        handler.end_headers()
        rest = body[start:] if cut is None else body[start : start + cut]
        for at in range(0, len(rest), 1 << 16):
            handler.wfile.write(rest[at : at + (1 << 16)])
            time.sleep(pace_s)
        if cut is not None or longer:
            handler.close_connection = True

    def breaks(self, after: int):
        """A fault: the connection breaks after so many bytes."""
        return lambda handler: self.answer(handler, cut=after)

    def claims(self, more: int):
        """A fault: Content-Length says more bytes than come."""
        return lambda handler: self.answer(handler, longer=more)

    def slow(self, pace_s: float):
        """A fault: a little pause after each 64 KiB."""
        return lambda handler: self.answer(handler, pace_s=pace_s)

    def sends(self, **headers: str):
        """A fault: headers of another kind."""
        return lambda handler: self.answer(
            handler, **{name.replace("_", "-"): text for name, text in headers.items()}
        )


def say(status: int, body: bytes, **headers: str):
    """Answer with a status and a body."""

    def answer(handler):
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def endless(handler) -> None:
    """Send bytes without a length and without an end, until the other hangs up."""
    handler.send_response(200)
    handler.end_headers()
    handler.close_connection = True
    handler.wfile.write(b"II*\0")
    while True:
        handler.wfile.write(bytes(1 << 20))


def glo30(lat: int, lon: int, **changes) -> bytes:
    """A tile of GLO-30: 1°, cells centred on whole degrees, a COG of 1024² blocks."""
    columns = changes.get("columns", 3600 if lat < 50 else 2400)
    rows = changes.get("rows", 3600)
    shift = changes.get("shift", 0.5)
    heights = np.zeros((rows, columns), changes.get("dtype", "float32"))
    noise = np.random.default_rng((lat + 90) * 1000 + lon).normal(300, 40, (512, 512))
    heights[100:612, 200:712] = changes.get("values", noise)
    dx, dy = 1 / columns, 1 / rows
    return _geotiff(
        heights,
        Affine(dx, 0, lon - shift * dx, 0, -dy, lat + 1 + shift * dy),
        crs=changes.get("crs", "EPSG:4326"),
        nodata=None,
        predictor="YES",
        point=True,
    )


def worldcover(lat: int, lon: int) -> bytes:
    """A tile of WorldCover: 3°, 36,000 × 36,000 cells from the corner itself."""
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff",
            width=36000,
            height=36000,
            count=1,
            dtype="uint8",
            crs="EPSG:4326",
            transform=Affine(1 / 12000, 0, lon, 0, -1 / 12000, lat + 3),
            nodata=0,
            tiled=True,
            blockxsize=1024,
            blockysize=1024,
            compress="deflate",
            zlevel=1,
            sparse_ok=True,
        ) as dataset:
            window = rasterio.windows.Window(0, 0, 1024, 1024)
            dataset.write(np.full((1024, 1024), 40, "uint8"), 1, window=window)
        return bytes(memory.getbuffer())


def irradiation(*, scale: float = 1.0, west: float = 124.0, width: int = 8) -> bytes:
    """A country's file of the Global Solar Atlas: 0.0025° cells, NaN at sea."""
    values = np.full((4 * 400, width * 400), 4.1 * scale, "float32")
    values[:50] = np.nan
    return _geotiff(
        values,
        Affine(0.0025, 0, west, 0, -0.0025, 43.0),
        crs="EPSG:4326",
        nodata=float("nan"),
        predictor="YES",
        point=False,
    )


def _geotiff(values, transform, *, crs, nodata, predictor, point) -> bytes:
    with MemoryFile() as plain, MemoryFile() as packed:
        with plain.open(
            driver="GTiff",
            height=values.shape[0],
            width=values.shape[1],
            count=1,
            dtype=values.dtype,
            crs=crs,
            transform=transform,
            nodata=nodata,
        ) as dataset:
            dataset.write(values, 1)
            if point:
                dataset.update_tags(AREA_OR_POINT="Point")
        with plain.open() as dataset:
            rasterio.shutil.copy(
                dataset,
                packed.name,
                driver="COG",
                compress="DEFLATE",
                predictor=predictor,
                blocksize=1024,
            )
        return bytes(packed.getbuffer())


def zipped(name: str, content: bytes, **more: bytes) -> bytes:
    """A zip with a member of that name, and others."""
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("readme.txt", "terms")
        archive.writestr(name, content)
        for other, data in more.items():
            archive.writestr(other, data)
    return box.getvalue()


def osm_pbf() -> bytes:
    """OpenStreetMap data with one node, Sinuiju railway station."""

    def field(number: int, value: bytes | int) -> bytes:
        if isinstance(value, int):
            return varint(number << 3) + varint(value)
        return varint(number << 3 | 2) + varint(len(value)) + value

    def varint(value: int) -> bytes:
        out = b""
        while value > 0x7F:
            out += bytes([value & 0x7F | 0x80])
            value >>= 7
        return out + bytes([value])

    def blob(kind: bytes, content: bytes) -> bytes:
        packed = field(2, len(content)) + field(3, zlib.compress(content))
        header = field(1, kind) + field(3, len(packed))
        return len(header).to_bytes(4, "big") + header + packed

    def zigzag(number: int) -> int:
        return number << 1 if number >= 0 else (-number << 1) - 1

    head = field(4, b"OsmSchema-V0.6")
    words = b"".join(field(1, word) for word in (b"", b"railway", b"station"))
    node = (
        field(1, zigzag(1))
        + field(2, varint(1))
        + field(3, varint(2))
        + field(8, zigzag(400_980_000))
        + field(9, zigzag(1_243_950_000))
    )
    block = field(1, words) + field(2, field(1, node))
    return blob(b"OSMHeader", head) + blob(b"OSMData", block)


@functools.cache
def tile_bytes(lat: int, lon: int) -> bytes:
    return glo30(lat, lon)


@pytest.fixture
def source():
    server = Source()
    yield server
    server.close()


@pytest.fixture
def tile():
    """A good tile, N39 E125."""
    return tile_bytes(39, 125)


@pytest.fixture
def bucket(source, tile):
    """The source with the tiles of 124.5–125.5° E, of which the sea has none."""
    stem = STEM.format(lon=125)
    source.path = f"/{stem}/{stem}.tif"
    source.files[source.path] = tile
    source.files["/tileList.txt"] = f"{stem}\r\n".encode()
    return source


@pytest.fixture
def settings(tmp_path):
    return Settings(cache=tmp_path / "cache", **SOON)


@pytest.fixture
def make():
    """Makers of files and of faults."""

    class Make:
        pass

    found = Make()
    for maker in (glo30, worldcover, irradiation, zipped, osm_pbf, say, tile_bytes):
        setattr(found, maker.__name__, staticmethod(maker))
    found.endless = endless
    found.grid = lambda *names: json.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {"type": "Feature", "properties": {"ll_tile": n}, "geometry": None}
                for n in names
            ],
        }
    ).encode()
    return found
