"""What the disk refuses, as an OSError that names the place, whatever library met the refusal."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from mmjax.errors import InputError

REFUSALS = tuple(
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "EFBIG", "EIO", "EMFILE", "ENFILE", "ESTALE")
    if hasattr(errno, name)
)


@contextlib.contextmanager
def writing(place: str | Path) -> Iterator[None]:
    """A context that writes to a file or folder: whatever the disk refuses in it becomes an OSError with its name.

    A write to an open file says no name, and libraries written in C++ (TensorStore below Orbax, ArrayRecord below
    TFDS) raise ValueError or RuntimeError with the system's words in the message.
    """
    try:
        yield
    except InputError:
        raise  # which says more
    except Exception as error:
        code = refusal(error)
        if code is None or getattr(error, "filename", None):
            raise
        raise OSError(code, os.strerror(code), str(place)) from error


def refusal(error: BaseException) -> int | None:
    """The number of the disk's refusal that an exception is, or was raised because of; None where there is none.

    Of what came before an exception only REFUSALS count: a file that was looked for in vain is often no fault.
    """
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, OSError):
            if error.errno in REFUSALS:
                return error.errno
            if " requested and " in str(error):  # NumPy's words for a write that was cut short
                return errno.ENOSPC
        else:
            found = [code for code in REFUSALS if os.strerror(code) in str(error)]
            if found:
                return found[0]
        error = error.__cause__ or error.__context__
    return None
