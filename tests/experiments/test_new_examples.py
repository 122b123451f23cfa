"""New examples are read as training's were: a row is the same input, whatever stands beside it and however it is kept.

No model is needed: what an encoder gets is compared.
"""

import shutil
import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile
from make_folders import arrays_of, change, write_arrays, write_good, yaml
from PIL import Image

from experiments.new_examples import NewExamplesWarning, make_ready, read_new_examples, tell_of_classes
from experiments.trained_run import read_run
from mmjax.data import load_task
from mmjax.data.transforms import preprocessing
from mmjax.errors import InputError

TASK = """\
modalities:
  vitals: {kind: table, file: t.csv, columns: [age, temp, code]}
  note: {kind: text, file: t.csv, column: note}
target: {file: t.csv, column: label}
"""


def write_codes(folder, n=60, codes=("1", "2", "3A"), start=0):
    """Rows of a table whose codes say the label; the numbers have decimal commas."""
    folder.mkdir()
    places = np.arange(start, start + n)
    frame = pd.DataFrame({
        "age": [f"{30 + place % 41},{place % 7}" for place in places],
        "temp": [36 + place % 5 / 4 for place in places],
        "code": [codes[place % len(codes)] for place in places],
        "note": ["coughs and is tired" if place % 2 else "feels well today" for place in places],
        "label": ["sick" if place % 2 else "healthy" for place in places],
    })  # fmt: skip
    frame.to_csv(folder / "t.csv", index=False)
    (folder / "task.yaml").write_text(TASK)
    return folder


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """The preprocessing of a folder of codes, of one of files, and of one of arrays, as a workdir keeps them."""
    root = tmp_path_factory.mktemp("trained")
    folders = {
        "codes": write_codes(root / "codes"),
        "files": write_good(root / "files"),
        "arrays": write_arrays(root / "arrays", sound=(np.random.default_rng(3).uniform(-1, 1, (50, 60)) * 2**14)
                               .astype(np.int16)),
    }  # fmt: skip
    found = {}
    for name, folder in folders.items():
        (root / f"{name}.kept").mkdir()
        preprocessing.save(load_task(str(folder), cache_dir=str(root / "cache")).preprocessing, root / f"{name}.kept")
        found[name] = (folder, preprocessing.load(root / f"{name}.kept"))
    return found


def ready(path, fitted, *names):
    columns = read_new_examples(path, fitted)
    n = len(next(iter(columns.values())).values)
    return {name: make_ready(fitted[name], columns.get(name), n).values for name in names or fitted}


def test_a_row_is_the_same_input_whatever_stands_in_the_other_rows(kept, tmp_path):
    """No new row holds 3A, so that the codes are numbers to whoever looks at the new rows alone."""
    _, fitted = kept["codes"]
    few = ready(write_codes(tmp_path / "few", 20, ("1", "2")), fitted)
    more = ready(write_codes(tmp_path / "more", 21, ("1", "2")), fitted)
    for name in few:
        np.testing.assert_array_equal(few[name], more[name][:20])
    assert (few["vitals"][:, -3:].sum(axis=1) == 1).all()  # each code is one that training knows


def test_columns_go_by_their_names(kept, tmp_path):
    folder, fitted = kept["codes"]
    other = shutil.copytree(folder, tmp_path / "other")
    (other / "task.yaml").write_text(TASK.replace("[age, temp, code]", "[code, age, temp]"))
    np.testing.assert_array_equal(ready(folder, fitted)["vitals"], ready(other, fitted)["vitals"])


@pytest.mark.parametrize(
    ("columns", "words"),
    [("[age, temp]", "lacks the column 'code'"), ("[age, temp, code, note]", "unknown column 'note'"),
     ("[age, temp, note]", "unknown column 'note'")],
)  # fmt: skip
def test_other_columns_are_refused_by_name(kept, tmp_path, columns, words):
    folder, fitted = kept["codes"]
    other = shutil.copytree(folder, tmp_path / "other")
    (other / "task.yaml").write_text(TASK.replace("[age, temp, code]", columns))
    with pytest.raises(InputError, match=f"task.yaml, line 2: .*{words}"):
        read_new_examples(other, fitted)


