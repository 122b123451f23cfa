"""What a target's cells and arrays are taken for, and how what is wrong with them is pointed at."""

import numpy as np
import pytest

from mmjax.data import load_task
from mmjax.data.folder.schema import read_schema
from mmjax.data.folder.targets import read_groups, read_splits, read_target, rows_of
from mmjax.errors import InputError

TASK = """\
modalities:
  a: {{kind: vector, file: t.csv, columns: [a]}}
  b: {{kind: vector, file: t.csv, columns: [b]}}
target: {{file: {file}, {where}{more}}}
{top}"""


def write(folder, labels, *, file="t.csv", where="column: y", more="", top=""):
    rows = "".join(f"{place},{place % 3},{label}\n" for place, label in enumerate(labels))
    (folder / "t.csv").write_text(f"a,b,y\n{rows}", encoding="utf-8")
    (folder / "task.yaml").write_text(TASK.format(file=file, where=where, more=more, top=top), encoding="utf-8")
    return folder


def target_of(folder, labels, **more):
    schema = read_schema(write(folder, labels, **more))
    return read_target(schema, rows_of(schema))[:2]


def array_target(folder, values, *, file="y.npz", where="array: y", more=""):
    np.savez(folder / "y.npz", y=values)
    np.save(folder / "y.npy", values)
    return target_of(folder, ["x"] * len(values), file=file, where=where, more=more)


@pytest.mark.parametrize(
    "labels, more, kind, classes",
    [
        (["0", "0.0", "1", "1.0"], "", "binary", ("0", "1")),
        (["sick", "sick ", "well"], "", "binary", ("sick", "well")),
        (["None", "Severe", "None"], ", classes: [None, Severe]", "binary", ("None", "Severe")),
        (["NA", "SA", "EU"], ", classes: [EU, NA, SA]", "multiclass", ("EU", "NA", "SA")),
        (["1", "0", "1.0"], ", classes: [1.0, 0]", "binary", ("1", "0")),
        (["no", "yes", "no"], ", classes: [yes, no]", "binary", ("yes", "no")),
        (["0.5", "1.5", "2"], "", "regression", ()),
        ([str(place) for place in range(21)], "", "regression", ()),
        ([str(place) for place in range(21)], ", kind: multiclass", "multiclass", tuple(map(str, range(21)))),
        (["1e3", "0", "1000"], "", "binary", ("0", "1000")),
    ],
)
def test_cells_as_labels(tmp_path, labels, more, kind, classes):
    target, values = target_of(tmp_path, labels, more=more)
    assert target.kind == kind and target.names == classes
    if classes:
        assert len(values) == len(labels) and set(values) == set(range(len(classes)))


@pytest.mark.parametrize(
    "labels, more, told",
    [
        (
            ["None", "Severe", "None"],
            "",
            "line 2, column 'y': the target is missing ('None'); fill it in or drop the row; if "
            "'None' is a class, name it beside the others: `classes: ['None', 'Severe']`",
        ),
        (["a", "", "b"], "", "line 3, column 'y': the target is missing; fill"),
        (["a", "", "b"], ", classes: [a, b]", "line 3"),
        (["1.5", "NA", "2.5"], ", kind: regression", "line 3, column 'y': the target is missing ('NA'); fill it in"),
        (["a", "b", "c"], ", classes: [a, b]", "line 4, column 'y': class 'c' is none of 'a', 'b'"),
        (["0.0", "1.0", "x"], ", classes: [0, 1]", "line 4, column 'y': class 'x' is none of '0', '1'"),
        (["0", "1", "0"], ", classes: [0, 0.0, 1]", "classes names '0' twice"),
        (["a", "a ", "a"], "", "classes are 'a'; give two or more"),
        (
            [*map(str, range(40)), "12 kg"],
            "",
            "line 42, column 'y': the target is '12 kg', and 41 of 41 cells hold numbers",
        ),
        ([*map(str, range(40)), "inf"], "", "line 42"),
        (
            [*map(str, range(40)), "inf"],
            ", kind: regression",
            "line 42, column 'y': 'inf' is not finite; correct it or",
        ),
        ([f"{place}" for place in range(9)], ", kind: multilabel", "line 4, column 'y': the target is [2.0]"),
    ],
)
def test_cells_that_are_no_labels(tmp_path, labels, more, told):
    with pytest.raises(InputError) as error:
        target_of(tmp_path, labels, more=more)
    assert told in str(error.value) and len(str(error.value)) < 600


