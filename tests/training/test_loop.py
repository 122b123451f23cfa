"""What training a cell promises, whatever the devices and whenever it is killed."""

import contextlib
import dataclasses
import functools
import os
import signal

import jax
import numpy as np
import pytest
from small_tasks import small_task

from mmjax.config import Config
from mmjax.errors import InputError
from mmjax.model import build_model
from mmjax.training import feed
from mmjax.training.checkpoint import Keep, save_parameters
from mmjax.training.loop import train_cell
from mmjax.training.parallel import Placement
from mmjax.training.results import CellResult, Interrupted
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


def test_precision_is_that_of_the_config_whatever_jax_is_set_to():
    with jax.enable_x64(True):
        assert_same(train(), alone())


def test_ctrl_c_keeps_the_place(tmp_path):
    keep, seen = Keep(tmp_path, "this run", seconds_between=1e9), []

    def press(progress):
        seen.append(progress.epoch)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            train(keep=keep, on_progress=press)
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [2], "the evaluation is through, and no more"
    result = train(keep=keep, on_progress=lambda progress: seen.append(progress.epoch))
    assert seen == [2, 4]
    assert_same(result, alone())


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


@pytest.mark.parametrize("strategy, epoch", [("joint", 2), ("staged", 6), ("gradient_blend", 8)])
def test_resumed_is_uninterrupted_bit_for_bit(tmp_path, strategy, epoch):
    def kill(progress):
        if progress.epoch > epoch:
            raise Killed

    options = {"keep": Keep(tmp_path / "checkpoints", seconds_between=0.0)}
    with pytest.raises(Killed):
        train(strategy=strategy, on_progress=kill, **options)
    epochs = []
    resumed = train(strategy=strategy, on_progress=lambda progress: epochs.append(progress.epoch), **options)
    assert epochs[0] == epoch + 2  # it did not start again
    assert_same(resumed, alone("concat", strategy))


def test_a_checkpoint_that_cannot_be_read_is_as_none(tmp_path):
    options = {"keep": Keep(tmp_path, seconds_between=0.0)}
    train(**options)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert_same(train(**options), alone())


def test_a_checkpoint_of_another_run_is_not_used(tmp_path):
    train(seeds=(7, 8, 9), keep=Keep(tmp_path, "another", seconds_between=0.0))
    assert_same(train(keep=Keep(tmp_path, "this", seconds_between=0.0)), alone())


def test_stopped_keeps_its_place_and_goes_on_bit_for_bit(tmp_path):
    keep = Keep(tmp_path, seconds_between=1e9)
    with pytest.raises(Interrupted):
        train(keep=keep, stop=lambda: True)
    epochs = []
    assert_same(train(keep=keep, on_progress=lambda progress: epochs.append(progress.epoch)), alone())
    assert epochs == [4]


@pytest.mark.parametrize(
    "strategy, placement",
    [
        ("joint", Placement()),
        ("joint", Placement(2, "pmap", "seeds")),
        ("staged", Placement(2, "shard_map", "batch")),
    ],
)
def test_streamed_is_resident_bit_for_bit(strategy, placement, monkeypatch):
    """In blocks of one step or chunk, and of a few, over batches that do not divide."""
    config = CONFIG.replace(evaluation_batch_size=4)
    expected = train("gmu", strategy, config=config, placement=placement, data="resident")
    for block_bytes in (1, 5_000):
        monkeypatch.setattr(feed, "BLOCK_BYTES", block_bytes)
        assert_same(train("gmu", strategy, config=config, placement=placement, data="stream"), expected)


def test_blending_streamed_is_resident_bit_for_bit(monkeypatch):
    """Its weights come of losses on slices, over devices that split them, block by block."""
    monkeypatch.setattr(feed, "BLOCK_BYTES", 1)
    options = {"strategy": "gradient_blend", "placement": Placement(2, "pmap", "batch")}
    options["config"] = CONFIG.replace(evaluation_batch_size=4, epochs=2, held_out=0.3)
    assert_same(train(**options, data="stream"), train(**options, data="resident"))


def test_a_streamed_epoch_compiles_nothing_that_an_earlier_one_compiled():
    """Of two trainings whose phases have more epochs than a block has, the longer one compiles as much."""
    compiled = []
    for epochs in (2, 6):
        with counted_compilations() as count:
            train(strategy="staged", seeds=(0, 1), config=CONFIG.replace(epochs=epochs), data="stream")
        compiled.append(len(count))
    assert compiled[0] == compiled[1] > 0


@contextlib.contextmanager
def counted_compilations():
    """Grows by one with every program that XLA compiles."""
    seen = []

    def listen(event, duration, **_):
        if event == "/jax/core/compile/backend_compile_duration":
            seen.append(duration)

    jax.clear_caches()
    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield seen
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


