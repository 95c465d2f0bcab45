"""How names are lettered, by mark, and what countries are called."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from layers.symbology import BASE_MAP, Mark

if TYPE_CHECKING:
    from collections.abc import Mapping

SANS = (
    "Noto Sans CJK KR",
    "Noto Sans KR",
    "Noto Sans CJK SC",
    "Liberation Sans",
    "Apple SD Gothic Neo",
    "Malgun Gothic",
    "PingFang SC",
    "Microsoft YaHei",
    "Arial",
)
SERIF = (
    "Noto Serif CJK KR",
    "Noto Serif KR",
    "Noto Serif CJK SC",
    "Liberation Serif",
    "AppleMyungjo",
    "Batang",
    "Songti SC",
    "SimSun",
    "Times New Roman",
)
"""Families in the order in which they are tried: on each system one holds Hangul and
Han."""

COUNTRY = Mark(
    key="country",
    label="Countries",
    about="",
    group=BASE_MAP,
    shape="area",
    role="ink-2",
    rank=4,
)
"""Mark of the names of countries, which have no areas of their own."""

COUNTRIES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": {
            "CN": "China",
            "JP": "Japan",
            "KP": "North Korea",
            "KR": "South Korea",
            "MN": "Mongolia",
            "RU": "Russia",
        },
        "ko": {
            "CN": "중국",
            "JP": "일본",
            "KP": "북한",
            "KR": "대한민국",
            "MN": "몽골",
            "RU": "러시아",
        },
        "zh": {
            "CN": "中国",
            "JP": "日本",
            "KP": "朝鲜",
            "KR": "韩国",
            "MN": "蒙古",
            "RU": "俄罗斯",
        },
    }
)
"""Names of countries by language and ISO 3166-1 code, as CLDR has them; another
country is called by its code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lettering:
    """How the names of one mark are set."""

    size: float = 12
    """[px]"""
    bold: bool = False
    role: str = "ink"
    """Key of the colour; empty for that of the mark."""
    families: tuple[str, ...] = SANS
    upper: bool = False
    spacing: float = 0.0
    """Between letters. [px]"""
    wrap: int = 0
    """Longest line; 0 for one line. [letters]"""
    plate: bool = False
    """Whether it stands on a plate of paper."""


LETTERINGS: Mapping[str, Lettering] = MappingProxyType(
    {
        "subject": Lettering(size=14, bold=True, role="out", families=SERIF, wrap=24),
        "hub": Lettering(size=13, bold=True),
        "region": Lettering(
            size=13,
            bold=True,
            role="region-edge",
            families=SERIF,
            upper=True,
            spacing=1.8,
        ),
        "candidate": Lettering(size=11, bold=True, role="hypothetical", plate=True),
        "site": Lettering(size=11, bold=True, role="hypothetical", plate=True),
        "country": Lettering(
            size=15, role="ink-2", families=SERIF, upper=True, spacing=4.8
        ),
        "tie": Lettering(size=11, role="ink-2"),
        "place": Lettering(size=11, role="ink-2"),
        "plant": Lettering(size=11),
        "crossing": Lettering(size=11),
        "historic": Lettering(size=11),
        "occurrence": Lettering(size=11),
    }
)
"""Letterings by key of the mark; a leg's is that of its own colour."""
