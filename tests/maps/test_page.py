import base64
import hashlib
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import folium
import folium.plugins
import pytest

import maps
from geo.errors import GeoError
from layers.errors import WriteError
from maps.page import PageError, leaflet_style, policy, remote_references, safe_url

ROOT = Path(__file__).parents[2]

SAVE = """
import os, resource, signal, sys
from maps.page import ExchangeMap, save
from markupsafe import Markup
page = ExchangeMap(title="new", bounds=(124, 39, 126, 41), story=Markup(""))
"""


@pytest.fixture
def old(tmp_path):
    """A page that stands there already."""
    path = tmp_path / "page.html"
    path.write_text("old", encoding="utf-8")
    return path


def run(code, path):
    """Run a script that saves to ``path`` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", SAVE + code, str(path)],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def small_map():
    from markupsafe import Markup

    from maps.page import ExchangeMap

    return ExchangeMap(title="new", bounds=(124, 39, 126, 41), story=Markup(""))


def test_the_page_is_one_file_with_a_language_and_a_title(page_file, deal):
    text = page_file.read_text("utf-8")
    assert text.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert f"<title>{deal.title}</title>" in text
    assert "user-scalable" not in text
    assert "maximum-scale" not in text
    assert remote_references(text) == []
    assert list(page_file.parent.iterdir()) == [page_file]


def test_the_same_exchange_gives_the_same_bytes(deal, page_file, tmp_path):
    again = maps.save(maps.exchange_map(deal), tmp_path / "again.html")
    assert again.read_bytes() == page_file.read_bytes()


def test_the_policy_names_every_script_and_no_host(page_file):
    text = page_file.read_text("utf-8")
    said = re.search(r'Security-Policy" content="([^"]*)"', text)[1].replace(
        "&#39;", "'"
    )
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert len(scripts) >= 8
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in said
    assert "http" not in said
    assert "unsafe-inline" not in said.partition("style-src")[0]


def test_policy_lists_hosts_only_for_pictures():
    said = policy(["x"], ["https://tiles.example"])
    assert "img-src data: https://tiles.example;" in said
    assert said.count("https:") == 1


def test_an_online_base_map_is_asked_for_by_name(deal, tmp_path):
    online = maps.save(
        maps.exchange_map(deal, online_basemap=True), tmp_path / "online.html"
    ).read_text("utf-8")
    assert "img-src data: https://tile.openstreetmap.org;" in online
    assert "OpenStreetMap contributors" in online
    offline = maps.save(maps.exchange_map(deal), tmp_path / "offline.html")
    assert "tile.openstreetmap" not in offline.read_text("utf-8")


def test_folium_elements_can_be_added(tmp_path):
    page = small_map()
    folium.CircleMarker([40, 125], radius=4).add_to(page)
    text = maps.save(page, tmp_path / "page.html").read_text("utf-8")
    assert "L.circleMarker" in text


@pytest.mark.parametrize(
    ("add", "url"),
    [
        (lambda: folium.TileLayer("OpenStreetMap"), "tile.openstreetmap.org"),
        (
            lambda: folium.TileLayer("https://t.example/{z}/{x}/{y}.png", attr="t"),
            "https://t.example/",
        ),
        (folium.plugins.MarkerCluster, "markercluster"),
        (folium.plugins.Fullscreen, "Control.FullScreen"),
    ],
)
def test_what_needs_the_network_is_refused(old, add, url):
    page = small_map()
    add().add_to(page)
    with pytest.raises(PageError, match=re.escape(url)):
        maps.save(page, old)
    assert old.read_text("utf-8") == "old"


def test_a_bare_folium_map_is_refused(tmp_path):
    with pytest.raises(GeoError, match=r"https://cdn.*maps\.exchange_map"):
        maps.save(folium.Map(tiles=None), tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_a_script_that_ends_itself_is_refused(tmp_path):
    page = small_map()
    folium.Marker([40, 125], popup="</script><script>alert(1)</script>").add_to(page)
    with pytest.raises(PageError, match="</script"):
        maps.save(page, tmp_path / "page.html")


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ('<script src="https://a.example/x.js"></script>', ["https://a.example/x.js"]),
        ("<link rel=stylesheet href=//a.example/x.css>", ["//a.example/x.css"]),
        ('<img src=" HTTP://a.example/x.png">', ["HTTP://a.example/x.png"]),
        (
            "<style>b{background:url(http://a.example/i)}</style>",
            ["http://a.example/i"],
        ),
        ("<p style=\"background:url('//a.example/i')\">", ["//a.example/i"]),
        (
            '<script>L.tileLayer("https://a.example/{z}")</script>',
            ["https://a.example/{z}"],
        ),
        ('<a href="https://a.example/">read</a>', []),
        ('<script type="application/json">{"u":"https://a.example"}</script>', []),
        ('<img src="data:image/png;base64,AA">', []),
    ],
)
def test_remote_references_are_what_loads_by_itself(html, found):
    assert remote_references(html) == found


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " JavaScript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "//example.org",
        "https://",
        "http://[",
        "",
    ],
)
def test_only_web_addresses_become_links(url):
    assert safe_url(url) == ""


def test_leaflets_style_asks_for_no_picture():
    assert re.findall(r"url\((?!#)", leaflet_style()) == []


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("absent/page.html", "No such file"),
        ("file.txt/page.html", "Not a directory"),
        (".", "folder or a device"),
    ],
)
def test_an_unwritable_target_is_refused(tmp_path, path, reason):
    (tmp_path / "file.txt").write_text("kept", encoding="utf-8")
    with pytest.raises(WriteError, match=reason):
        maps.save(small_map(), tmp_path / path)
    assert [f.name for f in tmp_path.iterdir()] == ["file.txt"]


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="no such device here")
def test_a_device_is_never_replaced():
    with pytest.raises(WriteError, match="device"):
        maps.save(small_map(), "/dev/null")
    assert not Path("/dev/null").is_file()


def test_a_folder_that_refuses_is_named(tmp_path, monkeypatch):
    def refuse(**_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("layers.files.tempfile.mkstemp", refuse)
    with pytest.raises(WriteError, match=r"page\.html: Permission denied"):
        maps.save(small_map(), tmp_path / "page.html")


def test_a_full_disk_leaves_the_old_file(old):
    done = run(
        """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    save(page, sys.argv[1])
