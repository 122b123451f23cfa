"""What a user called something is shown as it stands, whatever it would be to the reader of a file."""

import pandas as pd
import pytest

from benchmarks.escaping import escape_csv, escape_latex, escape_markdown, without_formulas


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a_b", r"a\_b"), (r"\{", r"\textbackslash{}\{"), ("5 & 6~", r"5 \& 6\textasciitilde{}"), ("100%", r"100\%"),
        ("$x^2$", r"\$x\textasciicircum{}2\$"), ("#1", r"\#1"), ("a<b>|c", r"a\textless{}b\textgreater{}\textbar{}c"),
        ("a\n\nb\tc", "a b c"), ("a\x00\x1b[31mb", "a[31mb"), ("a---b", "a-{}-{}-b"), ('"', "''"), ("±", r"$\pm$"),
        ("[/INST]", "[/INST]"), ("心電図", "心電図"),
    ],
)  # fmt: skip
def test_latex(text, escaped):
    assert escape_latex(text) == escaped


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a|b", r"a\|b"), ("`x`", r"\`x\`"), ("a\n# b", "a # b"), ("<script>", r"\<script>"), ("**x**", r"\*\*x\*\*"),
        ("[a](b)", r"[a]\(b)"), ("![a](b)", r"![a]\(b)"), (r"a\|b", r"a\\\|b"), ("~~x~~", r"\~\~x\~\~"),
        ("_x_", r"\_x\_"), ("low_rank_tensor", "low_rank_tensor"), ("__init__", r"\_\_init\_\_"), ("$x$", r"\$x\$"),
        ("92.0 [89.5, 94.5]", "92.0 [89.5, 94.5]"), ("a\r\n\x85\u2028b", "a b"), ("-317.7", "-317.7"),
    ],
)  # fmt: skip
def test_markdown(text, escaped):
    assert escape_markdown(text) == escaped


@pytest.mark.parametrize("text", ["=cmd", "+1", "-1", "@SUM(A1)", "\t=cmd", "\r=cmd", "\n=cmd", "＝cmd"])
def test_a_formula_of_a_spreadsheet_is_text(text):
    assert escape_csv(text) == "'" + text


@pytest.mark.parametrize("text", ["", "a=b", "unimodal/-x", "'a", " =a", "done"])
def test_what_is_no_formula_stays(text):
    assert escape_csv(text) == text


def test_a_spreadsheet_runs_no_name_of_a_class_and_numbers_stay():
    frame = pd.DataFrame({"decision": ["=cmd|' /C calc'!A0", "-1", "ill"], "@risk": [-0.5, 0.25, 1], "-1": [1, 2, 3]})
    escaped = without_formulas(frame)
    assert escaped["decision"].tolist() == ["'=cmd|' /C calc'!A0", "-1", "ill"]
    assert escaped["'@risk"].tolist() == [-0.5, 0.25, 1] and list(escaped) == ["decision", "'@risk", "-1"]
