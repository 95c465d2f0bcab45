"""An exchange: the file that names it, joined with the layers it names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from layers import citations, relations
from layers.arithmetic import (
    Reading,
    Repayment,
    Yardsticks,
    read_as_capacity,
    read_as_energy,
)
from layers.catalogue import DATA, catalogue, load, load_table
from layers.errors import ExchangeError
from layers.evidence import claims as all_claims
from layers.evidence import sources as all_sources
from layers.exchange_file import (
    ExchangeFile,
    ReadingFile,
    check_references,
    file_sum,
    read_exchange_file,
)
from layers.ranges import Range
from layers.sanctions import in_force, measure_legs, to_date
from layers.schema import FEATURE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    import geopandas as gpd
    import pandas as pd

    from layers.evidence import Assessment
    from layers.exchange_file import Note, Party, Price, Promise
    from layers.solar_method import SolarMethod

PROVINCES = "provinces"
"""Layer in which the memberships are looked up."""

COMPARABLES = "comparable-deals"


@dataclass(frozen=True, kw_only=True, eq=False)
class Exchange:
    """A reported exchange with everything that is known of it.

    All geometries are in EPSG:4326. ``ref`` names a feature as ``layer/id``.
    """

    id: str
    title: str
    title_ko: str
    title_zh: str
    summary: str
    reported: date
    """First day of the report, or of the month or year that ``reported_precision``
    names."""
    reported_precision: str
    as_of: date
    """Day as of which the measures are asked."""
    status: str
    target: str
    """Country in which the deal would take place, two letters of ISO 3166-1."""
    headline_claims: tuple[str, ...]
    parties: tuple[Party, ...]
    gives: tuple[Promise, ...]
    receives: tuple[Promise, ...]
    places: gpd.GeoDataFrame
    """Points: the feature columns, ``ref``, ``layer``, ``role``, ``details`` and
    ``context``, which is True for what the file does not name."""
    areas: gpd.GeoDataFrame
    """Candidate areas, all hypothetical: the columns of :func:`layers.solar.areas` and
    ``ref``. Empty where none are looked for."""
    regions: gpd.GeoDataFrame
    """Regions in which they are looked for."""
    solar_method: SolarMethod | None
    """How the areas came about; None where there are none."""
    comparables: gpd.GeoDataFrame
    """Points of comparable deals: the feature columns, ``ref`` and ``details``."""
    links: gpd.GeoDataFrame
    """Lines of :func:`layers.relations.links`."""
    memberships: pd.DataFrame
    """Table of :func:`layers.relations.memberships`."""
    legs: gpd.GeoDataFrame
    """Lines of :func:`layers.relations.legs`."""
    leg_measures: pd.DataFrame
    """One row for each leg and provision that bears on it: ``leg``, ``measure``,
    ``in_force_on_as_of``, and the columns of :func:`layers.sanctions.measure_legs`."""
    readings: tuple[Reading, ...]
    prices: tuple[Price, ...]
    repayment: Repayment | None
    claims: pd.DataFrame
    """Claims that anything here rests on, or that speak of the exchange."""
    sources: pd.DataFrame
    """Their sources, and those that these derive from."""
    assessments: tuple[Assessment, ...]
    unknowns: tuple[Note, ...]
    disputes: tuple[Note, ...]
    notes: Mapping[str, str]
    """Remarks by section: ``costs``, ``system``, ``land``, ``yield``, ``repayment``,
    ``solar``."""
    file: str = ""
    """Name of the file that it was read from, without its folder."""
    sha256: str = ""
    """SHA-256 of that file."""


def load_exchange(
    id_or_path: str | PathLike[str],
    *,
    as_of: date | str | None = None,
    criteria: str | PathLike[str] | None = None,
) -> Exchange:
    """Load an exchange and join it with the layers.

    Parameters
    ----------
    id_or_path
        Id of an exchange that ships, or path of a TOML file.
    as_of
        Day as of which the measures are asked, a date or its ISO text; the file's own
        when not given.
    criteria
        Criteria file for the candidate areas; the one the exchange names when not
        given.

    Returns
    -------
    Exchange
        Frozen. Read :class:`Exchange` for its tables.

    Raises
    ------
    ExchangeError
        If there is no such file, or a key, type or id in it is wrong; the message
        names file and key, and what was expected.
    SchemaError
        If a layer that it needs is broken, or ``as_of`` is no date.
    CriteriaError
        If the criteria are wrong.

    Examples
    --------
    >>> deal = load_exchange("cholsan-2019")
    >>> deal.places.ref.iloc[0], len(deal.readings)
    ('deposits/cholsan-reported', 3)
    """
    name, file = read_exchange_file(id_or_path)
    known = _known_layers(name, file)
    check_references(name, file, _known_ids(file, known))

    places = _places(file, known)
    areas, method = _areas(name, file, known, criteria)
    lines = relations.legs(file.legs, known, {p.id: p.name for p in file.parties})
    day = file.as_of if as_of is None else to_date(as_of)
    named = places[~places["context"]]
    comparables = _described(known[COMPARABLES])
    cited = citations.cited_claims(file, places, comparables)
    leg_measures = _leg_measures(file, day)
    return Exchange(
        id=file.id,
        title=file.title,
        title_ko=file.title_ko,
        title_zh=file.title_zh,
        summary=file.summary.strip(),
        reported=file.reported,
        reported_precision=file.reported_precision,
        as_of=day,
        status=file.status,
        target=file.target,
        headline_claims=file.headline_claims,
        parties=file.parties,
        gives=file.gives,
        receives=file.receives,
        places=places,
        areas=areas,
        regions=_regions(file, known),
        solar_method=method,
        comparables=comparables,
        links=relations.links(file.links, known, areas),
        memberships=_memberships(named, areas, known[PROVINCES]),
        legs=lines,
        leg_measures=leg_measures,
        readings=_readings(file, areas),
        prices=file.costs.prices if file.costs else (),
        repayment=_repayment(file),
        claims=citations.claim_table(cited),
        sources=citations.source_table(
            cited, [places, areas, comparables], leg_measures, file
        ),
        assessments=file.assessments,
        unknowns=file.unknowns,
        disputes=file.disputes,
        notes=_notes(file),
        file=name,
        sha256=file_sum(id_or_path),
    )


def _known_layers(name: str, file: ExchangeFile) -> dict[str, gpd.GeoDataFrame]:
    """Load every layer that the file names, with ``ref``."""
    refs = [place.feature for place in file.places]
    refs += [end for leg in file.legs for end in (leg.from_, *leg.to)]
    refs += [end for link in file.links for end in (*link.from_, *link.to)]
    refs += [*file.context, *(file.solar.regions if file.solar else ())]
    refs += [file.repayment.throughput_place] if file.repayment else []
    wanted = {ref.partition("/")[0] for ref in refs} - {relations.AREAS}
    full = [
        k for k, v in catalogue().items() if v.kind == "vector" and v.features == "full"
    ]
    for layer_id in sorted(wanted):
        if layer_id not in full:
            raise ExchangeError(
                f"{name}: no layer {layer_id!r}; there are {', '.join(full)}"
            )
    marked = {f"places[{n}].feature": p.feature for n, p in enumerate(file.places)}
    marked |= {f"context[{n}]": layer_id for n, layer_id in enumerate(file.context)}
    for key, ref in marked.items():
        entry = catalogue()[ref.partition("/")[0]]
        if entry.geometry != "Point":
            points = [k for k in full if catalogue()[k].geometry == "Point"]
            raise ExchangeError(
                f"{name}, {key}: {entry.id!r} holds {entry.geometry}; expected a layer "
                f"of Points, one of {', '.join(points)}"
            )
    known = {i: load(i) for i in sorted({*wanted, PROVINCES, COMPARABLES})}
    for layer_id, layer in known.items():
        layer["ref"] = layer_id + "/" + layer["id"]
        layer["layer"] = layer_id
    return known


def _known_ids(
    file: ExchangeFile, known: Mapping[str, gpd.GeoDataFrame]
) -> dict[str, set[str]]:
    """Ids that the file may refer to."""
    return {
        "claims": set(all_claims()),
        "sources": set(all_sources()),
        "measures": set(load_table("measures")["id"]),
        "parties": {party.id for party in file.parties},
        "features": {ref for layer in known.values() for ref in layer["ref"]},
    }


def _places(
    file: ExchangeFile, known: Mapping[str, gpd.GeoDataFrame]
) -> gpd.GeoDataFrame:
    """Gather the points that the file names, then the layers it gives as context."""
    import geopandas as gpd
    import pandas as pd

    tables = []
    for place in file.places:
        row = _described(relations.find(place.feature, known))
        row["role"], row["context"] = place.role, False
        own = row["claims"].iloc[0].split()
        row["claims"] = " ".join(dict.fromkeys([*place.claims, *own]))
        tables.append(row)
    named = {place.feature for place in file.places}
    for layer_id in file.context:
        rest = _described(known[layer_id][~known[layer_id]["ref"].isin(named)])
        rest["role"], rest["context"] = f"Context: {catalogue()[layer_id].title}", True
        tables.append(rest)
    return gpd.GeoDataFrame(pd.concat(tables, ignore_index=True), crs=4326)


def _described(layer: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Keep the feature columns, and put the layer's own ones into words."""
    out = layer[[*FEATURE_COLUMNS, "ref", "layer", "geometry"]].copy()
    entry = catalogue()[str(layer["layer"].iloc[0])] if len(layer) else None
    own = [
        column
        for column in (entry.columns if entry else ())
        if column in layer and column not in out and column != "role"
    ]

    def words(row: Mapping[Any, Any]) -> str:
        parts = []
        for column in own:
            value, unit = row[column], entry.columns[column].unit if entry else ""
            if value == "" or value != value:  # noqa: PLR0124  (NaN)
                continue
            number = _digits(value) if isinstance(value, float) else str(value)
            label = column.removesuffix("_mw").replace("_", " ")
            parts.append(f"{label}: {number} {unit if unit != '1' else ''}".strip())
        return "; ".join(parts)

    out["details"] = [words(row) for row in layer.to_dict("records")]
    return out


