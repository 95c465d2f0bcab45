"""Pages and the archives beside them: written together, checked together."""

import json
import logging
import shutil

import pytest
from click.testing import CliRunner

import maps
from layers.errors import ExtraMissingError, WriteError
from maps.beside import save
from maps.cli import cli
from maps.page import PageError
from maps.provenance import CLOSING, OPENING
from maps.verify import verify_page
from tests.maps.many_sample import empty_page, points, polygons


def two_layers():
    page = empty_page()
    maps.add_layer(page, points(3000), name="Pits")
    maps.add_layer(page, polygons(600, 8), name="Fields", column="kind")
    return page


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A page with both of its layers beside it."""
    folder = tmp_path_factory.mktemp("beside")
    return save(two_layers(), folder / "page.html", tiles=True)


@pytest.fixture
def copied(written, tmp_path):
    for file in written:
        shutil.copy(file, tmp_path)
    return [tmp_path / file.name for file in written]


def said(page):
    text = page.read_text("utf-8")
    return json.loads(text.split(OPENING)[1].split(CLOSING)[0])["archives"]


def test_a_single_file_stays_single_unless_asked(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("maps.page.LARGE", 10_000)
    path = maps.save(two_layers(), tmp_path / "page.html")
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]
    assert 'maps.save(…, tiles="auto")' in caplog.text
    assert said(path) == []


def test_auto_puts_the_largest_beside_and_stops_where_the_rest_is_small_enough(
    tmp_path, monkeypatch
):
    page = two_layers()
    pits, fields = sorted(page.large, key=lambda one: one.size)
    monkeypatch.setattr("maps.page.LARGE", pits.size)
    files = save(page, tmp_path / "page.html", tiles="auto")
    assert len(files) == 2
    (about,) = said(files[0])
    assert about["layer"] == fields.element.data["layer"]
    monkeypatch.setattr("maps.page.LARGE", pits.size + fields.size)
    assert len(save(page, tmp_path / "b.html", tiles="auto")) == 1


def test_archives_are_named_by_their_checksum_and_the_page_knows_them(written):
    page, *archives = written
    assert len(archives) == 2
    for archive, about in zip(archives, said(page), strict=True):
        assert archive.name == f"page-{about['sha256'][:12]}.pmtiles"
        assert archive.stat().st_size == about["size"]
    assert {one["features"] for one in said(page)} == {3000, 600}
    assert {file.name for file in page.parent.iterdir()} == {f.name for f in written}


def test_writing_beside_leaves_the_map_as_it_was(tmp_path):
    page = two_layers()
    before = maps.save(page, tmp_path / "a.html").read_bytes()
    save(page, tmp_path / "b.html", tiles=True)
    assert maps.save(page, tmp_path / "c.html").read_bytes() == before


def test_the_same_map_gives_the_same_files(written, tmp_path):
    again = save(two_layers(), tmp_path / "page.html", tiles=True)
    assert [f.name for f in again] == [f.name for f in written]
    assert [f.read_bytes() for f in again] == [f.read_bytes() for f in written]


def test_a_page_that_cannot_be_written_leaves_the_old_one_and_no_archive(
    tmp_path, monkeypatch
):
    (tmp_path / "page.html").write_text("old")

    def fail(*_):
        raise WriteError("no room")

    monkeypatch.setattr("maps.page.save", fail)
    with pytest.raises(WriteError, match="no room"):
        save(two_layers(), tmp_path / "page.html", tiles=True)
    assert (tmp_path / "page.html").read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]


def test_a_failing_tiler_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("layers.tiles.find_spec", lambda _: None)
    with pytest.raises(ExtraMissingError, match=r"lodemap\[tiles\]"):
        save(two_layers(), tmp_path / "page.html", tiles=True)
    assert list(tmp_path.iterdir()) == []


def test_an_archive_that_changed_meanwhile_gets_no_page(tmp_path):
    page = empty_page()
    maps.add_layer(page, points(50), name="Pits", tiles=tmp_path / "p.pmtiles")
    (tmp_path / "p.pmtiles").write_bytes(b"another")
    with pytest.raises(WriteError, match="has changed"):
        maps.save(page, tmp_path / "page.html")
    (tmp_path / "p.pmtiles").unlink()
    with pytest.raises(WriteError, match="cannot be read"):
        maps.save(page, tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_wish_is_refused(tmp_path):
    with pytest.raises(PageError, match="expected True, False or 'auto'"):
        maps.save(empty_page(), tmp_path / "a.html", tiles="yes")


def test_a_page_and_its_archives_are_verified(copied):
    report = verify_page(copied[0])
    assert report.differs == ()
    run = CliRunner().invoke(cli, ["verify", str(copied[0])])
    assert run.exit_code == 0
    assert "3,000 features of Pits" in run.output


def test_a_missing_damaged_or_swapped_archive_is_named(copied):
    page, one, two = copied

    def told():
        run = CliRunner().invoke(cli, ["verify", str(page)])
        assert run.exit_code == 1
        return run.output

    data = one.read_bytes()
    one.write_bytes(data[:-1] + b"x")
    assert f"archive {one.name}: damaged or changed: SHA-256" in told()
    one.write_bytes(data[:-100])
    assert f"{len(data):,} bytes when the page was made, {len(data) - 100:,}" in told()
    one.write_bytes(b"nothing of the kind" * 20)
    assert f"archive {one.name}: no archive of tiles" in told()
    shutil.copy(two, one)
    assert f"archive {one.name}: another archive" in told()
    one.unlink()
    assert f"archive {one.name}: missing" in told()
    assert "1 thing differs" in told()


def test_a_page_that_names_a_file_elsewhere_is_not_followed(copied):
    page, one, _ = copied
    text = page.read_text("utf-8")
    page.write_text(text.replace(one.name, f"../{one.name}"), "utf-8")
    assert any("no name of an archive" in line for line in verify_page(page).differs)


def test_columns_of_a_canvas_that_were_edited_are_named(tmp_path):
    path = maps.save(two_layers(), tmp_path / "page.html")
    text = path.read_text("utf-8")
    tag = '<script type="application/json" id="many_layer_added_1-2">'
    start = text.index(tag) + len(tag) + 40
    other = "A" if text[start] != "A" else "B"
    path.write_text(text[:start] + other + text[start + 1 :], "utf-8")
    (line,) = verify_page(path).differs
    assert line == "data many_layer_added_1-2: changed since the page was made"


def test_the_command_writes_page_and_archives(tmp_path, caplog):
    points(600).to_file(tmp_path / "pits.gpkg")
    target = tmp_path / "out.html"
    asked = ["map", "--add", str(tmp_path / "pits.gpkg"), "--unsourced"]
    run = CliRunner().invoke(cli, [*asked, "--tiles", "-o", str(target)])
    assert run.exit_code == 0, run.output
    archive, page = run.stdout.splitlines()
    assert page == str(target)
    assert archive.startswith(str(tmp_path / "out-"))
    with caplog.at_level(logging.WARNING):
        run = CliRunner().invoke(cli, [*asked, "--tiles-auto", "-o", str(target)])
    assert run.stdout.splitlines() == [str(target)]