except OSError as error:
    print(type(error).__name__, error)
""",
        old,
    )
    assert done.stdout.startswith("WriteError cannot write"), done
    assert "with room for the file" in done.stdout
    assert old.read_text("utf-8") == "old"
    assert list(old.parent.iterdir()) == [old]


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_a_killed_process_leaves_the_old_file(old, moment):
    patch = {
        "fsync": "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)",
        "replace": "from pathlib import Path\n"
        "Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)",
    }[moment]
    done = run(f"{patch}\nsave(page, sys.argv[1])\n", old)
    assert done.returncode == -signal.SIGKILL, done
    assert old.read_text("utf-8") == "old"


def test_a_page_that_stands_there_is_replaced_and_keeps_its_mode(old):
    old.chmod(0o640)
    assert maps.save(small_map(), str(old)) == old
    assert old.read_text("utf-8").startswith("<!DOCTYPE")
    assert stat.S_IMODE(old.stat().st_mode) == 0o640


def test_a_link_is_followed_and_stays_a_link(old):
    link = old.parent / "link.html"
    link.symlink_to(old)
    maps.save(small_map(), link)
    assert link.is_symlink()
    assert old.read_text("utf-8").startswith("<!DOCTYPE")


def test_a_new_page_has_the_usual_mode(tmp_path):
    mask = os.umask(0o022)
    try:
        path = maps.save(small_map(), tmp_path / "page.html")
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
