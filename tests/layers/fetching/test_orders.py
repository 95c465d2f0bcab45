"""Fetching from end to end, against a source on this machine."""

import hashlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest
import rasterio

import layers
from layers.errors import DamagedFileError, FetchError, RequestError
from layers.fetching import cite, files, products

DEM = "copernicus-glo-30"
BOX = (124.5, 39.2, 125.5, 39.8)
"""One tile on land, N39 E125, and one at sea, N39 E124."""
LAND = (125.2, 39.2, 125.5, 39.8)


def get(source, settings, *, bbox=LAND, product=DEM, **more):
    return layers.fetch(
        product,
        bbox=bbox,
        download=True,
        base_url=source.url,
        settings=settings,
        **more,
    )


def leftovers(settings):
    """Names in the cache that are no finished files, no manifest and no lock."""
    return sorted(
        path.name
        for path in settings.cache.rglob("*")
        if path.is_file()
        and path.suffix not in {".tif", ".lock"}
        and path.name not in {"manifest.json", "list"}
    )


def test_a_file_is_named_and_nothing_is_asked(bucket, settings):
    found = layers.fetch(bbox=BOX, base_url=bucket.url, settings=settings)
    assert bucket.asked == []
    assert {file.product for file in found} == set(products())
    assert {file.status for file in found} == {"needed"}
    assert not settings.cache.exists()
    assert found[0].url == (
        f"{bucket.url}/Copernicus_DSM_COG_10_N39_00_E124_00_DEM/"
        "Copernicus_DSM_COG_10_N39_00_E124_00_DEM.tif"
    )


