import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from shapely import Point, box

from layers.errors import ReadError
from layers.importing import outlines, processes, staging, worker
from layers.importing.raw import Limits, open_raw

pytestmark = pytest.mark.usefixtures("way")

ONE = {"type": "Feature", "properties": {"id": "a"}, "geometry": None}


def geojson(path, rows=1):
    collection = {"type": "FeatureCollection", "features": [ONE] * rows}
    path.write_text(json.dumps(collection))
    return path


def test_name_size_and_sum_of_the_file_as_given(tmp_path, rows_of):
    path = geojson(tmp_path / "a.geojson")
    raw, _ = rows_of(path)
    assert raw.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert raw.size == path.stat().st_size


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 100])
def test_the_sum_is_that_of_all_bytes_however_many_may_wait(
    tmp_path, monkeypatch, size
):
    monkeypatch.setattr(staging, "_CHUNK", 4)
    monkeypatch.setattr(staging, "_AHEAD", 2)
    path = tmp_path / "a.gpkg"
    path.write_bytes(bytes(range(size)))
    (tmp_path / "copies").mkdir()
    staged = staging.stage(path, tmp_path / "copies", bytes_at_most=1000)
    assert staged.sha256() == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (tmp_path / "copies" / staged.file).read_bytes() == path.read_bytes()


@pytest.mark.usefixtures("private")
def test_many_rows_pass_in_batches_with_progress(tmp_path):
    n = 200_000
    frame = gpd.GeoDataFrame(
        {"n": np.arange(n)}, geometry=gpd.points_from_xy(np.arange(n), 0), crs=5179
    )
    for driver, ending in (("GPKG", "gpkg"), ("FlatGeobuf", "fgb")):
        path = tmp_path / f"a.{ending}"
        pyogrio.write_dataframe(frame, path, driver=driver, use_arrow=True)
        told = []
        with open_raw(path, progress=lambda *p, told=told: told.append(p)) as raw:
            assert raw.rows == n
            # A FlatGeobuf has an order of its own.
            assert np.array_equal(np.sort(_easts(raw.arrow)), np.arange(n))
            assert _longest_batch(raw.arrow) <= 16_384
        assert told[-1] == (n, n)
        assert all(0 < done <= whole == n for done, whole in told)


def _longest_batch(arrow):
    import pyarrow as pa

    with pa.memory_map(str(arrow)) as stream, pa.ipc.open_file(stream) as rows:
        count = rows.num_record_batches
        return max(rows.get_batch(i).num_rows for i in range(count))


def _easts(arrow):
    """The x of points, as they are stored."""
    import pyarrow as pa

    with pa.memory_map(str(arrow)) as stream, pa.ipc.open_file(stream) as rows:
        wkb = rows.read_all().column("geometry").to_numpy(zero_copy_only=False)
    return shapely.get_x(shapely.from_wkb(wkb))


def test_nothing_is_written_beside_the_original(tmp_path, rows_of):
    folder = tmp_path / "given"
    folder.mkdir()
    frame = gpd.GeoDataFrame(
        {"id": ["a"]}, geometry=gpd.points_from_xy([1], [2]), crs=4326
    )
    pyogrio.write_dataframe(frame, folder / "a.shp")
    pyogrio.write_dataframe(frame, folder / "b.gml", driver="GML")
    (folder / "a.shx").unlink()
    (folder / "b.xsd").unlink()
    before = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.iterdir()}
    for path in folder.iterdir():
        path.chmod(0o444)
    folder.chmod(0o555)
    try:
        rows_of(folder / "a.shp")
        rows_of(folder / "b.gml")
    finally:
        folder.chmod(0o755)
    assert before == {
        p: (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.iterdir()
    }


def test_a_link_is_followed_and_sidecars_are_those_of_its_target(tmp_path, rows_of):
    frame = gpd.GeoDataFrame(
        {"id": ["a"]}, geometry=gpd.points_from_xy([1], [2]), crs=4326
    )
    pyogrio.write_dataframe(frame, tmp_path / "a.shp")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "link.shp").symlink_to(tmp_path / "a.shp")
    raw, rows = rows_of(tmp_path / "b" / "link.shp")
    assert (raw.layer, rows[0]["id"]) == ("link", "a")


@pytest.mark.usefixtures("private")
@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("http://127.0.0.1:9/a.geojson", "No such file.*addresses"),
        ("/vsicurl/http://127.0.0.1:9/a.geojson", "No such file.*addresses"),
        ("WFS:http://127.0.0.1:9/", "No such file.*addresses"),
        ("GPKG:a.gpkg", "No such file.*addresses"),
        ("missing.gpkg", "No such file"),
        ("nul\0.gpkg", "null"),
        ("x" * 300, "too long"),
        ("", "is a folder"),
        ("/dev/zero", "device or a pipe"),
        ("/dev/null", "device or a pipe"),
        ("/proc/self/environ", "no ending|no reader"),
    ],
)
def test_what_is_no_regular_file(given, why):
    with pytest.raises(ReadError, match=why), open_raw(given):
        pass