def test_what_is_larger_than_its_share_of_memory_is_streamed(monkeypatch):
    used = []
    for kind in (feed.Resident, feed.Streamed):
        monkeypatch.setattr(kind, "__init__", functools.partialmethod(_noted, kind.__init__, used))
    for share in (0.4, 0.0):
        monkeypatch.setattr(feed, "RESIDENT_SHARE", share)
        train(config=CONFIG.replace(epochs=2))
    assert used == ["Resident", "Streamed"]


def _noted(self, original, used, *arguments):
    used.append(type(self).__name__)
    original(self, *arguments)


def test_arrays_on_disk_are_streamed(tmp_path):
    def on_disk(array):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.npy"
        np.save(path, array)
        return np.load(path, mmap_mode="r")

    mapped = dataclasses.replace(task(), splits=jax.tree.map(on_disk, dict(task().splits)))
    assert_same(train_cell(mapped, "concat", "joint", CONFIG, SEEDS, data="stream"), alone())


@pytest.mark.parametrize("parts, devices", [(2, 1), (5, 1), (3, 2)])
def test_a_batch_in_parts_is_the_batch(parts, devices):
    """Sums in another order; without batch statistics and dropout, which see a part at a time."""
    config = CONFIG.replace(encoders={"image": "cnn"}, dropout=0.0, optimizer="sgd")
    placement = Placement(devices, split="batch" if devices > 1 else "auto")
    whole, in_parts = train(config=config), train(config=config.replace(accumulate=parts), placement=placement)
    assert_close(in_parts, whole)


def test_lanes_are_runs_with_their_learning_rates():
    rates = (1e-3, 3e-2, 1e-2)
    lanes = train(seeds=(0, 0, 0), learning_rates=rates)
    for run, rate in zip(lanes.runs, rates, strict=True):
        (single,) = train(seeds=(0,), config=CONFIG.replace(learning_rate=rate)).runs
        np.testing.assert_allclose(run.logits["test"], single.logits["test"], rtol=1e-3, atol=1e-4)


DIVERGING = CONFIG.replace(optimizer="sgd", encoders={"image": "cnn"})


@functools.cache
def healthy():
    return train(strategy="staged", seeds=(0, 1), config=DIVERGING, learning_rates=(1e-2, 1e-2))


def assert_outlived(result):
    """The first seed is what it is beside a healthy one, bit for bit, and the second has failed alone."""
    first, second = result.runs
    assert_same(CellResult((first,), 0, 0, 0, 0), CellResult(healthy().runs[:1], 0, 0, 0, 0))
    jax.tree.map(np.testing.assert_array_equal, first.theta, healthy().runs[0].theta)
    assert first.failure is None and first.epochs_trained == 8
    assert "seed 1 is not finite at epoch 2" in second.failure and not second.logits
    assert second.epochs_trained == 2 and len(second.history) == 1


@pytest.mark.parametrize("placement", [Placement(), Placement(2, "pmap", "seeds")], ids=["one", "two"])
def test_a_seed_that_diverges_leaves_the_others_as_they_were(placement):
    rates = {"learning_rates": (1e-2, 1e30)}
    result = train(strategy="staged", seeds=(0, 1), config=DIVERGING, placement=placement, **rates)
    if placement.devices == 1:
        assert_outlived(result)
    else:  # a program for other shapes: sums in another order
        expected = healthy().runs[0].logits["test"]
        np.testing.assert_allclose(result.runs[0].logits["test"], expected, rtol=1e-3, atol=1e-4)
        assert result.runs[1].failure


def test_what_diverged_before_a_kill_has_diverged_after_it(tmp_path):
    def kill(progress):
        if progress.epoch > 4:
            raise Killed

    options = {"strategy": "staged", "seeds": (0, 1), "config": DIVERGING, "learning_rates": (1e-2, 1e30),
               "keep": Keep(tmp_path, seconds_between=0.0)}  # fmt: skip
    with pytest.raises(Killed):
        train(**options, on_progress=kill)
    assert_outlived(train(**options))


def test_predictions_that_are_not_finite_are_a_failure():
    """The last step of all may be the one too far, after which no loss is computed."""
    config = DIVERGING.replace(epochs=1, evaluate_every=1, batch_size=45, selection="last")
    first, second = train(seeds=(0, 1), config=config, learning_rates=(1e-2, 1e30)).runs
    assert first.failure is None and set(first.logits) == {"validation", "test"}
    assert second.failure == "what seed 1 predicts is not finite" and not second.logits