def test_importing_and_naming_open_no_connection():
    code = (
        "import socket\n"
        "def no(*a, **k): raise AssertionError('a connection')\n"
        "socket.socket.connect = socket.socket.connect_ex = no\n"
        "socket.getaddrinfo = no\n"
        "import layers, layers.fetching, maps.fetch, sys\n"
        "assert 'requests' not in sys.modules\n"
        "assert len(layers.fetch(region='dprk', folder='/nowhere')) > 20\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_tile_comes_is_checked_and_kept(bucket, settings, tile):
    sea, land = get(bucket, settings, bbox=BOX)
    assert (sea.status, land.status) == ("absent", "fetched")
    assert land.path.read_bytes() == tile
    assert land.path.parent == settings.cache / DEM
    assert land.sha256 == hashlib.sha256(tile).hexdigest()
    assert bucket.paths() == ["/tileList.txt", bucket.path]
    manifest = json.loads((settings.cache / DEM / "manifest.json").read_text())
    entry = manifest["files"][land.name]
    assert entry["url"] == bucket.url + bucket.path
    assert entry["size"] == len(tile)
    assert entry["checks"] == [
        "length as the source says",
        "MD5 as the source's ETag",
        "GeoTIFF, every block decoded",
        entry["checks"][3],
    ]
    assert "Copernicus WorldDEM-30" in manifest["notice"]
    assert list(manifest["absent"]) == [sea.name]
    assert leftovers(settings) == []

    bucket.asked.clear()
    again = get(bucket, settings, bbox=BOX)
    assert [file.status for file in again] == ["absent", "kept"]
    assert bucket.asked == []  # a kept list and a kept tile: nothing to ask


def test_what_was_kept_is_found_and_cited(bucket, settings):
    with pytest.raises(
        FetchError, match=r"run: lodemap fetch copernicus-glo-30 --bbox"
    ):
        files(DEM, bbox=BOX, folder=settings.cache)
    [_, land] = get(bucket, settings, bbox=BOX)
    assert files(DEM, bbox=BOX, folder=settings.cache) == (land.path,)
    [citation, licence, notice, line] = cite(folder=settings.cache)
    assert "10.5270/ESA-c5d3d65" in citation
    assert "License-COPDEM-30.pdf" in licence
    assert "© DLR e.V. 2010-2014" in notice
    assert land.sha256 in line


def test_a_broken_connection_is_gone_on_with(bucket, settings, tile):
    bucket.faults[bucket.path] = [bucket.breaks(300_000), bucket.breaks(250_000)]
    [land] = get(bucket, settings)
    assert land.path.read_bytes() == tile
    asked = [headers for path, headers in bucket.asked if path == bucket.path]
    assert [headers.get("Range") for headers in asked] == [
        None,
        "bytes=300000-",
        "bytes=550000-",
    ]
    etag = f'"{hashlib.md5(tile).hexdigest()}"'
    assert asked[1]["If-Range"] == etag
    assert asked[1]["Accept-Encoding"] == "identity"


def test_a_file_that_changes_between_attempts_is_begun_anew(
    bucket, settings, tile, make
):
    other = make.tile_bytes(39, 125 + 1)  # other bytes, and another place
    bucket.files[bucket.path] = other
    bucket.faults[bucket.path] = [bucket.breaks(300_000)] * 4
    with pytest.raises(FetchError, match="the connection broke"):
        get(bucket, replace(settings, attempts=1))
    bucket.files[bucket.path] = tile
    bucket.faults.clear()
    [land] = get(bucket, settings)
    assert land.path.read_bytes() == tile


def test_a_source_that_goes_on_with_another_file_is_found_out(bucket, settings, tile):
    """A server that knows no If-Range sends the rest of a file that changed."""

    def other_rest(handler):
        handler.send_response(206)
        handler.send_header(
            "Content-Range", f"bytes 300000-{len(tile) - 1}/{len(tile)}"
        )
        handler.send_header("Content-Length", str(len(tile) - 300_000))
        handler.send_header("ETag", '"another"')
        handler.end_headers()
        handler.wfile.write(bytes(len(tile) - 300_000))

    bucket.faults[bucket.path] = [bucket.breaks(300_000), other_rest]
    [land] = get(bucket, settings)
    assert land.path.read_bytes() == tile


def test_without_validators_a_part_is_never_gone_on_with(bucket, settings, tile):
    bucket.validators = False
    bucket.faults[bucket.path] = [bucket.breaks(300_000)]
    [land] = get(bucket, settings)
    assert land.path.read_bytes() == tile
    assert all("Range" not in headers for _, headers in bucket.asked)


def test_a_source_without_ranges_sends_the_whole_again(bucket, settings, tile):
    bucket.ranges = False
    bucket.faults[bucket.path] = [bucket.breaks(300_000)]
    [land] = get(bucket, settings)
    assert land.path.read_bytes() == tile


def test_a_length_that_is_never_reached_ends_after_some_attempts(bucket, settings):
    bucket.faults[bucket.path] = [bucket.claims(100)] * 50
    with pytest.raises(
        FetchError, match=r"more than the source has now, 4 times in a row"
    ):
        get(bucket, settings)
    assert bucket.paths().count(bucket.path) < 10


def test_errors_that_pass_are_asked_again(bucket, settings, make):
    bucket.faults[bucket.path] = [
        make.say(500, b"oops"),
        make.say(503, b"slow down", Retry_After="0"),
        make.say(429, b""),
    ]
    [land] = get(bucket, settings)
    assert land.status == "fetched"


def test_a_source_that_keeps_failing_is_given_up(bucket, settings, make):
    bucket.faults[bucket.path] = [make.say(500, b"oops")] * 9
    with pytest.raises(FetchError, match=r"answers 500, 4 times in a row"):
        get(bucket, settings)
    assert bucket.paths().count(bucket.path) == 4


def test_a_refusal_is_no_absence(bucket, settings, make):
    body = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"
    bucket.faults[bucket.path] = [make.say(403, body)] * 9
    with pytest.raises(FetchError, match=r"status 403 \(an XML error, AccessDenied\)"):
        get(bucket, settings)
    assert bucket.paths().count(bucket.path) == 1


def test_a_listed_tile_that_is_not_there_is_an_error(bucket, settings):
    del bucket.files[bucket.path]
    with pytest.raises(FetchError, match=r"404.*though it should have one"):
        get(bucket, settings)


def test_without_a_list_a_missing_tile_is_absent(bucket, settings):
    del bucket.files["/tileList.txt"]
    sea, land = get(bucket, settings, bbox=BOX)
    assert (sea.status, land.status) == ("absent", "fetched")
    manifest = json.loads((settings.cache / DEM / "manifest.json").read_text())
    assert manifest["absent"] == {
        sea.name: "the source answers that there is no such file"
    }


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            b"<!DOCTYPE html><title>Sign in</title>" + b"x" * 9000,
            "HTML page, 'Sign in'",
        ),
        (
            b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>",
            "an XML error, NoSuchKey",
        ),
        (b'{"error": "quota"}', "a JSON answer"),
        (b"\x1b[2Jtoo many requests", "other bytes"),
        (b"II*\0", "cannot be decoded"),
    ],
)
def test_another_page_saved_as_a_tile_is_refused(bucket, settings, make, body, said):
    bucket.faults[bucket.path] = [make.say(200, body)] * 9
    with pytest.raises(DamagedFileError, match=said) as caught:
        get(bucket, settings)
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert bucket.paths().count(bucket.path) == 1
    assert not list(settings.cache.rglob("*.tif"))
    assert leftovers(settings) == []


