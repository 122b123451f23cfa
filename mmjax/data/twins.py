"""Names of classes that look too much alike."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from mmjax.errors import shown


def near_twins(classes: Sequence[str]) -> list[str]:
    """A sentence for each class that differs from one before in case, width, or marks between words alone."""
    first, sentences = {}, []
    for name in classes:
        seen = "".join(letter for letter in name if unicodedata.category(letter) != "Cf")  # without what has no width
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).casefold())
        key = re.sub(r"(?<=\w)[\s_-]+(?=\w)", " ", folded)
        if first.setdefault(key, name) != name:
            sentences.append(
                f"the classes {shown(first[key])} and {shown(name)} are nearly alike: if they are one, write them alike"
            )
    return sentences
