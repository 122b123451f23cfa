"""The unit that models learn in is there and back again, and no result depends on the target's own."""

import dataclasses
import functools

import jax
import numpy as np
import pytest
from small_tasks import SPECS, random_batch

from mmjax.config import DEFAULTS, Config
from mmjax.data.target_scale import fit_scales
from mmjax.evaluation.baselines import majority
from mmjax.evaluation.metrics import evaluate
from mmjax.fusion import FUSIONS, level_of
from mmjax.training.decisions import combine_decisions
from mmjax.training.loop import train_cell
from mmjax.training.losses import score, task_loss
from mmjax.training.strategies import STRATEGIES, undefined
from mmjax.training.units import MARGIN, to_learned, to_own
from mmjax.types import TARGET_KINDS, Batch, TargetSpec, Task, ValueScale

CONFIG = Config(width=8, encoder_layers=1, epochs=6, batch_size=10, evaluate_every=2, learning_rate=1e-2)


def spec_of(values, kind=""):
    values = np.float32(values).reshape(len(values), -1)
    return TargetSpec("regression", values.shape[1], fit_scales(values, kind)), values


def columns(n=200):
    """Values that differ in all that a column can: width, place, sign, skew."""
    rng = np.random.default_rng(0)
    normal = rng.normal(size=(6, n))
    return np.stack([1e6 * normal[0], 1e-6 * normal[1], 5e4 + 3 * normal[2], np.exp(3 * normal[3]),
                     -np.exp(normal[4]), np.full(n, 7.0)], axis=1)  # fmt: skip