def test_another_page_is_left_at_its_first_bytes(bucket, settings):
    """However long it is: none of what follows its beginning is waited for."""
    sent = 0

    def page(handler):
        nonlocal sent
        handler.send_response(200)
        handler.end_headers()
        handler.close_connection = True
        handler.wfile.write(b"<!doctype html><title>Wait</title>".ljust(1 << 16))
        while sent < 1 << 26:
            handler.wfile.write(bytes(1 << 20))
            sent += 1 << 20

    bucket.faults[bucket.path] = [page]
    with pytest.raises(DamagedFileError, match="an HTML page, 'Wait'"):
        get(bucket, settings)
    assert sent < 1 << 26


def test_a_wrong_checksum_is_refused(bucket, settings):
    bucket.validators = False
    wrong = f'"{hashlib.md5(b"another").hexdigest()}"'
    bucket.headers["ETag"] = wrong
    with pytest.raises(DamagedFileError, match=r"MD5 is .* ETag says"):
        get(bucket, settings)
    assert leftovers(settings) == []
    bucket.headers["ETag"] = '"0123456789abcdef0123456789abcdef-7"'  # in parts
    [land] = get(bucket, settings)
    assert land.status == "fetched"


def test_an_etag_under_kms_is_no_checksum(bucket, settings):
    bucket.validators = False
    bucket.headers["ETag"] = f'"{hashlib.md5(b"another").hexdigest()}"'
    bucket.headers["x-amz-server-side-encryption"] = "aws:kms"
    [land] = get(bucket, settings)
    assert land.status == "fetched"


def test_an_answer_packed_on_the_way_is_refused(bucket, settings):
    bucket.faults[bucket.path] = [bucket.sends(Content_Encoding="gzip")]
    with pytest.raises(FetchError, match="compressed on the way"):
        get(bucket, settings)


def test_an_endless_answer_ends(bucket, settings, make):
    bucket.faults[bucket.path] = [make.endless]
    with pytest.raises(DamagedFileError, match=r"sends more than 150,000,000 bytes"):
        get(bucket, settings)
    assert leftovers(settings) == []


def test_a_file_longer_than_any_is_not_begun(bucket, settings):
    bucket.faults[bucket.path] = [bucket.claims(10**12)]
    with pytest.raises(FetchError, match=r"expected at most 150,000,000"):
        get(bucket, settings)


def test_a_disk_without_room_is_told_before_anything_comes(bucket, settings):
    with pytest.raises(FetchError, match=r"bytes free; expected"):
        get(bucket, replace(settings, reserve_bytes=10**18))


def test_redirects_lead_only_to_known_places(bucket, settings, make):
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        stranger.settimeout(0.2)
        port = stranger.getsockname()[1]
        for target in (
            f"http://127.0.0.1:{port}/x.tif",
            f"http://localhost:{bucket.server.server_port}/x.tif",
            "http://169.254.169.254/latest/meta-data/",
            "https://example.org/x.tif",
            "https://copernicus-dem-30m.s3.amazonaws.com:8443/x.tif",
            "https://me:secret@copernicus-dem-30m.s3.amazonaws.com/x.tif",
            "file:///etc/passwd",
            "ftp://127.0.0.1/x.tif",
        ):
            bucket.faults[bucket.path] = [make.say(302, b"", Location=target)]
            with pytest.raises(FetchError, match="nothing was asked of it"):
                get(bucket, settings)
        with pytest.raises(TimeoutError):
            stranger.accept()


def test_a_redirect_within_the_source_is_followed(bucket, settings, make, tile):
    bucket.files["/elsewhere.tif"] = tile
    bucket.faults[bucket.path] = [make.say(307, b"", Location="/elsewhere.tif")]
    [land] = get(bucket, settings)
    assert land.status == "fetched"


