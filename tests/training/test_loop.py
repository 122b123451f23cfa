"""What training a cell promises, whatever the devices and whenever it is killed."""

import functools

import numpy as np
import pytest
from small_tasks import small_task

from mmjax.config import Config
from mmjax.errors import InputError
from mmjax.training.loop import train_cell
from mmjax.training.parallel import Placement
from mmjax.types import ModalitySpec, TargetSpec

SPECS = (ModalitySpec("image", "image", (6, 6, 1)), ModalitySpec("table", "vector", (4,)))
SEEDS = (0, 1, 2)
CONFIG = Config(width=8, encoder_layers=1, epochs=4, batch_size=10, evaluate_every=2, dropout=0.2,
                encoders={"image": "lenet"}, learning_rate=1e-2)  # fmt: skip


@functools.cache
def task():
    return small_task(SPECS, TargetSpec("multiclass", 3), (45, 21, 17), missing=True)


def train(fusion="concat", strategy="joint", seeds=SEEDS, config=CONFIG, **options):
    return train_cell(task(), fusion, strategy, config, seeds, **options)


@functools.cache
def alone(fusion="concat", strategy="joint"):
    return train(fusion, strategy)


def assert_close(result, expected):
    """The same to float tolerance: some 20 steps of float32 sums in another order, through Adam's division."""
    for run, other in zip(result.runs, expected.runs, strict=True):
        assert (run.seed, run.best_epoch) == (other.seed, other.best_epoch)
        for split in ("validation", "test"):
            np.testing.assert_allclose(run.logits[split], other.logits[split], rtol=1e-3, atol=1e-4)
        for line, same in zip(map(dict, run.history), map(dict, other.history), strict=True):
            assert line.pop("phase") == same.pop("phase")
            assert line == pytest.approx(same, rel=1e-3, abs=1e-4)


def assert_same(result, expected):
    """The same, bit for bit."""
    for run, other in zip(result.runs, expected.runs, strict=True):
        assert run.history == other.history and run.best_epoch == other.best_epoch
        for split in ("validation", "test"):
            np.testing.assert_array_equal(run.logits[split], other.logits[split])


PLACEMENTS = (
    Placement(2, "pmap", "seeds"),
    Placement(3, "shard_map", "seeds"),
    Placement(8, "pmap", "batch"),
    Placement(2, "shard_map", "batch"),
)


@pytest.mark.parametrize("placement", PLACEMENTS, ids=lambda p: f"{p.parallel}-{p.split}-{p.devices}")
def test_devices_change_nothing(placement):
    """Batches of 10 over 8 devices do not divide, the last one has 5 rows; statistics of the batch are synchronised."""
    config = CONFIG.replace(dropout=0.0) if 10 % placement.devices and placement.split == "batch" else CONFIG
    expected = alone() if config is CONFIG else train(config=config)
    assert_close(train(config=config, placement=placement), expected)


@pytest.mark.parametrize(
    "fusion, strategy",
    [("mixture_of_experts", "joint"), ("evidential_average", "joint"), ("early", "staged"), ("mcb", "staged")],
)
def test_devices_and_stages_hold_whatever_a_fusion_adds(fusion, strategy):
    """A loss on the batch as a whole, one on conflict, a joined input, and sketches that are kept but not learned."""
    # Plain descent: Adam divides by the root of squares that are almost 0, and makes rounding of transforms show.
    config = CONFIG.replace(epochs=2, load_balance=1.0, sketch_size=16, optimizer="sgd")
    expected = train(fusion, strategy, (0, 1), config)
    assert_close(train(fusion, strategy, (0, 1), config, placement=Placement(2, "pmap", "batch")), expected)
    assert not any(run.failure for run in expected.runs)


def test_seeds_side_by_side_are_seeds_one_by_one():
    for run in alone().runs:
        (single,) = train(seeds=(run.seed,)).runs
        np.testing.assert_allclose(single.logits["test"], run.logits["test"], rtol=1e-3, atol=1e-4)


