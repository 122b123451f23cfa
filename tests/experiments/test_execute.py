import dataclasses
import io
import json
import os
import queue
import shutil
import threading
import time
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from rich.console import Console

from experiments.cell_runs import Keeping
from experiments.execute import execute, forget
from experiments.grid import cells_of, runs_of, unimodal_names
from experiments.progress import Reporter
from experiments.results import notes_of, records_of, rows_of
from experiments.store import Store
from mmjax.config import DEFAULTS
from mmjax.fusion import FUSIONS as FUSED
from mmjax.training.checkpoint import load_parameters
from mmjax.training.memory import OutOfMemory
from mmjax.training.parallel import Placement
from mmjax.training.results import Interrupted

TIMES = ("train_samples_per_second", "inference_samples_per_second")
FUSIONS = ("concat", "mean", "mmtm")


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


@pytest.fixture
def plan(task):
    return [(task, cell) for cell in cells_of(task, FUSIONS, ["joint"], DEFAULTS)]


@pytest.fixture
def launch(store, plan, training, combine):
    """Executes a plan on the counted training; the records by fusion."""

    def run(seeds=2, plan=plan, training=training, said=None, **options):
        reporter = Reporter(len(plan), Console(file=said or io.StringIO()))
        reasons = execute(plan, range(seeds), store, Placement(), reporter, training, combine, **options)
        rows = rows_of(plan, range(seeds), store, reasons, split=options.get("evaluate", "test"))
        return {record["fusion"]: record for record in records_of(rows)}

    return run


def test_every_run_is_kept_with_predictions_targets_and_metrics_of_them(launch, plan, store):
    records = launch()
    for task, cell in plan:
        for seed, run in enumerate(runs_of(cell, task, range(2))):
            predictions = store.read(run).predictions
            for split in ("validation", "test"):
                np.testing.assert_array_equal(predictions[f"{split}_target"], task.splits[split].target)
            right = np.mean((predictions["test_logits"][:, 0] > 0) == task.splits["test"].target)
            assert records[cell.fusion]["metrics"]["accuracy"][seed] == right


def test_the_oracle_is_right_where_any_modality_is(launch, plan, store, task):
    records = launch()
    for seed in range(2):
        right = np.zeros(task.splits["test"].size, bool)
        for _, cell in plan:
            if cell.fusion in unimodal_names(task):
                logits = store.read(runs_of(cell, task, [seed])[0]).predictions["test_logits"]
                right |= (logits[:, 0] > 0) == task.splits["test"].target
        assert records["oracle"]["metrics"] == {"accuracy": records["oracle"]["metrics"]["accuracy"]}
        assert records["oracle"]["metrics"]["accuracy"][seed] == right.mean()


def test_only_missing_seeds_are_trained(launch, training):
    launch(seeds=1)
    training.calls.clear()
    launch(seeds=3)
    assert {seeds for _, seeds in training.calls} == {(1, 2)}


