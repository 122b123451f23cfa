"""Text that a user chose, as each kind of file shows it and nothing more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mmjax.data.folder.numbers import number_in_cell

if TYPE_CHECKING:
    import pandas as pd

_LATEX = str.maketrans({
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': "''", "`": r"\textasciigrave{}",
})  # fmt: skip
_MARKDOWN = str.maketrans({mark: f"\\{mark}" for mark in "\\`*|<~$"})
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def escape_latex(text: str) -> str:
    """The text as LaTeX prints it, in one line: an empty line would end a caption."""
    escaped = _one_line(text).translate(_LATEX)
    return re.sub(r"-(?=-)", "-{}", escaped)  # two would be a dash


def escape_markdown(text: str) -> str:
    """The text as Markdown shows it, in one line: no markup, no HTML, no link, no mathematics, and no end of a cell."""
    escaped = _one_line(text).translate(_MARKDOWN).replace("](", r"]\(")
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\_", escaped)  # within a word it is no markup


def escape_csv(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def without_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """A table for a CSV, its texts and heading escaped; one that is a number, as -1, is no formula."""

    def escape(cell):
        return escape_csv(cell) if isinstance(cell, str) and number_in_cell(cell, ".") is None else cell

    texts = {column: frame[column].map(escape) for column in frame if frame[column].dtype.kind not in "biuf"}
    return frame.assign(**texts).rename(columns=escape)


def _one_line(text: str) -> str:
    """Whitespace as single spaces, and no control characters."""
    words = "".join(letter if letter.isprintable() or letter.isspace() else "" for letter in text).split()
    return " ".join(words)
