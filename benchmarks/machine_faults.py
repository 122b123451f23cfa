"""What a machine refuses a command (disk, memory, devices, a home folder), in one sentence that says what to do."""

from __future__ import annotations

import errno
import os
import types
from pathlib import Path

from mmjax.disk import refusal

ROOM = "free some room, or name another folder, and give the same command again"
OPEN = "give a folder that this user may read and write, or change its permissions"
REMEDIES = {
    errno.ENOSPC: ROOM,
    errno.EDQUOT: ROOM,
    errno.EFBIG: "raise the limit on the size of files (`ulimit -f`), or name a folder of another file system",
    errno.EROFS: "give a folder of a file system that may be written",
    errno.EACCES: OPEN,
    errno.EPERM: OPEN,
    errno.EMFILE: "raise the limit on open files (`ulimit -n`)",
    errno.ENFILE: "close other programs: the machine has no more open files to give",
    errno.EIO: "the disk or its file server fails: look at its health, or name another folder",
    errno.ESTALE: "the file server lost the file: give the same command again",
    errno.ENAMETOOLONG: "give a shorter path",
    errno.ENOLCK: "its file system has no locks: name a folder of another one",
    errno.EOPNOTSUPP: "its file system has no locks: name a folder of another one",
    errno.ENOENT: "it was removed while the command ran, or never was there",
    errno.ENOTDIR: "a file lies where a folder is wanted: name another one",
    errno.EISDIR: "a folder lies where a file is wanted: name another one",
}
CACHE = "name a folder for downloads and prepared data by MMJAX_CACHE_DIR, since the home folder cannot take them"
NO_HOME = "Could not determine home directory."  # pathlib's words


def sentence_of(error: BaseException) -> str | None:
    """What the machine refused, or None for an exception that is not of its doing: a fault of the program, say."""
    if isinstance(error, OSError) and refusal(error) is not None:
        code = refusal(error)
        place = next((str(each) for each in (error.filename2, error.filename) if each is not None), None)
        place = place or "standard output, or a file that was open,"
        remedy = CACHE if _is_of_the_cache(place) else REMEDIES.get(code, "--debug shows where")
        return f"{place} could not be used: {os.strerror(code).lower()}; {remedy}"
    if isinstance(error, MemoryError):
        said = f" ({' '.join(str(error).split())})" if str(error) else ""
        return f"this machine has not enough memory{said}; give smaller data or a smaller model, or another machine"
    if isinstance(error, RuntimeError) and str(error) == NO_HOME:
        return (
            "~ means nothing here: HOME is not set and this user has no name; set HOME, or name folders by "
            "MMJAX_CACHE_DIR (downloads and prepared data), --workdir and --data_dir"
        )
    if isinstance(error, (AssertionError, RuntimeError)) and _raised_in(error.__traceback__) == "jax._src.xla_bridge":
        reason = " ".join(str(error).split()) or "no such device was found"
        asked = os.environ.get("JAX_PLATFORMS")
        asked = f"JAX_PLATFORMS={asked}" if asked else "this machine's devices"
        return (
            f"JAX cannot use {asked}: {reason}; set JAX_PLATFORMS=cpu, or install JAX for the device (cuda12, cuda13)"
        )
    return None


def _is_of_the_cache(place: str) -> bool:
    """Whether a path is that of ~/.cache/mmjax, or of a folder above it up to the home folder."""
    if os.environ.get("MMJAX_CACHE_DIR") or "~" in (home := os.path.expanduser("~")):
        return False
    path, cache = Path(place), Path(home, ".cache", "mmjax")
    return path in (Path(home), cache.parent, cache) or cache in path.parents


def _raised_in(traceback: types.TracebackType | None) -> str:
    """The module that raised."""
    name = ""
    while traceback is not None:
        name = traceback.tb_frame.f_globals.get("__name__", "")
        traceback = traceback.tb_next
    return name
