"""What the fields of a task.yaml take: each text is typed by the field that it belongs to."""

import pytest

from mmjax.data.folder.schema import read_schema
from mmjax.data.transforms.tabular import Scale
from mmjax.data.transforms.text import Clean, TfIdf
from mmjax.errors import InputError

PLAIN = """\
modalities:
  vitals: {{kind: table, file: t.csv, columns: {columns}{more}}}
  {name}: {{kind: text, file: t.csv, column: note{text}}}
target: {{file: t.csv, column: label{target}}}
{top}"""


def schema_of(folder, *, columns="[age]", more="", name="note", text="", target="", top=""):
    folder.mkdir(exist_ok=True)
    (folder / "task.yaml").write_text(
        PLAIN.format(columns=columns, more=more, name=name, text=text, target=target, top=top), encoding="utf-8"
    )
    return read_schema(folder)


def test_names_stay_words(tmp_path):
    schema = schema_of(
        tmp_path, columns="[on, 1e3, 01, no, null]", target=", classes: [None, 'No', 0.0, 1]", top="id: 007"
    )
    assert schema.modalities[0].reference.columns == ("on", "1e3", "01", "no", "null")
    assert schema.target.classes == ("None", "No", "0.0", "1") and schema.id == "007"


def test_numbers_and_truth_values_are_typed_by_their_field(tmp_path):
    steps = ", steps: [{transform: Clean, lower: no}, {transform: TfIdf, features: 1e3, grams: [1, 2], analyzer: char}]"
    schema = schema_of(
        tmp_path, text=steps, more=", size: [8, 08], seconds: .5, rate: 1e3, steps: [{transform: Scale}]"
    )
    vitals, note = schema.modalities
    assert note.steps == (Clean(lower=False), TfIdf(features=1000, grams=(1, 2), analyzer="char"))
    assert vitals.size == (8, 8) and vitals.seconds == 0.5 and vitals.rate == 1000 and vitals.steps == (Scale(),)
    assert isinstance(note.steps[1].features, int) and isinstance(vitals.rate, int)


@pytest.mark.parametrize(
    "written, mark", [("'\\t'", "\t"), ('"\\t"', "\t"), ("tab", "\t"), ("';'", ";"), ("semicolon", ";"), ("'|'", "|")]
)
def test_a_delimiter_is_one_character_or_its_name(tmp_path, written, mark):
    assert schema_of(tmp_path, more=f", delimiter: {written}").modalities[0].reference.delimiter == mark


@pytest.mark.parametrize(
    "changed, told",
    [
        ({"more": ", delimiter: ';;'"}, "line 2: delimiter is ';;'"),
        ({"more": ", delimiter: '\"'"}, "line 2: delimiter is"),
        ({"more": ', delimiter: "\\n"'}, "line 2: delimiter is"),
        ({"more": ", delimiter: [a]"}, "line 2: delimiter is"),
        ({"more": ", rate: fast"}, "line 2: rate is 'fast'; accepted: a whole number"),
        ({"more": ", rate: .5"}, "line 2: rate is '.5'; accepted: a whole number"),
        ({"more": ", rate: .inf"}, "line 2: rate is '.inf'"),
        ({"more": ", rate: " + "9" * 5000}, "line 2: rate is '999"),
        ({"more": ", seconds: [1]"}, "line 2: seconds is"),
        ({"more": ", size: [1.5, 2]"}, "line 2: size is"),
        ({"more": ", size: [0, 5]"}, "line 2: size is ['0', '5']; accepted: height and"),
        ({"more": ", size: [100000, 100000]"}, "height and width, 67,108,864 pixels together at most"),
        ({"more": ", steps: [{transform: [a]}]"}, "line 2: unknown transform"),
        ({"text": ", steps: [{transform: Scael}]"}, "line 3: unknown transform 'Scael': did you mean 'Scale', "),
        (
            {"text": ", steps: [{transform: Clean, lower: maybe}]"},
            "line 3: transform Clean: lower = 'maybe' is not accepted: give true",
        ),
        ({"text": ", steps: [{transform: TfIdf, features: many}]"}, "line 3: transform TfIdf: features = 'many'"),
        ({"text": ", steps: [{transform: TfIdf, grams: [1]}]"}, "line 3: transform TfIdf: grams = "),
        ({"columns": "age"}, "line 2: columns is 'age'; accepted: a list of names"),
        ({"columns": "[[age]]"}, "line 2: columns is"),
        ({"columns": "[age, b, age]"}, "line 2: columns names 'age' twice"),
        ({"columns": "['']"}, "line 2: columns is"),
        ({"name": "../x"}, "line 3: modality '../x'"),
        ({"name": "''"}, "line 3: modality ''"),
        ({"name": "'[/x]'"}, "line 3: modality '[/x]'"),
        ({"name": "VITALS"}, "line 3: modalities 'vitals' and 'VITALS'"),
        ({"name": "fused"}, "line 3: fused is a name that models take"),
        ({"name": "vitals.present"}, "line 3: modality 'vitals.present'"),
        ({"top": "name: " + "x" * 65}, "line 5: name is 'xxx"),
        ({"top": "splits: [a]"}, "line 5: splits is"),
        ({"top": "colour: " + "x" * 9999}, "line 5: unknown key 'colour'"),
    ],
)
def test_what_a_field_does_not_take_is_told_with_its_line(tmp_path, changed, told):
    with pytest.raises(InputError) as error:
        schema_of(tmp_path, **changed)
    assert told in str(error.value) and len(str(error.value)) < 500


@pytest.mark.parametrize(
    "folder, name",
    [
        ("my-data_2", "my-data_2"),
        ("My data (2)", "My_data_2"),
        ("données", "données"),
        ("...", "task"),
        ("a" * 200, "a" * 64),
    ],
)
def test_a_folder_s_name_becomes_that_of_the_task(tmp_path, folder, name):
    assert schema_of(tmp_path / folder).name == name
