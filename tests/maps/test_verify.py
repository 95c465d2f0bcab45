import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import maps
from layers.catalogue import catalogue
from layers.exchange_file import file_sum
from maps.cli import cli
from maps.provenance import CLOSING, OPENING, block_sums, made_from
from maps.verify import PageDamagedError, verify_page


@pytest.fixture
def changed(page_file, tmp_path):
    """Write the page again with something else in it."""

    def write(old, new, count=1):
        text = page_file.read_text("utf-8")
        assert old in text
        path = tmp_path / "changed.html"
        path.write_text(text.replace(old, new, count), encoding="utf-8")
        return path

    return write


def said(page):
    text = page.read_text("utf-8")
    return json.loads(text.split(OPENING)[1].split(CLOSING)[0])


def test_a_page_says_what_it_is_made_of(page_file, deal):
    made = said(page_file)
    assert made["exchange"]["sha256"] == file_sum(deal.id)
    assert {layer["id"]: layer["sha256"] for layer in made["layers"]}.items() <= {
        entry.id: entry.sha256 for entry in catalogue().values()
    }.items()
    assert set(deal.places["layer"]) <= {layer["id"] for layer in made["layers"]}
    text = page_file.read_text("utf-8")
    assert made["exchange"]["sha256"] in text.split("</main>")[0]
    assert len(made["blocks"]) == text.count('type="application/json"') - 1


def test_a_page_as_written_is_good(page_file):
    report = verify_page(page_file)
    assert report.differs == ()
    assert report.blocks > 20
    done = CliRunner().invoke(cli, ["verify", str(page_file)])
    assert done.exit_code == 0
    assert "as it was written" in done.output
    assert "power-plants (CC-BY-4.0): World Resources Institute" in done.output


def test_changed_data_are_named(changed):
    page = changed('"anchor":[124', '"anchor":[125')
    (line,) = verify_page(page).differs
    assert line.startswith("data page_layer_")
    assert line.endswith("changed since the page was made")
    done = CliRunner().invoke(cli, ["verify", "--json", str(page)])
    assert done.exit_code == 1
    assert json.loads(done.stdout)["ok"] is False
    assert "1 thing differs" in done.stderr


def test_changed_text_is_seen(changed):
    report = verify_page(changed("<h4>", "<h4>Not "))
    assert report.differs == (
        "text, styles or scripts: changed since the page was made",
    )


def test_missing_and_added_data_are_named(changed):
    gone = verify_page(changed('id="page_layer_hub"', 'id="page_layer_hubs"'))
    assert [line.partition(":")[0] for line in gone.differs] == [
        "data page_layer_hub",
        "data page_layer_hubs",
    ]
    block = '<script type="application/json" id="page_layer_hub">{}</script>'
    twice = verify_page(changed("<!DOCTYPE html>", f"<!DOCTYPE html>{block}"))
    assert any("page_layer_hub" in line for line in twice.differs)


def test_another_layer_than_the_catalogues_is_named(changed):
    entry = catalogue()["deposits"]
    (line,) = [
        line
        for line in verify_page(changed(entry.sha256, "0" * 64, 9)).differs
        if line.startswith("layer")
    ]
    assert "layer deposits" in line
    assert entry.sha256[:12] in line


def test_another_exchange_file_is_named(changed, deal):
    report = verify_page(changed(deal.sha256, "1" * 64, 9))
    assert any(line.startswith("exchange cholsan-2019") for line in report.differs)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9, 0.99999])
def test_a_page_cut_short_is_damaged(page_file, tmp_path, share):
    data = page_file.read_bytes()
    path = tmp_path / "cut.html"
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(PageDamagedError, match=r"cut\.html is damaged.*before its end"):
        verify_page(path)