TENTHS = [f"{number / 10:.1f}" for number in range(360, 375)] * 3


@pytest.mark.parametrize(
    "write, factor",
    [
        (lambda text: text.replace(".", ","), 1),
        (lambda text: "1." + text.replace(".", "") + ",5", 10),
        (lambda text: f"1'{text.replace('.', '')}.5", 10),
        (lambda text: f"1\u202f{text.replace('.', '')},5", 10),
    ],
)
@pytest.mark.parametrize("more", ["", ", kind: regression"])
def test_a_number_is_a_number_however_it_is_written(tmp_path, write, factor, more):
    target, values = target_of(tmp_path, [f'"{write(text)}"' for text in TENTHS], more=more)
    expected = [float(text) if factor == 1 else 1000.5 + 10 * float(text) for text in TENTHS]
    assert target.kind == "regression"
    np.testing.assert_allclose(values[:, 0], expected, rtol=1e-6)


@pytest.mark.parametrize("labels", [["0,0", "1,0"] * 9, ["1 000", "2 000"] * 9])
def test_few_whole_numbers_are_classes_however_they_are_written(tmp_path, labels):
    assert target_of(tmp_path, [f'"{label}"' for label in labels])[0].names == tuple(labels[:2])


@pytest.mark.parametrize(
    "labels",
    [
        [f"{number} kg" for number in range(60, 75)] * 3,
        [f"{number}kg" for number in range(60, 75)] * 3,
        [f"{number}%" for number in range(60, 75)] * 3,
        [f"€ {number}" for number in range(60, 75)] * 3,
        [f"{text} kg".replace(".", ",") for text in TENTHS],
        [f"1,{number:03}" for number in range(4, 19)] * 3,
        [*TENTHS, "unknown"],
        [*TENTHS, "36,6"],
        ["<5", *TENTHS],
        ["60", "61kg", "62 kg"] * 9,
    ],
)
def test_what_is_nearly_a_column_of_numbers_is_asked_for_and_not_guessed(tmp_path, labels):
    quoted = [f'"{label}"' for label in labels]
    with pytest.raises(InputError, match=r"t.csv, line \d+, column 'y': .*or say `kind: multiclass`") as error:
        target_of(tmp_path, quoted)
    assert "and say `kind: regression`" in str(error.value) or "may be 1004 or 1.004" in str(error.value)
    target, _ = target_of(tmp_path, quoted, more=", kind: multiclass")
    assert target.kind == "multiclass" and set(target.names) == set(labels)
    target, _ = target_of(tmp_path, quoted, more=f", classes: [{', '.join(sorted(set(quoted)))}]")
    assert set(target.names) == set(labels)


@pytest.mark.parametrize(
    "labels",
    [
        ["1", "2", "3A"],
        ["3A", "3B", "4A"],
        ["0-9", "10-19", "20"],
        ["1", "2", "many"],
        ["1st", "2nd", "3rd"],
        ["T1", "T2", "T3"],
    ],
)
def test_codes_are_classes(tmp_path, labels):
    assert set(target_of(tmp_path, labels * 9)[0].names) == set(labels)


def test_an_array_of_one_column_is_one_value(tmp_path):
    numbers = np.linspace(0, 1, 30)
    target, values = array_target(tmp_path, numbers[:, None])
    assert target.kind == "regression"
    np.testing.assert_allclose(values[:, 0], numbers, rtol=1e-6)
    target, values = array_target(tmp_path, np.arange(30)[:, None] % 3)
    assert target.names == ("0", "1", "2")
    np.testing.assert_array_equal(values, np.arange(30) % 3)


