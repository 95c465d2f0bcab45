"""Mappings: which column is which, in TOML, and what a draft proposes."""

import tomllib

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import layers
from layers.errors import ImportRefusedError, ReadError
from layers.importing.mapping import Mapping, Origin, check_origin, read_mapping
from layers.importing.place_columns import PlaceColumns
from layers.importing.schema_columns import SchemaColumns, plan_columns
from layers.importing.slugs import Slugs, slug
from layers.schema import FEATURE_COLUMNS

LONLAT = PlaceColumns(how="lonlat", names=("경도", "위도"))


def toml(folder, text):
    path = folder / "pits.toml"
    path.write_text(text, encoding="utf-8")
    return path


def applied(columns, mapping=None, *, origin=None, radius=None):
    mapping = mapping or Mapping()
    batch = pa.RecordBatch.from_pydict(columns)
    schema = SchemaColumns(
        name="pits.csv",
        plan=plan_columns("pits.csv", list(columns), LONLAT, mapping),
        mapping=mapping,
        origin=origin or Origin(),
        protocol="from lonlat",
    )
    n = batch.num_rows
    radius = np.full(n, np.nan) if radius is None else np.array(radius)
    return schema.apply(batch, radius, np.arange(1, n + 1)), schema


def test_a_mapping_is_read_whole(tmp_path):
    mapping = read_mapping(
        toml(
            tmp_path,
            """
            [read]
            crs = "EPSG:5179"
            near = [124, 37, 131, 43]
            [columns]
            name_ko = "이름"
            [constants]
            kind = "mine"
            precision_code = 2
            [values.status]
            "가동" = "existing"
            [others]
            drop = ["비고"]
            [source]
            id = "src-1"
            licence = "CC-BY-4.0"
            """,
        )
    )
    assert mapping.read.near == (124, 37, 131, 43)
    assert mapping.columns == {"name_ko": "이름"}
    assert mapping.source.licence == "CC-BY-4.0"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[columns]\nnmae = 'a'", "columns: 'nmae' is no column of ours"),
        ("[colums]\nname = 'a'", "unknown field `colums`"),
        ("[read]\ndatum = 'Tokyo'", "Tokyo"),
        ("[read]\nnear = [1, 2]", r"\$.read.near"),
        ("[read]\nuncertainty_m = 0", "uncertainty_m"),
        ("[constants]\nstatus = 'rumoured'", "status: 'rumoured' is none of"),
        ("[constants]\nprecision_code = 7", "precision_code: 7 is none of"),
        ("[constants]\nuncertainty_m = -5", "no length in metres"),
        ("[columns]\nkind='a'\n[constants]\nkind='b'", "kind stands in columns and"),
        ("[values.status]\na = 'b'", "status: 'b' is none of"),
        ("[others]\nkeep = ['a']\ndrop = ['b']", "say keep or drop"),
        ("[columns\n", "pits.toml: "),
    ],
)
def test_a_slip_is_named_in_one_line(tmp_path, text, message):
    with pytest.raises(ReadError, match=message) as caught:
        read_mapping(toml(tmp_path, text))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("pits.toml: ")


def test_columns_become_ours_or_are_kept_or_left_out():
    table, schema = applied(
        {
            "이름": ["운산 광산", "평양"],
            "상태": ["가동", ""],
            "name": ["Unsan", "Pyongyang"],
            "톤": [1.5, 2.5],
            "경도": ["125", "126"],
            "위도": ["39", "40"],
            "비고": ["a", "b"],
            "Name": ["x", "y"],
            "fid": [7, 8],
        },
        read_of(
            columns={"name_ko": "이름", "id": "이름", "status": "상태"},
            constants={"kind": "mine", "precision_code": 2, "uncertainty_m": 500},
            values={"status": {"가동": "existing"}},
            others={"drop": ["비고"]},
        ),
        origin=Origin(id="src-1"),
        radius=[10.0, np.nan],
    )
    assert table.column_names == [*FEATURE_COLUMNS, "톤", "Name_", "fid_"]
    rows = table.to_pylist()
    assert [r["id"] for r in rows] == ["unsan-gwangsan", "pyeongyang"]
    assert [r["name"] for r in rows] == ["Unsan", "Pyongyang"]
    assert [r["status"] for r in rows] == ["existing", None]
    assert [r["uncertainty_m"] for r in rows] == [510, 500]
    assert {r["precision_code"] for r in rows} == {2}
    assert {r["sources"] for r in rows} == {"src-1"}
    assert {r["georeference_protocol"] for r in rows} == {"from lonlat"}
    assert schema.plan.dropped == ("경도", "위도", "비고")
    assert schema.blank == {"status": 1}


def read_of(**parts):
    return msgspec.convert(parts, Mapping)


def test_what_the_mapping_names_must_be_there():
    with pytest.raises(ImportRefusedError, match="no column 'nom', which the mapping"):
        applied({"a": ["b"]}, read_of(columns={"name": "nom"}))


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("status", "가동", r"row 2: status '가동' is none of .*\[values.status\]"),
        ("precision_code", "7", "precision_code '7' is none of 1, 2"),
        (
            "uncertainty_m",
            "far",
            "row 2, column uncertainty_m: 'far' is no uncertainty",
        ),
        ("uncertainty_m", "-1", "'-1' is no uncertainty"),
    ],
)
def test_a_value_without_meaning_is_named_by_row(column, cell, message):
    with pytest.raises(ImportRefusedError, match=message):
        applied({column: ["", cell]})