def test_a_circle_of_redirects_ends(bucket, settings, make):
    bucket.faults[bucket.path] = [make.say(302, b"", Location=bucket.path)] * 99
    with pytest.raises(FetchError, match="sent on more than 5 times"):
        get(bucket, settings)


@pytest.mark.parametrize(
    "address",
    [
        "http://example.org",
        "ftp://example.org",
        "https://me:secret@example.org",
        "example.org",
        "https://example.org/?key=1",
        "https://[",
    ],
)
def test_a_base_address_must_be_https(settings, address):
    with pytest.raises(RequestError, match="expected https://host/path"):
        layers.fetch(DEM, bbox=LAND, base_url=address, settings=settings)


def test_a_changed_file_is_found_out_later(bucket, settings):
    [land] = get(bucket, settings)
    with land.path.open("r+b") as stream:
        stream.seek(200_000)
        stream.write(b"\0\0\0\0")
    for again in (
        lambda: get(bucket, settings),
        lambda: layers.fetch(DEM, bbox=LAND, settings=settings),
        lambda: files(DEM, bbox=LAND, folder=settings.cache),
    ):
        with pytest.raises(DamagedFileError, match="checksum differs"):
            again()
    assert files(DEM, bbox=LAND, folder=settings.cache, verify=False)


def test_a_file_put_there_by_hand_is_checked_and_recorded(settings, make, tile):
    folder = settings.cache / DEM
    folder.mkdir(parents=True)
    name = "Copernicus_DSM_COG_10_N39_00_E125_00_DEM.tif"
    (folder / name).write_bytes(make.tile_bytes(39, 126))
    with pytest.raises(DamagedFileError, match="another tile"):
        layers.fetch(DEM, bbox=LAND, settings=settings)
    (folder / name).write_bytes(tile)
    [land] = layers.fetch(DEM, bbox=LAND, settings=settings)
    assert (land.status, land.note) == ("kept", "put there by hand")
    assert files(DEM, bbox=LAND, folder=settings.cache) == (land.path,)


def test_a_spoilt_manifest_is_made_again(bucket, settings, caplog):
    get(bucket, settings)
    (settings.cache / DEM / "manifest.json").write_text('{"files": 3}')
    bucket.asked.clear()
    [land] = get(bucket, settings)
    assert land.status == "kept"
    assert bucket.asked == []
    assert "checked anew" in caplog.text


def test_no_product_is_fetched_unless_named(settings):
    with pytest.raises(RequestError, match="name the products"):
        layers.fetch(bbox=LAND, download=True, settings=settings)


def test_progress_counts_bytes(bucket, settings, tile):
    seen = []
    get(bucket, settings, progress=lambda done, whole: seen.append((done, whole)))
    assert seen[-1] == (len(tile), len(tile))
    assert seen == sorted(seen)


def test_many_tiles_come_a_few_at_a_time(source, settings, make):
    """Three connections, however many tiles; one failure ends what has not begun."""
    now, most, gate = 0, 0, threading.Lock()
    stems = [f"Copernicus_DSM_COG_10_N00_00_E{lon:03d}_00_DEM" for lon in range(8)]
    source.files["/tileList.txt"] = "\n".join(stems).encode()
    body = make.tile_bytes(0, 0)

    def counted(handler):
        nonlocal now, most
        with gate:
            now += 1
            most = max(most, now)
        time.sleep(0.05)
        source.answer(handler)
        with gate:
            now -= 1

    for stem in stems:
        source.files[f"/{stem}/{stem}.tif"] = body
        source.faults[f"/{stem}/{stem}.tif"] = [counted]
    with pytest.raises(DamagedFileError, match="another tile"):
        get(source, settings, bbox=(0.1, 0.1, 7.9, 0.9))
    assert most <= 3
    assert len(source.asked) < 9


KILLED = """
import sys
from pathlib import Path
import layers
from layers.fetching import Settings
layers.fetch("copernicus-glo-30", bbox=(125.2, 39.2, 125.5, 39.8), download=True,
    base_url=sys.argv[1],
    settings=Settings(cache=Path(sys.argv[2]), attempts=2, pause_s=0, reserve_bytes=0))
"""


