"""Pictures of large layers of points, beside a plain count of the same points."""

import base64
import json

import numpy as np
import pytest

from tests.browser import until
from tests.maps.many_sample import points, write

pytestmark = pytest.mark.browser

SCREEN = {"width": 900, "height": 500}
LAYER = "[...lodemap.manyLayers.values()][0]"
READY = f"""() => {{ const layer = {LAYER};
    return Boolean(layer.front) && !layer.busy && layer.covers(); }}"""
PICTURE = f"""() => {{
    const {{ shape, picture, places, wanted, front }} = {LAYER};
    const {{ m, dx, dy }} = picture.windows[0].frame;
    const pixels = front.getContext('2d').getImageData(0, 0, front.width, front.height);
    const text = Array.from(pixels.data, (byte) => String.fromCharCode(byte));
    return JSON.stringify({{
        x: [...shape.x], y: [...shape.y], places: [...places], m, dx, dy,
        wanted: wanted && [...wanted], side: picture.manner.side, left: picture.left,
        top: picture.top, way: picture.manner.way, colours: picture.colours,
        width: front.width, height: front.height, pixels: btoa(text.join('')),
    }});
}}"""


@pytest.fixture(scope="module")
def dense_page(tmp_path_factory):
    """Forty thousand points, coloured by their kind."""
    folder = tmp_path_factory.mktemp("picture")
    return write(folder / "dense.html", points(40_000), column="kind")


def look(page, view=None):
    """What is on the canvas, and what it should be made of."""
    if view:
        lat, lon, zoom = view
        page.evaluate(
            "([at, zoom]) => { lodemap.map().setView(at, zoom, { animate: false }); }",
            [[lat, lon], zoom],
        )
    until(page, READY)
    found = json.loads(page.evaluate(PICTURE))
    for name in ("x", "y", "places"):
        found[name] = np.array(found[name], float if name in "xy" else int)
    found["pixels"] = np.frombuffer(
        base64.b64decode(found["pixels"]), np.uint8
    ).reshape(found["height"], found["width"], 4)
    found["pixels"] = found["pixels"].astype(int)
    found["px"] = found["x"] * found["m"] + found["dx"]
    found["py"] = found["y"] * found["m"] + found["dy"]
    on = np.ones(len(found["x"]), bool)
    found["on"] = on if found["wanted"] is None else np.array(found["wanted"], bool)
    return found


def counted(found):
    """Points of each class in each square, shape (rows, columns, classes)."""
    side = found["side"]
    shift_x, shift_y = found["left"] % side, found["top"] % side
    rows = -(-(found["height"] + shift_y) // side)
    columns = -(-(found["width"] + shift_x) // side)
    a = np.floor((found["px"] + shift_x) / side).astype(int)
    b = np.floor((found["py"] + shift_y) / side).astype(int)
    inside = (a >= 0) & (b >= 0) & (a < columns) & (b < rows) & found["on"]
    counts = np.zeros((rows, columns, len(found["colours"])), int)
    np.add.at(counts, (b[inside], a[inside], found["places"][inside]), 1)
    return counts, shift_x, shift_y


def rgb(colour):
    return [int(colour[k : k + 2], 16) for k in (1, 3, 5)]


@pytest.mark.parametrize(
    "view", [None, (40.2, 126.1, 6), (40.0, 121.5, 7)], ids=["first", "far", "side"]
)
@pytest.mark.parametrize("sifted", [False, True], ids=["all", "sifted"])
def test_a_density_is_a_count_of_points_in_squares(dense_page, open_page, view, sifted):
    with open_page(dense_page, viewport=SCREEN) as page:
        until(page, READY)
        if sifted:
            page.evaluate(f"() => lodemap.show(`${{{LAYER}.key}}:1`, false)")
        found = look(page, view)
    assert found["way"] == "density"
    assert found["on"].all() != sifted
    counts, shift_x, shift_y = counted(found)
    total = counts.sum(axis=2)
    assert total.sum() > 1000
    side = found["side"]
    strength = np.log(np.maximum(total, 1)) / np.log(total.max())
    alpha = np.where(total > 0, np.floor(95 + 160 * strength + 0.5), 0)
    colours = np.array([rgb(one) for one in found["colours"]])
    ink = colours[counts.argmax(axis=2)]
    middle_y = np.arange(total.shape[0]) * side - shift_y + side // 2
    middle_x = np.arange(total.shape[1]) * side - shift_x + side // 2
    on_y = (middle_y >= 0) & (middle_y < found["height"])
    on_x = (middle_x >= 0) & (middle_x < found["width"])
    seen = found["pixels"][np.ix_(middle_y[on_y], middle_x[on_x])]
    assert (seen[..., 3] == alpha[np.ix_(on_y, on_x)]).all()
    drawn = seen[..., 3] > 0
    apart = np.abs(seen[..., :3] - ink[np.ix_(on_y, on_x)])[drawn]
    assert apart.max() <= 3  # a canvas keeps colours times their strength


def test_dots_are_squares_at_their_points_the_last_above(dense_page, open_page):
    with open_page(dense_page, viewport=SCREEN) as page:
        until(page, READY)
        found = look(page, (40.2, 126.1, 8))
    assert found["way"] == "dot"
    side, width, height = found["side"], found["width"], found["height"]
    a = np.floor(found["px"] - side / 2 + 0.5).astype(int)
    b = np.floor(found["py"] - side / 2 + 0.5).astype(int)
    expected = np.zeros((height, width, 3), int)
    covered = np.zeros((height, width), bool)
    inside = (a >= 0) & (b >= 0) & (a + side <= width) & (b + side <= height)
    for i in np.flatnonzero(inside):
        square = np.s_[b[i] : b[i] + side, a[i] : a[i] + side]
        expected[square] = rgb(found["colours"][found["places"][i]])
        covered[square] = True
    assert covered.sum() > 1000
    assert ((found["pixels"][..., 3] == 255) == covered).all()
    assert (found["pixels"][covered][:, :3] == expected[covered]).all()
