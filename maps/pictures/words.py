"""Words of a picture in its language: those of the page, and a few of its own."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from layers.symbology import GROUP_NOTES
from maps.words import vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from layers.symbology import Mark
    from maps.pictures.projection import Frame

_LANGUAGES = ("en", "ko", "zh")

_OWN: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "as_of": ("Measures as of", "조치 기준일", "措施基准日"),
        "north": ("N", "북", "北"),
        "credits": ("Data", "자료", "数据"),
        "scale": ("Scale in the middle", "지도 중앙의 축척", "图中央比例尺"),
        "notes": (
            "Reported, not confirmed. Every place lies inside its ring or area.",
            "보도된 내용이며 확인되지 않았다. 각 장소는 고리나 구역 안 어딘가에 있다.",
            "仅为报道,未经证实。各地点位于其圆圈或区域之内,确切位置不详。",
        ),
        "legs": (
            " Legs are bent so that they can be told apart; they are not routes.",
            " 화살표는 구별을 위해 휘어 그린 것으로 실제 경로가 아니다.",
            "箭头弯曲只为便于区分,并非路线。",
        ),
        "hypothetical": (
            " Hypothetical areas are computed by us; no source names them.",
            " 가상 구역은 우리가 산출한 것이며 어떤 출처도 이를 거론하지 않는다.",
            "假设区域由我们计算得出,没有任何来源提及。",
        ),
        "advice": (
            " No legal advice.",
            " 법률 자문이 아니다.",
            "不构成法律意见。",
        ),
        "local": (
            "Transverse Mercator projection (WGS 84) about",
            "횡축 메르카토르 도법(WGS 84), 중심",
            "横轴墨卡托投影(WGS 84),中心",
        ),
        "wide": (
            "Mercator projection (WGS 84): areas grow polewards",
            "메르카토르 도법(WGS 84): 극으로 갈수록 면적이 커진다",
            "墨卡托投影(WGS 84):越近两极面积越大",
        ),
    }
)

_COUNTRIES: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "CN": ("China", "중국", "中国"),
        "KP": ("North Korea", "북한", "朝鲜"),
        "KR": ("South Korea", "한국", "韩国"),
        "RU": ("Russia", "러시아", "俄罗斯"),
    }
)


def own(key: str, language: str) -> str:
    """One of the picture's own texts.

    Examples
    --------
    >>> own("north", "zh")
    '北'
    """
    return _OWN[key][_LANGUAGES.index(language)]


def translated(english: str, language: str) -> str:
    """Text of the page in a language; in English where it has no other.

    Examples
    --------
    >>> translated("Power plant", "ko")
    '발전소'
    """
    word = vocabulary().get(english)
    return word.texts.get(language, english) if word else english


def notes(marks: Iterable[Mark], language: str) -> str:
    """Say what the marks of a map do not show."""
    keys = {mark.key for mark in marks}
    parts = ["notes"]
    if any(key.startswith("leg-") for key in keys):
        parts.append("legs")
    if keys & {"candidate", "site"}:
        parts.append("hypothetical")
    return "".join(own(part, language) for part in (*parts, "advice"))


def projection(frame: Frame, language: str) -> str:
    """Name the projection of a map."""
    if not frame.local:
        return own("wide", language)
    lon, lat = frame.middle
    east, north = "E" if lon >= 0 else "W", "N" if lat >= 0 else "S"
    middle = f"{abs(lon):.1f}° {east}, {abs(lat):.1f}° {north}"
    return f"{own('local', language)} {middle}"


def group_note(title: str, language: str) -> str:
    """Sentence under a heading of the legend; empty where there is none."""
    return translated(GROUP_NOTES.get(title, ""), language)


def mark(one: Mark, language: str) -> tuple[str, str]:
    """Name of a mark and what it means.

    Examples
    --------
    >>> from layers.symbology import MARKS
    >>> mark(MARKS["plant"], "en")
    ('Power plant', 'An existing station.')
    """
    return translated(one.label, language), translated(one.about, language)


def country(code: str, language: str) -> str:
    """Name of a country on the map; its code where we know none."""
    names = _COUNTRIES.get(code)
    return names[_LANGUAGES.index(language)] if names else code
