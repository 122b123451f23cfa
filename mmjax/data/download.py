"""Files from the web: whole and with the registered checksum, or not at all.

What has come lies in `<file>.part` until it is whole; a download that was cut off goes on from there, in this process
or in a later one. `<file>.part.etag` names the version of the file that the part is of.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from mmjax.data.cache import alone

WAITS = (0.5, 1.0, 2.0, 4.0)  # seconds before the second, third ... request
TIMEOUT = (10, 30)  # seconds until a connection stands, and between two pieces of an answer
PIECE = 1 << 12  # bytes; so many are lost where a connection breaks, at most
RETRIED = (408, 425, 429, 500, 502, 503, 504)  # statuses of a server that may answer better a little later


class DownloadError(OSError):
    """Why a file could not be downloaded, in a few words."""


class _Broken(Exception):
    """An answer that ended early: the next request may get the rest."""


def download(
    url: str, path: Path, size: int | None = None, sha256: str | None = None, wait: Callable[[float], None] = time.sleep
) -> Path:
    """The file at an address, under `path`.

    Processes that want the same path wait for the first. A file that is there already is not downloaded again, if it
    is what is registered.

    Args:
      url: the address.
      path: where the file is to lie; its folder is made.
      size: bytes that are registered; None where they are not known, as of archives that a server makes anew each time.
      sha256: hex digits that are registered, or None.
      wait: is called with seconds before a request is repeated.

    Raises:
      DownloadError: if the server cannot be reached, refuses, breaks off again and again, or sends another file.
    """
    part = path.with_name(f"{path.name}.part")
    with alone(path):
        if path.is_file() and not _difference(path, size, sha256):
            return path
        resumed = _complete(url, part, size, sha256, wait)
        difference = _difference(part, size, sha256)
        if difference and resumed:  # the part may have been of an older version of the file
            _forget(part)
            _complete(url, part, size, sha256, wait)
            difference = _difference(part, size, sha256)
        if difference:
            _forget(part)
            raise DownloadError(f"what the server sends is not the registered file: {difference}")
        os.replace(part, path)
        _forget(part)
    return path


def _complete(url: str, part: Path, size: int | None, sha256: str | None, wait: Callable[[float], None]) -> bool:
    """Requests what the part lacks until it is whole; returns whether it was begun by an earlier answer."""
    import requests

    waits, resumed = list(WAITS), False
    with requests.Session() as session:
        while True:
            try:
                return _request(session, url, part, size, sha256) or resumed
            except _Broken as error:
                if not waits:
                    raise DownloadError(f"{error}, {len(WAITS) + 1} times") from error
                resumed = part.is_file()
                wait(waits.pop(0))


def _request(session, url: str, part: Path, size: int | None, sha256: str | None) -> bool:
    """One request for what the part lacks; returns whether something was there before.

    Raises:
      _Broken: if another request may help.
      DownloadError: if it would not.
    """
    import requests

    begun, version = _begun(part, sha256)
    if size is not None and begun >= size:
        return True  # whole, or of another file: the checksum tells
    headers = {"Accept-Encoding": "identity"}  # compressed, a length would not be the file's
    if begun:
        headers["Range"] = f"bytes={begun}-"
        if version:
            headers["If-Range"] = version
    try:
        with session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            start = _start(answer, begun, part)
            if start == 0:
                _forget(part)
                _keep_version(part, answer)
            expected = _check_total(answer, size)
            _append(answer, part, size)
    except requests.RequestException as error:
        if _is_unreachable(error):
            raise DownloadError(_reason(error)) from error
        raise _Broken(f"the connection broke ({_reason(error)}){_state(part, size)}") from error
    if expected is not None and part.stat().st_size < expected:
        raise _Broken(f"the answer ended early{_state(part, size)}")
    return start > 0


def _begun(part: Path, sha256: str | None) -> tuple[int, str]:
    """Bytes that need not be requested again, and the version they are of, if it is known."""
    tag = _tag(part)
    version = tag.read_text(encoding="utf-8") if tag.is_file() else ""
    if not part.is_file() or not (version or sha256):  # nothing would tell that two halves are of different files
        return 0, ""
    return part.stat().st_size, version


def _start(answer, begun: int, part: Path) -> int:
    """Byte of the file at which an answer begins."""
    if answer.status_code == 200:
        return 0  # there was no part, the file has changed, or the server knows no ranges
    if answer.status_code == 206:
        sent = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
        if sent and int(sent[1]) == begun:
            return begun
    if answer.status_code in (206, 416):
        _forget(part)
        raise _Broken("the server does not send what is missing")
    words = f"the server answers {answer.status_code} {answer.reason or ''}".strip()
    raise _Broken(words) if answer.status_code in RETRIED else DownloadError(words)


def _check_total(answer, size: int | None) -> int | None:
    """Bytes that the whole file has, by what is registered or else by what the server says."""
    if answer.status_code == 200:
        stated = answer.headers.get("Content-Length", "")
    else:
        stated = answer.headers.get("Content-Range", "").rpartition("/")[2]
    total = int(stated) if stated.isdecimal() else None
    if None not in (size, total) and total != size:
        raise DownloadError(f"the server's file has {total:,} bytes, and {size:,} are registered")
    return total if size is None else size


def _append(answer, part: Path, size: int | None) -> None:
    with open(part, "ab") as file:
        for piece in answer.iter_content(PIECE):
            file.write(piece)
            if size is not None and file.tell() > size:
                raise DownloadError(f"the server sends more than the {size:,} bytes that are registered")


def _difference(path: Path, size: int | None, sha256: str | None) -> str:
    """How a file differs from what is registered; empty if it does not."""
    found = path.stat().st_size
    if size is not None and found != size:
        return f"it has {found:,} bytes, not {size:,}"
    with open(path, "rb") as file:
        if sha256 is not None and (digits := hashlib.file_digest(file, "sha256").hexdigest()) != sha256.lower():
            return f"its SHA-256 is {digits[:12]}..., not {sha256[:12]}..."
    return ""


def _keep_version(part: Path, answer) -> None:
    """Notes what the server calls this version, if it promises the same bytes under that name."""
    version = answer.headers.get("ETag", "")
    if version.startswith('"'):
        _tag(part).write_text(version, encoding="utf-8")


def _tag(part: Path) -> Path:
    return part.with_name(f"{part.name}.etag")


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _tag(part).unlink(missing_ok=True)


def _state(part: Path, size: int | None) -> str:
    found = part.stat().st_size if part.is_file() else 0
    return f" after {found:,}" + (" bytes" if size is None else f" of {size:,} bytes")


def _is_unreachable(error) -> bool:
    """Whether there was no connection at all: without a network, waiting is in vain."""
    import requests
    from urllib3.exceptions import NewConnectionError

    cause = getattr(error.args[0], "reason", None) if error.args else None
    hopeless = (requests.ConnectTimeout, requests.exceptions.ProxyError, requests.exceptions.SSLError)
    wrong_address = isinstance(error, ValueError)  # requests' word for an address that is none
    return isinstance(error, hopeless) or isinstance(cause, NewConnectionError) or wrong_address


def _reason(error: BaseException) -> str:
    """What is at the bottom of requests' nested exceptions, without the addresses of objects."""
    cause = getattr(error.args[0], "reason", None) if error.args else None
    words = " ".join(str(cause or error).split())
    return re.sub(r"^<?[\w.]+\(.*?\)>?: |^\w+\(.*?\): ", "", words) or type(error).__name__
