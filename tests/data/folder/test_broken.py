"""Broken folders: each gets one sentence that names the file and the field, and nothing is left half-prepared."""

import gzip
import io
import pickle
import shutil
import struct
import zipfile

import numpy as np
import pytest
from make_folders import HEADING, ROWS, TEN, arrays_of, change, read_rows, write_arrays, write_rows, yaml

from mmjax.data import load_task
from mmjax.data.folder.task import problems_of
from mmjax.errors import InputError


def text(folder, content, file="visits.csv"):
    (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())


def truncated(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def link_out(folder):
    (folder.parent / "secret.png").write_bytes((folder / "scans" / "0.png").read_bytes())
    (folder / "scans" / "3.png").unlink()
    (folder / "scans" / "3.png").symlink_to(folder.parent / "secret.png")


def table_link_out(folder):
    shutil.move(folder / "visits.csv", folder.parent / "visits.csv")
    (folder / "visits.csv").symlink_to(folder.parent / "visits.csv")


def packed(folder, name, content, size=None):
    with zipfile.ZipFile(folder / "voices.zip", "w") as archive:
        archive.writestr(name, content)
    yaml(folder, "file: voices,", "file: voices.zip,")


def bomb(folder):
    with zipfile.ZipFile(folder / "voices.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.wav", b"\0" * (2**28 + 1))
    yaml(folder, "file: voices,", "file: voices.zip,")


def huge_image(folder):
    """A PNG whose heading declares 60,000 x 60,000 pixels."""
    import zlib

    heading = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + heading + struct.pack(">I", zlib.crc32(heading))
    (folder / "scans" / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk)


def says(kind, more):
    """A damage: more keys of the modality of a kind."""
    column = {"text": "note", "image": "scan", "waveform": "recording"}[kind]
    return lambda folder: yaml(folder, f"column: {column}}}", f"column: {column}, {more}}}")


def target(more):
    """A damage: more keys of the target."""
    return lambda folder: yaml(folder, "column: diagnosis}", f"column: diagnosis, {more}}}")


def age(value):
    """A damage: one age, where ages must be numbers."""

    def damage(folder):
        yaml(folder, "kind: table", "kind: vector")
        yaml(folder, "[age, ward]", "[age]")
        change(folder, 3, "age", value)

    return damage


def one_modality(folder):
    yaml(folder, "".join((folder / "task.yaml").read_text().splitlines(True)[4:7]), "")


def column_twice(folder):
    write_rows(folder, read_rows(folder), (*HEADING[:-2], "note", "diagnosis"))


def no_notes(folder):
    for row in range(ROWS):
        change(folder, row, "note", "")


def three_classes(folder):
    target("kind: binary")(folder)
    change(folder, 3, "diagnosis", "dead")


def image_of_table(folder):
    yaml(folder, "{kind: image, file: scans, names: visits.csv,", "{kind: image, file: visits.csv,")


def text_of_two(folder):
    yaml(folder, "file: visits.csv, column: note}", "file: visits.csv, columns: [note, ward]}")


def cut_sound(folder):
    text(folder, (folder / "voices" / "3.wav").read_bytes()[:20], "voices/3.wav")


def long_line(folder):
    text(folder, (folder / "visits.csv").read_text().replace("0.wav,healthy", "0.wav,healthy,more,and,more"))


def short_line(folder):
    lines = (folder / "visits.csv").read_text().splitlines()
    lines[4] = lines[4].rsplit(",", 2)[0]
    text(folder, "\n".join(lines))


def no_train_class(folder):
    """A class that stands in test alone."""
    rows = [[*row, "test" if place < 20 else "train"] for place, row in enumerate(read_rows(folder))]
    rows[0][7] = "unseen"
    write_rows(folder, rows, (*HEADING, "split"))
    yaml(folder, "splits: random_80_20", "splits: {file: visits.csv, column: split}")
    yaml(folder, "groups: {file: visits.csv, column: patient}\n", "")


def split_named(name):
    def damage(folder):
        rows = [
            [*row, name if place == 5 else "test" if place % 3 else "train"]
            for place, row in enumerate(read_rows(folder))
        ]
        write_rows(folder, rows, (*HEADING, "split"))
        yaml(folder, "splits: random_80_20", "splits: {file: visits.csv, column: split}")

    return damage


def no_test(folder):
    write_rows(folder, [[*row, "train"] for row in read_rows(folder)], (*HEADING, "split"))
    yaml(folder, "splits: random_80_20", "splits: {file: visits.csv, column: split}")


# Name -> what is done to a folder of a CSV, images and sounds, and the words of the sentence.
TABLES = {name: (damage, (words,)) for name, (damage, words) in TEN.items()} | {
    "no_yaml": (lambda f: (f / "task.yaml").unlink(), ("task.yaml", "init")),
    "empty_yaml": (lambda f: text(f, "", "task.yaml"), ("task.yaml", "modalities")),
    "yaml_list": (lambda f: text(f, "- a\n- b\n", "task.yaml"), ("task.yaml", "no mapping")),
    "yaml_syntax": (lambda f: yaml(f, "splits: random_80_20", "splits: [random"), ("task.yaml, line",)),
    "yaml_key_twice": (lambda f: yaml(f, "source: made up", "name: other"), ("task.yaml, line 2", "twice")),
    "yaml_object": (lambda f: yaml(f, "made up", "!!python/object/apply:os.getcwd []"), ("task.yaml",)),
    "yaml_binary": (lambda f: text(f, b"\xff\xfe\x00name", "task.yaml"), ("task.yaml", "UTF-8")),
    "yaml_name": (lambda f: yaml(f, "name: clinic", "name: ../clinic"), ("task.yaml, line 1", "../clinic")),
    "no_target": (lambda f: yaml(f, "target: {file: visits.csv, column: diagnosis}\n", ""), ("target is missing",)),
    "no_file": (lambda f: yaml(f, "{kind: text, file: visits.csv,", "{kind: text,"), ("line 8", "file is missing")),
    "no_kind": (lambda f: yaml(f, "{kind: text, ", "{"), ("line 8", "kind is missing")),
    "unknown_kind": (lambda f: yaml(f, "kind: text", "kind: txt"), ("line 8", "did you mean 'text'")),
    "unknown_split": (lambda f: yaml(f, "random_80_20", "random_90_10"), ("splits is 'random_90_10'",)),
    "unknown_transform": (says("text", "steps: [{transform: Clea}]"), ("did you mean 'Clean'",)),
    "unknown_setting": (says("text", "steps: [{transform: Clean, lowr: true}]"), ("did you mean 'lower'",)),
    "wrong_setting": (says("text", "steps: [{transform: Clean, form: X}]"), ("form = 'X'",)),
    "steps_no_list": (says("text", "steps: Clean"), ("steps is 'Clean'",)),
    "size_no_pair": (says("image", "size: 32"), ("size is '32'",)),
    "rate_negative": (says("waveform", "rate: -8"), ("rate is '-8'",)),
    "two_places": (says("text", "columns: [note]"), ("columns stands beside column",)),
    "one_modality": (one_modality, ("names 1", "two or more")),
    "file_missing": (lambda f: (f / "visits.csv").unlink(), ("visits.csv", "does not exist")),
    "file_above": (lambda f: yaml(f, "file: scans", "file: ../scans"), ("'../scans' lies outside",)),
    "file_absolute": (lambda f: yaml(f, "file: scans", "file: /etc"), ("'/etc' lies outside",)),
    "link_out": (link_out, ("3.png", "link out")),
    "table_link_out": (table_link_out, ("visits.csv", "lies outside")),
    "csv_empty": (lambda f: text(f, ""), ("visits.csv",)),
    "csv_heading_alone": (lambda f: write_rows(f, []), ("visits.csv", "no line of data")),
    "csv_binary": (lambda f: text(f, bytes(range(256))), ("visits.csv",)),
    "csv_utf16": (
        lambda f: text(f, (f / "visits.csv").read_text().encode("utf-16-le")),
        ("visits.csv, line 1", "NUL", "UTF-8"),
    ),
    "csv_gzip": (lambda f: text(f, gzip.compress((f / "visits.csv").read_bytes())), ("visits.csv",)),
    "csv_long_line": (long_line, ("visits.csv", "line 2")),
    "csv_short_line": (short_line, ("visits.csv, line 5", "6 columns and the heading 8")),
    "csv_column_twice": (column_twice, ("'note' is there twice",)),
    "tab_for_comma": (lambda f: write_rows(f, read_rows(f), delimiter="\t"), ("visits.csv, line 1", "delimiter")),
    "no_number": (age("old"), ("visits.csv, line 5, column 'age'", "'old'")),
    "infinite_number": (age("inf"), ("line 5, column 'age'", "not finite")),
    "key_empty": (lambda f: change(f, 9, "visit", ""), ("line 11, column 'visit'", "key is empty")),
    "group_empty": (lambda f: change(f, 9, "patient", ""), ("visits.csv", "no group")),
    "column_of_nothing": (no_notes, ("'note' is missing in every row",)),
    "class_unknown": (target("classes: [healthy, sick]"), ("line 3", "'ill'")),
    "three_classes_binary": (three_classes, ("give two",)),
    "regression_of_words": (target("kind: regression"), ("'healthy' is no number",)),
    "class_not_in_train": (no_train_class, ("no example of class",)),
    "split_name": (split_named("holdout"), ("'holdout'", "train")),
    "no_test": (no_test, ("'test'",)),
    "image_truncated": (lambda f: truncated(f / "scans" / "3.png"), ("3.png",)),
    "image_empty": (lambda f: (f / "scans" / "3.png").write_bytes(b""), ("3.png",)),
    "image_huge": (huge_image, ("3.png",)),
    "no_images": (lambda f: [path.unlink() for path in (f / "scans").iterdir()], ("scans", "holds no file")),
    "sound_truncated": (cut_sound, ("3.wav",)),
    "sound_is_text": (lambda f: (f / "voices" / "3.wav").write_text("la la la"), ("3.wav",)),
    "zip_absolute": (lambda f: packed(f, "/0.wav", b""), ("voices.zip", "leads out")),
    "zip_truncated": (lambda f: (packed(f, "0.wav", b"x" * 999), truncated(f / "voices.zip")), ("voices.zip",)),
    "zip_is_text": (lambda f: (packed(f, "0.wav", b""), text(f, "no zip", "voices.zip")), ("voices.zip",)),
    "zip_bomb": (bomb, ("voices.zip", "unpacks to")),
    "image_kind_of_table": (image_of_table, ("cannot hold kind 'image'",)),
    "text_of_two_columns": (text_of_two, ("line 8", "one column")),
}  # fmt: skip


def resaved(**changed):
    return lambda folder: write_arrays(folder, **changed)


def nan_at(name, value=np.nan):
    array = arrays_of()[name].astype(float)
    array.reshape(-1)[4] = value
    return {name: array}


def huge_heading(folder):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (10**12, 9)})
    (folder / "words.npy").write_bytes(file.getvalue() + b"\0" * 64)