HEAD = b'<!DOCTYPE html><meta name="generator" content="Lodemap">'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\x00" * 5000, "no page that Lodemap wrote"),
        (b"<html></html>", "no page that Lodemap wrote"),
        (HEAD + b"</html>", "says nothing of its making"),
        (HEAD + f"{OPENING}[[[{CLOSING}</html>".encode(), "cannot be read"),
        (HEAD + f"{OPENING}{'[' * 99999}{CLOSING}</html>".encode(), "cannot be read"),
        (
            HEAD + f'{OPENING}{{"lodemap":"x"}}{CLOSING}</html>'.encode(),
            "cannot be read",
        ),
        (HEAD + OPENING.encode() + b"</html>", "says nothing of its making"),
        (HEAD + OPENING.encode() + b" " * 5_000_000 + b"</script></html>", "more of"),
        (HEAD + OPENING.encode() + b"\xff\xfe</script></html>", "cannot be read"),
    ],
)
def test_hostile_files_are_refused_in_one_line(tmp_path, content, reason):
    path = tmp_path / "page.html"
    path.write_bytes(content)
    with pytest.raises(PageDamagedError, match=reason) as caught:
        verify_page(path)
    assert "\n" not in str(caught.value)


def test_folders_pipes_and_missing_files_are_refused(tmp_path):
    with pytest.raises(PageDamagedError, match="folder or a device"):
        verify_page(tmp_path)
    with pytest.raises(PageDamagedError, match="No such file"):
        verify_page(tmp_path / "absent.html")
    with pytest.raises(PageDamagedError, match="cannot be read"):
        verify_page("a\0b")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(PageDamagedError, match="folder or a device"):
            verify_page(tmp_path / "pipe")


@pytest.mark.skipif(sys.platform != "linux", reason="sparse file and memory limit")
def test_a_huge_file_takes_little_memory(tmp_path):
    path = tmp_path / "huge.html"
    with path.open("wb") as stream:
        stream.write(HEAD)
        stream.truncate(300_000_000)
    code = (
        "import sys\n"
        "from maps.verify import verify_page\n"
        "try:\n    verify_page(sys.argv[1])\n"
        "except ValueError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "is damaged: it ends after 300,000,000 bytes" in done.stdout
    with path.open("r+b") as stream:
        stream.truncate(3_000_000_000)
    with pytest.raises(PageDamagedError, match=r"3\.0 GB"):
        verify_page(path)


def test_text_of_a_page_does_not_steer_the_terminal(changed):
    page = changed('"source":"', '"source":"\\u001b[2J\\u0007')
    done = CliRunner().invoke(cli, ["verify", str(page)])
    assert "\x1b" not in done.output
    assert "\x07" not in done.output


def test_the_command_is_told_without_folders(tmp_path):
    out = tmp_path / "out.html"
    arguments = ["map", "pobeda-2014", "--lang", "zh", "-o", str(out)]
    assert CliRunner().invoke(cli, arguments).exit_code == 0
    command = said(out)["command"]
    assert command.endswith("map pobeda-2014 --lang zh")
    assert str(tmp_path) not in out.read_text("utf-8")
    again = tmp_path / "again.html"
    assert CliRunner().invoke(cli, [*arguments[:-1], str(again)]).exit_code == 0
    assert again.read_bytes() == out.read_bytes()


def test_a_map_made_by_hand_is_verified_too(tmp_path):
    from markupsafe import Markup

    from maps.page import ExchangeMap

    page = ExchangeMap(title="new", bounds=(124, 39, 126, 41), story=Markup(""))
    report = verify_page(maps.save(page, tmp_path / "page.html"))
    assert report.differs == ()
    assert report.made.exchange is None


def test_sums_are_those_of_the_bytes():
    page = b'<script type="application/json" id="a">x</script>'
    assert block_sums(page)["a"].startswith("2d711642b726b044")
    assert block_sums(page + page) == {"a": ""}


def test_no_time_and_no_place_is_told(deal):
    made = json.dumps(made_from(deal, "lodemap map cholsan-2019"))
    assert str(Path.cwd()) not in made
