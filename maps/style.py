"""The page's colours, and how its base map is drawn, as a style sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layers.symbology import BASE, DARK, LIGHT, MARKS

if TYPE_CHECKING:
    from layers.symbology import Ground


def stylesheet() -> str:
    """CSS custom properties for both palettes and a rule for each mark's colour.

    Returns
    -------
    str
        CSS, with a rule for each part of the base map too.
    """
    day = "".join(f"--{role}:{colour};" for role, colour in LIGHT.items())
    night = "".join(f"--{role}:{colour};" for role, colour in DARK.items())
    roles = sorted({mark.role for mark in MARKS.values()} | {"out", "in", "added"})
    rules = "".join(f".role-{role}{{--mark:var(--{role})}}" for role in roles)
    ground = "".join(f".base-{key}{{{_drawn(part)}}}" for key, part in BASE.items())
    return (
        f":root{{color-scheme:light dark;{day}}}"
        f"@media (prefers-color-scheme:dark){{:root{{{night}}}}}"
        f"@media print{{:root{{{day}}}}}{rules}{ground}"
    )


def _drawn(part: Ground) -> str:
    """CSS declarations of one part of the base map."""
    lines = []
    if part.fill:
        lines.append(f"fill:var(--{part.fill});fill-opacity:1")
    if part.stroke:
        lines.append(f"stroke:var(--{part.stroke});stroke-width:{part.width:g}")
        lines.append(f"stroke-opacity:{part.opacity:g}")
    else:
        lines.append("stroke:none")
    if part.dash:
        lines.append(f"stroke-dasharray:{part.dash}")
    return ";".join(lines)