def test_the_same_twice_is_the_same_bit_for_bit():
    assert_same(train(), alone())


class Killed(Exception):
    pass


@pytest.mark.parametrize("strategy, epoch", [("joint", 2), ("staged", 6)])
def test_resumed_is_uninterrupted_bit_for_bit(tmp_path, strategy, epoch):
    def kill(progress):
        if progress.epoch > epoch:
            raise Killed

    options = {"checkpoint_dir": tmp_path / "checkpoints", "seconds_between_checkpoints": 0.0}
    with pytest.raises(Killed):
        train(strategy=strategy, on_progress=kill, **options)
    epochs = []
    resumed = train(strategy=strategy, on_progress=lambda progress: epochs.append(progress.epoch), **options)
    assert epochs[0] == epoch + 2  # it did not start again
    assert_same(resumed, alone("concat", strategy))


def test_a_checkpoint_that_cannot_be_read_is_as_none(tmp_path):
    options = {"checkpoint_dir": tmp_path, "seconds_between_checkpoints": 0.0}
    train(**options)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert_same(train(**options), alone())


def test_a_checkpoint_of_other_seeds_is_not_used(tmp_path):
    options = {"checkpoint_dir": tmp_path, "seconds_between_checkpoints": 0.0}
    train(seeds=(7, 8, 9), **options)
    assert_same(train(**options), alone())


def test_the_best_epoch_is_chosen_on_validation_and_predicted_with():
    for run in alone().runs:
        best = max(run.history, key=lambda line: (line["validation_accuracy"], -line["validation_loss"]))
        assert run.best_epoch == best["epoch"]
        accuracy = (run.logits["validation"].argmax(1) == task().splits["validation"].target).mean()
        assert accuracy == pytest.approx(best["validation_accuracy"], abs=1e-6)


def test_last_chooses_nothing():
    assert all(run.best_epoch == CONFIG.epochs for run in train(config=CONFIG.replace(selection="last")).runs)


def test_patience_stops_each_seed_by_itself():
    config = CONFIG.replace(epochs=40, evaluate_every=1, patience=2)
    lengths = set()
    for run in train(config=config).runs:
        assert len(run.history) in (run.best_epoch + config.patience, config.epochs)
        lengths.add(len(run.history))
    assert min(lengths) < config.epochs and len(lengths) > 1


def test_stages_come_in_order_and_each_starts_from_the_best_before():
    result = alone("low_rank_tensor", "staged")
    phases = [line["phase"] for line in result.runs[0].history]
    assert list(dict.fromkeys(phases)) == ["encoders", "fusion", "decoder"]
    assert [line["epoch"] for line in result.runs[0].history] == [2, 4, 6, 8, 10, 12]


def test_a_loss_that_is_not_finite_ends_the_cell_with_its_reason():
    result = train(config=CONFIG.replace(learning_rate=1e30))
    failures = [run.failure for run in result.runs if run.failure]
    assert failures and "is not finite at epoch 2" in failures[0]
    assert all(not run.logits for run in result.runs)


def test_a_unimodal_cell_reads_its_modality_alone():
    result = train("unimodal/table")
    assert result.parameters == (4 * 8 + 8) + (8 * 3 + 3)


def test_bfloat16_trains_parameters_of_float32():
    for run, full in zip(train(config=CONFIG.replace(precision="bfloat16")).runs, alone().runs, strict=True):
        assert run.logits["test"].dtype == np.float32 and np.isfinite(run.logits["test"]).all()
        assert not np.array_equal(run.logits["test"], full.logits["test"])


@pytest.mark.parametrize(
    "wrong, told",
    [
        ({"fusion": "unimodal/smell"}, "unknown modality 'smell'"),
        ({"fusion": "conct"}, "did you mean 'concat'"),
        ({"strategy": "jiont"}, "did you mean 'joint'"),
        ({"config": CONFIG.replace(batch_size=46)}, "larger than the training split"),
    ],
)
def test_bad_input_is_refused(wrong, told):
    with pytest.raises(InputError, match=told):
        train(**wrong)
