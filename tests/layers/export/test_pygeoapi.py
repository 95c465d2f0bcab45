"""The configuration is one that pygeoapi takes, and text in it stays text."""

import json
import os
from dataclasses import replace

import pytest
import yaml

from layers.errors import SchemaError
from layers.export.pygeoapi import CONFIGURATION, write_pygeoapi
from tests.layers.export.small import EVIL, claims, counties, mines, small


def settings(path):
    """Read it as pygeoapi does, which puts environment variables into plain text."""
    from pygeoapi.util import yaml_load

    with (path / CONFIGURATION).open(encoding="utf-8") as stream:
        return yaml_load(stream)


def test_pygeoapi_finds_the_configuration_valid(tmp_path):
    from pygeoapi.config import validate_config

    seen = []
    files = write_pygeoapi(
        small(), tmp_path / "out", progress=lambda *s: seen.append(s)
    )
    assert files[0] == tmp_path / "out" / CONFIGURATION
    assert seen[-1] == (4, 4)
    found = settings(tmp_path / "out")
    assert validate_config(found)
    assert set(found["resources"]) == {"mines", "counties", "claims", "mine_claims"}
    server = found["server"]
    assert (server["cors"], server["admin"]) == (False, False)
    assert server["limits"]["on_exceed"] == "throttle"


def test_a_collection_says_whose_it_is(tmp_path):
    write_pygeoapi(small(), tmp_path / "out", url="https://maps.example/api")
    found = settings(tmp_path / "out")
    assert found["server"]["url"] == "https://maps.example/api"
    collection = found["resources"]["mines"]
    licence, source = collection["links"]
    assert (licence["rel"], licence["title"]) == ("license", "CC-BY-4.0")
    assert licence["href"] == "https://spdx.org/licenses/CC-BY-4.0.html"
    assert (source["rel"], source["href"]) == ("via", "https://doi.org/10.1234/abc")
    assert "Rights: © Nobody" in collection["description"]
    assert collection["extents"]["spatial"]["bbox"] == [124.664, 39.0, 127.586, 40.331]
    [provider] = collection["providers"]
    assert provider["name"] == "GeoJSON"
    assert provider["editable"] is False
    [link, _] = found["resources"]["counties"]["links"]
    assert link["title"] == "LicenseRef-public-domain"


def test_text_is_never_more_than_text(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", "s3cret")
    text = 'a: ${SECRET} "b"\n- c # d\n\u2028&e *f !!g {h} \\'
    odd = replace(mines(), title=text, abstract=text, url="javascript:alert(1)")
    write_pygeoapi(small(sheets=(odd,), relations=(), title=text), tmp_path / "out")
    found = settings(tmp_path / "out")
    assert found["resources"]["mines"]["title"] == text
    assert found["metadata"]["identification"]["title"] == text
    assert [link["rel"] for link in found["resources"]["mines"]["links"]] == ["license"]
    raw = (tmp_path / "out" / CONFIGURATION).read_text("ascii")
    assert yaml.safe_load(raw) == found
    assert os.environ["SECRET"] not in json.dumps(found)


def test_rows_without_ids_or_places_are_features_too(tmp_path):
    write_pygeoapi(small(), tmp_path / "out")
    text = (tmp_path / "out" / "data" / "mine_claims.geojson").read_text("ascii")
    features = json.loads(text)["features"]
    assert [feature["id"] for feature in features] == ["1", "2", "3"]
    assert {feature["geometry"] for feature in features} == {None}
    text = (tmp_path / "out" / "data" / "mines.geojson").read_text("ascii")
    found = json.loads(text)
    assert "bbox" not in found
    assert found["features"][1]["properties"]["name"] == EVIL


def test_an_empty_sheet_is_left_out(tmp_path):
    empty = replace(claims(), table=claims().table.iloc[:0])
    write_pygeoapi(small(sheets=(counties(), empty)), tmp_path / "out")
    assert set(settings(tmp_path / "out")["resources"]) == {"counties"}
    nowhere = replace(counties(), table=counties().table.iloc[:0])
    write_pygeoapi(small(sheets=(nowhere, claims())), tmp_path / "out")
    assert set(settings(tmp_path / "out")["resources"]) == {"claims"}


def test_ids_that_stand_twice_are_refused(tmp_path):
    table = mines().table.assign(id=["a", "b", "a"])
    with pytest.raises(SchemaError, match="row 3 repeats the id 'a'"):
        write_pygeoapi(small(sheets=(replace(mines(), table=table),)), tmp_path / "out")