def _digits(value: float) -> str:
    """Write a number out: ten digits at most, and no power of ten."""
    return f"{Decimal(f'{value:.10g}'):f}"


def _regions(
    file: ExchangeFile, known: Mapping[str, gpd.GeoDataFrame]
) -> gpd.GeoDataFrame:
    """Rows of the regions in which candidate areas are looked for."""
    refs = list(file.solar.regions) if file.solar else []
    provinces = known[PROVINCES]
    return provinces[provinces["ref"].isin(refs)].reset_index(drop=True)


def _areas(
    name: str,
    file: ExchangeFile,
    known: Mapping[str, gpd.GeoDataFrame],
    criteria: str | PathLike[str] | None,
) -> tuple[gpd.GeoDataFrame, SolarMethod | None]:
    """Compute the candidate areas of the exchange, and say how."""
    import geopandas as gpd

    from layers import solar
    from layers.solar_criteria import load_solar_criteria
    from layers.solar_method import describe

    if file.solar is None:
        columns = [*solar.COLUMNS, "ref", "geometry"]
        return gpd.GeoDataFrame(columns=columns, crs=4326), None
    path = Path(str(criteria)) if criteria else _criteria_path(name, file)
    settings = load_solar_criteria(path)
    areas = solar.areas(settings, regions=_regions(file, known))
    areas["ref"] = "solar-areas/" + areas["id"]
    areas["claims"] = " ".join(_solar_claims(file))
    return areas, describe(settings, areas) if len(areas) else None


