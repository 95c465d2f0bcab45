"""How each kind of mark looks, whatever draws it: the page, QGIS, Google Earth."""

from layers.symbology.base import BASE, BASE_MAP, Ground, base_mark
from layers.symbology.marks import (
    ADDED,
    COMPUTED,
    CONTEXT,
    EXCHANGED,
    GROUND,
    GROUP_NOTES,
    GROUPS,
    LEG_WORDS,
    MARKS,
    REPORTED,
    Mark,
    Scale,
    leg_mark,
    mark_key,
)
from layers.symbology.palette import (
    DARK,
    LIGHT,
    MARK_PAIRS,
    OVERLAY,
    TEXT_PAIRS,
    contrast,
)
from layers.symbology.ramp import FAINTEST, rounded_out
from layers.symbology.symbols import SIDE, SYMBOLS, symbol_drawing

__all__ = [
    "ADDED",
    "BASE",
    "BASE_MAP",
    "COMPUTED",
    "CONTEXT",
    "DARK",
    "EXCHANGED",
    "FAINTEST",
    "GROUND",
    "GROUPS",
    "GROUP_NOTES",
    "LEG_WORDS",
    "LIGHT",
    "MARKS",
    "MARK_PAIRS",
    "OVERLAY",
    "REPORTED",
    "SIDE",
    "SYMBOLS",
    "TEXT_PAIRS",
    "Ground",
    "Mark",
    "Scale",
    "base_mark",
    "contrast",
    "leg_mark",
    "mark_key",
    "rounded_out",
    "symbol_drawing",
]