def test_other_kinds_and_cells_are_refused_by_name(kept, tmp_path):
    _, fitted = kept["codes"]
    folder = write_codes(tmp_path / "new", 9)
    text = (folder / "t.csv").read_text()
    (folder / "t.csv").write_text(text.replace('"33,3"', "33.3"))
    with pytest.raises(InputError, match="t.csv, line 5, column 'age': '33.3' is no number where ',' is the decimal"):
        read_new_examples(folder, fitted)
    folder = write_codes(tmp_path / "other", 9)
    (folder / "task.yaml").write_text(TASK.replace("kind: text", "kind: table"))
    with pytest.raises(InputError, match="'note' is of kind 'table', and the run was trained on kind 'text'"):
        read_new_examples(folder, fitted)


@pytest.mark.parametrize("kind", ["parquet", "numbers", "strings"])
def test_a_table_is_the_same_however_it_is_kept(kept, tmp_path, kind):
    """Also where a file holds the codes 1 and 2 as floating point numbers."""
    _, fitted = kept["codes"]
    folder = write_codes(tmp_path / "new", 20, ("1", "2"))
    expected = ready(folder, fitted)["vitals"]
    frame = pd.read_csv(folder / "t.csv", dtype=str)
    ages = frame["age"].str.replace(",", ".").astype(float)  # numbers, which have no decimal mark
    numbers = frame.assign(code=frame["code"].astype(float), temp=frame["temp"].astype(float), age=ages)
    path = folder
    if kind == "parquet":
        numbers.to_parquet(folder / "t.parquet")
        (folder / "task.yaml").write_text(TASK.replace("t.csv", "t.parquet"))
    else:
        path = tmp_path / "new.npz"
        table = (numbers if kind == "numbers" else frame)[["age", "temp", "code"]].to_numpy()
        np.savez(path, vitals=table.astype(float if kind == "numbers" else str))
    np.testing.assert_array_equal(ready(path, fitted, "vitals")["vitals"], expected)


def test_categories_that_training_did_not_have_are_told(kept, tmp_path):
    _, fitted = kept["codes"]
    folder = write_codes(tmp_path / "new", 9, ("1", "7B"))
    with pytest.warns(NewExamplesWarning, match="column 'code' holds categories .*: '7B'"):
        ready(folder, fitted)


def test_sound_of_another_rate_is_brought_to_that_of_training(kept, tmp_path):
    """From files of twice the rate, and from an npz that says so."""
    folder, fitted = kept["files"]
    other = shutil.copytree(folder, tmp_path / "other")
    expected = ready(folder, fitted, "voice")["voice"]
    doubled = []
    for row in range(60):
        wave, rate = soundfile.read(folder / "voices" / f"{row}.wav")
        doubled.append(np.interp(np.arange(2 * len(wave)) / 2, np.arange(len(wave)), wave))
        soundfile.write(other / "voices" / f"{row}.wav", doubled[-1], 2 * rate)
    lengths = np.array([len(wave) for wave in doubled])
    padded = np.zeros((60, lengths.max()))
    for row, wave in enumerate(doubled):
        padded[row, : len(wave)] = wave
    np.savez(tmp_path / "new.npz", **{"voice": padded, "voice.lengths": lengths, "voice.rate": 2 * rate})
    for path in (other, tmp_path / "new.npz"):
        found = ready(path, fitted, "voice")["voice"]
        assert found.shape == expected.shape
        # Between samples the doubled sound is a straight line, not the wave: a tenth of its height at 600 Hz.
        np.testing.assert_allclose(found[:, 20:380], expected[:, 20:380], atol=0.05)
    for rate in (-1, 0, np.nan, "8k", [8000, 8000]):
        np.savez(tmp_path / "bad.npz", **{"voice": padded, "voice.rate": rate})
        with pytest.raises(InputError, match="voice.rate is .*; accepted are samples a second"):
            read_new_examples(tmp_path / "bad.npz", fitted)


