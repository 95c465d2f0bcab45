"""The page's colours as a style sheet."""

from __future__ import annotations

from layers.symbology import DARK, LIGHT, MARKS


def stylesheet() -> str:
    """CSS custom properties for both palettes and a rule for each mark's colour."""
    day = "".join(f"--{role}:{colour};" for role, colour in LIGHT.items())
    night = "".join(f"--{role}:{colour};" for role, colour in DARK.items())
    roles = sorted({mark.role for mark in MARKS.values()} | {"out", "in", "added"})
    rules = "".join(f".role-{role}{{--mark:var(--{role})}}" for role in roles)
    return (
        f":root{{color-scheme:light dark;{day}}}"
        f"@media (prefers-color-scheme:dark){{:root{{{night}}}}}"
        f"@media print{{:root{{{day}}}}}{rules}"
    )
