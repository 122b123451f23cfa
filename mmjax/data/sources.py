"""Raw files: where they lie, where they come from, and what is said when they are missing or broken."""

import contextlib
import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from mmjax.data.download import DownloadError, download
from mmjax.disk import REFUSALS
from mmjax.errors import InputError


@dataclasses.dataclass(frozen=True)
class Source:
    """One raw file.

    Attributes:
      folder: in which a data_dir holds it; it is also found directly in data_dir.
      file: its name, or that of a folder of files.
      url: where it is downloaded from; empty where it cannot be.
      origin: where a person gets it, for the error that says it is missing.
      instead: upstream's own file or folder, taken where `file`, made of it, is not there; its reader takes both.
    """

    folder: str
    file: str
    url: str
    origin: str
    instead: str = ""


def find(data_dir: str | Path, sources: Sequence[Source]) -> dict[str, Path]:
    """File name -> path, for all sources.

    Raises:
      InputError: if data_dir is no folder, or lacks a file.
    """
    root = Path(data_dir).expanduser()
    if not root.is_dir():
        raise InputError(f"data_dir {str(data_dir)!r} is not a folder; give the folder that holds the raw files")
    return {source.file: _place(root, source) or _missing(root, source) for source in sources}


def find_layout(data_dir: str | Path, layouts: Sequence) -> tuple:
    """The first of a data set's layouts (`mmjax.data.dataset.Layout`) whose files are all there, and file name -> path.

    Raises:
      InputError: if there is none; it says what the first lacks.
    """
    for layout in layouts[1:]:
        if not any(_place(Path(data_dir).expanduser(), source) for source in layouts[0].sources):
            with contextlib.suppress(InputError):
                return layout, find(data_dir, layout.sources)
    return layouts[0], find(data_dir, layouts[0].sources)


def fetch_layout(dl_manager, layouts: Sequence, registered: Mapping | None) -> tuple:
    """As `find_layout` in TFDS's manual folder; what is not there is downloaded in the first layout.

    Args:
      dl_manager, registered: as `fetch` takes them.
      layouts: of the data set.

    Raises:
      InputError: if a file is in neither place.
    """
    manual = _manual_folder(dl_manager)
    layout = find_layout(manual, layouts)[0] if manual and len(layouts) > 1 else layouts[0]
    return layout, fetch(dl_manager, layout.sources, registered)


def fetch(dl_manager, sources: Sequence[Source], registered: Mapping | None) -> dict[str, Path]:
    """File name -> path, from TFDS's manual folder where it has the file, else downloaded.

    Args:
      dl_manager: TFDS's, for its two folders.
      sources: the files.
      registered: url -> what has `size` and `checksum` of it: a builder's `url_infos`. A url that is not there is
        of a file whose bytes are not always the same.

    Raises:
      InputError: if a file is in neither place.
    """
    manual, registered = _manual_folder(dl_manager), registered or {}
    paths = {source.file: path for source in sources if manual and (path := _place(manual, source))}
    absent = [source for source in sources if source.file not in paths]
    for source in absent:
        if not source.url:  # said before anything is downloaded in vain
            _missing(manual, source)
    for source in absent:
        known = registered.get(source.url)
        address = hashlib.sha256(source.url.encode()).hexdigest()[:16]
        path = Path(dl_manager.download_dir) / address / source.file
        size, sha256 = (int(known.size), known.checksum) if known else (None, None)
        try:
            paths[source.file] = download(source.url, path, size, sha256)
        except DownloadError as error:
            raise InputError(
                f"{source.file} could not be downloaded from {source.url} ({error}); get it from "
                f"{source.origin} and name its folder as data_dir or in MMJAX_DATA_DIR"
            ) from error
        except OSError as error:
            raise InputError(f"{path} cannot be written ({error}); name another folder in MMJAX_CACHE_DIR") from error
    return paths


def digest(paths: dict[str, Path], own: bool = False) -> str:
    """Sixteen hex digits of the SHA-256 of the files' names and contents; `own` as `reading` has it."""
    total = hashlib.sha256()
    for name, place in sorted(paths.items()):
        for path in sorted(p for p in place.rglob("*") if p.is_file()) if place.is_dir() else [place]:
            with reading(path, own), open(path, "rb") as file:
                inside = path.relative_to(place).as_posix() if place.is_dir() else ""
                total.update(f"{name}{inside}".encode() + hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()[:16]


@contextlib.contextmanager
def reading(path: Path, own: bool = False) -> Iterator[None]:
    """Turns whatever a parser raises on a file into one sentence about that file.

    Args:
      path: of the file.
      own: whether a person made it, who can make it again; otherwise it can be had again from its source.

    Raises:
      InputError: about the file.
      OSError: with the file's name, where the machine refused to read it: its permissions, or a failing disk.
    """
    try:
        yield
    except (InputError, MemoryError):
        raise
    except OSError as error:
        if error.errno not in REFUSALS:
            raise _not_readable(path, own, error) from error
        if error.filename:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
    except Exception as error:  # parsers of foreign formats raise anything on broken bytes
        raise _not_readable(path, own, error) from error


def _not_readable(path: Path, own: bool, error: Exception) -> InputError:
    reason = " ".join(str(error).split()) or type(error).__name__
    remedy = "save it again, or leave it out" if own else "get it again from its source"
    return InputError(f"{path} is truncated or not the right file ({reason}); {remedy}")


def _place(root: Path, source: Source) -> Path | None:
    names = filter(None, (source.file, source.instead))
    places = (place for name in names for place in (root / source.folder / name, root / name))
    return next((path for path in places if path.exists()), None)


def _manual_folder(dl_manager) -> Path | None:
    try:
        return Path(dl_manager.manual_dir)
    except AssertionError:  # TFDS's word for: there is no such folder
        return None


def _missing(root: Path | None, source: Source) -> NoReturn:
    looked = f"is neither in {root / source.folder} nor in {root}" if root else "cannot be downloaded"
    raise InputError(
        f"{source.file} {looked}; get it from {source.origin} and name its folder as data_dir or in MMJAX_DATA_DIR"
    )