def test_an_uncertainty_of_nothing_is_none():
    table, _ = applied({"uncertainty_m": ["0", "1,500", ""]}, radius=[np.nan, 10, 5])
    assert table.column("uncertainty_m").to_pylist() == [None, 1510, 5]


def test_ids_are_given_once_and_are_the_same_each_time():
    slugs = Slugs("my pits")
    names = ["운산", "운산", "", "Unsan!", "운산-2", "unsan"]
    assert [slugs.make(n, i) for i, n in enumerate(names, start=1)] == [
        "unsan",
        "unsan-2",
        "my-pits-3",
        "unsan-3",
        "unsan-2-2",
        "unsan-4",
    ]
    assert slugs.repeated == 4
    assert slug("밟다 값 Ünïcode ①") == "balda-gap-unicode-1"
    table, _ = applied({"a": ["x", "y"]})
    assert table.column("id").to_pylist() == ["pits-1", "pits-2"]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.lists(
            st.none()
            | st.sampled_from(
                ["a", "a-2", "a-3", "b", "A", "", "a b", "7", "운산", "a\n"]
            )
            | st.integers(0, 40).map("f{:02}".format)
            | st.just("x" * 81),
            max_size=6,
        ),
        max_size=4,
    ),
    st.booleans(),
)
def test_ids_of_many_rows_are_those_of_one_after_another(batches, rising):
    by_one, by_batch = Slugs("pits"), Slugs("pits")
    row = 1
    for names in batches:
        if rising:
            names = sorted({n for n in names if n})  # noqa: PLW2901
        rows = list(range(row, row + len(names)))
        row += len(names)
        one = [by_one.make(n or "", i) for n, i in zip(names, rows, strict=True)]
        assert by_batch.make_all(pa.array(names, pa.string()), rows).to_pylist() == one
    assert by_batch.repeated == by_one.repeated


def test_a_source_and_a_licence_are_asked_for():
    for origin, flag in (
        (Origin(), "--source ID --licence SPDX"),
        (Origin(id="a"), "Say --licence SPDX"),
        (Origin(licence="MIT"), "Say --source ID"),
    ):
        with pytest.raises(ImportRefusedError, match=flag):
            check_origin(origin, "a", rows_name_theirs=False, unsourced=False)
    check_origin(Origin(), "a", rows_name_theirs=False, unsourced=True)
    check_origin(Origin(), "a", rows_name_theirs=True, unsourced=False)
    for licence in ("CC-BY-4.0", "MIT OR Apache-2.0", "LicenseRef-own"):
        check_origin(
            Origin(id="a", licence=licence),
            "a",
            rows_name_theirs=False,
            unsourced=False,
        )


def test_a_draft_is_a_mapping_that_holds_when_it_is_looked_through(tmp_path):
    path = tmp_path / "광산.csv"
    pd.DataFrame(
        {
            "관리번호": ["A 1", "A 2"],
            "광산명": ["운산", "온성"],
            "구분": ["금광", "탄광"],
            "상태": ["가동", "미상"],
            "오차(m)": [50, 100],
            "경도": ["125.21", "129.99"],
            "위도": ["39.74", "42.96"],
            "톤": [1, 2],
        }
    ).to_csv(path, index=False)
    text = layers.draft_mapping(path)
    found = tomllib.loads(text)
    assert found["read"] == {"lon": "경도", "lat": "위도"}
    assert found["columns"] == {
        "id": "관리번호",
        "name": "광산명",
        "kind": "구분",
        "uncertainty_m": "오차(m)",
        "status": "상태",
    }
    assert found["values"]["status"] == {"가동": "existing"}
    assert "all in Hangul" in text
    assert "are these metres?" in text
    assert found["others"] == {"keep": ["톤"]}
    draft = tmp_path / "draft.toml"
    draft.write_text(text, encoding="utf-8")
    with pytest.raises(ReadError, match=r"'미상' is none of .* \[values.status\]"):
        layers.read(path, mapping=draft, unsourced=True)
    done = text.replace('# "미상" = …', '"미상" = "reported"')
    done = done.replace("# precision_code = 2", "precision_code = 1")
    done = done.replace('# id = "…"', 'id = "src-1"').replace("# licence", "licence")
    draft.write_text(done, encoding="utf-8")
    layer = layers.read(path, mapping=draft).layer
    assert layer["id"].tolist() == ["a-1", "a-2"]
    assert layer["status"].tolist() == ["existing", "reported"]
    layers.check_features(layer, "pits")


def test_a_draft_stays_toml_whatever_the_columns_are_called(tmp_path):
    path = tmp_path / "odd.csv"
    pd.DataFrame({'na"me\n[x]': ["a"], "\u202estatus": ["b"]}).to_csv(path, index=False)
    found = tomllib.loads(layers.draft_mapping(path))
    assert found["columns"] == {"name": 'na"me\n[x]', "status": "\u202estatus"}


def test_flags_hold_against_a_mapping(tmp_path):
    path = tmp_path / "pits.csv"
    pd.DataFrame({"a": [125.1], "b": [39.1], "c": [126.1]}).to_csv(path, index=False)
    mapping = toml(tmp_path, "[read]\nlon = 'a'\nlat = 'b'\n[source]\nid = 'm'")
    found = layers.read(path, mapping=mapping, lon="c", lat="b", licence="MIT")
    assert found.layer.geometry.x.tolist() == [126.1]
    assert found.report.source == {"id": "m", "licence": "MIT"}
