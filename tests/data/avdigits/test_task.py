"""avdigits end to end on dummy files: pairs, provenance and scaling."""

import os
import shutil

import numpy as np
import pytest

from mmjax.data import load_task
from mmjax.data.avdigits import degrade, log_mel, pairing, raw
from mmjax.data.avdigits.avdigits_dataset_builder import Builder
from mmjax.data.sources import find
from mmjax.errors import InputError


@pytest.fixture(scope="module")
def tasks(dummy, cache_dir):
    return {name: load_task(name, str(dummy("avdigits")), str(cache_dir)) for name in ("avdigits", "avdigits/clean")}


@pytest.fixture(scope="module", params=["hard", "clean"])
def rows(request, tasks, cache_dir):
    """split -> rows as TFDS holds them, with where each came from."""
    (folder,) = (
        path.parents[3] for path in (cache_dir / "tfds").glob(f"*/avdigits/{request.param}/1.0.0/dataset_info.json")
    )
    builder = Builder(data_dir=folder, config=request.param)
    return {split: list(builder.as_data_source(split)) for split in pairing.TAKES}


def test_every_pair_shares_its_digit_and_keeps_to_its_splits_takes(rows):
    for split, (first, last) in pairing.TAKES.items():
        for row in rows[split]:
            digit, _, take = row["recording"].decode().split("_")
            assert int(digit) == row["label"] and first <= int(take) <= last


def test_noise_keeps_to_its_splits_folds(rows):
    for split, folds in degrade.FOLDS.items():
        for row in rows[split]:
            if "noise" in row:
                assert int(row["noise"].decode().split("-")[0]) in folds and -10 <= row["snr"] <= 0


def test_splits_have_the_sizes_of_the_files(tasks):
    for task in tasks.values():
        assert [task.splits[split].size for split in pairing.TAKES] == [108, 12, 20]


def test_audio_is_scaled_by_trains_bands(tasks):
    """Mean 0 and deviation 1 of float32 values of order one, over 108 x 32 of them: to 1e-4."""
    for task in tasks.values():
        audio = task.splits["train"].inputs["audio"].astype(np.float64)
        np.testing.assert_allclose(audio.mean((0, 1)), 0, atol=1e-4)
        np.testing.assert_allclose(audio.std((0, 1)), 1, atol=1e-4)


def test_clean_images_are_the_raw_ones(tasks, dummy):
    images, labels = raw.read_digits(*(dummy("avdigits") / file for file in raw.MNIST["test"]))
    test = tasks["avdigits/clean"].splits["test"]
    np.testing.assert_array_equal(test.inputs["image"][..., 0], images.astype(np.float32) / 255)
    np.testing.assert_array_equal(test.target, labels)


def test_hard_images_lie_in_the_span_of_trains_components(tasks, dummy):
    clean, hard = (tasks[name].splits for name in ("avdigits/clean", "avdigits"))
    flat = {split: batch.inputs["image"].reshape(batch.size, -1) for split, batch in clean.items()}
    components = degrade.fit_energy(flat["train"])
    for split, batch in hard.items():
        expected = degrade.reduce_energy(components, flat[split])
        np.testing.assert_allclose(batch.inputs["image"].reshape(batch.size, -1), expected, atol=1e-5)


def test_clean_audio_is_the_paired_recordings(rows, tasks, dummy):
    """Up to one scale and shift a band, the same for every row: rows of one recording are equal."""
    first = {}
    for row in rows["train"]:
        if "noise" not in row:
            assert row["audio"].shape == (log_mel.FRAMES, log_mel.BANDS)
            np.testing.assert_array_equal(first.setdefault(row["recording"], row["audio"]), row["audio"])


def test_without_the_noise_clean_loads_and_hard_says_how_to_get_it(dummy, cache_dir, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(dummy("avdigits"), folder)
    (folder / raw.NOISE_FILE).unlink()
    assert load_task("avdigits/clean", str(folder), str(cache_dir)).name == "avdigits/clean"
    with pytest.raises(InputError, match=f"{raw.NOISE_FILE} is neither in .* get it from github.com/karoldvl/ESC-10"):
        load_task("avdigits", str(folder), str(tmp_path / "cache"))
    assert not (tmp_path / "cache").exists()


def test_real_files_are_what_the_description_says():
    """60,000 and 10,000 images, 6 x 50 recordings a digit, and 4 components with a quarter of the variance."""
    if not os.environ.get("MMJAX_DATA_DIR"):
        pytest.skip("MMJAX_DATA_DIR names no folder of real files")
    paths = find(os.environ["MMJAX_DATA_DIR"], raw.CLEAN_SOURCES)
    digits = {split: raw.read_digits(*(paths[file] for file in files)) for split, files in raw.MNIST.items()}
    assert {split: len(labels) for split, (_, labels) in digits.items()} == {"train": 60_000, "test": 10_000}
    recordings = raw.read_recordings(paths[raw.FSDD_FILE])
    np.testing.assert_array_equal(np.bincount(recordings.labels), np.full(10, 300))
    np.testing.assert_array_equal(np.bincount(recordings.takes), np.full(50, 60))
    images, labels = digits["train"]
    train = images[pairing.cut(labels)["train"]].reshape(-1, raw.SIDE**2).astype(np.float32) / 255
    assert degrade.fit_energy(train).n_components_ == 4