def _criteria_path(name: str, file: ExchangeFile) -> Path:
    """Find the criteria file among those that ship; its name is never a path."""
    there = {f.name: f for f in DATA.joinpath("criteria").iterdir()}
    wanted = file.solar.criteria if file.solar else ""
    if wanted not in there:
        raise ExchangeError(
            f"{name}, solar.criteria: no file {wanted!r}; there are "
            f"{', '.join(sorted(there))}. For criteria of your own, give their path "
            "as criteria="
        )
    return Path(str(there[wanted]))


def _memberships(
    named: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, provinces: gpd.GeoDataFrame
) -> pd.DataFrame:
    """Regions of the named places and of the candidate areas."""
    import pandas as pd

    tables = [relations.memberships(t, provinces) for t in (named, areas) if len(t)]
    return pd.concat(tables, ignore_index=True)


def _leg_measures(file: ExchangeFile, day: date) -> pd.DataFrame:
    """Provisions that the file names, beside each leg that they bear on."""
    import pandas as pd

    table = measure_legs()
    table = table[table["id"].isin(file.measures)].rename(columns={"id": "measure"})
    kinds = pd.DataFrame(
        [(leg.id, leg.kind) for leg in file.legs], columns=["leg", "leg_kind"]
    )
    table = kinds.merge(table, on="leg_kind", how="inner")
    table["in_force_on_as_of"] = in_force(table.rename(columns={"measure": "id"}), day)
    return table


