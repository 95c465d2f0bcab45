"""STAC: valid by its core schemas, with files that are what the record says."""

import hashlib
import json
from dataclasses import replace

import pystac
import pytest
import rasterio
from pystac.validation.stac_validator import JsonSchemaSTACValidator

from layers import load_exchange
from layers.export.catalogue_content import catalogue_content
from layers.export.exchange_content import exchange_content
from layers.export.stac import write_stac
from tests.apart import PORTOLAN, NoProgramsError
from tests.layers.export.small import EVIL, counties, mines, raster, small


@pytest.fixture
def offline(monkeypatch):
    """Forbid every connection."""

    def refuse(*arguments):
        raise AssertionError(f"asks the network: {arguments}")

    monkeypatch.setattr("socket.socket.connect", refuse)


def checked(path):
    """Count objects that are valid, and files whose size and checksum are right."""
    catalogue = pystac.Catalog.from_file(str(path / "catalog.json"))
    validator = JsonSchemaSTACValidator()
    files = 0
    children = list(catalogue.get_children())
    for found in (catalogue, *children):
        record = found.to_dict(include_self_link=False, transform_hrefs=False)
        validator.validate_core(record, found.STAC_OBJECT_TYPE, "1.1.0")
        if found is catalogue:
            continue
        for link in record["links"]:
            if link["rel"] in {"license", "describedby"} and link["href"][0] == ".":
                assert (path / found.id / link["href"]).is_file()
        for asset in found.assets.values():
            data = (path / found.id / asset.href).read_bytes()
            assert asset.extra_fields["file:size"] == len(data)
            sum_ = asset.extra_fields["file:checksum"]
            assert sum_ == "1220" + hashlib.sha256(data).hexdigest()
            files += 1
    return len(children), files


@pytest.mark.usefixtures("offline")
def test_the_whole_catalogue_is_valid(tmp_path):
    content = catalogue_content()
    seen = []
    write_stac(content, tmp_path / "stac", progress=lambda *s: seen.append(s))
    parts = len(content.sheets) + len(content.rasters)
    assert checked(tmp_path / "stac") == (parts, parts)
    assert seen[-1] == (parts, parts)
    for id_ in content.rasters:
        text = (tmp_path / "stac" / id_ / "collection.json").read_text("utf-8")
        [asset] = json.loads(text)["assets"].values()
        assert all(band["unit"] for band in asset["bands"])


@pytest.mark.usefixtures("offline")
def test_an_exchange_is_valid(tmp_path):
    content = exchange_content(load_exchange("cholsan-2019"))
    write_stac(content, tmp_path / "stac")
    assert checked(tmp_path / "stac") == (len(content.sheets),) * 2


def collection(path, id_):
    return json.loads((path / id_ / "collection.json").read_text("utf-8"))


