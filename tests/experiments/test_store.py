import errno
import json
import time

import numpy as np
import pytest

import experiments.store
from experiments.grid import Cell, Run
from experiments.store import Store, Stored
from mmjax.config import DEFAULTS
from mmjax.training.checkpoint import load_parameters

RUN = Run(Cell("tiny", "concat", "joint", DEFAULTS), 0, "f00d")
STORED = Stored(
    {"metrics": {"test": {"accuracy": 0.75}}, "failure": None},
    [{"epoch": 1, "train_loss": 0.5}, {"epoch": 2, "train_loss": 0.25}],
    {"test_logits": np.linspace(-1, 1, 6, dtype=np.float32)[:, None], "test_target": np.arange(6) % 2},
)
FILES = ("config.json", "metrics.jsonl", "predictions.npz", "result.json")


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    store.write(RUN, STORED)
    return store


def test_what_is_written_is_read(store):
    read = store.read(RUN)
    assert read.result == STORED.result and read.history == STORED.history
    for name, array in STORED.predictions.items():
        np.testing.assert_array_equal(read.predictions[name], array)
        assert read.predictions[name].dtype == array.dtype


def test_a_folder_holds_these_files_and_no_other(store):
    assert sorted(path.name for path in store.folder(RUN).iterdir()) == sorted(FILES)
    assert json.loads((store.folder(RUN) / "config.json").read_text()) == RUN.identity


@pytest.mark.parametrize("files", range(4))
def test_a_disk_that_is_full_after_some_files_leaves_no_result(tmp_path, monkeypatch, files):
    """The error names the run's folder; once there is room, the same run is kept."""
    store, written = Store(tmp_path), []

    def settle(file):
        if len(written) == files:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(file)

    with monkeypatch.context() as patch:
        patch.setattr(experiments.store, "_settle", settle)
        with pytest.raises(OSError, match="No space left") as refused:
            store.write(RUN, STORED)
    assert str(refused.value.filename).startswith(str(store.folder(RUN)))
    assert store.read(RUN) is None
    store.write(RUN, STORED)
    assert store.read(RUN).result == STORED.result


def test_a_run_never_written_is_not_there(tmp_path):
    assert Store(tmp_path).read(RUN) is None


@pytest.mark.parametrize("name", FILES[1:])
def test_a_folder_without_one_of_its_files_is_no_result(store, name):
    (store.folder(RUN) / name).unlink()
    assert store.read(RUN) is None


@pytest.mark.parametrize("name", FILES[1:])
@pytest.mark.parametrize("keep", [0, 0.5])
def test_a_file_cut_short_is_no_result(store, name, keep):
    path = store.folder(RUN) / name
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep) + 1])
    assert store.read(RUN) is None


@pytest.mark.parametrize("name", FILES[1:])
def test_a_file_damaged_at_any_place_is_no_result(store, name):
    """Whatever is cut off, and other bytes of the same length; of result.json only the last line's end may go."""
    path = store.folder(RUN) / name
    content = path.read_bytes()
    for at in range(0, len(content) - 1, max(len(content) // 50, 1)):
        path.write_bytes(content[:at])
        assert store.read(RUN) is None, f"cut off at {at}"
    if name != "result.json":
        for at in range(0, len(content), max(len(content) // 50, 1)):
            path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
            assert store.read(RUN) is None, f"changed at {at}"


@pytest.mark.parametrize("content", ["[]", "3", '{"metrics": {}}', '{"checksums": {}}'])
def test_json_that_is_no_result_is_none(store, content):
    (store.folder(RUN) / "result.json").write_text(content)
    assert store.read(RUN) is None


def test_the_same_content_has_the_same_bytes_at_any_time(store, monkeypatch):
    before = {name: (store.folder(RUN) / name).read_bytes() for name in FILES}
    for clock in ("time", "localtime", "time_ns"):  # of which an archive could take its entries' dates
        value = {"time": 2e9, "localtime": time.gmtime(2e9), "time_ns": 2 * 10**18}[clock]
        monkeypatch.setattr(time, clock, lambda *_, value=value: value)
    store.write(RUN, STORED)
    assert {name: (store.folder(RUN) / name).read_bytes() for name in FILES} == before


def test_parameters_are_kept_beside_a_result_and_go_with_it(store):
    theta = {"params": {"kernel": np.ones((2, 3), np.float32)}, "batch_stats": {}}
    store.write(RUN, STORED, theta)
    np.testing.assert_array_equal(
        load_parameters(store.folder(RUN) / "parameters")["params"]["kernel"], theta["params"]["kernel"]
    )
    store.write(RUN, STORED)
    assert not (store.folder(RUN) / "parameters").exists() and store.read(RUN).result == STORED.result


def test_garbage_gives_way_to_a_result(store):
    folder = store.folder(RUN)
    (folder / "result.json").write_text("{")
    (folder / "left over").mkdir()
    store.write(RUN, STORED)
    assert store.read(RUN).result == STORED.result
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)


class Stopped:
    """Predictions whose writing is cut off, as by a signal."""

    def __array__(self, *_, **__):
        raise KeyboardInterrupt


def test_writing_that_is_cut_off_leaves_no_result_not_even_the_old_one(store):
    with pytest.raises(KeyboardInterrupt):
        store.write(RUN, STORED._replace(predictions={"test_logits": Stopped()}))
    assert store.read(RUN) is None
    assert not (store.folder(RUN) / "result.json").exists()


def test_a_figure_that_does_not_exist_is_null(tmp_path):
    store = Store(tmp_path)
    store.write(
        RUN, STORED._replace(result={"train_samples_per_second": float("nan")}, history=[{"train_loss": float("inf")}])
    )
    text = (store.folder(RUN) / "result.json").read_text() + (store.folder(RUN) / "metrics.jsonl").read_text()
    assert "NaN" not in text and "Infinity" not in text
    assert store.read(RUN).result == {"train_samples_per_second": None}
    assert store.read(RUN).history == [{"train_loss": None}]
