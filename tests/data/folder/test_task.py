"""Good folders: every kind of file gives the same task, rows go where their ids say, and models learn from it."""

import shutil
import zipfile

import numpy as np
import pandas as pd
import pytest
from make_folders import ROWS, arrays_of, change, read_rows, write_rows, yaml

from mmjax.config import DEFAULTS
from mmjax.data import load_task
from mmjax.data.folder.task import problems_of
from mmjax.training.loop import train_cell
from mmjax.types import SPLITS


@pytest.fixture
def load(tmp_path):
    """Loads a folder's task, with a cache of its own."""
    return lambda folder, protocol="": load_task(f"{folder}{protocol}", cache_dir=str(tmp_path / "cache"))


def assert_same(first, second):
    for split in SPLITS:
        for field in ("inputs", "present", "lengths"):
            one, other = (getattr(task.splits[split], field) for task in (first, second))
            assert one.keys() == other.keys()
            for name in one:
                np.testing.assert_array_equal(one[name], other[name])
        np.testing.assert_array_equal(first.splits[split].target, second.splits[split].target)


def test_what_a_folder_says_is_understood(good, load):
    task = load(good)
    assert problems_of(str(good)) == []
    kinds = {spec.name: (spec.kind, spec.shape, spec.rate) for spec in task.modalities}
    assert kinds["scan"] == ("image", (10, 12, 1), 0) and kinds["voice"] == ("waveform", (459,), 2000)
    assert kinds["vitals"][:2] == ("vector", (3,)) and kinds["note"][0] == "tokens"  # age; ward a or b
    assert task.target.kind == "binary" and task.class_names == ("healthy", "ill") and task.name == "clinic"
    assert {split: task.splits[split].size for split in SPLITS} == {"train": 34, "validation": 12, "test": 14}
    groups = [set(task.groups[split]) for split in SPLITS]
    assert not (groups[0] & groups[1] or groups[0] & groups[2] or groups[1] & groups[2])


def test_a_missing_cell_makes_a_modality_absent_and_a_part_is_imputed(good, load):
    task = load(good)
    lacking = {name: sum((~task.splits[split].present[name]).sum() for split in SPLITS) for name in ("scan", "vitals")}
    assert lacking == {"scan": 1, "vitals": 0}  # visit 11 has no scan; visit 7 has a ward but no age


def test_rows_go_where_their_ids_say(good, load):
    """The same lines in another order are the same examples, each with its own picture."""
    first = load(good)
    rows = read_rows(good)
    by_scan = {split: dict(zip(map(float, values.sum((1, 2, 3))), labels, strict=True)) for split, values, labels in
               ((s, first.splits[s].inputs["scan"], first.splits[s].target) for s in SPLITS)}  # fmt: skip
    known = {shade: label for of_split in by_scan.values() for shade, label in of_split.items()}
    write_rows(good, rows[::-1])
    second = load(good)
    for split in SPLITS:
        shades = second.splits[split].inputs["scan"].sum((1, 2, 3))
        there = second.splits[split].present["scan"]
        for shade, label in zip(shades[there], second.splits[split].target[there], strict=True):
            assert known[float(shade)] == label


def test_tables_of_every_kind_are_the_same_task(good, load):
    first = load(good)
    frame = pd.read_csv(good / "visits.csv", dtype=str, keep_default_na=False)
    (good / "visits.csv").unlink()
    text = (good / "task.yaml").read_text()
    frame.to_csv(good / "visits.tsv", sep="\t", index=False)
    (good / "task.yaml").write_text(text.replace("visits.csv", "visits.tsv"))
    assert_same(first, load(good))
    (good / "visits.tsv").unlink()
    frame.to_parquet(good / "visits.parquet")
    (good / "task.yaml").write_text(text.replace("visits.csv", "visits.parquet"))
    assert_same(first, load(good))


def test_an_archive_is_a_folder(good, load):
    first = load(good)
    for name in ("scans", "voices"):
        with zipfile.ZipFile(good / f"{name}.zip", "w") as archive:
            for path in (good / name).iterdir():
                archive.write(path, f"{name}/{path.name}")
        shutil.rmtree(good / name)
        yaml(good, f"file: {name},", f"file: {name}.zip,")
    assert_same(first, load(good))


def test_lossless_sound_is_the_same_sound(good, load):
    import soundfile

    first = load(good)
    for path in (good / "voices").glob("*.wav"):
        wave, rate = soundfile.read(path, dtype="int16")
        soundfile.write(path.with_suffix(".flac"), wave, rate)
        path.unlink()
    rows = [[cell.replace(".wav", ".flac") for cell in row] for row in read_rows(good)]
    write_rows(good, rows)
    assert_same(first, load(good))