def test_predictions_of_test_that_are_not_finite_leave_the_run_as_it_is():
    """No run is judged by test: what it has to say of it is given as it is."""
    healthy_task = task()
    test = healthy_task.splits["test"]
    images = np.full_like(test.inputs["image"], np.inf)
    test = test._replace(inputs=test.inputs | {"image": images})
    overflowing = dataclasses.replace(healthy_task, splits=healthy_task.splits | {"test": test})
    result = train_cell(overflowing, "concat", "joint", CONFIG.replace(epochs=1, evaluate_every=1), SEEDS)
    for run in result.runs:
        assert run.failure is None and np.isfinite(run.logits["validation"]).all()
        assert not np.isfinite(run.logits["test"]).all()


def test_only_the_splits_asked_for_are_read():
    unread = dataclasses.replace(task(), splits={**task().splits, "test": None})
    result = train_cell(unread, "concat", "joint", CONFIG, SEEDS, splits=("validation",))
    assert [set(run.logits) for run in result.runs] == [{"validation"}] * 3


def test_every_evaluation_tells_of_each_modality():
    for run in alone().runs:
        for line in run.history:
            assert all(line[f"gradient_norm/{name}"] > 0 for name in ("image", "table"))
            # Of two modalities one ratio is the other's inverse; float32 division.
            assert line["discrepancy/image"] * line["discrepancy/table"] == pytest.approx(1, rel=1e-5)


def test_theta_of_the_best_epoch_predicts_what_was_predicted():
    model = build_model(task().modalities, task().target, "concat", CONFIG)
    for run in alone().runs:
        logits = model.apply(dict(run.theta), task().splits["test"]).logits
        # The same sums in another program.
        np.testing.assert_allclose(logits, run.logits["test"], rtol=1e-4, atol=1e-5)


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
        assert run.epochs_trained == len(run.history)
        lengths.add(len(run.history))
    assert min(lengths) < config.epochs and len(lengths) > 1


def test_stages_come_in_order_and_each_starts_from_the_best_before():
    result = alone("low_rank_tensor", "staged")
    phases = [line["phase"] for line in result.runs[0].history]
    assert list(dict.fromkeys(phases)) == ["encoders", "fusion", "decoder"]
    assert [line["epoch"] for line in result.runs[0].history] == [2, 4, 6, 8, 10, 12]
    assert [run.epochs_trained for run in result.runs] == [12] * 3


def test_a_loss_that_is_not_finite_ends_the_cell_with_its_reason():
    result = train(config=CONFIG.replace(learning_rate=1e30))
    assert all("is not finite at epoch 2" in run.failure and not run.logits for run in result.runs)


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


@pytest.mark.parametrize(
    "fusion, strategy, options",
    [
        ("concat", "joint", {}),
        ("mixture_of_experts", "joint", {}),
        ("concat", "staged", {}),
        ("concat", "auxiliary", {}),
        ("unimodal/image", "joint", {"data": "stream"}),
        ("concat", "joint", {"placement": Placement(2, "pmap", "seeds")}),
        ("concat", "joint", {"placement": Placement(2, "shard_map", "batch")}),
    ],
    ids=str,
)
def test_parameters_that_were_kept_predict_what_training_ended_with(tmp_path, fusion, strategy, options):
    """Bit for bit: the same program of the same seeds; heads that a strategy trains beside the model are not needed."""
    trained = train(fusion, strategy, config=CONFIG.replace(epochs=2), **options)
    folders = tuple(str(tmp_path / str(run.seed)) for run in trained.runs)
    for folder, run in zip(folders, trained.runs, strict=True):
        save_parameters(folder, run.theta)
    again = train(fusion, strategy, config=CONFIG.replace(epochs=2), finished=folders, **options)
    for run, other in zip(again.runs, trained.runs, strict=True):
        assert run.history == [] and run.seed == other.seed
        for split in ("validation", "test"):
            np.testing.assert_array_equal(run.logits[split], other.logits[split])
        jax.tree.map(np.testing.assert_array_equal, run.theta, other.theta)


def test_parameters_of_another_model_are_refused(tmp_path):
    (run,) = train(seeds=(0,), config=CONFIG.replace(epochs=2)).runs
    save_parameters(tmp_path / "0", run.theta)
    with pytest.raises(ValueError, match="not those of the cell's model"):
        train(seeds=(0,), config=CONFIG.replace(width=4), finished=(str(tmp_path / "0"),))


@pytest.mark.parametrize("changes", [{}, {"selection": "loss"}, {"selection": "last", "patience": 1}], ids=str)
def test_a_contaminated_validation_chooses_no_epoch(changes):
    seen = dataclasses.replace(task(), contaminated="its examples are in train too")
    with pytest.raises(InputError, match="validation does not choose there \\(its examples are in train too\\)"):
        train_cell(seen, "concat", "joint", CONFIG.replace(**changes), (0,))
