import errno
import json
import os
import time

import numpy as np
import pytest

from experiments import store as store_module
from experiments.grid import Cell, Run
from experiments.store import Store, Stored
from mmjax.config import DEFAULTS
from mmjax.training.checkpoint import load_parameters

RUN = Run(Cell("tiny", "concat", "joint", DEFAULTS), 0, "f00d")
STORED = Stored(
    {"metrics": {"validation": {"accuracy": 0.5}, "test": {"accuracy": 0.75}}, "failure": None},
    [{"epoch": 1, "train_loss": 0.5}, {"epoch": 2, "train_loss": 0.25}],
    {
        f"{split}_logits": np.linspace(-1, n, 6, dtype=np.float32)[:, None]
        for n, split in enumerate(("validation", "test"))
    }
    | {f"{split}_target": np.arange(6) % 2 for split in ("validation", "test")},
)
WITHOUT_TEST = Stored(
    STORED.result | {"metrics": {"validation": {"accuracy": 0.5}}},
    STORED.history,
    {name: array for name, array in STORED.predictions.items() if name.startswith("validation")},
)
THETA = {"params": {"kernel": np.ones((2, 3), np.float32)}, "batch_stats": {}}
FILES = ("config.json", "metrics.jsonl", "predictions.npz", "result.json", "test.json", "test_predictions.npz")
OF_VALIDATION = FILES[:4]


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
        patch.setattr(store_module, "_settle", settle)
        with pytest.raises(OSError, match="No space left") as refused:
            store.write(RUN, STORED)
    assert str(refused.value.filename).startswith(str(store.folder(RUN)))
    assert store.read(RUN) is None
    store.write(RUN, STORED)
    assert store.read(RUN).result == STORED.result


def test_a_run_never_written_is_not_there(tmp_path):
    assert Store(tmp_path).read(RUN) is None


@pytest.mark.parametrize("name", OF_VALIDATION[1:])
def test_a_folder_without_one_of_its_files_is_no_result(store, name):
    (store.folder(RUN) / name).unlink()
    assert store.read(RUN) is None


@pytest.mark.parametrize("name", OF_VALIDATION[1:])
@pytest.mark.parametrize("keep", [0, 0.5])
def test_a_file_cut_short_is_no_result(store, name, keep):
    path = store.folder(RUN) / name
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep) + 1])
    assert store.read(RUN) is None


