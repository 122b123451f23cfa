"""`synthetic/…`: tasks whose joint distribution is known, and with it all that can be told of the class."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mmjax.data.cache import made
from mmjax.data.code import code_of_data
from mmjax.data.entry import TaskEntry
from mmjax.data.synthetic import latents
from mmjax.data.synthetic.decomposition import decompose
from mmjax.data.synthetic.information import bayes_accuracy, mutual_information, subsets
from mmjax.data.synthetic.render import KINDS, render, spec_of
from mmjax.types import Batch, TargetSpec, Task

SEED = 20250  # of the data themselves; a run's seed does not change them
SIZES = {"train": 2000, "validation": 500, "test": 2000}


@dataclasses.dataclass(frozen=True)
class Design:
    """What a task is drawn from.

    Attributes:
      summary: one line.
      table: p(y, z_1, ..., z_M), see `latents`.
      absence: [classes, M] probabilities that a modality is absent; None where none ever is.
      test: another table for the test split, where it differs.
    """

    summary: str
    table: np.ndarray
    absence: np.ndarray | None = None
    test: np.ndarray | None = None

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the modalities: their kinds, numbered where one comes twice."""
        kinds = KINDS[: self.table.ndim - 1]
        return tuple(f"{kind}{place + 1}" if kinds.count(kind) > 1 else kind for place, kind in enumerate(kinds))

    @property
    def observed(self) -> np.ndarray:
        """The table with absence as a symbol of its own."""
        return self.table if self.absence is None else latents.with_absence(self.table, self.absence)


DESIGNS: Mapping[str, Design] = {
    "redundant": Design("both modalities tell the class", latents.noisy(latents.redundant(2), 0.1)),
    "unique": Design("each modality tells a bit of the class", latents.noisy(latents.unique(2), 0.05)),
    "xor": Design("the class is whether two bits differ: no modality tells anything alone", latents.parity(2)),
    "sum": Design("the class is the sum of two symbols modulo 4", latents.modular_sum(2)),
    "mixed": Design("a bit that both tell, a bit that one tells, and a bit that only both tell", latents.mixed()),
    "redundant-3": Design("three modalities tell the class", latents.noisy(latents.redundant(3), 0.2)),
    "redundant-5": Design("five modalities tell the class", latents.noisy(latents.redundant(5), 0.4)),
    "unique-4": Design("each of four modalities tells a bit of the class", latents.noisy(latents.unique(4), 0.02)),
    "xor-3": Design("the class is the parity of three bits", latents.parity(3)),
    "sum-3": Design("the class is the sum of three symbols modulo 3", latents.modular_sum(3, 3)),
    "noisy": Design("whether two bits differ, each seen wrong in a tenth", latents.noisy(latents.parity(2), 0.1)),
    "imbalanced": Design(
        "both modalities tell the class, which is rarely the last",
        latents.weighted(latents.noisy(latents.redundant(2), 0.2), (0.55, 0.25, 0.15, 0.05)),
    ),
    "missing": Design(
        "three modalities tell the class, each absent in three tenths, at random",
        latents.noisy(latents.redundant(3), 0.2),
        absence=np.full((4, 3), 0.3),
    ),
    "missing-not-at-random": Design(
        "three modalities tell the class, and so does who is absent",
        latents.noisy(latents.redundant(3), 0.2),
        absence=np.array([[0.6, 0.1, 0.1], [0.1, 0.6, 0.1], [0.1, 0.1, 0.6], [0.1, 0.1, 0.1]]),
    ),
    "spurious": Design(
        "one modality tells the class; the other does in train and validation, and the opposite in test",
        latents.agreeing(0.8, 0.9),
        test=latents.agreeing(0.8, 0.1),
    ),
}


