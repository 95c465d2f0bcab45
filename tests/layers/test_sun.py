"""Where the sun stands: pvlib's own answer, place by place, is the judge."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pvlib.solarposition import get_solarposition

from layers.sun import YEAR, sun_positions

HOURS = np.arange(5, 365 * 24, 171.3)

places = st.tuples(
    st.floats(-180, 180), st.floats(-89.5, 89.5), st.floats(-400, 6000)
).map(lambda place: tuple(round(number, 6) for number in place))


def by_pvlib(lon, lat, altitude):
    """Zenith, apparent zenith and azimuth at a place's own solar time. [degrees]"""
    times = pd.Timestamp(YEAR, tz="UTC") + pd.to_timedelta(HOURS - lon / 15, unit="h")
    found = get_solarposition(times, lat, lon, altitude=altitude)
    return found[["zenith", "apparent_zenith", "azimuth"]].to_numpy().T


def positions(*rows):
    return sun_positions(*np.array(rows, dtype=float).T, HOURS)


@settings(max_examples=25, deadline=None)
@given(st.lists(places, min_size=1, max_size=4))
@example([(180.0, 0.0, 0.0), (-180.0, 10.0, 0.0)])
@example([(124.999999, 40.0, 100.0), (120.0, 40.0, 100.0), (135.0, 40.0, 0.0)])
def test_the_sun_stands_where_pvlib_has_it(rows):
    found = positions(*rows)
    for i, row in enumerate(rows):
        zenith, apparent, azimuth = by_pvlib(*row)
        # pvlib's Julian day is a double: it tells the time to 4e-5 s, 2e-7 degrees.
        assert found.zenith[i] == pytest.approx(zenith, abs=5e-7)
        # Refraction ends where the sun is well down; where that is, is a jump.
        up = np.abs(zenith - 90 - 0.83337) > 1e-5
        assert found.apparent_zenith[i][up] == pytest.approx(apparent[up], abs=1e-6)
        turned = (found.azimuth[i] - azimuth + 180) % 360 - 180
        # Near the zenith and the nadir an azimuth turns fast.
        assert np.abs(turned * np.sin(np.radians(zenith))).max() < 1e-6


def test_a_place_gets_the_same_whatever_others_are_asked_for():
    rows = [(125.3, 40.0, 110), (10, -30, 900), (-179.9, 5, 0), (126.1, 38.5, 20)]
    alone = [positions(row) for row in rows]
    for together in (positions(*rows), positions(*rows[::-1])):
        order = (
            range(4) if together.zenith[0, 0] == alone[0].zenith[0, 0] else [3, 2, 1, 0]
        )
        for found, i in zip(zip(*together, strict=True), order, strict=True):
            for ours, its in zip(found, alone[i], strict=True):
                assert (ours == its[0]).all()