def test_pictures_get_the_size_and_colours_of_training(kept, tmp_path):
    folder, fitted = kept["files"]
    other = shutil.copytree(folder, tmp_path / "other")
    for path in (other / "scans").iterdir():
        Image.open(path).convert("RGB").resize((24, 20), Image.Resampling.NEAREST).save(path)
    yaml(other, "column: scan}", "column: scan, size: [5, 5]}")  # the run's size counts
    found, expected = ready(other, fitted, "scan")["scan"], ready(folder, fitted, "scan")["scan"]
    assert found.shape == expected.shape == (60, 10, 12, 1)
    assert np.abs(found.mean((1, 2, 3)) - expected.mean((1, 2, 3))).max() < 0.02


def test_arrays_are_judged_as_in_training(kept, tmp_path):
    """Samples of 16 bits are in full scale there and here; pixels of another type are refused."""
    folder, fitted = kept["arrays"]
    with np.load(folder / "data.npz") as arrays:
        sound, picture = arrays["sound"], arrays["picture"]
    np.savez(tmp_path / "new.npz", sound=sound, picture=picture)
    np.savez(tmp_path / "floats.npz", sound=sound / 2**15, picture=picture.astype(np.int64))
    expected = ready(folder, fitted, "sound", "picture")
    for path in (tmp_path / "new.npz", tmp_path / "floats.npz"):
        found = ready(path, fitted, "sound", "picture")
        for name in expected:
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-6)
    np.savez(tmp_path / "bad.npz", picture=picture / 255)
    with pytest.raises(InputError, match="'picture' .* holds float64, and the run was trained on uint8"):
        ready(tmp_path / "bad.npz", fitted)


def test_what_is_cut_of_new_examples_is_told(kept, tmp_path):
    folder, fitted = kept["files"]
    other = shutil.copytree(folder, tmp_path / "other")
    change(other, 3, "note", "word " * 400)
    with pytest.warns(NewExamplesWarning, match="note: examples longer than .* are cut"):
        ready(other, fitted, "note")
    with warnings.catch_warnings():
        warnings.simplefilter("error", NewExamplesWarning)
        ready(folder, fitted)


def test_other_names_of_classes_are_told(kept, tmp_path):
    folder, _ = kept["files"]
    other = shutil.copytree(folder, tmp_path / "other")
    with warnings.catch_warnings():
        warnings.simplefilter("error", NewExamplesWarning)
        tell_of_classes(other, ("healthy", "ill"))
    yaml(other, "column: diagnosis}", "column: diagnosis, classes: [well, sick]}")
    with pytest.warns(NewExamplesWarning, match="names the classes well, sick, .* trained on: healthy, ill"):
        tell_of_classes(other, ("healthy", "ill"))


def saved(path, **arrays):
    np.savez(path / "new.npz", **{name.replace("__", "."): value for name, value in arrays.items()})
    return path / "new.npz"


def test_another_decimal_mark_is_refused_and_not_multiplied_by_1000(tmp_path):
    folder = tmp_path / "points"
    folder.mkdir()
    cells = [f"{38 + place / 1000:.3f}" for place in range(60)]
    labels = ["sick" if place % 2 else "healthy" for place in range(60)]
    frame = pd.DataFrame({"age": cells, "temp": 1, "code": 2, "note": "feels well today", "label": labels})
    frame.to_csv(folder / "t.csv", index=False)
    (folder / "task.yaml").write_text(TASK)
    fitted = load_task(str(folder), cache_dir=str(tmp_path / "cache")).preprocessing
    frame.assign(age=frame["age"].str.replace(".", ",")).to_csv(folder / "t.csv", index=False, sep=";")
    (folder / "task.yaml").write_text(TASK.replace("file: t.csv", "file: t.csv, delimiter: ';'"))
    with pytest.raises(InputError, match="line 2, column 'age': '38,000' may be 38000 or 38, and the run was trained"):
        read_new_examples(folder, fitted)


