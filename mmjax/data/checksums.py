"""Checksums of the files of a folder, by which a byte that a disk changed is found before anything reads it."""

import hashlib
import json
from pathlib import Path

import xxhash

FILE = "checksums.json"
_intact = set()  # folders found intact by this process, as `_state` has them


def write_checksums(folder: Path) -> None:
    """Writes the checksum of every file below a folder into FILE, beside them."""
    sums = {path.relative_to(folder).as_posix(): _checksum(path) for path in _files(folder)}
    (folder / FILE).write_text(json.dumps(sums, indent=1), encoding="utf-8")


def damage_of(folder: Path) -> str | None:
    """What is wrong with a folder of `write_checksums`: the first file that is missing or not as it was written.

    None where all are. A process reads them once, and again only when the size or time of one has changed. Files that
    were not there when the checksums were written are left alone.
    """
    try:
        sums = json.loads((folder / FILE).read_text(encoding="utf-8"))
        state = _state(folder, sums)
        if state not in _intact:
            broken = next((name for name, expected in sums.items() if _checksum(folder / name) != expected), None)
            if broken:
                return f"{broken} is not as it was written"
            _intact.add(state)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        return f"{Path(error.filename).relative_to(folder)} is missing"
    except (ValueError, TypeError, AttributeError):  # no JSON any more, or another
        return f"{FILE} is not as it was written"
    return None


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / FILE)


def _checksum(path: Path) -> str:
    """XXH3 of the contents, 128 bits: some 30 GB/s where SHA-256 has 2, and no one forges a cache of their own."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, xxhash.xxh3_128).hexdigest()


def _state(folder: Path, sums: dict[str, str]) -> tuple:
    """The folder's files by name, place on the disk, size and time."""
    stats = [(name, (folder / name).stat()) for name in (FILE, *sums)]
    return str(folder), *((name, stat.st_ino, stat.st_size, stat.st_mtime_ns) for name, stat in stats)
