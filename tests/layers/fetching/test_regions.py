import pytest

from layers.errors import RequestError
from layers.fetching.regions import area


def test_a_region_is_the_union_of_provinces():
    one = area(region="north-pyongan")
    two = area(region="north-pyongan,south-pyongan")
    assert two.area == pytest.approx(one.area + area(region="south-pyongan").area)
    assert area(region="dprk").contains(two.representative_point())
    assert area(region="dprk").intersection(area(region="jilin")).area < 1e-6


def test_a_box_over_the_antimeridian_is_cut_in_two():
    found = area(bbox=(179, -18, -179, -16))
    assert [part.bounds for part in found.geoms] == [
        (179, -18, 180, -16),
        (-180, -18, -179, -16),
    ]
    assert area(bbox=(180, -18, -179, -16)).bounds == (-180, -18, -179, -16)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "got neither"),
        ({"region": "dprk", "bbox": (1, 2, 3, 4)}, "got both"),
        ({"region": "atlantis"}, "no region 'atlantis'; there are dprk, pyongyang"),
        ({"region": ""}, "no region ''"),
        ({"bbox": (1, 2, 3)}, "expected four numbers"),
        ({"bbox": "here"}, "expected four numbers"),
        ({"bbox": (1, 2, 3, float("nan"))}, "not finite"),
        ({"bbox": (39, 124, 41, 126)}, "in this order"),
        ({"bbox": (124, 41, 126, 39)}, "expected north above south"),
        ({"bbox": (124, 39, 126, 91)}, "at most 90"),
        ({"bbox": (124, 39, 124, 41)}, "west equals east"),
    ],
)
def test_what_is_no_place_is_refused(asked, said):
    with pytest.raises(RequestError, match=said) as caught:
        area(**asked)
    assert "\n" not in str(caught.value)
