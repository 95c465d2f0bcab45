"""WKB read by the million: the collector rests, and works again afterwards."""

import gc
import threading

import numpy as np
import pytest
import shapely

from geo.wkb import from_wkb

POINT = shapely.Point(1, 2).wkb


@pytest.fixture(autouse=True)
def on():
    yield
    assert gc.isenabled()


@pytest.fixture
def spied(monkeypatch):
    """Whether the collector was on at each reading."""
    seen = []
    read = shapely.from_wkb

    def spy(*args, **options):
        seen.append(gc.isenabled())
        return read(*args, **options)

    monkeypatch.setattr(shapely, "from_wkb", spy)
    return seen


def test_it_rests_and_works_again(spied):
    assert from_wkb([POINT, None]).tolist() == [shapely.Point(1, 2), None]
    assert spied == [False]
    assert gc.isenabled()


def test_it_works_again_after_an_error():
    with pytest.raises(shapely.errors.GEOSException):
        from_wkb([b"no WKB"])
    assert gc.isenabled()
    assert from_wkb([b"no WKB"], on_invalid="ignore").tolist() == [None]


def test_where_it_was_off_it_stays_off():
    gc.disable()
    try:
        from_wkb([POINT])
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_it_rests_until_the_last_thread_is_through(monkeypatch):
    both, one_done = threading.Barrier(2), threading.Event()
    states = []

    def read(values, **_):
        both.wait(10)
        if values[0] is None:
            one_done.wait(10)
            states.append(gc.isenabled())
        return values

    monkeypatch.setattr(shapely, "from_wkb", read)
    slow = threading.Thread(target=from_wkb, args=([None],))
    quick = threading.Thread(target=from_wkb, args=([POINT],))
    slow.start()
    quick.start()
    quick.join()
    one_done.set()
    slow.join()
    assert states == [False]
    assert gc.isenabled()


def test_shape_and_type():
    found = from_wkb(np.array([POINT, POINT], dtype=object))
    assert found.dtype == object
    assert found.shape == (2,)
    assert from_wkb([]).shape == (0,)
