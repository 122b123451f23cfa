"""The information suite: the splits hold what the tables say."""

import numpy as np
import pytest

from mmjax.data import TASKS, load_task, tasks_of
from mmjax.data.synthetic.information import mutual_information
from mmjax.data.synthetic.render import symbols_from
from mmjax.data.synthetic.task import DESIGNS, SIZES, bayes_of

every_design = pytest.mark.parametrize("name", DESIGNS)


@pytest.fixture(scope="module")
def loaded(cache_dir):
    return {name: load_task(f"synthetic/{name}", cache_dir=str(cache_dir)) for name in DESIGNS}


def read(task, split):
    """Symbols of every modality [n, M], the last of all where it is absent."""
    batch, columns = task.splits[split], []
    for spec, size in zip(task.modalities, DESIGNS[task.name.split("/")[1]].table.shape[1:], strict=True):
        symbols = symbols_from(spec, batch.inputs[spec.name])
        columns.append(np.where(batch.present[spec.name], symbols, size))
    return np.stack(columns, axis=1)


@every_design
def test_frequencies_are_the_table_s(loaded, name):
    """Within 5 deviations; of a cell that is rarer than one draw, those hold no sway, and 4 draws are let pass."""
    task, design = loaded[name], DESIGNS[name]
    for split in ("train", "test"):
        table = design.test if split == "test" and design.test is not None else design.observed
        counts = np.zeros(table.shape)
        np.add.at(counts, (task.splits[split].target, *read(task, split).T), 1)
        deviation = np.sqrt(table * (1 - table) / SIZES[split])
        assert (np.abs(counts / SIZES[split] - table) <= 5 * deviation + 4 / SIZES[split]).all()


@every_design
def test_the_best_rule_has_the_accuracy_that_is_told(loaded, name):
    """Three deviations of an accuracy over 2,000 examples are at most 3.4 points."""
    task, design = loaded[name], DESIGNS[name]
    rule = design.observed.argmax(axis=0)
    right = rule[tuple(read(task, "test").T)] == task.splits["test"].target
    assert right.mean() == pytest.approx(task.bayes["all"], abs=0.034)


@every_design
def test_every_subset_has_its_bayes_accuracy(name):
    rates = bayes_of(DESIGNS[name])
    assert len(rates) == 2 ** len(DESIGNS[name].modalities) - 1 and list(rates)[0] == "all"
    if DESIGNS[name].test is None:
        assert max(rates.values()) == pytest.approx(rates["all"])


@every_design
def test_information_is_told_in_bits(loaded, name):
    bits, design = loaded[name].information, DESIGNS[name]
    assert bits["all"] == pytest.approx(mutual_information(design.observed, range(design.table.ndim - 1)))
    parts = [value for key, value in bits.items() if key in ("redundant", "synergistic") or key.startswith("only ")]
    assert len(parts) == (4 if len(design.modalities) == 2 else 0)
    assert not parts or sum(parts) == pytest.approx(bits["all"], abs=1e-5)  # as exact as the solver


def test_a_tag_stands_for_the_suite():
    assert tasks_of(["information"]) == [f"synthetic/{name}" for name in DESIGNS]
    assert all(f"synthetic/{name}" in TASKS for name in DESIGNS)


def test_the_spurious_task_warns(loaded):
    assert "ignores it reaches 80%" in loaded["spurious"].warnings[0]
    assert loaded["spurious"].bayes["all"] == pytest.approx(0.1)
