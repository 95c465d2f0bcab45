"""Formats of one layer a file: one file, or a folder or a zip of several."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from layers.errors import WriteError
from layers.export.zipping import write_zip
from layers.files import replacing
from layers.siting.files import staged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from geo.parallel import Progress
    from layers.export.content import Content, Sheet
    from layers.export.losses import LossReport

README = "README.txt"
"""What a folder or a zip of several files says about itself."""


class SheetWriter(Protocol):
    """What writes one sheet."""

    def __call__(self, sheet: Sheet, path: Path, steps: Steps) -> tuple[Path, ...]:
        """Write ``sheet`` at ``path``, and perhaps files beside it."""


class Steps:
    """Counts rows for whoever wants to know how far the work is."""

    def __init__(self, content: Content, progress: Progress | None) -> None:
        self.done = 0
        self.whole = sum(len(sheet.table) for sheet in content.sheets)
        self.progress = progress

    def add(self, rows: int) -> None:
        """Count rows that are written.

        Parameters
        ----------
        rows
            How many more.
        """
        self.done += rows
        if self.progress:
            self.progress(min(self.done, self.whole), self.whole)


def write_parts(
    content: Content,
    path: Path,
    *,
    form: str,
    layers: tuple[str, SheetWriter],
    tables: tuple[str, SheetWriter],
    progress: Progress | None = None,
) -> tuple[Path, ...]:
    """Write each sheet as a file: the only one itself, several in a folder or a zip.

    Parameters
    ----------
    content
        What is to be written.
    path
        Name with the ending of the format: one sheet. Name that ends in ``.zip``: a zip
        of all. Any other name: a folder of all, made if it is not there.
    form
        Key of the format.
    layers, tables
        Ending of a file and what writes it, for layers and for tables.
    progress
        Takes rows written and rows in all.

    Returns
    -------
    tuple of pathlib.Path
        What was written.

    Raises
    ------
    WriteError
        If several sheets are to be one file, or a file cannot be written.
    """
    from layers.export.formats import FORMATS
    from layers.export.losses import loss_report

    steps = Steps(content, progress)
    endings = FORMATS[form].endings
    if path.name.lower().endswith(endings):
        sheet = _only(content, path, form)
        write = (layers if sheet.geometry else tables)[1]
        return write(sheet, path, steps)

    def write_all(folder: Path) -> None:
        for sheet in content.sheets:
            ending, write = layers if sheet.geometry else tables
            write(sheet, folder / f"{sheet.id}{ending}", steps)
        said = about_files(content, loss_report(content, form))
        (folder / README).write_text(said, encoding="utf-8", newline="\n")

    return write_files(content, path, write_all)


def write_files(
    content: Content, path: Path, write_all: Callable[[Path], None]
) -> tuple[Path, ...]:
    """Write several files into a zip or a folder, whole or not at all.

    Parameters
    ----------
    content
        What is to be written.
    path
        Name that ends in ``.zip``: a zip. Any other name: a folder.
    write_all
        Writes the files into the folder that it is given.

    Returns
    -------
    tuple of pathlib.Path
        The zip, or the files in the folder.

    Raises
    ------
    WriteError
        If a file stands where the folder is to be, or nothing can be written there.
    """
    if path.suffix.lower() == ".zip":
        with tempfile.TemporaryDirectory(prefix="lodemap-") as name:
            write_all(Path(name))
            files = sorted((file.name, file) for file in Path(name).iterdir())
            with replacing(path) as stream:
                write_zip(stream, files, content.dated)
        return (path,)
    if path.is_file():
        raise WriteError(
            f"cannot write a folder at {path}: a file stands there. Give another name, "
            "or one that ends in .zip"
        )
    with staged(path) as stage:
        write_all(stage)
        names = sorted(file.name for file in stage.iterdir())
    return tuple(path / name for name in names)


def about_files(
    content: Content, report: LossReport, names: Mapping[str, str] | None = None
) -> str:
    """Say in plain text what stands in a folder or a zip.

    Parameters
    ----------
    content
        What was written.
    report
        What the format changed.
    names
        More to say about a sheet, by its id.

    Returns
    -------
    str
        Title, sheets with licence and credit, losses.
    """
    lines = [content.title, "=" * len(content.title), "", content.abstract, ""]
    lines += [f"Made by Lodemap {content.version}; dated {content.dated}.", ""]
    for sheet in content.sheets:
        lines += [f"{sheet.id}: {sheet.title}", f"  {sheet.abstract}"]
        said = {
            "Licence": sheet.licence,
            "Credit": sheet.rights,
            "Source": " ".join(filter(None, (sheet.source, sheet.url))),
            "Retrieved": sheet.retrieved.isoformat() if sheet.retrieved else "",
        }
        lines += [f"  {word}: {text}" for word, text in said.items() if text]
        if names and sheet.id in names:
            lines += [names[sheet.id]]
        lines.append("")
    lines.append("What this format changed")
    lines += [f"  {line}" for line in report.lines or ("nothing",)]
    return "\n".join(lines) + "\n"


def _only(content: Content, path: Path, form: str) -> Sheet:
    """Return the one sheet of an export, or say how several are written."""
    if len(content.sheets) == 1:
        return content.sheets[0]
    if not content.sheets:
        raise WriteError(f"{content.id} holds nothing that {path.name} could hold")
    ids = ", ".join(sheet.id for sheet in content.sheets)
    bare = path.name.rpartition(".")[0]
    raise WriteError(
        f"{path.name} holds one layer, and {content.id} has {len(content.sheets)}: "
        f"{ids}. Write all into a folder or a zip (--to {form}, and {bare} or "
        f"{bare}.zip as its name), or choose one, as with --exchange {content.id} "
        f"--layer {content.sheets[0].id}"
    )
