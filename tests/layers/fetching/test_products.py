import msgspec
import pytest

from layers.errors import LayerNotFoundError
from layers.fetching.door import Door
from layers.fetching.products import Product, find_products, products


@pytest.mark.parametrize("product", products().values(), ids=lambda p: p.id)
def test_a_record_says_whose_it_is_and_how_we_know(product):
    assert product.licence_url.startswith("https://")
    assert product.page.startswith("https://")
    assert product.base == f"https://{product.hosts[0]}"
    assert all(fact.fact and fact.source for fact in product.verified)
    assert product.unverified, "nothing is so certain that no doubt is left"
    assert product.notice
    assert Door(product).url(product.path).startswith(product.base)
    assert product.max_bytes > product.about_bytes


def test_the_products_are_those_that_are_documented():
    assert list(products()) == [
        "copernicus-glo-30",
        "esa-worldcover-2021",
        "global-solar-atlas-ghi",
        "osm-north-korea",
    ]


def test_an_unknown_product_is_told_with_those_that_there_are():
    with pytest.raises(
        LayerNotFoundError, match=r"'srtm'; there are copernicus-glo-30"
    ):
        find_products(["srtm"])
    assert [p.id for p in find_products(["osm-north-korea", "osm-north-korea"])] == [
        "osm-north-korea"
    ]


def test_a_slip_in_a_record_is_an_error():
    good = msgspec.to_builtins(products()["copernicus-glo-30"])
    assert msgspec.convert(good, Product).id == "copernicus-glo-30"
    for change in (
        {"licens": "x"},
        {"file": "x.tif"},
        {"raster": None},
        {"citation": ""},
    ):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({**good, **change}, Product)
