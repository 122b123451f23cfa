"""Names of files and folders that are made of what users and tasks are called."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

MOST_BYTES = 120  # of the 255 that file systems take, with what is put before and after


def file_name(text: str) -> str:
    """A text as part of a file's name: letters, digits, `.`, `_`, `-` and `+`; a long one is cut and told by a hash."""
    text_only = re.sub(r"[()\[\]{}]", "", text.replace("/", "."))
    name = re.sub(r"[^\w.+-]+", "-", text_only).lstrip(".")
    if len(name.encode()) <= MOST_BYTES:
        return name
    kept = name.encode()[: MOST_BYTES - 9].decode(errors="ignore")
    return f"{kept}-{_hash(text)}"


def file_names(texts: Iterable[str]) -> dict[str, str]:
    """Text -> its file's name, which no other text has, not even on a system that takes upper for lower case."""
    names = {text: file_name(text) for text in texts}
    lower = [name.casefold() for name in names.values()]
    return {
        text: name if lower.count(name.casefold()) == 1 else f"{name}-{_hash(text)}" for text, name in names.items()
    }


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