@pytest.mark.parametrize("name", FILES[1:])
def test_a_file_damaged_at_any_place_is_no_result(store, name):
    """Whatever is cut off, and other bytes of the same length; of JSON files only the last line's end may go.

    Damage to what a run says of test leaves a run without test.
    """
    path = store.folder(RUN) / name
    content = path.read_bytes()
    left = [None] if name in OF_VALIDATION else [WITHOUT_TEST.result]
    for at in range(0, len(content) - 1, max(len(content) // 50, 1)):
        path.write_bytes(content[:at])
        assert [read and read.result for read in [store.read(RUN)]] == left, f"cut off at {at}"
    if name not in ("result.json", "test.json"):
        for at in range(0, len(content), max(len(content) // 50, 1)):
            path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
            assert [read and read.result for read in [store.read(RUN)]] == left, f"changed at {at}"


def test_a_run_without_test_is_complete_but_for_it(tmp_path):
    store = Store(tmp_path)
    store.write(RUN, WITHOUT_TEST)
    read = store.read(RUN)
    assert sorted(path.name for path in store.folder(RUN).iterdir()) == sorted(OF_VALIDATION)
    assert read.is_complete("validation") and not read.is_complete("test")
    assert read.result == WITHOUT_TEST.result and not any(name.startswith("test") for name in read.predictions)


def test_a_run_that_is_completed_is_the_run_that_was_written_at_once_and_keeps_its_files(store, tmp_path):
    later = Store(tmp_path / "later")
    later.write(RUN, WITHOUT_TEST)
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in later.folder(RUN).iterdir()}
    later.complete(RUN, STORED)
    assert {name: (later.folder(RUN) / name).read_bytes() for name in FILES} == {
        name: (store.folder(RUN) / name).read_bytes() for name in FILES
    }
    for name, (content, time_of_change) in before.items():
        path = later.folder(RUN) / name
        assert (path.read_bytes(), path.stat().st_mtime_ns) == (content, time_of_change)


def test_a_run_whose_test_failed_is_complete_and_has_the_files_of_either_way(tmp_path):
    """What it is on validation is not touched by it."""
    failed = WITHOUT_TEST._replace(
        result=WITHOUT_TEST.result | {"test_failure": "not finite"},
        predictions=dict(WITHOUT_TEST.predictions) | {"test_target": STORED.predictions["test_target"]},
    )
    at_once, later = Store(tmp_path / "at once"), Store(tmp_path / "later")
    at_once.write(RUN, failed)
    later.write(RUN, WITHOUT_TEST)
    later.complete(RUN, failed)
    read = later.read(RUN)
    assert read.result == at_once.read(RUN).result == failed.result and set(read.predictions) == set(failed.predictions)
    assert read.is_complete("test") and read.failure("test") == "not finite" and read.failure("validation") is None
    for name in FILES:
        assert (later.folder(RUN) / name).read_bytes() == (at_once.folder(RUN) / name).read_bytes()
    assert "test" not in (later.folder(RUN) / "result.json").read_text()


def test_a_record_tells_how_test_came_where_that_came_later(tmp_path):
    store = Store(tmp_path)
    store.write(RUN, WITHOUT_TEST, record={"command": "a"})
    assert store.record(RUN) == {"command": "a"}
    store.complete(RUN, STORED, {"command": "b"})
    assert store.record(RUN) == {"command": "a", "test": {"command": "b"}}
    (store.folder(RUN) / "test.json").unlink()  # as where completing was cut off
    assert store.record(RUN) == {"command": "a"}


def test_a_failed_run_waits_for_no_test(tmp_path):
    store = Store(tmp_path)
    store.write(RUN, WITHOUT_TEST._replace(result={"metrics": {}, "failure": "the loss is not finite"}))
    assert store.read(RUN).is_complete("test")


def test_parameters_that_are_not_as_they_were_written_are_none(store):
    assert store.parameters(RUN) is None, "none were kept"
    store.write(RUN, STORED, THETA)
    assert store.parameters(RUN) == store.folder(RUN) / "parameters"
    largest = max((path for path in store.parameters(RUN).rglob("*") if path.is_file()), key=lambda p: p.stat().st_size)
    content = largest.read_bytes()
    largest.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert store.parameters(RUN) is None and store.read(RUN) is not None


class Cut(Exception):
    """Stands in for a kill."""


def cut_at(monkeypatch, step):
    """Lets writing go so many steps: a file that is written half, a file that is whole, a file at its place."""
    steps = iter(range(step))

    def after(function):
        def stepping(*arguments, **options):
            if next(steps, None) is None:
                raise Cut
            result = function(*arguments, **options)
            if next(steps, None) is None:
                raise Cut
            return result

        return stepping

    for name in ("_settle", "save_parameters"):
        monkeypatch.setattr(store_module, name, after(getattr(store_module, name)))
    monkeypatch.setattr(store_module.os, "replace", after(os.replace))


@pytest.mark.parametrize("first", [STORED, WITHOUT_TEST], ids=["at once", "validation first"])
def test_a_kill_at_any_moment_leaves_nothing_a_run_without_test_or_a_whole_one(tmp_path, monkeypatch, first):
    """Cut off after every step of writing and of completing, and then done again."""
    whole, kept_back = False, [None, WITHOUT_TEST.result, STORED.result]
    seen, step = set(), 0
    while not whole:
        store = Store(tmp_path / str(step))
        with monkeypatch.context() as patch:
            cut_at(patch, step)
            try:
                store.write(RUN, first, THETA)
                if first is WITHOUT_TEST:
                    store.complete(RUN, STORED)
                whole = True
            except Cut:
                pass
        read = store.read(RUN)
        state = kept_back.index(read and read.result)
        seen.add(state)
        if state == 0:
            store.write(RUN, first, THETA)
        if not store.read(RUN).is_complete("test"):
            assert store.parameters(RUN), "what is to be completed has its parameters"
            store.complete(RUN, STORED)
        assert store.read(RUN).result == STORED.result
        assert sorted(path.name for path in store.folder(RUN).iterdir()) == sorted([*FILES, "parameters"])
        step += 1
    assert step > 12 and seen == ({0, 2} if first is STORED else {0, 1, 2})


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
    store.write(RUN, STORED, THETA)
    np.testing.assert_array_equal(
        load_parameters(store.folder(RUN) / "parameters")["params"]["kernel"], THETA["params"]["kernel"]
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
    result = {"metrics": {}, "train_samples_per_second": float("nan")}
    store.write(RUN, STORED._replace(result=result, history=[{"train_loss": float("inf")}]))
    text = (store.folder(RUN) / "result.json").read_text() + (store.folder(RUN) / "metrics.jsonl").read_text()
    assert "NaN" not in text and "Infinity" not in text
    assert store.read(RUN).result == {"metrics": {}, "train_samples_per_second": None}
    assert store.read(RUN).history == [{"train_loss": None}]
