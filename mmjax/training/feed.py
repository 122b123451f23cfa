"""How the splits come to the devices: each as a whole, or block by block through Grain, with the same result.

Both feeds call the same functions of a phase (`PhasePrograms`) on the same rows in the same order.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping

import jax
import jax.numpy as jnp
import numpy as np

from mmjax.errors import InputError
from mmjax.training.memory import device_memory
from mmjax.training.parallel import Compiler, Layout, on_host
from mmjax.training.state import no_sums, no_trace
from mmjax.training.step import PhasePrograms
from mmjax.types import Batch

FEEDS = ("auto", "resident", "stream")
RESIDENT_SHARE = 0.4  # of a device's memory that the splits may take
BLOCK_BYTES = 64 * 2**20  # of examples that a process sends to its devices at once, unless one batch is more
BLOCKS_AHEAD = 2  # read while the devices work
READERS = 2  # threads


def make_feed(kind: str, splits: Mapping[str, Batch], layout: Layout, run: Compiler) -> Resident | Streamed:
    """The feed of a name in FEEDS; "auto" streams what would take too much of a device's memory.

    Args:
      splits: by name; arrays may be memory-mapped.

    Raises:
      InputError: for another name.
    """
    if kind not in FEEDS:
        raise InputError(f"--data={kind} is not accepted: give one of {', '.join(FEEDS)}")
    size = sum(leaf.nbytes for leaf in jax.tree.leaves(dict(splits)))
    if kind == "stream" or (kind == "auto" and size > RESIDENT_SHARE * device_memory(layout.own_devices)):
        return Streamed(splits, layout, run)
    return Resident(splits, layout, run)


class Resident:
    """Every split on every device, from when it is first asked for."""

    def __init__(self, splits: Mapping[str, Batch], layout: Layout, run: Compiler):
        self.layout, self.run = layout, run
        self._split = functools.cache(lambda name: layout.replicate(splits[name]))

    def train(self, programs: PhasePrograms, state, epochs_before: int, done: int, count: int):
        """The state after `count` epochs of a phase that has had `done`, and the Trace of the last."""
        epochs = (jnp.int32(epochs_before), jnp.int32(done + 1))
        return self.run(programs.train, state, self._split("train"), *epochs, axes="saaa", donate=1, count=count)

    def validate(self, programs: PhasePrograms, state, watched: Batch, epoch: int):
        """The state with the best theta so far, the discrepancy ratios, and the Sums over validation."""
        validation = self._split("validation")
        return self.run(programs.validate, state, validation, watched, jnp.int32(epoch), axes="saaa", donate=1)

    def measure(self, programs: PhasePrograms, theta, rows: np.ndarray) -> np.ndarray:
        """Mean loss of each of the goal's decisions on some rows of train, [D, seeds per device, decisions]."""
        chunks = self.layout.replicate(_chunks_of(programs, rows))
        return _means(on_host(self.run(programs.measure_whole, theta, self._split("train"), chunks, axes="saa")))

    def predict(self, programs: PhasePrograms, theta, split: str) -> np.ndarray:
        """D [D, seeds per device, chunks, rows, K] over a split."""
        return on_host(self.run(programs.predict, theta, self._split(split), axes="sa"))


