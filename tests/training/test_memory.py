"""What a program takes is known, and compared with what there is, before it runs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mmjax.training import memory, parallel
from mmjax.training.memory import OutOfMemory, compiled_size, device_memory, host_memory, size_of
from mmjax.training.parallel import Compiler, Placement, lay_out


def test_a_limit_of_a_group_above_counts(tmp_path):
    (tmp_path / "own").write_text("0::/slice/job\n")
    folder = tmp_path / "fs" / "slice" / "job"
    folder.mkdir(parents=True)
    (folder / "memory.max").write_text("max\n")
    whole = host_memory(tmp_path / "fs", tmp_path / "own")
    assert whole == host_memory(tmp_path / "nowhere", tmp_path / "nowhere") > 2**20
    (folder.parent / "memory.max").write_text(f"{2**20}\n")
    assert host_memory(tmp_path / "fs", tmp_path / "own") == 2**20


def test_a_limit_of_the_older_control_groups_counts(tmp_path):
    (tmp_path / "own").write_text("5:cpu:/job\n4:memory:/job\n")
    (tmp_path / "fs" / "memory" / "job").mkdir(parents=True)
    (tmp_path / "fs" / "memory" / "job" / "memory.limit_in_bytes").write_text(f"{2**20}\n")
    assert host_memory(tmp_path / "fs", tmp_path / "own") == 2**20


def test_devices_of_one_machine_share_it():
    one, all_ = device_memory(jax.devices()[:1]), device_memory(jax.devices())
    assert all_ == one // len(jax.devices())


def test_sizes_are_those_of_the_arrays():
    tree = {"a": np.zeros((3, 5), np.float32), "b": jax.ShapeDtypeStruct((7,), jnp.int8)}
    assert size_of(tree) == 3 * 5 * 4 + 7
    assert size_of(jax.random.split(jax.random.key(0), 3)) == 3 * 8


def test_a_compiled_program_takes_its_arguments_its_result_and_what_is_between():
    x = jnp.zeros((64, 64))
    program = jax.jit(lambda x: jnp.sort(x @ x, axis=0)[0]).lower(x).compile()
    assert compiled_size(program) >= size_of(x) + 64 * 4


@pytest.mark.parametrize("parallel_", ["pmap", "shard_map"])
@pytest.mark.parametrize("room, runs", [(2**20, True), (100, False)])
def test_a_program_that_does_not_fit_is_refused_before_it_runs(monkeypatch, parallel_, room, runs):
    layout = lay_out((0, 1, 2, 3), Placement(2, parallel_))
    ran = []
    monkeypatch.setattr(parallel, "device_memory", lambda devices: room)

    def function(seed):
        jax.debug.callback(lambda: ran.append(True))
        return jnp.full(64, seed)

    compiler, seeds = Compiler(layout), layout.put(layout.seeds)
    if runs:
        assert compiler(function, seeds, axes="s").shape == (2, 2, 64)
        jax.effects_barrier()
        assert ran
        return
    with pytest.raises(OutOfMemory, match="not enough memory: a program takes .* GiB") as refused:
        compiler(function, seeds, axes="s")
    assert isinstance(refused.value, jax.errors.JaxRuntimeError), "as a device says it"
    assert not ran


def test_what_cannot_fit_in_any_case_is_not_compiled(monkeypatch):
    layout = lay_out((0,), Placement(1))
    monkeypatch.setattr(memory, "host_memory", lambda: 2**30)
    with pytest.raises(OutOfMemory, match="of the 1.0 GiB"):
        Compiler(layout)(lambda seed: jnp.full((2**20, 2**20), seed), layout.put(layout.seeds), axes="s")
