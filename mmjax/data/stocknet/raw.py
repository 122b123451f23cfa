"""The raw files of `stocknet`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mmjax.data.arrays import by_split, check_codes, read_archive, strings_of, unpack_strings
from mmjax.data.dataset import Columns
from mmjax.data.sources import Source
from mmjax.errors import InputError

REPOSITORY = "https://github.com/yumoxu/stocknet-dataset"
FILE, TEXT_FILE = "stocknet.npz", "stocknet_text.npz"
SOURCES = tuple(Source("stocknet", file, "", f"{REPOSITORY} (see stocknet/README.md)") for file in (FILE, TEXT_FILE))
DAYS, PRICES = 10, 5  # trading days, and figures a day
DOCUMENT_DAYS, DIRECTIONS = 5, 64  # calendar days, and numbers a document
FIELDS = {
    "price": ("numbers", "n", DAYS, PRICES),
    "doc_index": ("whole numbers", "n", DOCUMENT_DAYS),
    "label": ("whole numbers", "n"),
    "stock": ("whole numbers", "n"),
    "date": ("strings", "n"),
    "split": ("whole numbers", "n"),
    "stock_names": ("strings", None),
    "doc_lsa64": ("numbers", None, DIRECTIONS),
}
TEXT_FIELDS = {"doc_utf8": ("whole numbers", None), "doc_offset": ("whole numbers", None)}


def read(paths: Mapping[str, Path]) -> dict[str, Columns]:
    """split -> column -> [n, ...].

    Raises:
      InputError: if a file is broken, lacks an array, or a document is named that does not exist.
    """
    path = paths[FILE]
    raw = read_archive(path, FIELDS)
    packed = read_archive(paths[TEXT_FILE], TEXT_FIELDS)
    texts = unpack_strings(paths[TEXT_FILE], "doc", packed["doc_utf8"], packed["doc_offset"])
    vectors = raw["doc_lsa64"].astype(np.float32)
    index = raw["doc_index"]
    if len(texts) != len(vectors) or index.max() >= len(vectors) or index.min() < -1:
        raise InputError(
            f"{path}: doc_index holds {index.min()} to {index.max()}, with {len(vectors)} documents there and "
            f"{len(texts)} in {paths[TEXT_FILE]}; get both files again"
        )
    labels = check_codes(path, "label", raw["label"], 2)
    names = strings_of(raw["stock_names"])
    columns = {
        "price": raw["price"].astype(np.float32),
        "stock": names[check_codes(path, "stock", raw["stock"], len(names))],
        "date": strings_of(raw["date"]),
        "label": labels,
    } | document_columns(index, vectors, texts)
    return by_split(columns, check_codes(path, "split", raw["split"], 3))


def document_columns(index: np.ndarray, vectors: np.ndarray, texts: Sequence[str]) -> Columns:
    """Columns of what was written in the days before.

    Args:
      index: [n, DOCUMENT_DAYS] place of each day's document, the oldest first, -1 where there is none.
      vectors: [documents, DIRECTIONS].
      texts: of the documents.
    """
    order = np.argsort(index < 0, axis=1, kind="stable")  # days with a document first, in their order
    days = np.take_along_axis(index, order, axis=1)
    lengths = (index >= 0).sum(axis=1)
    return {
        "documents": np.where((days >= 0)[..., None], vectors[days], 0),
        "documents_length": lengths.astype(np.int32),
        "has_text": lengths > 0,
        "text": strings_of(["\n".join(texts[place] for place in row if place >= 0) for row in index]),
    }
