"""What is restored is what was saved, bit for bit, or the checkpoint before it: never anything else."""

import contextlib
import dataclasses
import logging
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmjax.training.checkpoint import Checkpoints, Keep, load_parameters, save_parameters


def state_at(step):
    """A tree of many dtypes, among them none that NumPy has itself, scalars and arrays without entries."""
    generator = np.random.default_rng(step)
    return {
        "params": {
            "kernel": generator.normal(size=(3, 4)).astype(np.float32),
            "bias": jnp.ones(2, jnp.bfloat16) * step,
        },
        "counters": (np.int32(step), np.arange(step), np.float64(step) / 3),
        "stopped": np.array([True, False]),
        "nothing": np.zeros((0, 3), np.float32),
        "batch_stats": {},
    }


def progress_at(step):
    return {"done": step, "histories": [[{"loss": 0.1 * step, "gone": float("inf")}]], "phase": 0}


def like(progress):
    return state_at(progress["done"])


def assert_restored(restored, step):
    progress, state = restored
    assert progress == progress_at(step)
    expected = jax.tree.map(np.asarray, state_at(step))
    assert jax.tree.structure(state) == jax.tree.structure(expected)
    for leaf, wanted in zip(jax.tree.leaves(state), jax.tree.leaves(expected), strict=True):
        assert (leaf.dtype, leaf.shape, leaf.tobytes()) == (wanted.dtype, wanted.shape, wanted.tobytes())


def save(keep, *steps):
    checkpoints = Checkpoints(keep)
    for step in steps:
        checkpoints.save(step, state_at(step), progress_at(step))
    checkpoints.close()


def restore(keep, like=like):
    checkpoints = Checkpoints(keep)
    try:
        return checkpoints.restore(like)
    finally:
        checkpoints.close()


def kept_steps(keep):
    return sorted(int(path.name) for path in keep.directory.iterdir())