def test_a_saved_data_set_with_its_own_splits(tmp_path, load):
    import datasets

    labels = np.arange(30) % 3
    texts = [f"{'good fine bad'.split()[label]} thing {place}" for place, label in enumerate(labels)]
    parts = {
        name: datasets.Dataset.from_dict({"text": texts[a:b], "age": list(range(a, b)), "stars": labels[a:b].tolist()})
        for name, a, b in (("train", 0, 18), ("validation", 18, 24), ("test", 24, 30))
    }
    folder = tmp_path / "reviews"
    folder.mkdir()
    datasets.DatasetDict(parts).save_to_disk(str(folder / "saved"))
    (folder / "task.yaml").write_text(
        "modalities:\n  text: {kind: text, file: saved, column: text}\n"
        "  age: {kind: table, file: saved, columns: [age]}\n"
        "target: {file: saved, column: stars}\nsplits: {file: saved}\n"
    )
    task = load(folder)
    assert {split: task.splits[split].size for split in SPLITS} == {"train": 18, "validation": 6, "test": 6}
    np.testing.assert_array_equal(task.splits["test"].target, labels[24:])
    assert task.target.kind == "multiclass" and task.target.size == 3


def test_arrays_of_every_kind(arrays, load):
    task = load(arrays)
    assert {spec.name: spec.kind for spec in task.modalities} == {
        "table": "vector", "gait": "sequence", "words": "tokens", "picture": "image", "sound": "waveform",
        "cloud": "points", "film": "video",
    }  # fmt: skip
    steps = np.concatenate([task.splits[split].lengths["gait"] for split in SPLITS])
    assert sorted(steps) == sorted(arrays_of()["steps"])


def test_protocols_by_the_path(arrays, load):
    folds = [load(arrays, f"#fold.{fold}") for fold in range(5)]
    assert len({task.fingerprint for task in folds}) == 5 and folds[0].name.endswith("fold.0")
    assert len({load(arrays, f"#random_80_20.{seed}").fingerprint for seed in (0, 1)}) == 2


def test_splits_of_ones_own_are_taken(good, load):
    rows = [[*row, SPLITS[int(row[0]) % 3]] for row in read_rows(good)]
    write_rows(good, rows, (*"visit patient age ward note scan recording diagnosis".split(), "part"))
    yaml(good, "splits: random_80_20", "splits: {file: visits.csv, column: part}")
    task = load(good)
    assert {split: task.splits[split].size for split in SPLITS} == dict.fromkeys(SPLITS, ROWS // 3)
    assert any("group" in warning for warning in task.warnings)  # one patient's two visits are parted


def test_another_content_is_another_task_and_the_same_is_not_read_again(good, load):
    first, again = load(good), load(good)
    assert first.fingerprint == again.fingerprint
    change(good, 3, "diagnosis", "healthy")
    assert load(good).fingerprint != first.fingerprint


def test_models_learn_from_it(good, load):
    """Every modality tells the diagnosis, so a few epochs find it."""
    config = DEFAULTS.replace(epochs=12, batch_size=13, learning_rate=0.01, width=16, token_size=8)
    task = load(good)
    run = train_cell(task, "concat", "joint", config, (0,)).runs[0]
    right = (run.logits["test"][:, 0] > 0) == task.splits["test"].target
    assert right.mean() == 1


def test_names_of_the_project_s_own_are_names_as_any_other(tmp_path, load):
    """Modalities called target and groups, beside a target and groups: none takes another's place."""
    rows = "".join(f"{place},{place % 7},{place / 3},{place // 2}\n" for place in range(60))
    (tmp_path / "t.csv").write_text("speed,ego,time,video\n" + rows)
    (tmp_path / "task.yaml").write_text(
        "modalities:\n  target: {kind: vector, file: t.csv, columns: [speed]}\n"
        "  groups: {kind: vector, file: t.csv, columns: [ego]}\n"
        "  groups present: {kind: vector, file: t.csv, columns: [ego]}\n"
        "target: {file: t.csv, column: time, kind: regression}\ngroups: {file: t.csv, column: video}\n"
    )
    task = load(tmp_path)
    assert [spec.name for spec in task.modalities] == ["target", "groups", "groups present"]
    times = np.sort(np.concatenate([task.splits[split].target[:, 0] for split in SPLITS]))
    np.testing.assert_allclose(times, np.arange(60) / 3, rtol=1e-6)
    groups = np.sort(np.concatenate([task.groups[split] for split in SPLITS]))
    np.testing.assert_array_equal(groups, np.arange(60) // 2)