@pytest.mark.parametrize("values, names", [
    (np.arange(30) % 2 == 0, ("False", "True")),
    (np.arange(30) % 2 * 1.0, ("0", "1")),
    (np.array(["b ", "a"] * 15), ("a", "b")),
])  # fmt: skip
def test_arrays_of_other_types(tmp_path, values, names):
    assert array_target(tmp_path, values)[0].names == names


def test_an_array_alone_needs_no_name(tmp_path):
    assert array_target(tmp_path, np.arange(30) % 2, file="y.npy", where="kind: binary")[0].names == ("0", "1")


def test_an_array_of_several_columns_is_several_labels_where_the_kind_says_so(tmp_path):
    labels = np.random.default_rng(0).integers(0, 2, (30, 4))
    target, values = array_target(tmp_path, labels, more=", kind: multilabel")
    assert target.kind == "multilabel"
    np.testing.assert_array_equal(values, labels)
    with pytest.raises(InputError, match=r"the target 'y' is \(30, 4\); accepted are"):
        array_target(tmp_path, labels)
    labels[7, 2] = 5
    with pytest.raises(InputError, match=r"row 7, column 'y\[:, 2\]': the target is"):
        array_target(tmp_path, labels, more=", kind: multilabel")


def warnings_of(folder, values):
    schema = read_schema(write(folder, values))
    return read_target(schema, rows_of(schema)).warnings


def test_digits_that_single_precision_loses_are_told(tmp_path):
    """Near 1.7e9 two numbers of single precision are 128 apart: an error of 64, half the way between them."""
    minutes = [1_700_000_000 + 60 * place for place in range(300)]
    (told,) = warnings_of(tmp_path, minutes)
    kept = len(np.unique(np.float32(minutes)))
    assert f"the target 'y' loses digits in single precision: 300 different values become {kept}" in told
    assert "wrong by up to 64," in told and "subtract a constant" in told
    assert any(told in warning for warning in load_task(str(tmp_path), cache_dir=str(tmp_path / "cache")).warnings)
    assert warnings_of(tmp_path, [value - minutes[0] for value in minutes]) == ()


@pytest.mark.parametrize(
    "values",
    [np.random.default_rng(0).normal(size=3000), np.linspace(0, 1, 300), np.arange(300) * 1e9, np.full(30, 0.1)],
)
def test_rounding_that_no_regression_feels_is_not_told(tmp_path, values):
    assert warnings_of(tmp_path, [repr(float(value)) for value in values]) == ()


def test_near_twins_are_warned_of_in_the_task(tmp_path):
    labels = ["Sick" if place % 4 == 0 else "sick" if place % 2 else "well" for place in range(60)]
    task = load_task(str(write(tmp_path, labels)), cache_dir=str(tmp_path / "cache"))
    assert task.class_names == ("Sick", "sick", "well")
    assert any("'Sick' and 'sick' are nearly alike" in warning for warning in task.warnings)


def test_groups_and_splits_are_pointed_at_by_the_line_of_their_own_file(tmp_path):
    folder = write(
        tmp_path, ["x", "y", "x"], top="id: a\ngroups: {file: g.csv, column: g}\nsplits: {file: g.csv, column: s}\n"
    )
    (folder / "g.csv").write_text("a,g,s\n2,,train\n\n1,u,Tests\n0,u,test\n")
    schema = read_schema(folder)
    rows = rows_of(schema)
    with pytest.raises(InputError, match="g.csv, line 2, column 'g': the example has no group"):
        read_groups(schema, rows)
    with pytest.raises(InputError, match="g.csv, line 4, column 's': the split is 'tests'"):
        read_splits(schema, rows)
    (folder / "g.csv").write_text("a,g,s\n1,u,Train\n0,u, TEST \n")
    with pytest.raises(InputError, match="g.csv, where no line has the key '2'"):
        read_groups(read_schema(folder), rows)
