import hashlib
import re

import pytest

import layers
from layers.catalogue import DATA, catalogue
from layers.errors import LayerNotFoundError, SchemaError

VECTORS = [k for k, v in catalogue().items() if v.kind == "vector"]
TABLES = [k for k, v in catalogue().items() if v.kind == "table"]
RASTERS = [k for k, v in catalogue().items() if v.kind == "raster"]


def test_what_the_page_needs_is_there():
    expected = {"deposits", "trade-hubs", "crossings", "power-plants", "places"}
    expected |= {"comparable-deals", "provinces", "base-land", "land-cover", "altitude"}
    expected |= {"linke-turbidity", "irradiance", "sources", "claims", "measures"}
    assert expected <= catalogue().keys()


@pytest.mark.parametrize("layer_id", catalogue())
def test_every_entry_cites_and_matches_its_file(layer_id):
    entry = catalogue()[layer_id]
    assert entry.path.name in {entry.file, entry.file.rpartition("/")[2]}
    digest = hashlib.sha256(entry.path.read_bytes()).hexdigest()
    assert digest == entry.sha256, "run python -m layers.rebuild --seal"
    assert entry.source
    assert entry.method
    assert re.match(r"https?://", entry.url) or "ompiled by Lodemap" in entry.source
    licence = DATA.joinpath("licences", f"{entry.licence}.txt")
    assert licence.is_file(), f"no text of {entry.licence}"


@pytest.mark.parametrize("layer_id", VECTORS)
def test_every_vector_layer_loads_with_its_citation(layer_id):
    gdf = layers.load(layer_id)
    assert len(gdf)
    assert gdf.crs == "EPSG:4326"
    assert gdf.attrs["source"] == catalogue()[layer_id].source
    assert gdf.attrs["licence"]
    assert gdf.geometry.is_valid.all()


@pytest.mark.parametrize("layer_id", TABLES)
def test_every_table_loads(layer_id):
    table = layers.load_table(layer_id)
    assert list(table.columns) == list(catalogue()[layer_id].columns)
    assert len(table)


@pytest.mark.parametrize("layer_id", RASTERS)
def test_every_raster_opens_where_it_should(layer_id):
    import rasterio

    with rasterio.open(layers.raster_path(layer_id)) as raster:
        assert raster.crs == "EPSG:4326"
        assert raster.bounds.left <= 122.01
        assert raster.bounds.right >= 131.49


@pytest.mark.parametrize("layer_id", [*VECTORS, *TABLES])
def test_every_citation_is_known(layer_id):
    frame = (
        layers.load(layer_id) if layer_id in VECTORS else layers.load_table(layer_id)
    )
    for column, known in (("sources", layers.sources()), ("claims", layers.claims())):
        if column in frame:
            cited = {one for ids in frame[column] for one in ids.split()}
            assert cited <= known.keys()


def test_a_coarse_place_has_a_wide_radius():
    for layer_id in VECTORS:
        gdf = layers.load(layer_id)
        if "precision_code" in gdf and (gdf.geom_type == "Point").all():
            coarse = gdf[gdf["precision_code"].isin([3, 4, 6])]
            assert (coarse["uncertainty_m"] >= 5_000).all(), layer_id


def test_an_unknown_layer_names_those_there_are():
    with pytest.raises(LayerNotFoundError, match=r"'depots'.*deposits"):
        layers.load("depots")
    with pytest.raises(LayerNotFoundError, match=r"'claims' is a table"):
        layers.load("claims")
    with pytest.raises(LayerNotFoundError, match=r"raster layers are: altitude"):
        layers.raster_path("../../etc/passwd")


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """Copy of a catalogue with one small layer, for a test to spoil."""
    (tmp_path / "catalogue").mkdir()
    (tmp_path / "pits.csv").write_text(
        "id,name,name_ko,name_zh,kind,lon,lat,uncertainty_m,precision_code,"
        "georeference_protocol,status,claims,sources,note\n"
        "pit-a,Pit A,,,pit,124.7,39.7,500,1,map,reported,,atlas,\n"
        "pit-b,Pit B,,,pit,124.8,39.8,500,1,map,reported,,atlas,\n",
        encoding="utf-8",
    )
    columns = "\n".join(
        f'{name} = {{ unit = "{unit}", about = "" }}'
        for name, unit in [
            *((n, "") for n in ("id", "name", "name_ko", "name_zh", "kind", "status")),
            *((n, "") for n in ("georeference_protocol", "claims", "sources", "note")),
            *(("lon", "degrees"), ("lat", "degrees")),
            *(("uncertainty_m", "m"), ("precision_code", "1")),
        ]
    )
    (tmp_path / "catalogue" / "pits.toml").write_text(
        'id = "pits"\ntitle = "Pits"\nkind = "vector"\nfile = "pits.csv"\n'
        'geometry = "Point"\ncrs = "EPSG:4326"\nsha256 = ""\nlicence = "CC0-1.0"\n'
        'retrieved = 2026-01-01\nsource = "Atlas"\nurl = "https://example.org"\n'
        f'method = "Read."\n[columns]\n{columns}\n',
        encoding="utf-8",
    )
    monkeypatch.setattr("layers.catalogue.DATA", tmp_path)
    catalogue.cache_clear()
    yield tmp_path
    catalogue.cache_clear()


def spoil(folder, old, new):
    file = folder / "pits.csv"
    file.write_text(file.read_text("utf-8").replace(old, new), encoding="utf-8")


@pytest.mark.usefixtures("shipped")
def test_the_copy_loads_before_it_is_spoiled():
    assert layers.load("pits")["id"].tolist() == ["pit-a", "pit-b"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("124.8,39.8,500", "124.8,39.8,", r"row 2 \(pit-b\), column uncertainty_m"),
        ("124.8,39.8,500,1", "124.8,39.8,500,", r"row 2 \(pit-b\), column precision_c"),
        (",atlas,\npit-b", ",,\npit-b", r"row 1 \(pit-a\), column sources"),
        ("124.8,39.8", "39.8,124.8", r"outside longitude.*axes may be swapped"),
        (
            "124.8,39.8",
            ",39.8",
            r"^pits.csv, row 2: a coordinate is not a finite number: nan, 39.8\. ",
        ),
        (
            "124.8,39.8",
            "east,39.8",
            r"row 2, column lon: 'east' is not a number; expected degr",
        ),
        ("pit-b,Pit B", "pit-a,Pit B", r"row 2, column id: 'pit-a' is a repeated id"),
        ("pit-b,Pit B", "<b>,Pit B", r"column id: '<b>' is no id"),
        ("Pit B,,,pit,", ",,,pit,", r"row 2 \(pit-b\), column name"),
        ("map,reported", "map,rumoured", r"'rumoured' is none of reported"),
        (
            "500,1,map,reported,,atlas,\npit-b",
            "500,1,map,reported,,atlas,,\npit-b",
            "2: 15",
        ),
        (",note\n", ",remark\n", r"columns missing: \['note'\]"),
        (",uncertainty_m,", ",radius,", r"columns missing: \['uncertainty_m'\]"),
    ],
)
def test_a_feature_that_lacks_evidence_does_not_load(shipped, old, new, message):
    spoil(shipped, old, new)
    with pytest.raises(SchemaError, match=message):
        layers.load("pits")


def test_an_entry_with_a_slip_in_a_key_is_refused(shipped):
    file = shipped / "catalogue" / "pits.toml"
    file.write_text(file.read_text("utf-8").replace("licence", "license"), "utf-8")
    with pytest.raises(SchemaError, match=r"pits\.toml: unknown keys license"):
        layers.load("pits")