@pytest.mark.usefixtures("private")
def test_pipes_sockets_and_loops(tmp_path):
    os.mkfifo(tmp_path / "a.geojson")
    (tmp_path / "loop.gpkg").symlink_to("loop.gpkg")
    with socket.socket(socket.AF_UNIX) as listening, contextlib.chdir(tmp_path):
        listening.bind("b.gpkg")
        for name in ("a.geojson", "b.gpkg", "loop.gpkg"):
            with (
                pytest.raises(ReadError, match=r"device or a pipe|cannot be read"),
                open_raw(tmp_path / name),
            ):
                pass


@pytest.mark.parametrize("name", ["철산 (1).geojson", "a;rm -rf.geojson", "-o.geojson"])
def test_odd_names(tmp_path, rows_of, name):
    raw, _ = rows_of(geojson(tmp_path / name))
    assert raw.layer == Path(name).stem


def test_a_name_that_is_no_text(tmp_path, rows_of):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xc3\xb6\xff.geojson")
    raw, _ = rows_of(geojson(Path(path)))
    assert raw.layer == "ö?"


@pytest.mark.usefixtures("private")
def test_limits(tmp_path):
    path = geojson(tmp_path / "a.geojson", rows=60_000)
    for limits, why in (
        (Limits(seconds=0.05, seconds_per_mb=0), "took longer than 0 s and was ended"),
        (Limits(disk_mb=1), "longer than the limit"),
        (Limits(memory_mb=200), "more than 200 MB of memory"),
    ):
        with pytest.raises(ReadError, match=why), open_raw(path, limits=limits):
            pass
    wide = tmp_path / "wide.csv"
    wide.write_text("a,b\n" + "1,2\n" * 400_000)  # every cell takes five bytes as Arrow
    with (
        pytest.raises(ReadError, match="more than 2 MB of room as rows"),
        open_raw(wide, limits=Limits(disk_mb=2)),
    ):
        pass


@pytest.mark.usefixtures("private")
def test_what_polygons_need_is_loaded_while_they_are_read(tmp_path, monkeypatch):
    loaded = []
    monkeypatch.setattr(outlines, "import_module", loaded.append)
    for shape, wanted in ((Point(124, 39), 0), (box(124, 39, 125, 40), 1)):
        frame = gpd.GeoDataFrame({"a": [1]}, geometry=[shape], crs=4326)
        pyogrio.write_dataframe(frame, tmp_path / "a.gpkg")
        for size, times in ((8 << 20, 0), (1, wanted)):
            monkeypatch.setattr(outlines, "_LONG_FILE", size)
            loaded.clear()
            with open_raw(tmp_path / "a.gpkg") as lent:
                assert lent.rows == 1
            assert loaded == ["geo.kernels.outlines"] * times


def _processes():
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            found[int(entry.name)] = (entry / "cmdline").read_bytes()
    return found


def _workers(folder):
    mine = []
    for pid, line in _processes().items():
        with contextlib.suppress(OSError):
            if b"worker.py" in line and str(folder) in str(
                Path(f"/proc/{pid}/cwd").readlink()
            ):
                mine.append(pid)
    return mine


needs_proc = pytest.mark.skipif(
    not Path("/proc/self/cwd").exists(), reason="looks for processes in /proc"
)


@needs_proc
def test_an_error_in_the_block_leaves_nothing(tmp_path, private):
    with (
        contextlib.suppress(ZeroDivisionError),
        open_raw(geojson(tmp_path / "a.geojson")),
    ):
        assert _workers(private)
        raise ZeroDivisionError
    assert not list(private.iterdir())
    assert not _workers(private)


CALLER = """
import sys, tempfile, time
tempfile.tempdir = sys.argv[2]
from layers.importing import processes
from layers.importing.raw import open_raw, Limits
processes._IS_LINUX = processes._IS_LINUX and sys.argv[4] == "forked"
with open_raw(sys.argv[1], layer=sys.argv[3] or None, limits=Limits(seconds=100)):
    print("lent", flush=True)
    while True:  # a signal between two steps must not wait for the end of a long one
        time.sleep(0.05)
"""


