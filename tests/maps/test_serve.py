"""A server that runs: every feature through it, and nothing left when it is gone."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import geopandas as gpd
import numpy as np
import pytest
import shapely
from click.testing import CliRunner

from layers.errors import ExtraMissingError, RequestError
from layers.export.content import Content, Sheet
from maps import serve as serve_room
from maps.cli import cli
from maps.serve import serving
from tests.qgis import QGIS, NoQGISError

MANY = 2600
EVIL = "</script><script>alert(1)</script>"
OPENER = build_opener(ProxyHandler({}))


def sheet(name, table, geometry):
    return Sheet(
        id=name,
        title=f"Title of {name}",
        abstract=f"What {name} is.",
        table=table,
        geometry=geometry,
        licence="CC-BY-4.0",
        rights="© Nobody",
        source="Nobody.",
    )


def world():
    rng = np.random.default_rng(3)
    many = gpd.GeoDataFrame(
        {
            "id": [f"p{i:04}" for i in range(MANY)],
            "name": ["평양"] + [f"{EVIL} {i}" for i in range(1, MANY)],
            "number": range(MANY),
        },
        geometry=gpd.points_from_xy(
            rng.uniform(124, 130, MANY), rng.uniform(38, 43, MANY)
        ),
        crs=4326,
    )
    areas = gpd.GeoDataFrame(
        {"id": ["a", "b"]},
        geometry=[shapely.box(124, 38, 125, 39), shapely.box(126, 40, 127, 41)],
        crs=4326,
    )
    table = many[["id", "name"]].iloc[:3]
    return Content(
        id="world",
        title="World",
        abstract="A world.",
        sheets=(
            sheet("many", many, "Point"),
            sheet("areas", areas, "Polygon"),
            sheet("rows", table, ""),
        ),
        dated=date(2026, 11, 23),
        version="0.1.0",
        bbox=(124, 38, 130, 43),
    )


@pytest.fixture(scope="module")
def served():
    content = world()
    with serving(content, port=0) as (address, process):
        yield content, address, process


def ask(url, *, method="GET", headers=(), data=None):
    request = Request(url, method=method, headers=dict(headers), data=data)
    try:
        with OPENER.open(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except HTTPError as error:
        return error.code, error.headers, error.read()


def as_json(url):
    return json.loads(ask(url)[2])


def test_every_feature_comes_page_by_page(served):
    content, address, _ = served
    wanted = content.sheets[0].table
    found, url, pages = [], f"{address}/collections/many/items?f=json&limit=100", 0
    while url:
        page = as_json(url)
        assert page["numberMatched"] == MANY
        found += page["features"]
        pages += 1
        url = next((k["href"] for k in page["links"] if k["rel"] == "next"), None)
        url = url and url.replace("localhost", "127.0.0.1")
    assert pages >= MANY / 100
    assert [f["id"] for f in found] == wanted["id"].tolist()
    assert [f["properties"]["name"] for f in found] == wanted["name"].tolist()
    places = np.array([f["geometry"]["coordinates"] for f in found])
    assert np.array_equal(places[:, 0], wanted.geometry.x)
    assert np.array_equal(places[:, 1], wanted.geometry.y)


def test_a_box_and_an_id_find_what_they_should(served):
    content, address, _ = served
    wanted = content.sheets[0].table.cx[125:126, 39:40]
    page = as_json(f"{address}/collections/many/items?bbox=125,39,126,40&limit=10000")
    assert [f["id"] for f in page["features"]] == wanted["id"].tolist()
    assert as_json(f"{address}/collections/many/items/p0007")["id"] == "p0007"


def test_a_page_has_a_limit(served):
    _, address, _ = served
    assert len(as_json(f"{address}/collections/many/items")["features"]) == 1000
    page = as_json(f"{address}/collections/many/items?limit=1000000000")
    assert len(page["features"]) == MANY


def test_collections_say_whose_they_are(served):
    _, address, _ = served
    found = as_json(f"{address}/collections/areas?f=json")
    [licence] = [link for link in found["links"] if link["rel"] == "license"]
    assert licence["title"] == "CC-BY-4.0"
    assert "© Nobody" in found["description"]


def test_nothing_can_be_written_and_nothing_administered(served):
    _, address, _ = served
    items = f"{address}/collections/many/items"
    feature = json.dumps(
        {"type": "Feature", "geometry": None, "properties": {"id": "new"}}
    ).encode()
    head = {"Content-Type": "application/geo+json"}
    for method, url in (
        ("POST", items),
        ("PUT", f"{items}/p0001"),
        ("DELETE", f"{items}/p0001"),
        ("PATCH", f"{items}/p0001"),
    ):
        status, _, _ = ask(url, method=method, headers=head, data=feature)
        assert status >= 400, method
    assert ask(f"{address}/admin/config")[0] == 404
    assert ask(f"{address}/console")[0] == 404
    assert as_json(f"{items}?limit=1")["numberMatched"] == MANY


def test_pages_ask_nobody_and_run_nothing(served):
    _, address, _ = served
    for path in ("", "/collections/many", "/collections/many/items", "/openapi"):
        status, headers, page = ask(f"{address}{path}?f=html")
        assert status == 200
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "http" not in policy
        assert "Access-Control-Allow-Origin" not in headers
    assert b"debugger" not in page.lower()
    status, _, page = ask(f"{address}/collections/many/items?limit=x")
    assert status == 400
    assert b"Traceback" not in page


def test_it_listens_on_loopback_only(served):
    _, address, _ = served
    assert listening(int(address.rpartition(":")[2]))
    with contextlib.closing(socket.socket(type=socket.SOCK_DGRAM)) as way:
        try:
            way.connect(("192.0.2.1", 9))  # sends nothing; tells the address of here
        except OSError:
            pytest.skip("no other address of this machine")
        other = way.getsockname()[0]
    assert not listening(int(address.rpartition(":")[2]), other)
    assert address.startswith("http://127.0.0.1:")


def test_qgis_reads_every_feature(served, tmp_path):
    content, address, _ = served
    try:
        qgis = QGIS(tmp_path)
    except NoQGISError as error:
        pytest.skip(f"{error}; python tests/qgis.py brings it")
    asked = [
        ["OAPIF", f"url='{address}' typename='{s.id}' srsname='EPSG:4326'"]
        for s in content.sheets
    ]
    file = tmp_path / "asked.json"
    file.write_text(json.dumps(asked))
    script = (
        Path(__file__).parents[1] / "layers" / "export" / "qgis" / "pyqgis_reads.py"
    )
    many, areas, rows = json.loads(qgis.script(script, file).splitlines()[-1])
    assert many["valid"], many
    where = many["names"].index("id")
    ids = [row[0][where] for row in many["rows"]]
    assert sorted(ids) == content.sheets[0].table["id"].tolist()
    assert "평양" in {row[0][many["names"].index("name")] for row in many["rows"]}
    assert len(areas["rows"]) == 2
    assert len(rows["rows"]) == 3
    assert set(many["licences"]) == {"CC-BY-4.0"}
    assert "What many is." in many["abstract"]


@pytest.mark.browser
def test_a_browser_loads_nothing_from_elsewhere_and_runs_nothing(served, chromium):
    _, address, _ = served
    page = chromium.new_page()
    came, refused, dialogs = [], [], []
    page.on("response", lambda answer: came.append(answer.url))
    page.on("requestfailed", lambda asked: refused.append((asked.url, asked.failure)))
    page.on("dialog", lambda dialog: (dialogs.append(dialog), dialog.dismiss()))
    for path in ("", "/collections/many", "/collections/many/items?limit=5"):
        page.goto(f"{address}{path}{'&' if '?' in path else '?'}f=html")
        page.wait_for_load_state()
    assert "alert(1)" in page.content()  # the hostile names are there, as text
    page.close()
    assert [url for url in came if not url.startswith(address)] == []
    elsewhere = {why for url, why in refused if not url.startswith(address)}
    assert elsewhere == {"csp"}  # pygeoapi's pages do ask, and are not let
    assert dialogs == []


def listening(port, host="127.0.0.1"):
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def command(*arguments, folder, path=""):
    """Run the command until it prints its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "maps", "serve", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(path)},
        cwd=Path(__file__).parents[2],
    )
    try:
        address = process.stdout.readline().strip()
        assert address.startswith("http://"), process.stderr.read()
        yield process, address
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_behind(tmp_path, number):
    with command("--layer", "crossings", folder=tmp_path) as (process, address):
        found = as_json(f"{address}/collections/crossings/items?f=json")
        assert found["numberMatched"] == len(found["features"]) > 5
        assert list(tmp_path.iterdir())
        process.send_signal(number)
        process.wait(timeout=20)
        if number != signal.SIGKILL:
            assert process.returncode == 0
    port = int(address.rpartition(":")[2])
    until = time.monotonic() + 15
    while time.monotonic() < until and (
        listening(port) or any(tmp_path.glob("*/served"))
    ):
        time.sleep(0.2)
    assert not listening(port)
    assert not list(tmp_path.glob("*/served"))
    if number != signal.SIGKILL:
        assert list(tmp_path.iterdir()) == []


