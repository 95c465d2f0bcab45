"""Classes of a layer by one of its columns: breaks, colours and what the legend says.

Breaks come from mapclassify. Colours are ours, for day and for the dark: each meets
3 to 1 on land and sea, and neighbours stay apart for eyes that miss one kind of cone,
which is simulated after Machado, Oliveira and Fernandes (2009).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np

from layers.symbology import Mark
from maps.columns import as_texts, shown
from maps.facts import number, words
from maps.page import PageError
from maps.words import Said

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

Scheme = Literal[
    "quantiles",
    "equal-interval",
    "natural-breaks",
    "standard-deviation",
    "head-tail",
    "categories",
]
Palette = Literal["sequence", "diverging", "categories"]

SCHEMES: Mapping[str, str] = MappingProxyType(
    {
        "quantiles": "Quantiles: as many features in each class",
        "equal-interval": "Equal intervals: classes of the same width",
        "natural-breaks": "Natural breaks (Fisher and Jenks)",
        "standard-deviation": "Mean and standard deviation",
        "head-tail": "Head and tail breaks, for heavy tails",
        "categories": "Categories",
    }
)
"""Method of each scheme as the legend says it."""

MOST_CLASSES = 8
"""Classes up to which colours can be told apart; rarer categories are put together."""

NONE = ("#6b6f73", "#9a9fa3")
"""Colour of what has no value, or is put together: by day, and in the dark."""

PALETTES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = MappingProxyType(
    {
        "sequence": (
            (
                *("#ac740c", "#b3600a", "#ae4621", "#9f333a", "#8b244a"),
                *("#731b56", "#5a145d", "#3f0d5e", "#250759"),
            ),
            (
                *("#7b67cc", "#a46bc8", "#c872bc", "#e67dab", "#fc8d97"),
                *("#fea891", "#ffc194", "#fed99e", "#fff19c"),
            ),
        ),
        "diverging": (
            ("#0a2f6b", "#2d5fa8", "#777b80", "#b05f27", "#7a2a00"),
            ("#9ccbff", "#5f9be0", "#8d9297", "#e08a4a", "#ffc793"),
        ),
        "categories": (
            (
                *("#207fe8", "#890801", "#ab7308", "#431256"),
                *("#d5455d", "#1d2496", "#85789f", "#450112"),
            ),
            (
                *("#3ce5fe", "#f9667a", "#fbac12", "#6684fb"),
                *("#faf392", "#a864a2", "#687c02", "#c7ffd2"),
            ),
        ),
    }
)
"""Colours of each palette: by day, and in the dark."""

_FEWEST = 2
_SAMPLE = 2000
_UNITS = MappingProxyType(
    {
        "_m": "m",
        "_km": "km",
        "_km2": "km²",
        "_m2": "m²",
        "_ha": "ha",
        "_mw": "MW",
        "_gwh": "GWh",
        "_t": "t",
        "_kg": "kg",
        "_deg": "°",
        "_usd": "US$",
        "_percent": "%",
        "_pct": "%",
    }
)
# Cones that are missing: matrices for full severity, on linear RGB.
_SIGHT = MappingProxyType(
    {
        "all cones": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
        "no long cones": (
            (0.152286, 1.052583, -0.204868),
            (0.114503, 0.786281, 0.099216),
            (-0.003882, -0.048116, 1.051998),
        ),
        "no medium cones": (
            (0.367322, 0.860646, -0.227968),
            (0.280085, 0.672501, 0.047413),
            (-0.011820, 0.042940, 0.968881),
        ),
        "no short cones": (
            (1.255528, -0.076749, -0.178779),
            (-0.078411, 0.930809, 0.147602),
            (0.004733, 0.691367, 0.303900),
        ),
    }
)


@dataclass(frozen=True, kw_only=True)
class LayerMark(Mark):
    """Mark of an added layer, or of one of its classes.

    Attributes
    ----------
    title
        Name of the layer, on the first of its classes where nothing else says it.
    method, unit
        How the classes were made, and what their numbers are; on the first of them.
    """

    title: str = ""
    method: str = ""
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class Class:
    """One class of a layer.

    Attributes
    ----------
    label
        What it holds.
    count
        Features in it.
    colours
        By day, and in the dark.
    """

    label: str
    count: int
    colours: tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Classes:
    """Classes of a layer.

    Attributes
    ----------
    column, method, unit
        Column, how it was classed, and what its numbers are.
    classes
        In the order of the legend; what has no value comes last.
    upper
        Greatest number of each class; empty for categories.
    places
        Class of each feature, shape ``(n,)``.
    categories
        Class of each named category, for categories.
    """

    column: str
    method: str
    unit: str
    classes: tuple[Class, ...]
    upper: tuple[float, ...]
    places: NDArray[np.uint8]
    categories: Mapping[str, int]


def classify(
    values: pd.Series,
    *,
    scheme: Scheme | None = None,
    k: int = 5,
    palette: Palette | None = None,
    unit: str = "",
) -> Classes:
    """Class the values of a column.

    Parameters
    ----------
    values
        Column of a layer, shape ``(n,)``.
    scheme
        A key of :data:`SCHEMES`; quantiles for numbers, categories for texts.
    k
        Classes wanted; fewer come back where the values do not give as many.
    palette
        A key of :data:`PALETTES`.
    unit
        What numbers are; taken from the ending of the name, such as ``_mw``, if empty.

    Returns
    -------
    Classes
        A class holds what is greater than the one before it and at most its own upper
        end.

    Raises
    ------
    maps.page.PageError
        If scheme or palette are unknown, ``k`` is not 2 to 8, or texts are to be
        classed as numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> found = classify(pd.Series([1, 2, 3, 4, None], name="depth_m"), k=2)
    >>> [(one.label, one.count) for one in found.classes], found.unit
    ([('1–2.5', 2), ('2.5–4', 2), ('no value', 1)], 'm')
    """
    import pandas as pd

    name = shown(values.name)
    numeric = pd.api.types.is_numeric_dtype(values)
    numeric &= not pd.api.types.is_bool_dtype(values)
    numeric &= not pd.api.types.is_complex_dtype(values)
    scheme = scheme or ("quantiles" if numeric else "categories")
    palette = palette or ("categories" if scheme == "categories" else "sequence")
    for word, value, known in (
        ("scheme", scheme, SCHEMES),
        ("palette", palette, PALETTES),
    ):
        if value not in known:
            raise PageError(f"{word} is {value!r}; expected one of {', '.join(known)}")
    if not _FEWEST <= k <= MOST_CLASSES:
        raise PageError(
            f"k is {k}; expected {_FEWEST} to {MOST_CLASSES} classes, which people can "
            "tell apart"
        )
    if scheme == "categories":
        return _categories(values, name, palette)
    if not numeric:
        raise PageError(
            f"column {name!r} holds texts; the scheme {scheme!r} wants numbers. Use "
            "scheme='categories', or turn the column into numbers first."
        )
    unit = unit or _unit_of(name)
    return _graduated(values, name, scheme, k, palette, unit)


def colours(palette: str, count: int) -> list[tuple[str, str]]:
    """Return colours of a palette, as far apart as it allows.

    Parameters
    ----------
    palette
        A key of :data:`PALETTES`.
    count
        How many.

    Returns
    -------
    list of pairs
        By day and in the dark, as ``#rrggbb``.

    Examples
    --------
    >>> colours("sequence", 2)
    [('#ac740c', '#7b67cc'), ('#250759', '#fff19c')]
    """
    day, night = PALETTES[palette]
    if palette == "categories":
        return list(zip(day, night, strict=True))[:count]
    at = np.linspace(0, len(day) - 1, count) if count > 1 else np.array([len(day) // 2])
    return [(_between(day, place), _between(night, place)) for place in at]


def told_apart(first: str, second: str) -> dict[str, float]:
    """Return how far two colours look apart, to all eyes.

    Parameters
    ----------
    first, second
        Colours as ``#rrggbb``.

    Returns
    -------
    dict
        Distance in CIELAB by the cones that are missing; under 3, few see it. [1]_

    References
    ----------
    .. [1] G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, "A physiologically-based
       model for simulation of color vision deficiency", IEEE Transactions on
       Visualization and Computer Graphics 15 (6), 2009.
       https://doi.org/10.1109/TVCG.2009.113

    Examples
    --------
    >>> apart = told_apart("#d40000", "#667c00")  # red and olive
    >>> apart["all cones"] > 80, apart["no medium cones"] < 30
    (True, True)
    """
    return {
        sight: float(
            np.linalg.norm(_lab(_linear(first), sight) - _lab(_linear(second), sight))
        )
        for sight in _SIGHT
    }


def _categories(values: pd.Series, name: str, palette: str) -> Classes:
    """One class for each frequent text, one for the others, one for none."""
    coded = as_texts(values).dictionary_encode()
    labels = [str(label) for label in coded.dictionary.to_pylist()]
    codes = coded.indices.to_numpy()
    counts = np.bincount(codes, minlength=len(labels))
    order = sorted(
        (i for i, label in enumerate(labels) if label),
        key=lambda i: (-counts[i], labels[i]),
    )
    own = (
        order[:MOST_CLASSES]
        if len(order) <= MOST_CLASSES
        else order[: MOST_CLASSES - 1]
    )
    pairs = colours(palette, len(own))
    rows = [
        Class(label=labels[i], count=int(counts[i]), colours=pair)
        for i, pair in zip(own, pairs, strict=True)
    ]
    class_of = np.zeros(len(labels), np.uint8)
    class_of[own] = np.arange(len(own))
    rest = order[len(own) :]
    blank = [place for place, label in enumerate(labels) if not label]
    others = Said("{0} other texts", f"{len(rest):,}")
    for group, label in ((rest, others), (blank, Said("no value"))):
        if group:
            class_of[group] = len(rows)
            count = int(counts[group].sum())
            rows.append(Class(label=label, count=count, colours=NONE))
    return Classes(
        column=name,
        method=Said("{0}: categories", words(name)),
        unit="",
        classes=tuple(rows),
        upper=(),
        places=class_of[codes] if len(codes) else np.zeros(0, np.uint8),
        categories={labels[i]: int(class_of[i]) for i in order},
    )


def _graduated(
    values: pd.Series, name: str, scheme: str, k: int, palette: str, unit: str
) -> Classes:
    """Classes between breaks, and one for what is not finite."""
    numbers = values.to_numpy(np.float64, na_value=np.nan)
    held = np.isfinite(numbers)
    upper = _breaks(numbers[held], scheme, k) if held.any() else np.zeros(0)
    places = np.searchsorted(upper, numbers).astype(np.uint8)
    places[~held] = len(upper)
    counts = np.bincount(places, minlength=len(upper) + 1)
    least = float(numbers[held].min()) if held.any() else 0.0
    ends = _ends([least, *upper])
    rows = [
        Class(
            label=low if low == high else f"{low}–{high}",
            count=int(count),
            colours=pair,
        )
        for low, high, count, pair in zip(
            ends, ends[1:], counts, colours(palette, len(upper)), strict=False
        )
    ]
    if not held.all():
        rows.append(
            Class(label=Said("no value"), count=int((~held).sum()), colours=NONE)
        )
    return Classes(
        column=name,
        method=Said("{0}. {1}", words(name), Said(SCHEMES[scheme])),
        unit=unit,
        classes=tuple(rows),
        upper=tuple(float(v) for v in upper),
        places=places,
        categories={},
    )


def _breaks(numbers: NDArray[np.float64], scheme: str, k: int) -> NDArray[np.float64]:
    """Upper ends of the classes, ascending, each once; the last is the greatest."""
    import warnings

    if scheme == "natural-breaks" and len(numbers) > _SAMPLE:
        # Every so many of the sorted values, both ends with them: exact on all of a
        # million would take hours.
        ranks = np.linspace(0, len(numbers) - 1, _SAMPLE).round().astype(np.intp)
        numbers = np.sort(numbers)[ranks]
    k = min(k, len(np.unique(numbers)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fewer values than classes: seen to below
        if k < _FEWEST:
            found = numbers[:1]
        elif scheme == "quantiles":
            # These two are what mapclassify computes; it takes seconds to import.
            found = np.quantile(numbers, np.arange(1, k + 1) / k)
        elif scheme == "equal-interval":
            found = np.linspace(numbers.min(), numbers.max(), k + 1)[1:]
        else:
            found = _mapclassified(numbers, scheme, k)
    most = float(numbers.max())
    inner = np.unique(np.asarray(found, np.float64))
    inner = inner[(inner >= numbers.min()) & (inner < most)]
    return np.append(inner, most)


def _mapclassified(
    numbers: NDArray[np.float64], scheme: str, k: int
) -> NDArray[np.float64]:
    """Upper ends of the classes, as mapclassify has them."""
    import mapclassify  # type: ignore[import-untyped]

    if scheme == "natural-breaks":
        found = mapclassify.FisherJenks(numbers, k=k).bins
    elif scheme == "standard-deviation":
        found = mapclassify.StdMean(numbers).bins
    else:
        found = mapclassify.HeadTailBreaks(numbers).bins[: MOST_CLASSES - 1]
    return np.asarray(found, np.float64)


def _ends(values: Sequence[float]) -> list[str]:
    """Numbers with as few digits as keep them apart."""
    different = len(set(values))
    for digits in range(3, 16):
        texts = [number(value, digits) for value in values]
        if len(set(texts)) >= different:
            break
    return texts


def _unit_of(name: str) -> str:
    """Read a unit from the ending of a column's name."""
    found = re.search(r"_[A-Za-z0-9]+$", name)
    return _UNITS.get(found[0].lower(), "") if found else ""


def _between(anchors: Sequence[str], place: float) -> str:
    """Colour at a place between anchors that lie close to each other."""
    low = int(place)
    high = min(low + 1, len(anchors) - 1)
    first, second = _channels(anchors[low]), _channels(anchors[high])
    mixed = np.rint(first + (second - first) * (place - low)).astype(int)
    return "#" + "".join(f"{value:02x}" for value in mixed)


def _channels(colour: str) -> NDArray[np.float64]:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], np.float64)


def _linear(colour: str) -> NDArray[np.float64]:
    """Linear RGB of ``#rrggbb``."""
    c = _channels(colour) / 255
    found: NDArray[np.float64] = np.where(
        c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4
    )
    return found


def _lab(rgb: NDArray[np.float64], sight: str) -> NDArray[np.float64]:
    """CIELAB, D65, of linear RGB as eyes see it that miss some cones."""
    seen = np.clip(np.array(_SIGHT[sight]) @ rgb, 0, 1)
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    x = to_xyz @ seen / np.array([0.95047, 1.0, 1.08883])
    f = np.where(x > 216 / 24389, np.cbrt(x), (24389 / 27 * x + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])
