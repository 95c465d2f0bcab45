from pathlib import Path

import pytest

from maps.pictures.order import MOST_PIXELS, Order, PictureError


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"path": Path("a.gif")}, ".png, .svg, .pdf"),
        ({"path": Path("a")}, "''"),
        ({"width_mm": 1e9}, "80 to 1200 mm"),
        ({"width_mm": float("nan")}, "80 to 1200 mm"),
        ({"width_mm": -5}, "80 to 1200 mm"),
        ({"dpi": 0}, "50 to 1200"),
        ({"dpi": 10**9}, "50 to 1200"),
        ({"language": "fr"}, "en, ko, zh"),
        ({"report": True}, ".pdf"),
        ({"path": Path("a.pdf"), "report": True, "dark": True}, "dark"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(wrong, said):
    with pytest.raises(PictureError, match=r"expected") as refused:
        Order(**{"path": Path("a.png"), **wrong})
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_png_has_a_limit_of_pixels_and_a_drawing_has_none():
    large = {"width_mm": 1200.0, "dpi": 1200}
    with pytest.raises(PictureError, match=f"{MOST_PIXELS:,}"):
        Order(path=Path("a.png"), **large).require_pixels(900)
    Order(path=Path("a.svg"), **large).require_pixels(900)
    Order(path=Path("a.png")).require_pixels(220)