@needs_proc
@pytest.mark.parametrize("while_reading", [False, True])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_caller_that_dies_leaves_nothing(
    tmp_path, private, endless, how, while_reading, way
):
    path = endless if while_reading else geojson(tmp_path / "a.geojson")
    command = [
        sys.executable,
        "-c",
        CALLER,
        path,
        private,
        "v" if while_reading else "",
        way,
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as caller:
        if while_reading:
            _until(lambda: len(_workers(private)) == 2)
            time.sleep(0.5)
        else:
            assert caller.stdout.readline() == b"lent\n"
        begun = _started_by(caller.pid)
        assert begun
        caller.send_signal(how)
        caller.wait(timeout=20)
        _until(lambda: not _workers(private) and not list(private.iterdir()))
        _until(lambda: not any(_processes().get(pid) for pid in begun))


def _started_by(caller):
    """Processes that another started itself, the prepared one among them."""
    tasks = Path(f"/proc/{caller}/task").iterdir()
    return {int(pid) for t in tasks for pid in (t / "children").read_text().split()}


def _until(done):
    end = time.monotonic() + 20
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.skipif(sys.platform != "linux", reason="confinement is Linux's")
def test_the_reader_is_shut_in(tmp_path, private):
    """What holds is measured: a process confined as the reader is tries to get out."""
    secret = tmp_path / "secret"
    secret.write_text("x")
    script = f"""
import os, socket, resource
from pathlib import Path
from layers.importing.confinement import limit, shut_in
holds = shut_in(Path({str(private)!r}))
holds += limit(memory_mb=1000, disk_mb=1, seconds=5)
print(sorted(holds))
def tries(what):
    try:
        what()
    except (OSError, MemoryError) as error:
        print(type(error).__name__)
    else:
        print("done")
tries(lambda: open({str(secret)!r}).read())
tries(lambda: os.listdir({str(tmp_path)!r}))
tries(lambda: open({str(tmp_path / "new")!r}, "w"))
tries(lambda: open({str(private / "new")!r}, "wb").write(bytes(3 << 20)))
tries(lambda: socket.create_connection(("127.0.0.1", {{port}}), 1))
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
tries(lambda: udp.sendto(b"x", ("127.0.0.1", 9)))
tries(lambda: bytearray(2 << 30))
print(resource.getrlimit(resource.RLIMIT_CORE))
import pyarrow, pyogrio
os.unlink({str(private / "new")!r})
"""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-c", script.replace("{port}", str(port))],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    holds, *lines = done.stdout.splitlines()
    if "no other files" not in holds or "no network" not in holds:
        pytest.skip(f"this kernel lets a process keep {holds} only")
    assert lines[:3] == ["PermissionError"] * 3
    assert lines[3] == "OSError"
    assert lines[4] in ("OSError", "PermissionError", "ConnectionRefusedError")
    assert lines[5:] == ["OSError", "MemoryError", "(0, 0)"]


@pytest.mark.skipif(sys.platform != "linux", reason="confinement is Linux's")
def test_libraries_that_are_loaded_before_take_no_hold_away(tmp_path):
    """What holds for the real reader is what holds for a process that is empty."""
    script = (
        "from pathlib import Path\n"
        "from layers.importing.confinement import limit, shut_in\n"
        f"holds = shut_in(Path({str(tmp_path)!r}))\n"
        "print(*limit(memory_mb=999, disk_mb=9, seconds=5), *holds, sep=';')"
    )
    alone = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    folder = tmp_path / f"{worker.PREFIX}a"
    folder.mkdir()
    geojson(folder / "input.geojson")
    request = {
        "folder": str(folder),
        "file": "input.geojson",
        "name": "a.geojson",
        "size": 100,
        "layer": None,
        "encoding": None,
        "memory_mb": 3072,
        "disk_mb": 100,
        "seconds": 60,
    }
    with ExitStack() as stack:
        process = stack.enter_context(processes.forked_process(folder))
        if process is None:
            process = stack.enter_context(processes.started_process(folder))
        else:
            assert process.came()
        tasks = Path(f"/proc/{process.pid}/task")
        process.ask(request)
        lines = [json.loads(process.answers.readline())]
        while "result" not in lines[-1]:
            lines.append(json.loads(process.answers.readline()))
        assert len(list(tasks.iterdir())) == 1
    assert lines[-1]["result"]["rows"] == 1
    assert ";".join(lines[-1]["holds"]) == alone.stdout.strip()


def test_no_secret_is_inherited(tmp_path, rows_of, monkeypatch):
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2")
    seen = {}
    popen = subprocess.Popen

    def watched(*args, **options):
        seen.update(options["env"])
        return popen(*args, **options)

    monkeypatch.setattr(subprocess, "Popen", watched)
    processes._prepared.stop()
    rows_of(geojson(tmp_path / "a.geojson"))
    assert seen["CPL_VSIL_CURL_ALLOWED_EXTENSIONS"] == ".none"
    assert "OGR_VRT" in seen["GDAL_SKIP"]
    assert not any("PASSWORD" in name for name in seen)
    assert "PATH" not in seen


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"rows": "1"},
        {"columns": "a"},
        {"columns": [1]},
        {"mended": {"a": "b"}},
        {"crs": 4326},
        {"layers": None},
    ],
)
def test_an_answer_that_makes_no_sense(answer):
    from layers.importing.staging import checked

    sound = {
        "rows": 1,
        "columns": ["a"],
        "has_geometry": True,
        "crs": None,
        "crs_by": "",
        "kind": "CSV",
        "layer": "a",
        "layers": ["a"],
        "encoding": "",
        "notes": [],
        "mended": {"a": 1},
    }
    assert checked(sound)["columns"] == ("a",)
    with pytest.raises(ReadError, match="makes no sense"):
        checked(sound | answer if answer else answer)
