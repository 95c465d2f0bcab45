"""The prepared process: what it holds, whom it outlives, what stays in it."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from layers.errors import ReadError
from layers.importing import processes, raw, worker
from layers.importing.raw import Limits, open_raw

ONE = {"type": "Feature", "properties": {"id": "a"}, "geometry": None}

pytestmark = [
    pytest.mark.skipif(not processes._IS_LINUX, reason="there is none elsewhere"),
    pytest.mark.usefixtures("private"),
]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [ONE] * 9}))
    return path


@pytest.fixture
def prepared(file):
    """Number of the prepared process of this one, once it has served."""
    assert rows(file) == 9
    return processes._prepared._process.pid


def rows(path, **options):
    with open_raw(path, limits=Limits(seconds=60), **options) as lent:
        return lent.rows


def until(done):
    end = time.monotonic() + 30
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


def status(pid, name):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split(":")[1].strip() for line in lines if line.startswith(name))


def is_alive(pid):
    with contextlib.suppress(OSError):
        return status(pid, "State")[0] not in "ZX"
    return False


def descriptors(pid):
    found = {}
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found[int(entry.name)] = str(entry.readlink())
    return found


def children(pid):
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def grandchild(pid):
    """The reader of the one file that a prepared process has under way."""
    found = []

    def there():
        found[:] = [reader for child in children(pid) for reader in children(child)]
        return found

    until(there)
    return found[0]


def test_one_serves_all_files(file, prepared):
    for _ in range(3):
        assert rows(file) == 9
        assert processes._prepared._process.pid == prepared


def test_it_has_one_thread_and_no_file_of_anybody_open(prepared):
    assert len(list(Path(f"/proc/{prepared}/task").iterdir())) == 1
    kinds = ("socket:", "pipe:", "anon_inode:", "pidfd:", "/dev/null")
    names = descriptors(prepared).values()
    files = {Path(name).name for name in names if not name.startswith(kinds)}
    assert files <= {"proj.db"}  # of the library itself
    assert Path(f"/proc/{prepared}/cwd").readlink() == Path("/")


def test_what_the_caller_has_open_and_knows_stays_with_it(tmp_path, file, monkeypatch):
    processes._prepared.stop()
    secret = tmp_path / "secret"
    secret.write_text("x")
    monkeypatch.setenv("DATABASE_PASSWORD", "hunter2")
    with secret.open() as stream:
        os.set_inheritable(stream.fileno(), True)
        assert rows(file) == 9
        pid = processes._prepared._process.pid
        assert str(secret) not in descriptors(pid).values()
    assert b"hunter2" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_a_reader_cannot_speak_to_the_prepared_process(prepared, endless):
    """Only pipes to its own caller and its own file are open in it."""
    with contextlib.suppress(ReadError), ThreadPoolExecutor(1) as pool:
        reading = pool.submit(rows, endless, layer="v")
        reader = grandchild(prepared)
        names = []

        def has_its_file_open():  # it opens and closes it several times
            names[:] = descriptors(reader).values()
            return any("lodemap-import-" in name for name in names)

        until(has_its_file_open)
        os.kill(reader, signal.SIGKILL)
        reading.result()
    assert not any(name.startswith("socket:") for name in names)
    own = ("pipe:", "/dev/null")
    others = {n for n in names if not n.startswith(own)}
    assert all("lodemap-import-" in n or n.endswith("proj.db") for n in others)
    assert sum(name.startswith("pipe:") for name in names) == 2


def test_a_reader_is_shut_in_before_it_is_asked(prepared, private):
    """It has no way out while its file is still being copied."""
    folder = private / f"{worker.PREFIX}early"
    folder.mkdir()
    with processes.forked_process(folder) as process:
        assert process.came()
        reader = grandchild(prepared)
        until(lambda: status(reader, "NoNewPrivs") == "1")
        process.requests.close()
        until(lambda: not folder.exists())
        until(lambda: not is_alive(reader))


def test_a_file_that_kills_its_reader_does_nothing_to_the_next(prepared, file, endless):
    with pytest.raises(ReadError, match="took longer"):
        rows_within(endless, 1.0)
    assert rows(file) == 9
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(rows, endless, layer="v")
        os.kill(grandchild(prepared), signal.SIGSEGV)
        with pytest.raises(ReadError, match=r"broke the process that read it \(-11\)"):
            reading.result()
    assert rows(file) == 9
    assert processes._prepared._process.pid == prepared


def rows_within(path, seconds):
    limits = Limits(seconds=seconds, seconds_per_mb=0)
    with open_raw(path, layer="v", limits=limits) as lent:
        return lent.rows


def test_what_a_reader_gives_up_the_prepared_process_keeps(file, prepared):
    def held():
        names = ("limits", "ns/net", "ns/user")
        return [
            Path(f"/proc/{prepared}/limits").read_text(),
            *(str(Path(f"/proc/{prepared}/{name}").readlink()) for name in names[1:]),
            *(status(prepared, name) for name in ("NoNewPrivs", "Seccomp")),
        ]

    before = held()
    tight = Limits(seconds=60, memory_mb=200, disk_mb=1)
    with contextlib.suppress(ReadError), open_raw(file, limits=tight):
        pass
    assert held() == before
    assert str(200 << 20) not in before[0]
    assert rows(file) == 9


def test_many_files_at_a_time(file, endless):
    with ThreadPoolExecutor(6) as pool:
        slow = pool.submit(rows_within, endless, 2.0)
        assert list(pool.map(rows, [file] * 12)) == [9] * 12
        with pytest.raises(ReadError, match="took longer"):
            slow.result()


def test_from_a_thread_that_ends_and_from_another_folder(file, monkeypatch):
    processes._prepared.stop()
    found = []
    thread = threading.Thread(target=lambda: found.append(rows(file)))
    thread.start()
    thread.join()
    first = processes._prepared._process.pid
    monkeypatch.chdir(file.parent)
    assert [*found, rows(file.name)] == [9, 9]
    assert processes._prepared._process.pid == first


def test_one_that_died_is_started_again(file, prepared):
    os.kill(prepared, signal.SIGKILL)
    assert rows(file) == 9
    assert rows(file) == 9
    assert processes._prepared._process.pid != prepared


def test_a_file_does_without_if_it_dies_in_between(file, prepared, monkeypatch):
    os.kill(prepared, signal.SIGSTOP)
    stage = raw.stage

    def staged(*args, **options):
        os.kill(prepared, signal.SIGKILL)
        return stage(*args, **options)

    monkeypatch.setattr(raw, "stage", staged)
    assert rows(file) == 9
    assert processes._prepared._process is None


def test_one_that_never_comes_up_is_not_tried_for_ever(file, monkeypatch):
    tries = []
    monkeypatch.setattr(processes, "_prepared", processes._Prepared())
    monkeypatch.setattr(processes, "_TRIES", 1)
    popen = subprocess.Popen

    def spoilt(command, **options):
        if "prepared" in command:
            tries.append(1)
            command = [sys.executable, "-c", "raise SystemExit(1)"]
        return popen(command, **options)

    monkeypatch.setattr(subprocess, "Popen", spoilt)
    for _ in range(4):
        assert rows(file) == 9
    assert 1 <= len(tries) <= 2  # the line may break before the first file


def test_a_child_of_the_caller_has_its_own(file, prepared):
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            line = f"{rows(file)} {processes._prepared._process.pid}"
            processes._prepared.stop()
            os.write(tell, line.encode())
        finally:
            os._exit(0)
    os.close(tell)
    with os.fdopen(told) as stream:
        count, own = stream.read().split()
    os.waitpid(child, 0)
    assert int(count) == 9
    assert int(own) != prepared
    assert is_alive(prepared)
    assert rows(file) == 9
    assert processes._prepared._process.pid == prepared


CALLER = """
import ctypes, os, signal, sys, time
from layers.importing import processes
from layers.importing.raw import open_raw
processes.get_ready()
if len(sys.argv) > 2:
    with open_raw(sys.argv[2]):
        pass