def test_workers_end_with_their_server(tmp_path, monkeypatch):
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "__init__.py").write_text("raise SystemExit('not ours')")
    monkeypatch.chdir(tmp_path)
    with serving(world(), port=0) as (address, process):
        port = int(address.rpartition(":")[2])
        assert listening(port)
        process.kill()
        process.wait()
    until = time.monotonic() + 15
    while time.monotonic() < until and listening(port):
        time.sleep(0.2)
    assert not listening(port)


LISTENER = """
import os, sys
log = os.open(os.environ["ASKED"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def heard(event, arguments):
    if event == "socket.connect":
        os.write(log, f"{event} {arguments[1]!r}\\n".encode())
    elif event == "socket.getaddrinfo":
        os.write(log, f"{event} {arguments[0]!r}\\n".encode())
sys.addaudithook(heard)
"""


def test_no_other_host_is_asked(tmp_path, monkeypatch):
    """Every process of the server tells of each connection that it tries."""
    room = tmp_path / "room"
    room.mkdir()
    (room / "sitecustomize.py").write_text(LISTENER)
    asked = tmp_path / "asked"
    monkeypatch.setenv("ASKED", str(asked))
    with command("--layer", "crossings", folder=tmp_path, path=room) as (_, address):
        for page in ("", "/openapi", "/conformance", "/collections/crossings/items"):
            for form in ("json", "html", "jsonld"):
                ask(f"{address}{page}?f={form}")
    lines = asked.read_text().splitlines()
    assert any(line.startswith("socket.connect") for line in lines)  # it does listen
    assert [line for line in lines if "127.0.0.1" not in line] == []