@pytest.fixture
def keep(tmp_path):
    return Keep(tmp_path / "checkpoints", "this run")


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A directory with the checkpoints 2 and 4, to be copied."""
    keep = Keep(tmp_path_factory.mktemp("two") / "checkpoints", "this run")
    save(keep, 2, 4)
    return keep


@pytest.fixture
def full_disk():
    """A context in which no file can be longer than a kilobyte."""
    resource = pytest.importorskip("resource")

    @contextlib.contextmanager
    def limited():
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited


def large(step):
    return {"params": np.random.default_rng(step).normal(size=(300, 300))}


def test_a_full_disk_is_named_and_the_checkpoint_before_it_serves(keep, full_disk):
    checkpoints = Checkpoints(keep)
    checkpoints.save(2, large(2), progress_at(2))
    with full_disk(), pytest.raises(OSError, match="File too large") as refused:
        checkpoints.save(4, large(4), progress_at(4))
    assert refused.value.filename == str(keep.directory)
    checkpoints.close()
    progress, state = restore(keep, lambda progress: large(progress["done"]))
    assert progress == progress_at(2)
    np.testing.assert_array_equal(state["params"], large(2)["params"])
    checkpoints = Checkpoints(keep)
    checkpoints.save(4, large(4), progress_at(4))
    checkpoints.close()
    assert restore(keep, lambda progress: large(progress["done"]))[0] == progress_at(4)


def test_parameters_on_a_full_disk_are_none(tmp_path, full_disk):
    with full_disk(), pytest.raises(OSError, match="File too large") as refused:
        save_parameters(tmp_path / "parameters", large(1))
    assert refused.value.filename == str(tmp_path / "parameters") and not (tmp_path / "parameters").exists()


def test_what_is_restored_is_what_was_saved(keep):
    save(keep, 2, 4)
    assert_restored(restore(keep), 4)


def test_a_state_without_leaves_is_restored_too(keep):
    checkpoints = Checkpoints(keep)
    checkpoints.save(1, {}, {"done": 1})
    assert checkpoints.restore(lambda progress: {}) == ({"done": 1}, {})


def test_only_the_latest_are_kept(keep):
    save(keep, 1, 2, 3, 4)
    assert kept_steps(keep) == [3, 4]
    save(dataclasses.replace(keep, latest=3), 5, 6)
    assert kept_steps(keep) == [4, 5, 6]


def test_without_a_checkpoint_there_is_none_and_nothing_is_made(keep, caplog):
    assert restore(keep) is None
    assert not keep.directory.exists() and not caplog.records


def test_a_save_is_due_when_the_last_is_long_ago(keep, monkeypatch):
    now = 1e6
    monkeypatch.setattr("mmjax.training.checkpoint.time.monotonic", lambda: now)
    checkpoints = Checkpoints(dataclasses.replace(keep, seconds_between=5.0))
    assert not checkpoints.due
    now += 5.0
    assert checkpoints.due
    checkpoints.save(2, state_at(2), progress_at(2))
    assert not checkpoints.due


def test_a_step_is_written_once(keep):
    checkpoints = Checkpoints(keep)
    checkpoints.save(2, state_at(2), progress_at(2))
    written = (keep.directory / "2" / "sha256").stat().st_mtime_ns
    checkpoints.save(2, state_at(2), progress_at(2))
    assert (keep.directory / "2" / "sha256").stat().st_mtime_ns == written


@pytest.mark.parametrize(
    "changes, like, reason",
    [
        ({"identity": "another run"}, like, "it is of another run"),
        ({}, lambda progress: state_at(3), "its state is not shaped as this run's"),
        ({}, lambda progress: {"params": state_at(4)["params"]}, "its state is not shaped as this run's"),
        ({}, lambda progress: progress["epochs"], "'epochs'"),
    ],
)
def test_a_foreign_checkpoint_is_passed_over_with_a_warning(keep, caplog, changes, like, reason):
    save(keep, 2, 4)
    assert restore(dataclasses.replace(keep, **changes), like) is None
    first, second = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert first == f"no use of checkpoint 4 in {keep.directory}: {reason}; checkpoint 2 is tried"
    assert second.endswith(f"{reason}; training starts from its seeds")


def test_another_format_is_passed_over(keep, caplog, monkeypatch):
    save(keep, 2)
    monkeypatch.setattr("mmjax.training.checkpoint.FORMAT", 2)
    save(keep, 4)
    monkeypatch.undo()
    assert_restored(restore(keep), 2)
    assert "its format is 2, not 1" in caplog.text


def test_a_checkpoint_that_a_kill_left_without_its_checksum_is_not_used(keep, caplog):
    save(keep, 2, 4)
    (keep.directory / "4" / "sha256").unlink()
    assert_restored(restore(keep), 2)
    assert "checkpoint 4" in caplog.text and "it is damaged or was not written to its end" in caplog.text


@settings(deadline=None, max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_happens_to_a_file_the_newest_is_whole_or_the_one_before_is_used(two, tmp_path, data):
    keep = dataclasses.replace(two, directory=tmp_path / "damaged")
    shutil.rmtree(keep.directory, ignore_errors=True)
    shutil.copytree(two.directory, keep.directory)
    files = [path for path in (keep.directory / "4").rglob("*") if path.is_file()]
    files.sort(key=lambda path: (path.stat().st_size, path.parent.name))  # their names are drawn anew each time
    path = data.draw(st.sampled_from(files))
    content = path.read_bytes()
    damage = data.draw(st.sampled_from(["truncated", "emptied", "flipped", "removed", "zeroed"]))
    at = data.draw(st.integers(0, max(len(content) - 1, 0)))
    if damage == "removed":
        path.unlink()
    elif damage == "flipped" and content:
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :])
    else:
        path.write_bytes(
            {"truncated": content[:at], "zeroed": content[:at] + bytes(len(content) - at)}.get(damage, b"")
        )
    restored = restore(keep)
    assert_restored(restored, restored[0]["done"])


def test_damage_everywhere_leaves_no_checkpoint(two, tmp_path):
    keep = dataclasses.replace(two, directory=tmp_path / "damaged")
    shutil.copytree(two.directory, keep.directory)
    for path in keep.directory.rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert restore(keep) is None


@pytest.mark.parametrize("step", [4, 5, 3])
def test_what_was_passed_over_does_not_stand_in_the_way(two, tmp_path, step):
    """The same step again, a greater one, and one in between, as an interval of evaluations that changed has it."""
    keep = dataclasses.replace(two, directory=tmp_path / "damaged")
    shutil.copytree(two.directory, keep.directory)
    shutil.rmtree(keep.directory / "4" / "state")
    checkpoints = Checkpoints(keep)
    assert_restored(checkpoints.restore(like), 2)
    checkpoints.save(step, state_at(step), progress_at(step))
    checkpoints.close()
    assert_restored(restore(keep), step)
    assert 2 in kept_steps(keep) or step == 5


def test_what_a_kill_left_half_written_is_cleared_away(two, tmp_path):
    keep = dataclasses.replace(two, directory=tmp_path / "half")
    shutil.copytree(two.directory, keep.directory)
    shutil.copytree(keep.directory / "4", keep.directory / "6.orbax-checkpoint-tmp-1")
    (keep.directory / "6.orbax-checkpoint-tmp-1" / "commit_success.txt").unlink()
    checkpoints = Checkpoints(keep)
    assert_restored(checkpoints.restore(like), 4)
    checkpoints.save(6, state_at(6), progress_at(6))  # Orbax clears away beside other work, and before it saves
    checkpoints.close()
    assert kept_steps(keep) == [4, 6]


def test_parameters_come_back_without_being_told_their_structure(tmp_path):
    theta = {"params": {"fusion": {"kernel": np.arange(6.0).reshape(2, 3)}, "scale": np.float32(2)}, "batch_stats": {}}
    for factor in (1, 2):  # the second takes the place of the first
        theta = jax.tree.map(lambda x, factor=factor: np.asarray(x * factor), theta)
        save_parameters(tmp_path / "parameters", theta)
    loaded = load_parameters(tmp_path / "parameters")
    assert jax.tree.structure(loaded) == jax.tree.structure(theta)
    for leaf, wanted in zip(jax.tree.leaves(loaded), jax.tree.leaves(theta), strict=True):
        assert (leaf.dtype, leaf.shape, leaf.tobytes()) == (wanted.dtype, wanted.shape, wanted.tobytes())
