"""Tables: the columns that are promised, the same bytes for the same records, nothing invented, all escaped."""

import csv
import io

import pytest
import rich.console

from benchmarks import tables


@pytest.mark.parametrize(
    "value, told",
    [(64319.4328, "64319.433"), (0.25, "0.250"), (0.0, "0.000"), (0.01234, "0.0123"), (-1.2e-8, "-1.2e-08")],
)
def test_errors_in_any_unit_are_told(value, told):
    assert tables.in_unit(value) == told


def record(task, level, fusion, accuracy=(), status="done", **metrics):
    metrics = {"accuracy": list(accuracy), **metrics} if accuracy else metrics
    return {
        "task": task, "level": level, "fusion": fusion, "strategy": "joint", "seeds": len(accuracy) or 1,
        "metrics": metrics, "parameters": 1234567, "train_samples_per_second": 9876.44,
        "inference_samples_per_second": None, "status": status,
    }  # fmt: skip


RECORDS = [
    record("two", "model", "mmtm", [0.91, 0.92, 0.93], nll=[0.3, 0.2, 0.1]),
    record("two", "feature", "low_rank_tensor", [0.90, 0.90, 0.90], nll=[0.1, 0.1, 0.1]),
    record("two", "baseline", "oracle", [0.99, 0.99, 0.99]),
    record("two", "decision", "mean", status="failed: loss is NaN | epoch 3, 100% of {x}"),
    record("two", "baseline", "unimodal/audio", [0.8]),
    record("two", "baseline", "majority", [0.5]) | {"parameters": None, "train_samples_per_second": None},
    record("regress", "feature", "concat", mae=[1.5], rmse=[2.0]),
]
NOTES = {"two": ["Bayes accuracy: all 92.5%, text_only 70%"]}


def rows():
    return list(csv.DictReader(io.StringIO(tables.csv(RECORDS))))


def test_csv_has_the_promised_columns():
    metrics = [f"{name}_{bound}" for name in ("accuracy", "nll", "mae", "rmse") for bound in ("mean", "low", "high")]
    rates = ["train_samples_per_second", "inference_samples_per_second"]
    expected = ["task", "level", "fusion", "strategy", "seeds", *metrics, "parameters", *rates, "status"]
    assert list(rows()[0]) == expected


def test_tuned_values_have_columns_before_the_status():
    tuned = record("two", "model", "mmtm", [0.9]) | {"tuned": {"learning_rate": 0.0012345, "width": 64}}
    records = [record("two", "baseline", "majority", [0.5]), tuned]
    majority, mmtm = csv.DictReader(io.StringIO(tables.csv(records)))
    assert list(mmtm)[-3:] == ["learning_rate", "width", "status"]
    assert (mmtm["learning_rate"], mmtm["width"]) == ("0.0012345", "64")
    assert majority["learning_rate"] == majority["width"] == ""
    assert "| learning rate | width | status |" in (text := tables.markdown(tables.sections(records)))
    assert "| 0.00123 | 64 | done |" in text and "|  |  | done |" in text


def test_the_gap_to_bayes_has_a_column_where_it_is_known():
    known = record("two", "model", "mmtm", [0.9]) | {"gap_to_bayes": 2.345}
    records = [record("two", "baseline", "oracle", [0.95]), known]
    oracle, mmtm = csv.DictReader(io.StringIO(tables.csv(records)))
    assert (mmtm["gap_to_bayes"], oracle["gap_to_bayes"]) == ("2.345", "")
    text = tables.markdown(tables.sections(records))
    assert "| gap to Bayes | status |" in text and "| 2.3 | done |" in text


def test_classical_baselines_lie_between_single_modalities_and_the_oracle():
    names = ["oracle", "late_forest", "unimodal/audio", "majority"]
    shown = tables.table([record("two", "baseline", name, [0.5]) for name in names])
    assert list(shown["fusion"]) == ["majority", "unimodal/audio", "late_forest", "oracle"]


def test_accuracy_comes_first_whatever_comes_before_it():
    assert list(tables.table(RECORDS[::-1]))[5] == "accuracy_mean"


def test_rows_go_from_baselines_up_the_levels():
    names = [row["fusion"] for row in rows()]
    assert names == ["majority", "unimodal/audio", "oracle", "low_rank_tensor", "mean", "mmtm", "concat"]


def test_figures_are_theirs_and_missing_ones_are_empty():
    by_name = {row["fusion"]: row for row in rows()}
    # S = 3 with standard deviation .01: the half width is 4.3027 * .01 / sqrt(3) = .024841.
    mmtm = [by_name["mmtm"][f"accuracy_{bound}"] for bound in ("mean", "low", "high")]
    assert mmtm == ["0.92", "0.895159", "0.944841"]
    assert by_name["mmtm"]["parameters"] == "1234567" and by_name["mmtm"]["train_samples_per_second"] == "9876.4"
    assert by_name["unimodal/audio"]["accuracy_low"] == "0.8"
    for fusion, column in [("mean", "accuracy_mean"), ("majority", "parameters"), ("concat", "accuracy_mean"),
                           ("majority", "train_samples_per_second"), ("mmtm", "mae_mean")]:  # fmt: skip
        assert by_name[fusion][column] == ""


