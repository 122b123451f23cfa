"""Folders as people have them: what is odd in a file is read as it was meant, told, or refused by name."""

import shutil

import numpy as np
import pytest
from make_folders import change, read_rows, write_rows, yaml
from PIL import Image
from scipy.io import wavfile

from mmjax.data import load_task
from mmjax.errors import InputError
from mmjax.types import SPLITS


@pytest.fixture
def load(tmp_path):
    return lambda folder: load_task(str(folder), cache_dir=str(tmp_path / "cache"))


def without_ids(folder):
    """Pictures are joined by nothing but their order."""
    yaml(folder, "id: visit\n", "")
    yaml(folder, "{kind: image, file: scans, names: visits.csv, column: scan}", "{kind: image, file: scans}")
    return folder


def by_ids(folder):
    yaml(folder, "{kind: image, file: scans, names: visits.csv, column: scan}", "{kind: image, file: scans}")
    return folder


def shapes(task):
    return {spec.name: spec.shape for spec in task.modalities}


@pytest.mark.parametrize("mark", ["#N/A", "?", "-", "--", ".", "#DIV/0!"])
def test_marks_of_nothing_in_a_column_of_numbers_are_missing(good, load, mark):
    expected = load(good)
    change(good, 7, "age", mark)
    found = load(good)
    for split in SPLITS:
        np.testing.assert_array_equal(found.splits[split].inputs["vitals"], expected.splits[split].inputs["vitals"])


def test_decimal_commas_are_the_numbers(good, load):
    rows = [[*row[:2], row[2] and f"{row[2]}.5", *row[3:]] for row in read_rows(good)]
    write_rows(good, rows)
    expected = load(good)
    write_rows(good, [[*row[:2], row[2].replace(".", ","), *row[3:]] for row in rows], delimiter=";")
    text = (good / "task.yaml").read_text()
    (good / "task.yaml").write_text(text.replace("file: visits.csv", "delimiter: ';', file: visits.csv")
                                    .replace("names: visits.csv", "delimiter: ';', names: visits.csv"))  # fmt: skip
    found = load(good)
    assert shapes(found)["vitals"] == (3,)
    for split in SPLITS:
        np.testing.assert_array_equal(found.splits[split].inputs["vitals"], expected.splits[split].inputs["vitals"])


def test_an_odd_cell_is_named_and_categories_are_said(good, load):
    change(good, 3, "age", "12 kg")
    with pytest.raises(InputError, match="visits.csv, line 5, column 'age': '12 kg' is no number.*categories: .age."):
        load(good)
    yaml(good, "columns: [age, ward]}", "columns: [age, ward], categories: [age]}")
    assert shapes(load(good))["vitals"][0] > 10


def test_categories_must_be_columns(good, load):
    yaml(good, "columns: [age, ward]}", "columns: [age, ward], categories: [wart]}")
    with pytest.raises(InputError, match="task.yaml, line 7: categories"):
        load(good)


def test_codes_and_too_many_categories_are_told(good, load):
    for row in range(60):
        change(good, row, "ward", ["1", "2", "3A"][row % 3])
    yaml(good, "columns: [age, ward]}", "columns: [age, ward, scan]}")
    told = load(good).warnings
    assert any("3A" in each and "categories: [ward]" in each for each in told)
    assert any("column 'scan'" in each and "a category of its own" in each for each in told)


def test_pictures_of_16_bits_keep_their_differences(good, load):
    """Of 12 bits kept in 16 too, as cameras and scanners write them."""
    expected = load(good)
    for path in (good / "scans").iterdir():
        Image.fromarray(np.asarray(Image.open(path)).astype(np.uint16) * 16).save(path)
    found = load(good)
    assert not any("the same in all of train" in each for each in found.warnings)
    for split in SPLITS:
        np.testing.assert_allclose(
            found.splits[split].inputs["scan"] * 4095 / 16, expected.splits[split].inputs["scan"] * 255, atol=1e-3
        )


def test_photographs_are_turned_as_a_viewer_shows_them(good, load):
    expected = load(good)
    for row, path in enumerate(sorted((good / "scans").iterdir())):
        image = Image.open(path)
        exif = image.getexif()
        exif[0x0112] = 6 if row % 2 else 1
        (image.rotate(90, expand=True) if row % 2 else image).save(path, exif=exif)
    found = load(good)
    for split in SPLITS:
        np.testing.assert_array_equal(found.splits[split].inputs["scan"], expected.splits[split].inputs["scan"])