def load(name: str, data_dir: str | None, cache_dir: str) -> Task:
    """The task; no files are read, and what is computed of its table is kept in the cache."""
    design = DESIGNS[name]
    names = design.modalities
    specs = tuple(spec_of(m, k, s) for m, k, s in zip(names, KINDS, design.table.shape[1:], strict=False))
    place = list(DESIGNS).index(name)
    splits = {}
    for index, (split, n) in enumerate(SIZES.items()):
        generator = np.random.default_rng([SEED, place, index])
        table = design.test if split == "test" and design.test is not None else design.table
        y, *symbols = np.unravel_index(generator.choice(table.size, n, p=table.ravel() / table.sum()), table.shape)
        inputs, lengths = {}, {}
        present = dict(zip(names, _presence(generator, design, y).T, strict=True))
        for spec, symbol in zip(specs, symbols, strict=True):
            values, length = render(generator, spec, symbol)
            there = present[spec.name]
            inputs[spec.name] = np.where(there.reshape(-1, *[1] * len(spec.shape)), values, values.dtype.type(0))
            if spec.has_length:
                lengths[spec.name] = np.where(there, length, 0).astype(np.int32)
        splits[split] = Batch(inputs, lengths, present, y.astype(np.int32), np.ones(n, np.float32))
    classes = design.table.shape[0]
    return Task(
        name=f"synthetic/{name}",
        modalities=specs,
        target=TargetSpec("binary") if classes == 2 else TargetSpec("multiclass", classes),
        splits=splits,
        class_names=tuple(str(label) for label in range(classes)),
        bayes=bayes_of(design),
        information=_kept_information(design, Path(cache_dir).expanduser()),
        source="generated from a fixed seed by a known joint distribution",
        warnings=() if design.test is None else (_flipped(design),),
    )


def bayes_of(design: Design) -> dict[str, float]:
    """Accuracy on the test distribution of the rule that is best on train's: of "all", each modality, and each subset,
    joined by "+".
    """
    seen = {}
    for subset in subsets(len(design.modalities)):
        everyone = len(subset) == len(design.modalities)
        name = "all" if everyone else "+".join(design.modalities[place] for place in subset)
        seen[name] = bayes_accuracy(design.observed, subset, design.test)
    return {"all": seen.pop("all")} | seen


def information_of(design: Design) -> dict[str, float]:
    """Bits on train's distribution: I(Y; Z_S) of "all", each modality and each subset; of a pair also what is
    "redundant", what "only <modality>" tells, and what is "synergistic".
    """
    places = list(subsets(len(design.modalities)))
    bits = {"all": mutual_information(design.observed, places[-1])}
    for subset in places[:-1]:
        bits["+".join(design.modalities[place] for place in subset)] = mutual_information(design.observed, subset)
    if len(design.modalities) == 2:
        first, second = design.modalities
        names = ("redundant", f"only {first}", f"only {second}", "synergistic")
        bits |= dict(zip(names, decompose(design.observed), strict=True))
    return bits


def _kept_information(design: Design, cache: Path) -> dict[str, float]:
    """`information_of`, whose solver takes seconds to import, from the cache if it is there."""
    key = hashlib.sha256(repr(design.modalities).encode() + design.observed.tobytes()).hexdigest()[:16]
    folder = made(
        cache / "information" / f"{key}-{code_of_data()}",
        lambda beside: (beside / "bits.json").write_text(json.dumps(information_of(design)), encoding="utf-8"),
    )
    return json.loads((folder / "bits.json").read_text(encoding="utf-8"))


def _presence(generator: np.random.Generator, design: Design, labels: np.ndarray) -> np.ndarray:
    """[n, M] bool; an example that would lack all is drawn again."""
    present = np.ones((len(labels), len(design.modalities)), bool)
    if design.absence is None:
        return present
    again = np.arange(len(labels))
    while len(again):
        present[again] = generator.random((len(again), present.shape[1])) >= design.absence[labels[again]]
        again = again[~present[again].any(axis=1)]
    return present


def _flipped(design: Design) -> str:
    first = bayes_accuracy(design.test, (0,))
    return (
        "the second modality turns against the class in test: the Bayes-optimal accuracies are those, on test, of "
        f"rules that are best on train; whoever ignores it reaches {100 * first:.0f}%"
    )


def entries() -> dict[str, TaskEntry]:
    """A line in the registry for each design."""
    lines = {}
    for name, design in DESIGNS.items():
        lines[f"synthetic/{name}"] = TaskEntry(
            summary=f"{design.summary}; generated, exact Bayes accuracy",
            load=functools.partial(load, name),
            kinds=dict(zip(design.modalities, KINDS, strict=False)),
            target="binary" if design.table.shape[0] == 2 else "multiclass",
            tags=("information", "generated"),
        )
    return lines
