"""Folders that are made once, by whoever comes first, whole or not at all."""

import contextlib
import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from mmjax.data.checksums import damage_of, write_checksums
from mmjax.errors import InputError


def made(folder: Path, write: Callable[[Path], None]) -> Path:
    """The folder, which `write` fills when it is not there yet, or is damaged: then with a warning.

    Everything is written beside its place, with its checksums, and renamed: there is no half of it. Processes that
    want the same folder wait for the first.

    Raises:
      InputError: if it cannot be written, for want of room, say; and whatever `write` raises.
    """
    try:
        if folder.is_dir() and not damage_of(folder):
            return folder
        with alone(folder):
            if folder.is_dir() and (damage := damage_of(folder)):  # another process may have mended it meanwhile
                logging.warning("%s is damaged (%s), and is made again", folder, damage)
                shutil.rmtree(folder)
            if not folder.is_dir():  # or have made it
                beside = Path(tempfile.mkdtemp(prefix="incomplete.", dir=folder.parent))
                try:
                    write(beside)
                    write_checksums(beside)
                    os.replace(beside, folder)
                finally:
                    shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        if error.filename and not Path(error.filename).is_relative_to(folder.parent.parent):
            raise  # of a file that `write` reads
        raise InputError(
            f"cache folder {folder.parent.parent} cannot be written ({error}); name another in MMJAX_CACHE_DIR"
        ) from error
    return folder


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Holds the lock of a folder that is to be made, among processes; the lock lies beside it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_name(f"{folder.name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