def begin(source, settings, code=KILLED, **more):
    return subprocess.Popen(
        [sys.executable, "-c", code, source.url, str(settings.cache)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


def until(true, seconds=30.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def test_a_killed_process_is_gone_on_with(bucket, settings, tile):
    bucket.faults[bucket.path] = [bucket.slow(0.1)]
    part = settings.cache / DEM / ".parts"
    process = begin(bucket, settings)
    until(lambda: any(p.stat().st_size > 100_000 for p in part.glob("*.part")))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    [gathered] = part.glob("*.part")
    size = gathered.stat().st_size
    assert 0 < size < len(tile)
    assert not list((settings.cache / DEM).glob("*.tif"))
    [land] = get(bucket, settings)
    assert land.path.read_bytes() == tile
    assert bucket.asked[-1][1]["Range"] == f"bytes={size}-"
    assert leftovers(settings) == []


def test_an_interrupt_keeps_what_came(bucket, settings, tile):
    bucket.faults[bucket.path] = [bucket.slow(0.1)]
    part = settings.cache / DEM / ".parts"
    process = begin(bucket, settings)
    until(lambda: any(p.stat().st_size > 100_000 for p in part.glob("*.part")))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in err
    [land] = get(bucket, settings)
    assert land.path.read_bytes() == tile
    assert bucket.asked[-1][1]["Range"].startswith("bytes=")


def test_a_process_killed_before_it_named_the_file_asks_no_more(bucket, settings, tile):
    """All bytes are there; what is left is to check them and give them their name."""
    code = KILLED.replace(
        "import layers\n",
        "import layers, os, signal, layers.fetching.orders as o\n"
        "o.keep = lambda *a: os.kill(os.getpid(), signal.SIGKILL)\n",
    )
    process = begin(bucket, settings, code)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    bucket.asked.clear()
    [land] = get(bucket, settings)
    assert land.status == "fetched"
    assert land.path.read_bytes() == tile
    assert bucket.asked == []


def test_a_process_killed_before_it_wrote_down_leaves_no_file_of_its_own(
    bucket, settings
):
    """What stands in the folder under its name has always been written down."""
    code = KILLED.replace(
        "import layers\n",
        "import layers, os, signal, layers.fetching.cache as c\n"
        "c.Shelf.record = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n",
    )
    process = begin(bucket, settings, code)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert not list((settings.cache / DEM).glob("*.tif"))
    [land] = get(bucket, settings)
    assert (land.status, land.note) == ("fetched", "")


def test_two_processes_fetch_a_file_once(bucket, settings, tile):
    bucket.faults[bucket.path] = [bucket.slow(0.05)]
    both = [begin(bucket, settings) for _ in range(2)]
    for process in both:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    assert bucket.paths().count(bucket.path) == 1
    assert files(DEM, bbox=LAND, folder=settings.cache)[0].read_bytes() == tile


def test_a_full_disk_leaves_a_part_to_go_on_with(bucket, settings, tile):
    code = KILLED.replace(
        "import layers\n",
        "import layers, resource\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))\n",
    )
    process = begin(bucket, settings, code)
    _, err = process.communicate(timeout=60)
    assert "layers.errors.FetchError: cannot write" in err
    assert "File too large" in err
    assert not list((settings.cache / DEM).glob("*.tif"))
    [land] = get(bucket, settings)
    assert land.path.read_bytes() == tile
    assert bucket.asked[-1][1]["Range"].startswith("bytes=")
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_a_folder_that_cannot_be_written_is_told(bucket, settings):
    settings.cache.parent.joinpath("file").write_text("no folder")
    blocked = replace(settings, cache=settings.cache.parent / "file")
    with pytest.raises(FetchError, match="cannot write in"):
        get(bucket, blocked)


def test_land_cover_comes_as_it_is_laid_out(source, settings, make):
    name = "ESA_WorldCover_10m_2021_v200_N39E123_Map.tif"
    body = make.worldcover(39, 123)
    source.files[f"/v200/2021/map/{name}"] = body
    source.files["/v200/2021/esa_worldcover_grid.geojson"] = make.grid("N39E123")
    [kept] = get(
        source, settings, bbox=(124, 39.5, 125, 41), product="esa-worldcover-2021"
    )
    assert (kept.name, kept.status) == (name, "fetched")
    with rasterio.open(kept.path) as dataset:
        assert dataset.shape == (36000, 36000)


ATLAS = (
    "/download/World/World_GHI_GISdata_LTAy_AvgDailyTotals_GlobalSolarAtlas-v2_"
    "GEOTIFF.zip"
)
MEMBER = "World_GHI_GISdata_LTAy_AvgDailyTotals_GlobalSolarAtlas-v2_GEOTIFF/GHI.tif"


def test_irradiation_is_taken_out_of_its_zip(source, settings, make):
    inside = make.irradiation()
    source.files[ATLAS] = make.zipped(MEMBER, inside, **{"../../evil.tif": b"x"})
    [ghi] = get(
        source, settings, product="global-solar-atlas-ghi", bbox=(124, 39, 131, 43)
    )
    assert ghi.path.read_bytes() == inside
    assert ghi.path == settings.cache / "global-solar-atlas-ghi" / "GHI.tif"
    assert not list(settings.cache.parent.rglob("evil*"))
    assert leftovers(settings) == []
    manifest = json.loads((ghi.path.parent / "manifest.json").read_text())
    sha256 = hashlib.sha256(source.files[ATLAS]).hexdigest()
    assert manifest["files"]["GHI.tif"]["archive_sha256"] == sha256


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda make: make.zipped("GHI.tif", make.irradiation()), "expected it once"),
        (lambda make: make.zipped(MEMBER, b"<html>"), "an HTML page"),
        (
            lambda make: make.zipped(MEMBER, make.irradiation(scale=365.25)),
            "another unit",
        ),
        (
            lambda make: make.zipped(MEMBER, make.irradiation(width=2)),
            "file of another country",
        ),
        (lambda make: make.zipped(MEMBER, make.irradiation())[:-300], "unpacked"),
        (lambda make: make.irradiation(), "a TIFF"),
    ],
)
def test_a_zip_that_holds_something_else_is_refused(
    source, settings, make, content, said
):
    source.files[ATLAS] = content(make)
    with pytest.raises(DamagedFileError, match=said):
        get(source, settings, product="global-solar-atlas-ghi", bbox=(124, 39, 131, 43))
    assert leftovers(settings) == []
    assert not list(settings.cache.rglob("*.tif"))