def pickled_file(folder):
    (folder / "words.npy").write_bytes(pickle.dumps([1, 2, 3]))


def array_twice(folder):
    with zipfile.ZipFile(folder / "data.npz", "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("table.npy", archive.read("table.npy"))


# The same of a folder of arrays.
ARRAYS = {
    "array_missing": (resaved(gait=None), ("data.npz", "'gait'")),
    "array_unnamed": (lambda f: yaml(f, ", array: table", ""), ("data.npz", "array:")),
    "array_twice": (array_twice, ("'table' is there twice",)),
    "objects": (resaved(table=np.array([None] * 50, object)), ("table", "Python objects")),
    "pickled_file": (pickled_file, ("words.npy",)),
    "huge_shape": (huge_heading, ("words.npy", "declares")),
    "npz_truncated": (lambda f: truncated(f / "data.npz"), ("data.npz",)),
    "npy_truncated": (lambda f: truncated(f / "words.npy"), ("words.npy", "declares")),
    "npz_empty": (lambda f: (f / "data.npz").write_bytes(b""), ("data.npz",)),
    "fewer_rows": (resaved(gait=arrays_of()["gait"][:40]), ("data.npz", "40 rows", "50")),
    "no_rows": (resaved(gait=np.zeros((0, 6, 2))), ("gait", "one at least")),
    "no_features": (resaved(table=np.zeros((50, 0))), ("table", "holds nothing")),
    "wrong_axes": (resaved(gait=np.zeros((50, 6))), ("gait", "3 axes")),
    "strings_for_numbers": (resaved(table=np.full((50, 3), "x")), ("table", "numbers")),
    "complex_numbers": (resaved(table=np.ones((50, 3), complex)), ("table", "numbers")),
    "floats_for_ids": (lambda f: np.save(f / "words.npy", np.ones((50, 5))), ("words.npy", "whole numbers")),
    "negative_id": (lambda f: np.save(f / "words.npy", -np.ones((50, 5), int)), ("words.npy", "-1")),
    "nan_in_sequence": (resaved(**nan_at("gait")), ("gait, row 0", "nan")),
    "infinite_in_table": (resaved(**nan_at("table", np.inf)), ("table, row 1", "inf")),
    "nan_in_sound": (resaved(**nan_at("sound")), ("sound, row 0", "nan")),
    "length_too_long": (resaved(steps=np.full(50, 7)), ("gait", "0 to 6")),
    "length_negative": (resaved(steps=np.full(50, -1)), ("gait", "0 to 6")),
    "length_of_floats": (resaved(steps=np.full(50, 2.5)), ("gait", "whole numbers")),
    "no_rate": (lambda f: yaml(f, ", rate: 100", ""), ("sound", "rate")),
    "label_of_two_axes": (resaved(label=np.zeros((50, 2), int)), ("data.npz",)),
    "one_label": (resaved(label=np.zeros(50, int)), ("give two or more",)),
    "nan_label": (resaved(label=np.where(np.arange(50) == 3, np.nan, np.arange(50) / 7)), ("data.npz",)),
}  # fmt: skip


def assert_refused(folder, words, tmp_path):
    with pytest.raises(InputError) as error:
        load_task(str(folder), cache_dir=str(tmp_path / "cache"))
    sentence = str(error.value)
    assert "\n" not in sentence and len(sentence) < 600
    for word in words:
        assert word in sentence, sentence
    left = [path for path in (tmp_path / "cache").rglob("*") if path.suffix != ".lock" and not path.is_dir()]
    assert not left and not list((tmp_path / "cache").rglob("incomplete.*"))


@pytest.mark.parametrize("name", TABLES)
def test_a_broken_folder_of_files_is_refused(name, good, tmp_path):
    damage, words = TABLES[name]
    damage(good)
    assert_refused(good, words, tmp_path)


@pytest.mark.parametrize("name", ARRAYS)
def test_a_broken_folder_of_arrays_is_refused(name, arrays, tmp_path):
    damage, words = ARRAYS[name]
    damage(arrays)
    assert_refused(arrays, words, tmp_path)


def test_there_are_enough_of_them():
    assert len(TABLES) + len(ARRAYS) >= 60


def test_several_mistakes_are_told_at_once(good):
    (good / "scans" / "3.png").write_bytes(b"")
    (good / "voices" / "4.wav").write_bytes(b"")
    change(good, 5, "diagnosis", "")
    found = problems_of(str(good))
    assert len(found) == 3 and all(any(word in each for each in found) for word in ("3.png", "4.wav", "line 7"))


def test_an_unknown_protocol_is_refused(good, tmp_path):
    with pytest.raises(InputError, match="did you mean 'fold'"):
        load_task(f"{good}#fald.1", cache_dir=str(tmp_path))