print(processes._prepared._process.pid, flush=True)
# Python does not hear of this fork, so its end of the line stays open in the child.
if sys.argv[1] == "forks" and ctypes.PyDLL(None).fork() == 0:
    print(os.getpid(), flush=True)
    signal.pause()
if sys.argv[1] != "ends":
    signal.pause()
"""


@pytest.mark.parametrize("has_served", [False, True])
@pytest.mark.parametrize("how", ["killed", "interrupted", "ends", "forks"])
def test_it_ends_with_its_caller(file, how, has_served):
    command = [sys.executable, "-W", "error", "-c", CALLER, how]
    command += [str(file)] if has_served else []
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as caller:
        pid = int(caller.stdout.readline())
        forked = int(caller.stdout.readline()) if how == "forks" else None
        if how == "interrupted":
            time.sleep(0.2)
            os.killpg(caller.pid, signal.SIGINT)  # as a terminal does
        elif how != "ends":
            caller.kill()
        try:
            caller.wait(timeout=30)
            until(lambda: not is_alive(pid))
        finally:
            if forked is not None:
                os.kill(forked, signal.SIGKILL)
        said = caller.stderr.read()
    assert ("KeyboardInterrupt" in said) == (how == "interrupted")
    assert "Exception ignored" not in said
    assert how != "ends" or said == ""


def test_sorting_that_needs_room_works_in_the_private_folder(tmp_path, viewed):
    """sqlite remembers where its temporary files go, from before the fork."""
    import geopandas as gpd
    import pyogrio

    n = 60_000
    frame = gpd.GeoDataFrame(
        {"a": [f"{i * 7919 % n:>200}" for i in range(n)]},
        geometry=gpd.points_from_xy([124] * n, [39] * n),
        crs=4326,
    )
    path = tmp_path / "a.gpkg"
    pyogrio.write_dataframe(frame, path, driver="GPKG", layer="t", use_arrow=True)
    viewed(path, "SELECT fid, geom, a FROM t ORDER BY a DESC")
    assert rows(path, layer="v") == n
    shutil.copy(path, tmp_path / "b.gpkg")
    assert rows(tmp_path / "b.gpkg", layer="v") == n