def _readings(file: ExchangeFile, areas: gpd.GeoDataFrame) -> tuple[Reading, ...]:
    """Work out what each reading of the reported figure would mean."""
    costs, system, land = file.costs, file.system, file.land
    if not (costs and system and land and file.yield_):
        return ()
    yardsticks = Yardsticks(
        cost_usd=costs.amount_usd.range("US$", costs.claims),
        price_usd_per_w=costs.price_usd_per_w.range("US$/W", costs.price_claims),
        yield_kwh_per_kwp=_yield(file, areas),
        density_mw_per_km2=land.density_mwp_per_km2.range("MW/km²", land.claims),
        national_capacity_mw=system.capacity_mw.range("MW", system.capacity_claims),
        national_output_gwh=system.output_gwh.range("GWh", system.output_claims),
    )
    return tuple(_reading(spec, yardsticks) for spec in file.readings)


def _reading(spec: ReadingFile, yardsticks: Yardsticks) -> Reading:
    """Work out one reading."""

    def amount(unit: str, factor: float) -> Range:
        value = spec.quantity * factor
        return Range(low=value, mid=value, high=value, unit=unit, claims=spec.claims)

    words = {"label": spec.label, "statement": spec.statement}
    if spec.unit == "GWh/d":
        return read_as_energy(spec.id, amount("GWh", 1), yardsticks, **words)
    factor = {"GW": 1000.0, "MW": 1.0}[spec.unit]
    return read_as_capacity(spec.id, amount("MW", factor), yardsticks, **words)


def _yield(file: ExchangeFile, areas: gpd.GeoDataFrame) -> Range:
    """Energy of a kilowatt of modules: computed where there are areas, else stated."""
    if file.yield_ is None or areas.empty:
        stated = file.yield_
        if stated is None:
            raise ExchangeError("yield is missing")
        return stated.kwh_per_kwp.range("kWh/kWp", stated.claims)
    computed = areas["yield_kwh_per_kwp"]
    low = computed * areas["ghi_low_kwh_per_m2"] / areas["ghi_kwh_per_m2"]
    high = computed * areas["ghi_high_kwh_per_m2"] / areas["ghi_kwh_per_m2"]
    return Range(
        low=float(low.min()),
        mid=float(computed.median()),
        high=float(high.max()),
        unit="kWh/kWp",
        claims=tuple(dict.fromkeys([*_solar_claims(file), *file.yield_.claims])),
    )


def _solar_claims(file: ExchangeFile) -> tuple[str, ...]:
    """Claims that the candidate areas rest on."""
    return file.solar.claims if file.solar else ()


def _repayment(file: ExchangeFile) -> Repayment | None:
    """Gather the inputs of the repayment in ore; the price is the reader's."""
    if file.repayment is None:
        return None
    spec = file.repayment
    return Repayment(
        amount_usd=spec.amount_usd.mid,
        throughput_t_per_year=spec.throughput_t_per_year,
        best_month_usd=spec.peak_month_usd,
        throughput_good=spec.throughput_good,
        peak_month=spec.peak_month,
        amount_range=spec.amount_usd.range("US$", spec.claims),
        reo_share=spec.concentrate_reo_share.range("", spec.claims).to("%", 100),
        claims=spec.claims,
    )


def _notes(file: ExchangeFile) -> Mapping[str, str]:
    """Remarks of the file by section."""
    sections = ("costs", "system", "land", "yield_", "repayment", "solar")
    notes = {
        section.rstrip("_"): record.note
        for section in sections
        if (record := getattr(file, section)) is not None and record.note
    }
    if file.system:
        about = f"{file.system.name}, {file.system.year}. {file.system.note}"
        notes["system"] = about.strip()
    return MappingProxyType(notes)