@pytest.mark.parametrize(
    ("extra", "value", "words"),
    [("picture__present", np.array(["0"] * 50), r"picture.present is <U1 .*accepted are truth values, or 0 and 1"),
     ("picture__present", np.full(50, np.nan), "holds nan; accepted are truth values"),
     ("picture__present", np.full(50, 2), "holds 2; accepted"),
     ("picture__present", np.ones((50, 1)), r"of shape \(50, 1\); accepted .* of shape \(50,\)"),
     ("picture__present", np.ones(()), r"of shape \(\); accepted"),
     ("picture__present", np.ones(49), r"of shape \(49,\); accepted"),
     ("picture__rate", 8000, "picture.rate: .* is no sound"),
     ("picture__lengths", np.ones(50, int), "picture.lengths: .* no steps"),
     ("table__lengths", np.ones(50, int), "table.lengths: .* no steps"),
     ("gait__lengths", np.full(50, 7), "gait.lengths is int64 .* from 0 to 6"),
     ("gait__lengths", np.full(50, 1.5), "gait.lengths is float64"),
     ("film", np.array(3), "film is one value"),
     ("sound__present", np.ones(50), "sound.present stands there without sound")],
)  # fmt: skip
def test_arrays_that_stand_beside_are_what_they_must_be(kept, tmp_path, extra, value, words):
    _, fitted = kept["arrays"]
    its = {name: arrays_of()[name] for name in ("picture", "table", "gait")}
    with pytest.raises(InputError, match=words):
        read_new_examples(saved(tmp_path, **its | {extra: value}), fitted)


def test_zeros_and_ones_say_who_is_present(kept, tmp_path):
    _, fitted = kept["arrays"]
    there = np.arange(50) % 2
    for present in (there, there.astype(bool), there.astype(float)):
        path = saved(tmp_path, picture=arrays_of()["picture"], picture__present=present)
        np.testing.assert_array_equal(read_new_examples(path, fitted)["picture"].present, there)


@pytest.mark.parametrize("odd", [2**31 - 1, 2**31, 2**32 + 1, 2**63, 9, -1])
def test_ids_that_training_did_not_have_are_refused_as_they_stand(kept, tmp_path, odd):
    _, fitted = kept["arrays"]
    ids = np.ones((3, 5), np.uint64 if odd > 0 else np.int64)
    ids[1, 2] = odd
    with pytest.raises(InputError, match=f"holds the id {odd}"):
        ready(saved(tmp_path, words=ids), fitted, "words")


def test_bytes_are_text(kept, tmp_path):
    folder, fitted = kept["codes"]
    frame = pd.read_csv(folder / "t.csv", dtype=str)
    table = frame[["age", "temp", "code"]].to_numpy().astype(str)
    expected = ready(folder, fitted, "vitals")["vitals"]
    np.testing.assert_array_equal(
        ready(saved(tmp_path, vitals=table.astype("S")), fitted, "vitals")["vitals"], expected
    )
    with pytest.raises(InputError, match="vitals holds bytes that are no UTF-8 .*save it as text"):
        read_new_examples(saved(tmp_path, vitals=np.array([[b"\xff", b"1", b"2"]])), fitted)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nope.npz", "does not exist"),
        ("new.csv", "neither a whole npz file nor a folder"),
        ("new.npy", "neither a whole npz"),
    ],
)
def test_what_is_no_file_of_new_examples_is_said(kept, tmp_path, name, words):
    (tmp_path / "new.csv").write_text("a,b\n1,2\n")
    np.save(tmp_path / "new.npy", np.ones((3, 2)))
    with pytest.raises(InputError, match=f"{name}.* {words}"):
        read_new_examples(tmp_path / name, kept["arrays"][1])


def test_a_folder_of_no_run_is_said(tmp_path):
    for path, words in ((tmp_path / "nope", "does not exist"), (tmp_path, "is no folder of a run")):
        with pytest.raises(InputError, match=f"{words}.*give a folder of `runs`"):
            read_run(path)