def test_seeds_that_trained_together_go_on_together(launch, training, store, tmp_path):
    """A cell cut off while its results were being stored resumes the checkpoint of all its seeds."""
    training.raises["concat"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        launch(seeds=3)
    (checkpoint,) = (tmp_path / "checkpoints").iterdir()
    kept = shutil.copytree(checkpoint, tmp_path / "kept")
    launch(seeds=3)
    assert not checkpoint.exists(), "what is stored needs no checkpoint"
    shutil.copytree(kept, checkpoint)
    (stored,) = store.root.glob("tiny-concat-joint-seed1-*")
    shutil.rmtree(stored)
    training.calls.clear()
    launch(seeds=3)
    assert training.calls == [("concat", (0, 1, 2))]


def test_seeds_that_are_asked_for_later_leave_those_that_were_begun_together(launch, training, store):
    training.raises["concat"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        launch(seeds=2)
    training.calls.clear()
    launch(seeds=4)
    assert [seeds for fusion, seeds in training.calls if fusion == "concat"] == [(0, 1), (2, 3)]


def test_a_cell_that_was_cut_off_between_two_of_its_seeds_is_what_it_would_have_been(
    launch, training, store, monkeypatch, plan
):
    (task, cell), *_ = [(task, cell) for task, cell in plan if cell.fusion == "concat"]
    first, second = runs_of(cell, task, range(2))
    write = store.write

    def cut_off(run, *content):
        if run == second:
            raise KeyboardInterrupt
        write(run, *content)

    with monkeypatch.context() as patch:
        patch.setattr(store, "write", cut_off)
        with pytest.raises(KeyboardInterrupt):
            launch()
    stored = (store.folder(first) / "result.json").stat()
    training.calls.clear()
    launch()
    assert training.calls[0] == ("concat", (0, 1)), "a smaller program may round otherwise"
    assert (store.folder(first) / "result.json").stat() == stored, "what was stored is not written again"


def test_what_a_launch_that_was_killed_left_behind_is_cleared_away(launch, training, store, tmp_path):
    names = []
    training.asks_to_stop["concat"] = lambda: names.extend(path.name for path in (tmp_path / "checkpoints").iterdir())
    launch()
    assert {path.name for path in tmp_path.iterdir()} == {"runs"}
    (tmp_path / "checkpoints" / names[0]).mkdir(parents=True)
    (tmp_path / "checkpoints" / names[0] / "seeds.json").write_text("[0, 1]")
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / f"{names[0]}.json").write_text("{")
    launch()
    assert {path.name for path in tmp_path.iterdir()} == {"runs"}


def test_checkpoints_of_seeds_that_are_not_asked_for_are_left_alone(launch, training, tmp_path):
    launch(seeds=1)
    training.raises["concat"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        launch(seeds=3)
    launch(seeds=1)
    assert len(list((tmp_path / "checkpoints").iterdir())) == 1


def test_checkpoints_are_kept_as_asked_under_the_identity_of_their_runs(launch, training, tmp_path):
    keeps = []

    def noting(task, fusion, strategy, config, seeds, placement, keep, on_progress, *, stop):
        keeps.append(keep)
        return training(task, fusion, strategy, config, seeds, placement, keep, on_progress, stop=stop)

    launch(training=noting, keeping=Keeping(checkpoints=5, seconds_between=1.0))
    assert {(keep.latest, keep.seconds_between) for keep in keeps} == {(5, 1.0)}
    assert len({keep.identity for keep in keeps}) == len({keep.directory for keep in keeps}) == len(keeps)
    again = len(keeps)
    launch(seeds=3, training=noting)
    assert not {keep.identity for keep in keeps[:again]} & {keep.identity for keep in keeps[again:]}


def test_parameters_stay_with_a_result_where_they_are_asked_for(launch, store):
    launch(seeds=1)
    launch(seeds=2, keeping=Keeping(parameters=True))
    kept = sorted(path.parent.name for path in store.root.glob("*/parameters"))
    assert kept and all("seed1" in name for name in kept)
    (folder,) = store.root.glob("tiny-concat-joint-seed1-*")
    assert load_parameters(folder / "parameters")["params"]["scale"] == np.float32(1)
    assert not list(store.root.glob("*majority*/parameters")) and not list(store.root.glob("*mean*/parameters"))


def test_a_launch_that_is_asked_to_stop_trains_nothing_more_and_leaves_its_place(launch, training, tmp_path):
    asked = threading.Event()
    training.asks_to_stop["concat"] = asked.set
    with pytest.raises(Interrupted):
        launch(stop=asked.is_set)
    assert training.calls[-1][0] == "concat"
    assert not (tmp_path / "locks").exists() and len(list((tmp_path / "checkpoints").iterdir())) == 1
    with pytest.raises(Interrupted):
        launch(stop=asked.is_set)
    assert training.calls[-1][0] == "concat"
    training.asks_to_stop.clear()
    launch()
    assert [fusion for fusion, _ in training.calls].count("concat") == 2


def beside(other, until):
    """Starts `other` in a thread from within a training, and lets that training go on when `until` is set."""

    def start():
        thread = threading.Thread(target=other, daemon=True)
        thread.start()
        assert until.wait(60)

    return start


def test_two_launches_share_the_cells_and_train_none_twice(launch, training, combine):
    """The second begins while the first trains its first cell; then they go on side by side."""
    waits, said, ends = threading.Event(), io.StringIO(), queue.Queue()

    def second():
        ends.put(launch(said=said, wait=lambda seconds: (waits.set(), time.sleep(0.01))))

    first_cell = "unimodal/sight"
    training.asks_to_stop[first_cell] = beside(second, waits)
    records = launch()
    others = ends.get(timeout=60)
    assert sorted(training.calls) == sorted({(fusion, seeds) for fusion, seeds in training.calls})
    assert {fusion for fusion, _ in training.calls} == {"unimodal/sight", "unimodal/sound", "concat", "mmtm"}
    for record in (*records.values(), *others.values()):
        assert record["status"] == "done"
    assert f"tiny {first_cell} joint: put off, held by process {os.getpid()} on " in said.getvalue()
    assert "tiny mean joint: put off, its unimodal runs are another launch's" in said.getvalue()
    assert f"tiny {first_cell} joint: done by another launch" in said.getvalue()
    assert said.getvalue().count(f"{first_cell} joint: put off") == 1, "it is said once, not every time it is looked at"


def test_a_cell_that_another_launch_gives_up_is_trained_by_who_waits_for_it(launch, training):
    waits, ends = threading.Event(), queue.Queue()

    def second():
        ends.put(launch(wait=lambda seconds: (waits.set(), time.sleep(0.01))))

    def fail():
        del training.asks_to_stop["unimodal/sight"]
        beside(second, waits)()
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: out of memory")

    training.asks_to_stop["unimodal/sight"] = fail
    launch()
    assert {record["status"] for record in ends.get(timeout=60).values()} == {"done"}
    assert training.calls.count(("unimodal/sight", (0, 1))) == 2


def test_who_waits_for_another_launch_can_be_asked_to_stop(launch, training):
    asked, ends = threading.Event(), queue.Queue()

    def second():
        try:
            launch(stop=asked.is_set, wait=lambda seconds: asked.set())
        except Interrupted as stopped:
            ends.put(stopped)

    training.asks_to_stop["unimodal/sight"] = beside(second, asked)
    launch()
    assert isinstance(ends.get(timeout=60), Interrupted)


def test_what_another_launch_trains_is_not_forgotten(launch, training, store, plan):
    launch()
    forgotten = [run for task, cell in plan for run in runs_of(cell, task, range(2))]

    def forget_beside():
        forget(plan, range(2), store)
        done.extend(run for run in forgotten if store.read(run))
        assert (store.root.parent / "checkpoints").exists()

    done = []
    training.asks_to_stop["concat"] = forget_beside
    launch(seeds=3)
    assert {run.cell.fusion for run in done} == {"concat"}


def test_who_lost_its_lock_stores_nothing_and_trains_again(launch, training, store, tmp_path):
    said = io.StringIO()

    def lose():
        del training.asks_to_stop["concat"]
        (lock,) = (tmp_path / "locks").glob("tiny-concat-*.json")
        owner = json.loads(lock.read_text())
        lock.write_text(json.dumps(owner | {"token": "another's", "started": "0"}))  # which has ended by now

    training.asks_to_stop["concat"] = lose
    records = launch(said=said, wait=lambda seconds: None)
    assert training.calls.count(("concat", (0, 1))) == 2
    assert "tiny concat joint: put off, the lock " in said.getvalue() and records["concat"]["status"] == "done"
    assert said.getvalue().splitlines()[-1].startswith(f"[{len(records) - 1}/{len(records) - 1}] ")


def losing(training, tmp_path, fusion, then):
    """A training in which a fusion's lock and checkpoints go, once, as if another launch had ended the cell."""

    def train(task, name, strategy, config, seeds, placement, keep, on_progress, **options):
        if name == fusion and not losing.done:
            losing.done = True
            (lock,) = (tmp_path / "locks").glob(f"tiny-{fusion}-*.json")
            lock.unlink()
            shutil.rmtree(keep.directory.parent)
            then(on_progress)
        return training(task, name, strategy, config, seeds, placement, keep, on_progress, **options)

    losing.done = False
    return train


def orbax_misses_its_folder(on_progress):
    raise FileNotFoundError("steps/3.orbax-checkpoint-tmp")


def evaluation_is_through(on_progress):
    on_progress(None)
    pytest.fail("no checkpoint is saved among another launch's")


@pytest.mark.parametrize("then", [orbax_misses_its_folder, evaluation_is_through])
def test_who_lost_its_cell_says_so_and_goes_on_with_others(launch, training, tmp_path, then):
    said = io.StringIO()
    records = launch(training=losing(training, tmp_path, "concat", then), said=said, wait=lambda seconds: None)
    assert "tiny concat joint: put off, the lock " in said.getvalue()
    assert "was taken over by another launch, which has ended" in said.getvalue()
    assert {record["status"] for record in records.values()} == {"done"}
    assert training.calls.index(("concat", (0, 1))) > training.calls.index(("mmtm", (0, 1))), "others come first"
    assert not (tmp_path / "checkpoints").exists() and not (tmp_path / "locks").exists()


def test_a_failure_of_who_has_its_lock_is_its_own(launch, training):
    training.raises["concat"] = FileNotFoundError("a fault of the program")
    with pytest.raises(FileNotFoundError, match="a fault of the program"):
        launch()


def test_checkpoints_that_come_up_later_are_cleared_away_at_the_end(launch, training, plan, tmp_path):
    names = []
    training.asks_to_stop["concat"] = lambda: names.extend(path.name for path in (tmp_path / "checkpoints").iterdir())

    def leave():
        (tmp_path / "checkpoints" / names[0]).mkdir(parents=True)
        (tmp_path / "checkpoints" / names[0] / "seeds.json").write_text("[0, 1]")

    training.asks_to_stop["mmtm"] = leave
    launch()
    assert {path.name for path in tmp_path.iterdir()} == {"runs"}


def test_what_is_forgotten_is_trained_again_and_nothing_else(launch, training, store, plan):
    launch(seeds=2)
    training.calls.clear()
    forget(plan, [1], store)
    launch(seeds=2)
    assert {seeds for _, seeds in training.calls} == {(1,)}


def test_a_failed_cell_says_why_and_the_others_go_on(launch, training):
    training.failures["concat"] = "the training loss of seed 0 is not finite at epoch 1"
    records = launch()
    assert records["concat"]["status"] == "failed: the training loss of seed 0 is not finite at epoch 1"
    assert records["concat"]["metrics"] == {}
    assert records["mmtm"]["status"] == records["mean"]["status"] == "done"
    training.calls.clear()
    launch()
    assert training.calls == [], "the same seeds would fail the same way"


def test_a_rule_over_a_failed_modality_has_no_figures(launch, training):
    training.failures["unimodal/sound"] = "the training loss of seed 0 is not finite at epoch 1"
    records = launch()
    assert records["mean"]["status"].startswith("failed: sound: ")
    assert "oracle" not in records


NOT_FINITE = "the training loss of seed 1 is not finite at epoch 1"


def test_a_diverged_seed_leaves_its_neighbours_and_counts_as_the_majority(launch, training, store, plan):
    expected = launch(seeds=3)
    said = io.StringIO()
    training.failures["concat", 1] = NOT_FINITE
    forget(plan, range(3), store)
    record = launch(seeds=3, said=said)["concat"]
    assert record["status"] == "1 of 3 seeds diverged" and record["seeds"] == 3
    for name, values in record["metrics"].items():
        assert values[::2] == expected["concat"]["metrics"][name][::2]
        assert values[1] == expected["majority"]["metrics"][name][1]
    mean = np.mean(record["metrics"]["accuracy"])
    assert f"concat joint: accuracy {mean:.4f}, 1 of 3 seeds diverged, which count as the majority" in said.getvalue()
    (cell,) = (cell for _, cell in plan if cell.fusion == "concat")
    stored = [store.read(run).result for run in runs_of(cell, plan[0][0], range(3))]
    assert [result["failure"] for result in stored] == [None, NOT_FINITE, None]
    assert [bool(result["metrics"]) for result in stored] == [True, False, True]
    training.calls.clear()
    launch(seeds=3)
    assert training.calls == [], "the same seed would diverge the same way"


def test_rows_of_diverged_seeds_are_ranked_with_them(launch, training, store, plan, task):
    """The best on validation is no more so with one seed of two gone, and the notes name it."""
    launch()
    rows = rows_of(plan, range(2), store, {})
    before = next(note for note in notes_of(rows)["tiny"] if note.startswith("Gain of "))
    best = before.split()[2]
    training.failures[best, 0] = training.failures[best, 1] = NOT_FINITE
    del training.failures[best, 0]
    forget(plan, range(2), store)
    launch()
    rows = rows_of(plan, range(2), store, {})
    usual, row = (next(r for r in rows if r.cell.fusion == name) for name in ("majority", best))
    assert row.scores("validation")[1] == usual.scores("validation")[1]
    notes = notes_of(rows)["tiny"]
    assert f"A seed that diverged has the majority's figures: {best} (1 of 2 seeds diverged)." in notes
    assert not any(note.startswith(f"Gain of {best} ") for note in notes)


def test_a_rule_fails_for_the_seed_of_which_a_modality_diverged(launch, training, store, plan):
    training.failures["unimodal/sound", 1] = NOT_FINITE
    records = launch(seeds=3)
    assert records["mean"]["status"] == records["unimodal/sound"]["status"] == "1 of 3 seeds diverged"
    assert records["mean"]["metrics"]["accuracy"][1] == records["majority"]["metrics"]["accuracy"][1]
    assert len(records["oracle"]["metrics"]["accuracy"]) == 3
    (cell,) = (cell for _, cell in plan if cell.fusion == "mean")
    stored = [store.read(run).result for run in runs_of(cell, plan[0][0], range(3))]
    assert [result["failure"] for result in stored] == [None, f"sound: {NOT_FINITE}", None]


def test_each_run_says_how_many_epochs_it_was_trained(launch, store, plan):
    launch()
    epochs = {cell.fusion: [store.read(run).result["epochs_trained"] for run in runs_of(cell, task, range(2))]
              for task, cell in plan}  # fmt: skip
    assert epochs["majority"] == [None] * 2
    assert all(epochs[name] == [1, 1] for name in epochs if name != "majority")


def test_a_device_that_fails_is_tried_again_next_time(launch, training):
    training.raises["concat"] = jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: out of memory\nmore")
    assert launch()["concat"]["status"] == "failed: RESOURCE_EXHAUSTED: out of memory"
    assert launch()["concat"]["status"] == "done"


@pytest.mark.parametrize(
    "error", [OutOfMemory(2**37, 2**34), MemoryError("Unable to allocate 128. GiB"), MemoryError()]
)
def test_a_cell_without_memory_is_a_row_and_the_others_go_on(launch, training, error):
    training.raises["concat"] = error
    records = launch()
    assert records["concat"]["status"].startswith("failed: ")
    assert "memory" in records["concat"]["status"] or "allocate" in records["concat"]["status"]
    assert records["mmtm"]["status"] == records["mean"]["status"] == "done"


def test_a_rule_waits_for_modalities_that_could_not_run(launch, training):
    training.raises["unimodal/sight"] = jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: out of memory")
    assert launch()["mean"]["status"] == "0 of 2 runs done"
    assert launch()["mean"]["status"] == "done"


def test_an_undefined_pair_is_a_row_with_its_reason(launch, regression_task, training):
    cells = cells_of(regression_task, ["evidential", "concat"], ["joint"], DEFAULTS)
    records = launch(plan=[(regression_task, cell) for cell in cells])
    assert records["evidential"]["status"].startswith("not applicable: evidential takes a target that is ")
    assert records["concat"]["status"] == "done"
    assert [fusion for fusion, _ in training.calls] == ["concat"]


def test_rows_come_task_by_task_and_in_the_order_of_the_registry(store, task, regression_task):
    tasks = (task, regression_task)
    plan = [(each, cell) for each in tasks for cell in cells_of(each, ["all"], ["joint", "staged"], DEFAULTS)]
    cells = [row.cell for row in rows_of(plan, [0], store, {})]
    assert [cell.task for cell in cells] == sorted((cell.task for cell in cells), key=[t.name for t in tasks].index)
    names = [cell.fusion for cell in cells if cell.task == task.name and cell.fusion in FUSED]
    assert names == [name for name in FUSED for _ in ("joint", "staged")]


def test_the_cost_of_a_rule_is_that_of_all_it_combines(launch):
    records = launch()
    single = [records[name] for name in ("unimodal/sight", "unimodal/sound")]
    assert records["mean"]["parameters"] == sum(record["parameters"] for record in single)
    for name in TIMES:
        assert 1 / records["mean"][name] == pytest.approx(sum(1 / record[name] for record in single))


def contents(store):
    """run -> file -> bytes and time of the last change; parameters lie in a folder of their own."""
    return {
        folder.name: {
            file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir() if file.is_file()
        }
        for folder in store.root.iterdir()
    }


def without_times(records):
    return {n: {k: v for k, v in record.items() if k not in TIMES} for n, record in records.items()}


COMPLETING = {"test.json", "test_predictions.npz"}


def test_nothing_of_test_is_predicted_computed_or_stored_where_validation_is_evaluated(launch, training, store):
    launch(evaluate="validation")
    assert set(training.predicted) == {("validation",)}
    for name, files in contents(store).items():
        assert not COMPLETING & set(files), name
        content = b"".join(content for file, (content, _) in files.items() if file != "record.json")  # has the command
        assert b"test" not in content, name
    assert all(
        (folder / "parameters").exists() for folder in store.root.glob("*-joint-*") if "-mean-" not in folder.name
    )


def test_what_validation_left_is_completed_without_training_to_what_test_would_have_made(
    launch, training, store, tmp_path
):
    launch(evaluate="validation")
    trained, before, said = list(training.calls), contents(store), io.StringIO()
    records, after = launch(said=said), contents(store)
    assert "tiny concat joint: test of 2 seeds trained before" in said.getvalue()
    assert training.calls == trained and sorted(training.completed) == sorted(trained)
    assert after.keys() == before.keys()
    for name, files in after.items():
        assert {file: files[file] for file in before[name]} == before[name], "a finished run's files never change"
        assert files.keys() - before[name].keys() == COMPLETING | {"test_record.json"}
    store.root = tmp_path / "direct"
    assert without_times(launch()) == without_times(records)
    direct = contents(store)
    for name, files in after.items():
        for file in COMPLETING | {"predictions.npz"}:
            assert direct[name][file][0] == files[file][0]


def test_seconds_are_those_of_the_program_that_made_a_run(launch, training, store, monkeypatch):
    """Seeds 0 and 1 go on together, 2 after them, then all are completed; the clock ticks whenever it is read."""
    ticks = iter(range(1000))
    monkeypatch.setattr("experiments.run_records.time", SimpleNamespace(perf_counter=lambda: float(next(ticks))))

    def noted(fusion, name="record.json"):
        records = [json.loads(path.read_text()) for path in sorted(store.root.glob(f"tiny-{fusion}-seed*/{name}"))]
        return [(record["seeds"], sum(record["seconds"].values())) for record in records]

    training.raises["concat"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        launch(seeds=2, evaluate="validation")
    launch(seeds=3, evaluate="validation")
    assert noted("concat-joint") == [([0, 1], 1.0), ([0, 1], 1.0), ([2], 1.0)]
    assert noted("mean-joint") == noted("majority") == [([seed], 1.0) for seed in range(3)]
    launch(seeds=4)
    assert noted("concat-joint") == [([0, 1], 1.0), ([0, 1], 1.0), ([2], 1.0), ([3], 1.0)]
    assert noted("concat-joint", "test_record.json") == [([0, 1, 2], 1.0)] * 3
    assert noted("mean-joint", "test_record.json") == [([seed], 1.0) for seed in range(3)]


def test_what_is_complete_is_not_evaluated_again(launch, training, store):
    launch(evaluate="validation")
    launch()
    before, completed = contents(store), list(training.completed)
    launch()
    launch(evaluate="validation")
    assert training.completed == completed and contents(store) == before


def test_all_seeds_are_predicted_together_where_one_was_left_behind(launch, training, store, monkeypatch):
    """A program of fewer seeds may round otherwise."""
    launch(evaluate="validation")
    complete = store.complete

    def cut_off(run, *content):
        if (run.cell.fusion, run.seed) == ("concat", 1):
            raise KeyboardInterrupt
        complete(run, *content)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(store, "complete", cut_off)
        launch()
    before = contents(store)
    training.completed.clear()
    launch()
    assert training.completed[0] == ("concat", (0, 1)) and len(training.calls) == 4
    for name, files in contents(store).items():
        assert {file: files[file] for file in before[name]} == before[name]


def test_seeds_that_are_asked_for_later_are_trained_and_the_others_completed(launch, training):
    launch(seeds=2, evaluate="validation")
    training.calls.clear()
    said = io.StringIO()
    records = launch(seeds=3, said=said)
    assert "tiny concat joint: 1 seed, and test of 2 seeds trained before" in said.getvalue()
    assert {seeds for _, seeds in training.calls} == {(2,)} and {seeds for _, seeds in training.completed} == {(0, 1)}
    assert {record["status"] for record in records.values()} == {"done"}


@pytest.mark.parametrize("damage", ["gone", "other bytes"])
def test_a_run_whose_parameters_are_lost_is_trained_again(launch, training, store, damage):
    launch(evaluate="validation")
    (folder,) = store.root.glob("tiny-concat-joint-seed1-*")
    if damage == "gone":
        shutil.rmtree(folder / "parameters")
    else:
        for path in (folder / "parameters").rglob("*"):
            if path.is_file():
                path.write_bytes(path.read_bytes() + b"?")
    training.calls.clear()
    records = launch()
    assert training.calls == [("concat", (1,))] and ("concat", (0,)) in training.completed
    assert records["concat"]["status"] == "done"


def test_a_run_that_decides_otherwise_than_it_did_is_not_completed(launch, training, store, monkeypatch):
    launch(evaluate="validation")
    run = training._run

    def other(task, fusion, seed, splits):
        result = run(task, fusion, seed, splits)
        return dataclasses.replace(result, logits={split: -values for split, values in result.logits.items()})

    with monkeypatch.context() as patch:
        patch.setattr(training, "_run", other)
        records = launch()
    assert records["concat"]["status"].startswith("failed: decides otherwise on validation than when it was trained")
    assert not list(store.root.glob("*concat*/test.json"))
    assert launch()["concat"]["status"] == "done"


def test_a_seed_that_diverged_hinders_none_that_did_not(launch, training, store, plan, monkeypatch):
    """It is predicted with the others, so that their program is the same, and what it says is thrown away."""
    launch(evaluate="validation")
    (run,) = [run for task, cell in plan if cell.fusion == "concat" for run in runs_of(cell, task, [0])]
    stored, theta = store.read(run), load_parameters(store.parameters(run))
    store.write(run, stored._replace(result=stored.result | {"metrics": {}, "failure": "not finite"}), theta)
    predict = training._run

    def diverging(task, fusion, seed, splits):
        result = predict(task, fusion, seed, splits)
        if seed == 0 and fusion == "concat":
            return dataclasses.replace(result, logits={split: x * np.nan for split, x in result.logits.items()})
        return result

    monkeypatch.setattr(training, "_run", diverging)
    launch()
    assert ("concat", (0, 1)) in training.completed
    assert [path.parent.name for path in store.root.glob("*concat*/test.json")] == [
        path.name for path in store.root.glob("*concat*seed1*")
    ]


@pytest.fixture
def overflow(training, monkeypatch):
    """Lets what some seeds of a fusion predict of a split, when they are completed say, be infinite."""
    predict = training._run

    def overflowing(fusion, seeds, split="test"):
        def run(task, name, seed, splits):
            result = predict(task, name, seed, splits)
            if name == fusion and seed in seeds and split in splits:
                result.logits[split] *= np.inf
            return result

        monkeypatch.setattr(training, "_run", run)

    return overflowing


@pytest.mark.parametrize("fusion", ["concat", "unimodal/sound"])
@pytest.mark.parametrize("seeds", [(1,), (0, 1)], ids=["one seed", "all seeds"])
def test_a_seed_that_is_not_finite_on_test_has_the_same_row_whether_or_not_validation_came_first(
    launch, training, store, tmp_path, overflow, fusion, seeds
):
    """On validation it is what it was, on test it counts as the majority; a rule over it does so too."""
    overflow(fusion, seeds)
    at_once, store.root = launch(), tmp_path / "later" / "runs"
    of_validation = launch(evaluate="validation")
    assert of_validation[fusion]["status"] == "done"
    trained = list(training.calls)
    assert without_times(launch()) == without_times(at_once) and training.calls == trained
    diverged = "1 of 2 seeds diverged" if len(seeds) == 1 else "failed: "
    affected = {fusion, "mean"} if fusion != "concat" else {fusion}
    for name, record in at_once.items():
        assert (record["status"] == "done") == (name not in affected)
    if len(seeds) == 1:
        majority = at_once["majority"]["metrics"]["accuracy"][1]
        assert at_once[fusion]["metrics"]["accuracy"][1] == majority
    for name in affected:
        assert diverged in at_once[name]["status"]
    again = contents(store)
    assert launch(evaluate="validation") == of_validation and launch().keys() == at_once.keys()
    assert contents(store) == again and training.calls == trained, "nothing is made again"
    of_later, store.root = contents(store), tmp_path / "runs"
    for name, files in contents(store).items():
        for file in {"test.json", "test_predictions.npz", "predictions.npz"} & files.keys():
            assert files[file][0] == of_later[name][file][0]


def test_predictions_of_validation_that_are_no_numbers_any_more_complete_nothing(launch, store, overflow):
    launch(evaluate="validation")
    overflow("concat", (0, 1), "validation")
    assert launch()["concat"]["status"].startswith("failed: what it predicts of validation is not finite")
    assert not list(store.root.glob("*concat*/test.json"))


def test_a_failed_run_is_not_predicted_later(launch, training):
    training.failures["concat"] = "the training loss of seed 0 is not finite at epoch 1"
    launch(evaluate="validation")
    records = launch()
    assert "concat" not in dict(training.completed)
    assert records["concat"]["status"] == f"failed: {training.failures['concat']}"


def test_a_training_that_was_stopped_goes_on_to_test_where_that_is_asked_for_then(launch, training):
    training.raises["concat"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        launch(evaluate="validation")
    records = launch()
    assert [fusion for fusion, _ in training.calls].count("concat") == 2 and (
        "concat",
        (0, 1),
    ) not in training.completed
    assert records["concat"]["status"] == "done"


def test_a_rule_that_is_fitted_on_validation_is_not_applicable_where_that_does_not_choose(launch, task, training):
    task = dataclasses.replace(task, contaminated="its examples are in train too")
    cells = cells_of(task, ["stacking", "mean"], ["joint"], DEFAULTS)
    assert {cell.config.selection for cell in cells} == {"last"}
    records = launch(plan=[(task, cell) for cell in cells])
    assert records["stacking"]["status"] == (
        "not applicable: stacking is fitted on validation, and its examples are in train too"
    )
    assert records["mean"]["status"] == "done"
