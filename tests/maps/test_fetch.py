"""``lodemap fetch`` as a user runs it."""

import json
import os
import pty
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner

from maps.cli import cli


def lodemap(*arguments, folder, **more):
    return subprocess.run(
        [sys.executable, "-m", "maps", "fetch", *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "LODEMAP_CACHE": str(folder)},
        **more,
    )


def refused(done):
    """The one line with which a request is refused."""
    assert done.returncode == 1, done
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("lodemap: ")
    return line


@pytest.fixture
def listener():
    """A source on this machine that has only a list, and counts who asks."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            body = b"Copernicus_DSM_COG_10_N00_00_E000_00_DEM\r\n"
            if self.path != "/tileList.txt":
                body = b"<html><title>Nothing here</title>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}
    )
    thread.start()
    server.asked, server.url = asked, f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_help_is_the_same_as_reviewed(golden):
    result = CliRunner().invoke(cli, ["fetch", "--help"], prog_name="lodemap")
    assert result.exit_code == 0
    golden("maps/help-fetch.txt", result.output)


def test_files_are_named_with_licence_and_doubt_and_nobody_is_asked(
    golden, listener, tmp_path
):
    done = lodemap(
        "--region", "north-pyongan", "--base-url", listener.url, folder=tmp_path / "c"
    )
    assert done.returncode == 0, done.stderr
    golden("maps/fetch.txt", done.stdout.replace(str(tmp_path / "c"), "CACHE"))
    assert done.stderr == (
        "lodemap: nothing was fetched; 10 files are not here. To fetch some: lodemap "
        "fetch copernicus-glo-30 --region north-pyongan --download\n"
    )
    assert listener.asked == []
    assert not (tmp_path / "c").exists()


def test_dry_run_wins_over_download(listener, tmp_path):
    done = lodemap(
        "copernicus-glo-30", "--bbox", "1,1,2,2", "--download", "--dry-run",
        "--base-url", listener.url, folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert listener.asked == []


def test_a_box_at_sea_is_fetched_by_asking_for_the_list_alone(listener, tmp_path):
    done = lodemap(
        "copernicus-glo-30", "--bbox", "150.2,1.2,150.5,1.5", "--download", "--to",
        tmp_path / "here", "--base-url", listener.url, "--json", folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    [file] = json.loads(done.stdout)
    assert file["status"] == "absent"
    assert file["path"].startswith(str(tmp_path / "here" / "copernicus-glo-30"))
    assert listener.asked == ["/tileList.txt"]
    assert done.stderr == "lodemap: 0 files fetched (0 B), 1 already known\n"


def test_a_page_instead_of_a_tile_is_one_line(listener, tmp_path):
    done = lodemap(
        "copernicus-glo-30", "--bbox", "0.2,0.2,0.5,0.5", "--download",
        "--base-url", listener.url, folder=tmp_path,
    )  # fmt: skip
    assert "an HTML page, 'Nothing here'" in refused(done)


def test_without_a_place_the_products_are_listed(tmp_path):
    done = lodemap(folder=tmp_path)
    assert done.returncode == 0
    for words in ("copernicus-glo-30:", "  licence: CC-BY-4.0", "  not verified: "):
        assert words in done.stdout
    [record] = json.loads(lodemap("osm-north-korea", "--json", folder=tmp_path).stdout)
    assert record["licence"] == "ODbL-1.0"


def test_an_empty_cache_has_nothing_to_cite(tmp_path):
    done = lodemap("--cite", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"lodemap: nothing is in {tmp_path} yet\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["srtm"], "no product 'srtm'; there are copernicus-glo-30"),
        (["--bbox", "1,2,3"], "--bbox 1,2,3: expected W,S,E,N"),
        (["--bbox", "1,2,3,x"], "expected W,S,E,N"),
        (["--region", "atlantis"], "no region 'atlantis'"),
        (["--download"], "--download needs a place"),
        (["--download", "--region", "dprk"], "name the products"),
        (["--region", "dprk", "--base-url", "http://a.org"], "expected https://host"),
    ],
)
def test_what_cannot_be_done_is_one_line(tmp_path, arguments, said):
    assert said in refused(lodemap(*arguments, folder=tmp_path))


def test_progress_is_drawn_on_a_terminal_only():
    """The line is drawn over, and nothing of it is left at the end."""
    code = (
        "import maps.fetch as f, maps.progress as m; m.PATIENCE_S = -1\n"
        "with m.drawn_progress(f._amount) as p:\n"
        "    [p(n * 10**6, 4 * 10**6) for n in range(5)] if p else print('none')\n"
    )
    reader, writer = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", code], stderr=writer, stdout=subprocess.PIPE, check=True
    )
    os.close(writer)
    drawn = os.read(reader, 10_000).decode()
    os.close(reader)
    assert done.stdout == b""
    assert "lodemap: 3.0 MB of 4.0 MB" in drawn
    assert drawn.endswith("\r")
    piped = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True
    )
    assert (piped.stdout, piped.stderr) == (b"none\n", b"")