def test_pictures_without_ids_are_in_the_order_of_their_numbers(good, load):
    """0, 1, 2 ... 10, not 0, 1, 10: every picture lies beside its own row, bright where the label is ill."""
    task = load(without_ids(good))
    for split in SPLITS:
        bright = task.splits[split].inputs["scan"].mean((1, 2, 3)) > 0.5
        np.testing.assert_array_equal(bright, task.splits[split].target == 1)


def test_pictures_without_ids_or_numbers_are_refused(good, load):
    without_ids(good)
    (good / "scans" / "0.png").rename(good / "scans" / "first.png")
    with pytest.raises(InputError, match="task.yaml, line .*guess; say `id`"):
        load(good)


def test_pictures_by_id_are_told_apart_by_their_whole_paths(good, load):
    by_ids(good)
    (good / "scans" / "left").mkdir()
    shutil.copy(good / "scans" / "3.png", good / "scans" / "left" / "3.png")
    assert any("1 of 61 files belong to no row, as left/3.png" in each for each in load(good).warnings)
    (good / "scans" / "3.png").rename(good / "scans" / "left" / "3.jpg")
    with pytest.raises(InputError, match="left/3.jpg and left/3.png may both be the file of '3'"):
        load(good)


def test_chinese_notes_tell_the_label(good, load):
    for row in range(60):
        change(good, row, "note", f"{'今天很累咳嗽' if row % 2 else '今天感觉很好'}。")
    task = load(good)
    (note,) = [spec for spec in task.modalities if spec.name == "note"]
    train = task.splits["train"]
    assert note.vocabulary > 10 and (train.inputs["note"] > 1).sum(axis=1).min() == 7
    assert len({row.tobytes() for row in train.inputs["note"]}) == 2


def test_floats_of_sound_beyond_full_scale_are_told_and_then_refused(good, load):
    from mmjax.data.folder.schema import read_schema
    from mmjax.data.folder.targets import rows_of
    from mmjax.data.folder.values import read_modality

    form = load(good).preprocessing["voice"].form
    wave = 8000 * np.sin(np.arange(400) / 9)
    wavfile.write(good / "voices" / "3.wav", 2000, wave.astype(np.float32))
    task = load(good)
    assert any("voice: samples reach 79" in each for each in task.warnings)
    assert task.preprocessing["voice"].form.units == "own"
    schema = read_schema(good)
    voice = next(part for part in schema.modalities if part.name == "voice")
    with pytest.raises(InputError, match="3.wav reaches 79.* trained on sound in"):
        read_modality(schema, voice, rows_of(schema), form)


@pytest.mark.parametrize(
    ("kind", "steps"), [("vector", "Tokens"), ("vector", "Channels"), ("text", "Scale"), ("image", "Flatten")]
)
def test_steps_that_do_not_suit_a_kind_are_refused_with_the_line(good, load, kind, steps):
    its = {"vector": "file: visits.csv, columns: [age]", "text": "file: visits.csv, column: note",
           "image": "file: scans, names: visits.csv, column: scan"}[kind]  # fmt: skip
    yaml(good, "  vitals:", f"  odd: {{kind: {kind}, {its}, steps: [{{transform: {steps}}}]}}\n  vitals:")
    with pytest.raises(InputError, match=f"task.yaml, line 7: modality 'odd': the steps {steps} do not make kind"):
        load(good)


@pytest.mark.parametrize("odd", [".", "/", ".."])
def test_an_id_that_is_no_name_of_a_file_has_no_picture(good, load, odd):
    by_ids(good)
    change(good, 3, "visit", odd)
    task = load(good)
    assert sum((~task.splits[split].present["scan"]).sum() for split in SPLITS) == 1


@pytest.mark.parametrize("name", ["SCAN{}.png", "{:03d}.png"])
def test_ids_that_are_no_file_s_are_shown_beside_one(good, load, name):
    by_ids(good)
    for row in range(60):
        change(good, row, "visit", f"scan{row}" if "SCAN" in name else str(row + 100))
    for path in sorted((good / "scans").iterdir()):
        path.rename(path.with_name("x" + name.format(int(path.stem))))
    with pytest.raises(InputError, match="no file is named as a row's id: ids are as '.*0', files as 'x.*png'"):
        load(good)