def test_a_taken_port_is_said():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = CliRunner().invoke(
            cli, ["serve", "--layer", "crossings", "--port", port]
        )
    assert isinstance(done.exception, RequestError)
    assert "in use" in str(done.exception)


def test_other_hosts_are_warned_of(monkeypatch):
    @contextlib.contextmanager
    def fake(content, *, host, port, url):
        assert (host, port, url) == ("0.0.0.0", 8080, None)
        assert {s.id for s in content.sheets} == {"deposits", "legs"}
        process = subprocess.Popen([sys.executable, "-c", ""])
        yield "http://here:8080", process

    monkeypatch.setattr(serve_room, "serving", fake)
    done = CliRunner().invoke(
        cli,
        [
            *("serve", "--exchange", "cholsan-2019", "--layer", "deposits"),
            *("--layer", "legs", "--host", "0.0.0.0", "--port", "8080"),
        ],
    )
    assert "everybody who can reach this machine" in done.stderr
    assert done.stdout.strip() == "http://here:8080"
    assert "QGIS" in done.stderr
    assert isinstance(done.exception, RequestError)  # it ended by itself
    done = CliRunner().invoke(
        cli, ["serve", "--exchange", "cholsan-2019", "--layer", "none"]
    )
    assert "no layer 'none'" in str(done.exception)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(
        serve_room, "find_spec", lambda name: None if name == "pygeoapi" else name
    )
    with pytest.raises(ExtraMissingError, match=r"lodemap\[serve\]"), serving(world()):
        pass