def test_markdown_reads_in_percent_with_the_best_in_bold():
    text = tables.markdown(tables.sections(RECORDS, NOTES))
    assert "| **92.0 [89.5, 94.5]** | 0.200 | 1,234,567 | 9,876 |  | done |" in text
    # The oracle is a ceiling, not the best; and a tie of nll is decided by the lower.
    assert "| oracle | joint | 3 | 99.0 |" in text and "**0.100**" in text
    assert text.index("## two") < text.index("- Bayes accuracy: all 92.5%") < text.index("## regress")
    assert r"failed: loss is NaN \| epoch 3" in text
    assert "**1.500** | **2.000**" in text and "accuracy" not in text[text.index("## regress") :]


def test_latex_is_booktabs_and_escaped():
    text = tables.latex(tables.sections(RECORDS, NOTES))
    for command in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert text.count(command) == 2
    assert r"low\_rank\_tensor" in text and r"text\_only 70\%" in text and r"accuracy \%" in text
    assert r"\textbf{92.0 [89.5, 94.5]}" in text
    assert r"100\% of \{x\}" in text
    for line in text.splitlines():
        assert "%" not in line.replace(r"\%", ""), "an unescaped % would hide the rest of its line"


ODD = "a|b `c` <script>x</script> $d$ [link](javascript:e)\n\n# f & g % {h} ~i"


def test_names_of_users_are_text_in_every_file():
    names = {"task": ODD, "status": f"failed: {ODD}", "fusion": f"unimodal/{ODD}"}
    odd = record("two", "baseline", "unimodal/x", [0.5]) | names
    csv_row = next(csv.DictReader(io.StringIO(tables.csv([odd]))))
    assert {name: csv_row[name] for name in names} == names
    parts = tables.sections([odd], {ODD: [ODD]})
    lines = tables.markdown(parts).splitlines()
    assert len(lines) == 7, "heading, a table of three lines, a note, and empty lines between"
    table = [line for line in lines if line.startswith("|")]
    assert {line.replace(r"\|", "").count("|") for line in table} == {table[0].count("|")}
    for line in lines:
        assert "<script" not in line.replace(r"\<", "") and "](" not in line and "`" not in line.replace(r"\`", "")
    assert "\n\n" not in tables.latex(parts).replace("\n\n\\begin", "")


def test_no_cell_of_the_csv_is_a_formula():
    odd = record("=cmd|' /C calc'!A0", "baseline", "-2+3", [0.5]) | {"status": "@SUM(1)"}
    lines = tables.csv([odd, record("+1", "feature", "concat", [0.25])]).splitlines()[1:]
    assert lines[0].startswith("'=cmd|' /C calc'!A0,baseline,'-2+3,joint,1,0.5") and lines[0].endswith(",'@SUM(1)")
    assert lines[1].startswith("'+1,feature,concat,joint,1,0.25") and lines[1].endswith(",done")
    below_zero = record("task", "feature", "concat", r2=[-0.5])
    assert ",-0.5," in tables.csv([below_zero]), "figures are figures"


def test_equal_records_give_equal_bytes(tmp_path):
    written = []
    for name in ("once", "again"):
        (tmp_path / name).mkdir()
        tables.write(iter(RECORDS), tmp_path / name, NOTES)
        written.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert written[0] == written[1] and set(written[0]) == {"table.csv", "table.md", "table.tex"}
    assert not any(b"\r" in content for content in written[0].values())


def test_every_table_says_how_many_seeds_diverged():
    told = "1 of 3 seeds diverged"
    records = [*RECORDS, record("two", "feature", "concat", [0.5, 0.6, 0.7], status=told)]
    console = rich.console.Console(width=80, file=io.StringIO())
    console.print(tables.terminal_table(records))
    parts = tables.sections(records)
    for text in (tables.markdown(parts), tables.latex(parts), tables.csv(records)):
        assert text.count(told) == 1
    lines = console.file.getvalue().splitlines()
    place = next(place for place, line in enumerate(lines) if told in line)
    assert "concat" in lines[place - 1], "below its own row"


def test_terminal_table_fits_80_columns_and_takes_names_as_text():
    marked = [*RECORDS, record("two", "model", "[red]evil", [0.1])]
    marked += [record("two", "decision", "evidential_average", [0.9, 0.1]) | {"parameters": 12345678}]
    console = rich.console.Console(width=80, file=io.StringIO(), color_system=None)
    console.print(tables.terminal_table(marked))
    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    for part in ("[red]evil", "92.0 [89.5, 94.5]", "infer/s", "failed: loss", "evidential_average", "12,345,678"):
        assert part in text


def of_split(split):
    return [each | {"split": split} for each in RECORDS]


def test_figures_of_validation_are_called_so_everywhere():
    records = of_split("validation")
    parts = tables.sections(records, NOTES)
    assert [part.score for part in parts] == ["validation accuracy %", "validation mae"]
    assert "| validation accuracy % |" in tables.markdown(parts) and "| accuracy % |" not in tables.markdown(parts)
    assert "two: validation split, mean" in tables.latex(parts) and "test split" not in tables.latex(parts)
    assert {row["split"] for row in csv.DictReader(io.StringIO(tables.csv(records)))} == {"validation"}
    console = rich.console.Console(file=io.StringIO(), width=80)
    console.print(tables.terminal_table(records))
    text = console.file.getvalue()
    assert "over seeds] on validation" in text and "on test" not in text and max(map(len, text.splitlines())) <= 80


def test_figures_of_two_splits_do_not_go_into_one_table():
    mixed = [*of_split("validation"), *of_split("test")]
    for make in (tables.csv, tables.sections, tables.terminal_table):
        with pytest.raises(ValueError, match="splits test, validation do not go into one table"):
            make(mixed)