def test_there_and_back_is_where_it_was():
    target, values = spec_of(columns())
    assert [scale.kind for scale in target.scales] == ["standard"] * 3 + ["log"] + ["standard"] * 2
    learned = np.asarray(to_learned(target, values))
    # Float32's rounding of a value, over the width of its column.
    rounding = 4 * np.finfo(np.float32).eps * (1 + np.abs(values).max(0) / np.maximum(values.std(0), 1e-9))
    assert (np.abs(learned.mean(0)) <= rounding + 1e-5).all()
    np.testing.assert_allclose(learned.std(0)[:5], 1, rtol=1e-4)
    assert (learned[:, 5] == 0).all(), "what does not vary has no width to be divided by"
    np.testing.assert_allclose(to_own(target, learned), values, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("kind", ["none", "standard", "log"])
def test_a_kind_that_was_asked_for_goes_there_and_back(kind):
    target, values = spec_of(np.exp(columns(50)[:, 1:2] * 1e6), kind)
    learned = to_learned(target, values)
    np.testing.assert_allclose(to_own(target, learned), values, rtol=1e-5)
    if kind == "none":
        np.testing.assert_array_equal(learned, values)


def test_no_output_is_infinite_in_the_targets_unit():
    """Of logarithms, whose exponentials are: one deviation beyond what train has is where they end."""
    target, values = spec_of(columns()[:, 3], "log")
    ends = np.asarray(to_own(target, np.float32([[-1e30], [1e30], [np.inf], [-np.inf]])))[:, 0]
    width = np.exp(MARGIN * target.scales[0].scale)
    expected = [values.min() / width, values.max() * width]
    np.testing.assert_allclose(ends, [*expected, *expected[::-1]], rtol=1e-4)
    huge, _ = spec_of([1e-37, 1e38, 3e38, 1.0], "log")
    assert np.isfinite(to_own(huge, np.float32([[1e9]]))).all() and (to_own(huge, np.float32([[-1e9]])) > 0).all()


def test_a_truth_without_a_logarithm_has_a_loss():
    """Train is above 0, and validation need not be."""
    target, _ = spec_of(columns()[:, 3], "log")
    losses = task_loss(target, np.zeros((3, 1), np.float32), np.float32([[0.0], [-5.0], [1.0]]))
    assert np.isfinite(losses).all() and losses[0] == losses[1] > losses[2]


def test_losses_are_in_the_learned_unit_and_scores_in_the_targets():
    target = TargetSpec("regression", 2, (ValueScale("standard", 100.0, 10.0), ValueScale("none")))
    outputs, truth = np.float32([[1.0, 3.0]]), np.float32([[130.0, 4.0]])
    assert task_loss(target, outputs, truth).tolist() == [((1 - 3) ** 2 + 1) / 2]
    assert score(target, outputs, truth).tolist() == [-(20 + 1) / 2]


def test_what_has_no_scales_is_handed_on():
    values = np.float32([[1.5, -2.0]])
    for target in (TargetSpec("regression", 2), TargetSpec("multilabel", 2)):
        assert to_learned(target, values) is values and to_own(target, values) is values


@functools.cache
def task_of(unit: float, offset: float = 0.0, kind: str = "standard") -> Task:
    """One small task, its target in another unit; exponentials of it where logarithms are learned."""
    whole = random_batch(SPECS[1:2] + SPECS[4:5], TargetSpec("regression", 2), 160)
    rows = {"train": slice(0, 100), "validation": slice(100, 130), "test": slice(130, 160)}
    task = Task("small", SPECS[1:2] + SPECS[4:5], TargetSpec("regression", 2),
                {split: jax.tree.map(lambda x, r=r: x[r], whole) for split, r in rows.items()})  # fmt: skip

    def moved(batch: Batch) -> Batch:
        values = np.exp(batch.target) if kind == "log" else batch.target
        return batch._replace(target=np.float32(unit * values + offset))

    splits = {split: moved(batch) for split, batch in task.splits.items()}
    scales = fit_scales(splits["train"].target, kind)
    return dataclasses.replace(task, splits=splits, target=TargetSpec("regression", 2, scales))


@pytest.mark.parametrize(
    "fusion, strategy, kind",
    [
        ("concat", "joint", "standard"),
        ("concat", "joint", "log"),
        ("gmu", "contrastive", "standard"),
    ],
)
def test_another_unit_changes_nothing_but_the_unit(fusion, strategy, kind):
    """A power of two, which float32 multiplies by without rounding; of logarithms it moves the offset, which rounds."""
    unit = 2.0**20
    config = CONFIG.replace(epochs=2)
    (plain,) = train_cell(task_of(1.0, kind=kind), fusion, strategy, config, (0,)).runs
    (large,) = train_cell(task_of(unit, kind=kind), fusion, strategy, config, (0,)).runs
    close = {"rtol": 1e-3, "atol": 1e-4}  # some ten steps of float32
    np.testing.assert_allclose(large.logits["test"] / unit, plain.logits["test"], **close)
    for line, same in zip(large.history, plain.history, strict=True):
        for name in ("validation_loss", "train_loss", "train_objective"):
            assert line[name] == pytest.approx(same[name], rel=1e-3)
        assert line["validation_error"] / unit == pytest.approx(same["validation_error"], rel=1e-3)


def error_of(task: Task, said: np.ndarray, split: str) -> float:
    return evaluate(task.target, said, task.splits[split].target)["mae"]


def usual_error(task: Task) -> float:
    return error_of(task, majority(task.target, task.splits["train"].target, task.splits["test"].size), "test")


def cells() -> list[tuple[str, str]]:
    """Every strategy on concat, and every fusion that is trained as a whole, where a regression has them."""
    target, modalities = TargetSpec("regression", 2), SPECS[:2]
    whole = [name for name in FUSIONS if level_of(name) != "decision" or FUSIONS[name].trained]
    taken = [name for name in whole if "regression" in getattr(FUSIONS[name], "targets", TARGET_KINDS)]
    strategies = [name for name in STRATEGIES if not undefined(name, "concat", modalities, target, DEFAULTS)]
    return [*(("concat", name) for name in strategies), *((name, "joint") for name in taken if name != "concat")]


@pytest.mark.slow
@pytest.mark.parametrize("fusion, strategy", cells())
def test_every_method_learns_prices(fusion, strategy):
    task = task_of(7e4, 3e5)
    config = CONFIG.replace(epochs=30, heads=2, alignment_size=4)
    (run,) = train_cell(task, fusion, strategy, config, (0,)).runs
    assert run.failure is None and error_of(task, run.logits["test"], "test") < usual_error(task)


@pytest.mark.parametrize("fusion", ["concat", "unimodal/blood"])
def test_prices_far_from_0_are_learned(fusion):
    """In hundreds of thousands, of which a model whose outputs start about 0 would not come near."""
    task = task_of(7e4, 3e5)
    (run,) = train_cell(task, fusion, "joint", CONFIG.replace(epochs=20), (0,)).runs
    errors = {split: error_of(task, run.logits[split], split) for split in run.logits}
    assert errors["test"] < usual_error(task)
    best = next(line for line in run.history if line["epoch"] == run.best_epoch)
    assert best["validation_error"] == pytest.approx(errors["validation"], rel=1e-4)
    assert best["validation_loss"] < 1.5, "losses are in deviations"
    assert best == min(run.history, key=lambda line: line["validation_error"])


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_rules_find_the_same_weights_in_any_unit(unit):
    """One modality knows the values, the other is off by four deviations."""
    task = task_of(unit, 10 * unit)
    rng = np.random.default_rng(0)
    truth = {split: task.splits[split].target for split in ("validation", "test")}
    knows, guesses = ({s: np.float32(t + unit * width * rng.normal(size=t.shape)) for s, t in truth.items()}
                      for width in (0.1, 4.0))  # fmt: skip
    names = [spec.name for spec in task.modalities]
    said = dict(zip(names, (knows, guesses), strict=True))
    average = combine_decisions(task, "mean", CONFIG, said)["test"]
    np.testing.assert_allclose(average, (knows["test"] + guesses["test"]) / 2, rtol=1e-4, atol=1e-4 * unit)
    fitted = combine_decisions(task, "weighted_mean", CONFIG, said)["test"]
    assert np.abs(fitted - truth["test"]).mean() < 0.2 * unit


def test_an_example_without_any_modality_is_as_usual():
    """0 in the unit that is learned, and not 0 in the target's own."""
    task = task_of(7e4, 3e5)
    gone = {name: np.zeros_like(present) for name, present in task.splits["test"].present.items()}
    task = dataclasses.replace(task, splits={**task.splits, "test": task.splits["test"]._replace(present=gone)})
    said = {spec.name: {s: task.splits[s].target for s in ("validation", "test")} for spec in task.modalities}
    fused = combine_decisions(task, "mean", CONFIG, said)["test"]
    np.testing.assert_allclose(fused, np.tile(task.splits["train"].target.mean(0), (len(fused), 1)), rtol=1e-4)
