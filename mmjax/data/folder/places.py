"""Files of a task's folder: inside it, and no links out of it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

from mmjax.data.folder.schema import FILE, Reference, Schema
from mmjax.data.sources import reading
from mmjax.errors import InputError

LARGEST_MEMBER = 2**28  # bytes that one member of an archive may unpack to


def place_of(folder: Path, line: int, file: str) -> Path:
    """The path of a file or folder that task.yaml names.

    Raises:
      InputError: if it is not there, or lies outside the task's folder.
    """
    path = folder / file
    where = f"{folder / FILE}, line {line}: {file!r}"
    if Path(file).is_absolute() or not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{where} lies outside {folder}; put the file there and name it without '..' or links")
    if not path.exists():
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


def contents(path: Path) -> dict[str, bytes | Path]:
    """File's name -> its path, or its bytes, of a folder or a zip archive; names may hold '/'.

    Raises:
      InputError: if a link leads out of the folder, or the archive is broken, holds a name that leads out of it, or a
        member that unpacks to too much.
    """
    if path.is_dir():
        found = {}
        for each in sorted(path.rglob("*")):
            if not each.resolve().is_relative_to(path.resolve()):
                raise InputError(f"{each} is a link out of {path}; put the file itself there")
            if each.is_file():
                found[each.relative_to(path).as_posix()] = each
        return found
    with reading(path), zipfile.ZipFile(path) as archive:
        members = dict(_members(path, archive))
    folder = f"{path.stem}/"  # an archive of a folder has its name before every other
    if all(name.startswith(folder) for name in members):
        return {name.removeprefix(folder): content for name, content in members.items()}
    return members


def _members(path: Path, archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    for member in archive.infolist():
        name = member.filename
        if name.startswith("/") or ".." in Path(name).parts or "\\" in name:
            raise InputError(f"{path} holds {name!r}, a name that leads out of it; pack the archive without such names")
        if member.file_size > LARGEST_MEMBER:
            raise InputError(f"{path}: {name!r} unpacks to {member.file_size:,} bytes; accepted are {LARGEST_MEMBER:,}")
        if not member.is_dir():
            yield name, archive.read(member)