class Streamed:
    """Blocks of batches, gathered by Grain's threads and sent to the devices while these work on the one before.

    A process reads the rows of its own devices alone.
    """

    def __init__(self, splits: Mapping[str, Batch], layout: Layout, run: Compiler):
        self.splits, self.layout, self.run = splits, layout, run
        self._order_program = functools.cache(self._compile_order)

    def train(self, programs: PhasePrograms, state, epochs_before: int, done: int, count: int):
        """As Resident.train."""
        seeds = self.layout.seeds[self.layout.own]
        size = self._fit("train", seeds.size * programs.local_batch, programs.steps)
        plan = [(e, s) for e in range(done + 1, done + count + 1) for s in range(0, programs.steps, size)]
        program = self._order_program(programs)
        order = functools.cache(lambda epoch: self._order(program, seeds, epochs_before + epoch))

        def block(place):
            epoch, start = plan[place]
            return self._gather("train", order(epoch)[:, :, start : start + size])

        before = jnp.int32(epochs_before)
        nothing = jax.tree.map(lambda x: np.full(self.layout.seeds.shape, x), no_trace(programs.names))
        trace = None
        for (epoch, start), (data, rows) in zip(plan, self._ahead(block, len(plan)), strict=True):
            trace = self.layout.put(nothing) if start == 0 else trace
            steps = (before, jnp.int32(epoch), jnp.int32(start))
            state, trace = self.run(programs.train_block, state, trace, data, rows, *steps, axes="ssssaaa", donate=2)
        return state, trace

    def validate(self, programs: PhasePrograms, state, watched: Batch, epoch: int):
        """As Resident.validate."""
        *_, (sums, _) = self._evaluated(programs, state.theta, "validation")
        chosen = self.run(programs.choose, state, sums, watched, jnp.int32(epoch), axes="ssaa", donate=1)
        return *chosen, sums

    def measure(self, programs: PhasePrograms, theta, rows: np.ndarray) -> np.ndarray:
        """As Resident.measure."""
        blocks = self._blocks("train", _chunks_of(programs, rows))
        sums = [on_host(self.run(programs.measure, theta, *block, axes="sdd")) for block in blocks]
        return _means(np.concatenate(sums, axis=2))

    def predict(self, programs: PhasePrograms, theta, split: str) -> np.ndarray:
        """As Resident.predict."""
        return np.concatenate([on_host(logits) for _, logits in self._evaluated(programs, theta, split)], axis=2)

    def _evaluated(self, programs: PhasePrograms, theta, split: str) -> Iterator:
        """The Sums so far and D, after each block of a split."""
        sums = self.layout.put(jax.tree.map(lambda x: np.full(self.layout.seeds.shape, x), no_sums()))
        for data, rows in self._blocks(split, programs.chunks(self.splits[split].size)):
            sums, logits = self.run(programs.evaluate, theta, sums, data, rows, axes="ssdd")
            yield sums, logits

    def _blocks(self, split: str, chunks: np.ndarray) -> Iterator:
        """The examples of rows [devices, chunks, size] block by block, on the devices, with where each row lies."""
        devices = [place % len(chunks) for place in self.layout.own]  # all rows on each where seeds are divided
        chunks = chunks[devices]
        size = self._fit(split, len(devices) * chunks.shape[2], chunks.shape[1])
        starts = range(0, chunks.shape[1], size)
        yield from self._ahead(lambda place: self._gather(split, chunks[:, starts[place] :][:, :size]), len(starts))

    def _compile_order(self, programs: PhasePrograms) -> Callable:
        """`PhasePrograms.order` of this process's seeds [S] and an epoch: once a phase, before Grain's threads ask."""
        seeds = jax.ShapeDtypeStruct((self.layout.seeds[self.layout.own].size,), np.int32)
        with jax.default_device(jax.local_devices(backend="cpu")[0]):
            return jax.jit(jax.vmap(programs.order, (0, None))).lower(seeds, np.int32(0)).compile()

    def _order(self, program: Callable, seeds: np.ndarray, epoch: int) -> np.ndarray:
        """Rows of an epoch of the run for this process's devices, [D, seeds per device, steps, local batch]."""
        orders = np.asarray(program(np.int32(seeds.reshape(-1)), np.int32(epoch)))
        orders = orders.reshape(*seeds.shape, *orders.shape[1:])
        shares = [place % orders.shape[3] for place in self.layout.own]
        return np.stack([order[:, :, share] for order, share in zip(orders, shares, strict=True)])

    def _gather(self, split: str, rows: np.ndarray):
        """The examples of some rows, in their order, and where in them each row now lies; -1 stays."""
        lead = 2 if rows.ndim == 4 else 1
        flat = np.maximum(rows, 0).reshape(*rows.shape[:lead], -1)
        places = np.arange(flat.shape[-1], dtype=np.int32).reshape(rows.shape[lead:])
        data = jax.tree.map(lambda x: np.asarray(x[flat]), self.splits[split])
        return data, np.where(rows < 0, -1, places).astype(np.int32)

    def _ahead(self, block: Callable[[int], tuple], count: int) -> Iterator:
        """Blocks in order, on the devices; the next one is sent before this one is used."""
        import grain  # late: resident runs have no use for it

        options = grain.ReadOptions(num_threads=READERS, prefetch_buffer_size=BLOCKS_AHEAD)
        sent = None
        for arrays in grain.MapDataset.range(count).map(block).to_iter_dataset(options):
            coming = self.layout.put_own(arrays)
            if sent is not None:
                yield sent
            sent = coming
        yield sent

    def _fit(self, split: str, rows: int, count: int) -> int:
        """How many times `rows` examples go into a block, at least once and at most `count` times."""
        example = sum(leaf[:1].nbytes for leaf in jax.tree.leaves(self.splits[split]))
        return min(max(1, BLOCK_BYTES // (rows * example)), count)


def _chunks_of(programs: PhasePrograms, rows: np.ndarray) -> np.ndarray:
    """Some rows as a split is evaluated, [devices, chunks, size]; -1 where there is none."""
    places = programs.chunks(len(rows))
    return np.where(places < 0, -1, rows[places])


def _means(sums: np.ndarray) -> np.ndarray:
    """Mean losses of `PhasePrograms.measure`'s sums, [..., chunks, decisions, 2]; 0 of no row."""
    total, count = np.moveaxis(sums.astype(np.float64).sum(-3), -1, 0)
    return np.float32(total / np.maximum(count, 1))
