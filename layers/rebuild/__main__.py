"""Command: ``python -m layers.rebuild [ID …] [--check] [--seal] [--cache DIR]``.

Exit codes: 0 all as shipped or written; 1 bytes differ, or a package or an entry
is not what was expected; 2 wrong usage; 3 a public package cannot be had here.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from geo.errors import GeoError
from layers.rebuild.output import write_whole
from layers.rebuild.packages import PackageUnavailableError, Sources
from layers.rebuild.recipes import DATA, RECIPES
from layers.rebuild.seal import seal

IDENTICAL, DIFFERENT, UNAVAILABLE = 0, 1, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Rebuild, check or seal.

    Parameters
    ----------
    arguments
        Command line without the program's name; by default that of the process.

    Returns
    -------
    int
        Exit code, as in the module's text.
    """
    options = _parser().parse_args(arguments)
    data: Path = options.data
    if options.seal and not options.ids and not options.check:
        return _seal(data)
    chosen = options.ids or list(RECIPES)
    with contextlib.ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cache: Path = options.cache or temporary / "cache"
        sources = Sources(cache=cache, scratch=temporary / "scratch")
        results = {i: _one(i, sources, data, check=options.check) for i in chosen}
    missing = [i for i, code in results.items() if code == UNAVAILABLE]
    wrong = [i for i, code in results.items() if code == DIFFERENT]
    if missing:
        print(f"not rebuilt, package not to be had: {', '.join(missing)}")
    if wrong:
        print(f"not as shipped: {', '.join(wrong)}")
    code = DIFFERENT if wrong else UNAVAILABLE if missing else IDENTICAL
    if options.seal and not options.check and code == IDENTICAL:
        return _seal(data)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m layers.rebuild",
        description="Make the shipped files again from their public packages.",
    )
    parser.add_argument(
        "ids", nargs="*", metavar="ID", choices=[*RECIPES, []], help="all by default"
    )
    parser.add_argument(
        "--check", action="store_true", help="compare with the shipped files only"
    )
    parser.add_argument(
        "--seal", action="store_true", help="write the files' SHA-256 into the entries"
    )
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", help="keep the downloaded packages here"
    )
    parser.add_argument("--data", type=Path, default=DATA, help=argparse.SUPPRESS)
    return parser


def _one(layer_id: str, sources: Sources, data: Path, *, check: bool) -> int:
    """Make one file; say in one line how it went."""
    recipe = RECIPES[layer_id]
    target = data / recipe.file
    try:
        content = recipe.derive(sources)
    except PackageUnavailableError as error:
        print(f"{layer_id}: UNAVAILABLE: {error}", file=sys.stderr)
        return UNAVAILABLE
    except (GeoError, ImportError, ValueError) as error:
        print(f"{layer_id}: FAILED: {error}", file=sys.stderr)
        return DIFFERENT
    if not check:
        write_whole(target, content)
        print(f"{layer_id}: wrote {recipe.file}, {len(content)} bytes")
        return IDENTICAL
    if not target.exists():
        print(f"{layer_id}: {recipe.file} is not shipped")
        return DIFFERENT
    if target.read_bytes() != content:
        print(f"{layer_id}: {recipe.file} DIFFERS from what the packages give")
        return DIFFERENT
    print(f"{layer_id}: {recipe.file} is identical")
    return IDENTICAL


def _seal(data: Path) -> int:
    try:
        changed = seal(data)
    except GeoError as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return DIFFERENT
    print(f"sealed {len(changed)} entries anew: {', '.join(changed) or 'none'}")
    return IDENTICAL


if __name__ == "__main__":
    raise SystemExit(main())