def test_a_country_file_put_there_by_hand_serves(settings, make):
    folder = settings.cache / "global-solar-atlas-ghi"
    folder.mkdir(parents=True)
    (folder / "GHI.tif").write_bytes(make.irradiation(scale=365.25))
    place = {"bbox": (123.95, 38.95, 131, 43)}  # a rim of 0.1° is left to the border
    with pytest.raises(DamagedFileError, match=r"another unit\? A country's own file"):
        layers.fetch("global-solar-atlas-ghi", **place, settings=settings)
    (folder / "GHI.tif").write_bytes(make.irradiation())
    [ghi] = layers.fetch("global-solar-atlas-ghi", **place, settings=settings)
    assert ghi.status == "kept"
    for good in ({"bbox": (125, 40, 126, 41)}, place):
        assert files("global-solar-atlas-ghi", **good, folder=settings.cache)
    with pytest.raises(DamagedFileError, match="another country"):
        files("global-solar-atlas-ghi", region="jilin", folder=settings.cache)
    with pytest.raises(DamagedFileError, match="another country"):
        layers.fetch("global-solar-atlas-ghi", region="jilin", settings=settings)


OSM = "/asia/north-korea-latest.osm.pbf"


def test_openstreetmap_is_compared_with_its_md5(source, settings, make):
    body = make.osm_pbf()
    source.files[OSM] = body
    source.files[f"{OSM}.md5"] = (
        f"{hashlib.md5(body).hexdigest()}  north-korea-latest.osm.pbf\n".encode()
    )
    [osm] = get(source, settings, product="osm-north-korea")
    assert osm.path.read_bytes() == body
    manifest = json.loads((osm.path.parent / "manifest.json").read_text())
    checks = manifest["files"][osm.name]["checks"]
    assert "MD5 as the source's file .md5" in checks
    assert "OSM PBF, all 2 blobs unpacked" in checks

    osm.path.unlink()
    source.files[f"{OSM}.md5"] = b"0" * 32
    with pytest.raises(DamagedFileError, match=r"MD5 is .* file \.md5 says"):
        get(source, settings, product="osm-north-korea")
    del source.files[f"{OSM}.md5"]
    [osm] = get(source, settings, product="osm-north-korea")
    assert osm.status == "fetched"


def test_openstreetmap_does_not_reach_every_place(settings):
    assert layers.fetch("osm-north-korea", bbox=(2, 48, 3, 49), settings=settings) == ()
