"""Files of a task's folder: inside it, and no links out of it."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Container, Iterable, Iterator
from pathlib import Path

import numpy as np

from mmjax.data.folder.schema import FILE, Reference, Schema
from mmjax.data.folder.words import plain
from mmjax.data.sources import reading
from mmjax.errors import InputError, shown

LARGEST_MEMBER = 2**28  # bytes that one member of an archive may unpack to
LARGEST_ARCHIVE = 2**32  # bytes that all may
LEFTOVERS = ("__macosx", "thumbs.db", "desktop.ini")  # of file managers, beside hidden files, in lower case
ENCRYPTED = 0x1  # of a member's flags


def place_of(folder: Path, line: int, file: str) -> Path:
    """The path of a file or folder that task.yaml names.

    Raises:
      InputError: if it is not there, or lies outside the task's folder.
    """
    path = folder / file
    where = f"{folder / FILE}, line {line}: {shown(file)}"
    try:
        inside = not Path(file).is_absolute() and path.resolve().is_relative_to(folder.resolve())
        exists = path.exists()
    except (OSError, ValueError, RuntimeError) as error:  # a name that is too long or holds a NUL, a circle of links
        raise InputError(f"{where} cannot be looked up ({error}); correct the name") from error
    if not inside:
        raise InputError(f"{where} lies outside {folder}; put the file there and name it without '..' or links")
    if not exists:
        raise InputError(f"{where} does not exist in {folder}; correct the name or put the file there")
    return path


def files_of(schema: Schema) -> dict[str, Path]:
    """Every file and folder that a task.yaml names, and itself, by name: what a task depends on."""
    references = [*(part.reference for part in schema.modalities), schema.target.reference]
    references += [each for each in (schema.splits, schema.groups) if isinstance(each, Reference)]
    files = {FILE: schema.folder / FILE}
    for reference in references:
        for file in filter(None, (reference.file, reference.names)):
            files[file] = place_of(schema.folder, reference.line, file)
    return files


def is_archive(path: Path) -> bool:
    """Whether a file's name ends as that of a zip archive, in either case."""
    return path.suffix.lower() == ".zip"


def is_leftover(name: str) -> bool:
    """Whether a path, with '/' between its parts, is hidden or a file manager's, and so no example."""
    return any(part.startswith(".") or part.lower() in LEFTOVERS for part in name.split("/"))


def contents(path: Path) -> dict[str, bytes | Path]:
    """File's name -> its path, or its bytes, of a folder or a zip archive, without leftovers of file managers.

    Names may hold '/' and are in composed Unicode (NFC).

    Raises:
      InputError: if a link leads out of the folder, or the archive is broken or encrypted, holds a name that leads out
        of it, or unpacks to too much.
    """
    if path.is_dir():
        found = {}
        with reading(path, own=True):
            for each in sorted(path.rglob("*")):
                name = plain(each.relative_to(path).as_posix())
                if is_leftover(name):
                    continue
                if not each.resolve().is_relative_to(path.resolve()):
                    raise InputError(f"{each} is a link out of {path}; put the file itself there")
                if each.is_file():
                    found[name] = each
        return found
    with reading(path, own=True), zipfile.ZipFile(path) as archive:
        members = dict(_members(path, archive))
    folder = f"{plain(path.stem)}/"  # an archive of a folder has its name before every other
    if all(name.startswith(folder) for name in members):
        return {name.removeprefix(folder): content for name, content in members.items()}
    return members


def members_named(names: Iterable[str], held: Container[str], reference: Reference) -> np.ndarray:
    """[n] the names under which a folder or archive holds the files that a table names; others stay as they are.

    A table may name files as below their folder, as below the task's folder (`images/0.png`), or as below its own; with
    slashes of either kind.

    Args:
      names: cells of the table.
      held: names of the files below the folder or archive, as `contents` gives them.
      reference: says the folder or archive and the table.
    """
    folder = posixpath.splitext(reference.file)[0] if reference.file.lower().endswith(".zip") else reference.file
    of_table = posixpath.dirname(reference.names)

    def name_of(cell: str) -> str:
        name = plain(cell).replace("\\", "/")
        below = (posixpath.relpath(posixpath.join(start, name), folder) for start in ("", of_table))
        tries = (posixpath.normpath(name), *below) if name else ()
        return next((each for each in tries if each in held), cell)

    return np.array([*map(name_of, names), None], object)[:-1]


def _members(path: Path, archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    seen, total = set(), 0
    for member in archive.infolist():
        name = plain(member.filename.replace("\\", "/"))
        if name.startswith("/") or ".." in name.split("/") or re.match(r"[A-Za-z]:", name):
            raise InputError(
                f"{path} holds {shown(member.filename)}, a name that leads out of it; pack it without such names"
            )
        if name.endswith("/") or is_leftover(name):
            continue
        if member.flag_bits & ENCRYPTED:
            raise InputError(f"{path} is encrypted; pack it without a password")
        if name in seen:
            raise InputError(f"{path} holds {shown(name)} twice; keep one")
        if member.file_size > LARGEST_MEMBER:
            raise InputError(
                f"{path}: {shown(name)} unpacks to {member.file_size:,} bytes; accepted are {LARGEST_MEMBER:,}"
            )
        seen.add(name)
        total += member.file_size
        if total > LARGEST_ARCHIVE:
            raise InputError(f"{path} unpacks to more than {LARGEST_ARCHIVE:,} bytes; unpack it into a folder")
        yield name, archive.read(member)
