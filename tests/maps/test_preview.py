import http.client
import os
import signal
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from layers.errors import ReadError, RequestError
from maps.preview import serving

BYTES = bytes(range(256)) * 20


@pytest.fixture
def site(tmp_path):
    (tmp_path / "page.html").write_text("<!doctype html><p>평안북도", encoding="utf-8")
    (tmp_path / "tiles.pmtiles").write_bytes(BYTES)
    (tmp_path / "secret.txt").write_text("not for anyone")
    (tmp_path / "away.pmtiles").symlink_to(tmp_path / "secret.txt")
    with serving(tmp_path / "page.html") as address:
        yield address


def ask(address, path, method="GET", **headers):
    split = urlsplit(address)
    connection = http.client.HTTPConnection(split.hostname, split.port, timeout=10)
    connection.request(
        method, path, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return found


def test_the_page_is_served_at_the_address_and_by_its_name(site):
    for path in ("/", "/page.html", "/page.html?x=1"):
        status, headers, body = ask(site, path)
        assert status == 200
        assert headers["Content-Type"] == "text/html; charset=utf-8"
        assert "평안북도" in body.decode()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("bytes=0-126", BYTES[:127]),
        ("bytes=100-", BYTES[100:]),
        ("bytes=-10", BYTES[-10:]),
        ("bytes=5000-99999", BYTES[5000:]),
    ],
)
def test_parts_of_an_archive_are_those_asked_for(site, asked, expected):
    status, headers, body = ask(site, "/tiles.pmtiles", Range=asked)
    assert status == 206
    assert body == expected
    start = len(BYTES) - len(expected) if asked != "bytes=0-126" else 0
    stop = start + len(expected) - 1
    assert headers["Content-Range"] == f"bytes {start}-{stop}/{len(BYTES)}"


@pytest.mark.parametrize("asked", ["bytes=99999-", "bytes=5-2", "bytes=-", "lines=1-2"])
def test_parts_that_are_not_there_are_refused(site, asked):
    status, headers, body = ask(site, "/tiles.pmtiles", Range=asked)
    assert (status, body) == (416, b"")
    assert headers["Content-Range"] == f"bytes */{len(BYTES)}"


@pytest.mark.parametrize(
    "path",
    [
        "/secret.txt",
        "/away.pmtiles",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "//etc/passwd",
        "/.",
        "/tiles.pmtiles/",
    ],
)
def test_nothing_else_is_served(site, path):
    status, _, body = ask(site, path)
    assert (status, body) == (404, b"")


def test_another_host_name_is_refused_so_that_no_page_elsewhere_can_read_it(site):
    assert ask(site, "/", Host="evil.example:80")[0] == 404


def test_head_sends_no_body(site):
    status, headers, body = ask(site, "/tiles.pmtiles", "HEAD")
    assert (status, body, headers["Content-Length"]) == (200, b"", str(len(BYTES)))


def test_what_is_no_page_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("")
    for name in ("a.txt", "none.html"):
        with pytest.raises(ReadError, match="lodemap map"), serving(tmp_path / name):
            pass


def test_a_taken_port_is_told(site, tmp_path):
    port = urlsplit(site).port
    with (
        pytest.raises(RequestError, match="free one"),
        serving(tmp_path / "page.html", port=port),
    ):
        pass


def test_the_command_serves_until_it_is_interrupted(tmp_path):
    (tmp_path / "page.html").write_text("<p>here")
    run = subprocess.Popen(
        [sys.executable, "-m", "maps", "preview", str(tmp_path / "page.html")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        text=True,
    )
    address = run.stdout.readline().strip()
    assert ask(address, "/")[2] == b"<p>here"
    run.send_signal(signal.SIGINT)
    _, told = run.communicate(timeout=20)
    assert run.returncode == 0
    assert told == "lodemap: only this machine can read it; Ctrl-C ends\n"
