import io
import shutil

import jax
import numpy as np
import pytest
from rich.console import Console

from experiments.execute import execute, forget
from experiments.grid import cells_of, runs_of, unimodal_names
from experiments.progress import Reporter
from experiments.results import records_of, rows_of
from experiments.store import Store
from mmjax.config import DEFAULTS
from mmjax.fusion import FUSIONS as FUSED
from mmjax.training.parallel import Placement

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

    def run(seeds=2, plan=plan):
        reporter = Reporter(len(plan), Console(file=io.StringIO()))
        reasons = execute(plan, range(seeds), store, Placement(), reporter, training, combine)
        return {record["fusion"]: record for record in records_of(rows_of(plan, range(seeds), store, reasons))}

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


def test_a_device_that_fails_is_tried_again_next_time(launch, training):
    training.raises["concat"] = jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: out of memory\nmore")
    assert launch()["concat"]["status"] == "failed: RESOURCE_EXHAUSTED: out of memory"
    assert launch()["concat"]["status"] == "done"


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