def test_a_collection_says_whose_it_is_and_where_and_when(tmp_path):
    source = raster(tmp_path / "height.tif")
    path = tmp_path / "stac"
    files = write_stac(small(rasters={"height": source}), path)
    assert files[0] == path / "catalog.json"
    mines = collection(path, "mines")
    assert mines["license"] == "CC-BY-4.0"
    assert mines["providers"][0]["name"] == "© Nobody"
    assert mines["sci:citation"] == "Nobody (2019), doi:10.1234/abc."
    assert mines["sci:doi"] == "10.1234/abc"
    assert mines["extent"] == {
        "spatial": {"bbox": [[124.664, 39.0, 127.586, 40.331]]},
        "temporal": {"interval": [[None, "2026-11-23T23:59:59Z"]]},
    }
    [asset] = mines["assets"].values()
    assert asset["table:row_count"] == 3
    columns = {column["name"]: column for column in asset["table:columns"]}
    assert columns["grade"]["description"] == "Grade [%]: Share of ore."
    counties = collection(path, "counties")
    assert counties["license"] == "other"
    titles = [link for link in counties["links"] if link["rel"] == "license"]
    assert titles[0]["title"] == "LicenseRef-public-domain"
    assert collection(path, "claims")["extent"]["spatial"] == {
        "bbox": [[124.0, 38.0, 128.0, 41.0]]
    }
    height = collection(path, "height")["assets"]["data"]
    assert height["proj:code"] == "EPSG:5179"
    assert height["proj:shape"] == [600, 700]
    assert height["bands"] == [
        {
            "name": "band_1",
            "description": "Height",
            "data_type": "int16",
            "nodata": -9999.0,
            "statistics": height["bands"][0]["statistics"],
            "unit": "m",
            "raster:scale": 0.1,
            "raster:offset": 5.0,
        }
    ]
    with rasterio.open(source) as made:
        cells = made.read(1, masked=True)
    assert height["bands"][0]["statistics"] == pytest.approx(
        {
            "minimum": cells.min(),
            "maximum": cells.max(),
            "mean": cells.mean(),
            "stddev": cells.std(),
            "valid_percent": 100 * cells.count() / cells.size,
        }
    )
    [[west, south, east, north]] = collection(path, "height")["extent"]["spatial"][
        "bbox"
    ]
    assert 126 < west < east < 128
    assert 38 < south < north < 40


def test_two_exports_are_the_same(tmp_path):
    content = small(rasters={"height": raster(tmp_path / "height.tif")})
    before = [file.read_bytes() for file in write_stac(content, tmp_path / "stac")]
    again = [file.read_bytes() for file in write_stac(content, tmp_path / "stac")]
    assert again == before


def test_people_read_what_programs_read(tmp_path):
    odd = replace(mines(), title=f"a|b\n# c {EVIL}", abstract="[x](javascript:y)")
    write_stac(small(sheets=(odd,), relations=()), tmp_path / "stac")
    text = (tmp_path / "stac" / "mines" / "README.md").read_text("utf-8")
    head, *lines = text.splitlines()
    assert head.startswith("# a\\|b \\# c \\</script\\>")
    assert "\\[x\\](javascript:y)" in lines
    assert "* Licence: CC-BY-4.0" in lines
    assert "* Source: Nobody (2019), doi:10.1234/abc." in lines
    assert "| grade | number | Grade \\[%\\]: Share of ore. |" in lines
    whole = (tmp_path / "stac" / "README.md").read_text("utf-8")
    assert "](<./mines/collection.json>)" in whole


UNFOLLOWED = {
    "PTL-CNF-001",  # its own schema is not declared, since the rest is not followed
    "PTL-FIL-001",  # no AGENTS.md in each folder
    "PTL-FIL-002",
    "PTL-PRV-002",  # who will host the files is not known
    "PTL-VIZ-001",  # no pictures
}
"""Rules of Portolan's profile that are not followed."""


def test_portolan_finds_nothing_else(tmp_path):
    try:
        PORTOLAN.versions()
    except NoProgramsError as error:
        pytest.skip(str(error))
    heights = {"altitude": raster(tmp_path / "height.tif")}
    path = tmp_path / "stac"
    write_stac(small(sheets=(mines(), counties()), relations=(), rasters=heights), path)

    def judged():
        done = PORTOLAN.run(
            *("portolan", "check", "--json", "--data-scope", "local"), path
        )
        found = json.loads(done.stdout)["data"]
        assert found["files_checked"] == 4
        errors = [f for f in found["findings"] if f["severity"] == "error"]
        return {(f["rule_id"], f["path"].split("/")[0]) for f in errors}

    good = judged()
    assert {rule for rule, _ in good} == UNFOLLOWED
    record = json.loads((path / "mines" / "collection.json").read_text("utf-8"))
    record["license"] = "none such"
    (path / "mines" / "collection.json").write_text(json.dumps(record))
    assert {place for _, place in judged() - good} == {"mines"}
