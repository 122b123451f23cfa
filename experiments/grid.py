"""From the names of a command to the cells and runs they stand for."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import mmjax
from mmjax.config import ENCODERS, Config
from mmjax.errors import InputError, lookup, unknown_name
from mmjax.evaluation.classical import CLASSICAL
from mmjax.file_names import file_name
from mmjax.fusion import FUSIONS, LEVELS, level_of
from mmjax.training.decisions import is_fitted
from mmjax.training.strategies import STRATEGIES, undefined
from mmjax.types import TARGET_KINDS, Task

UNTRAINED = ""  # the strategy of a baseline that is not trained as a model is


@dataclasses.dataclass(frozen=True)
class Cell:
    """One row of a table: what is trained, and how.

    Attributes:
      task: its name.
      fusion: a name in FUSIONS or CLASSICAL, "unimodal/<modality>" or "majority".
      strategy: a name in STRATEGIES, or UNTRAINED.
      config: hyper-parameters.
      parts: of a decision rule, the unimodal cells it combines where their hyper-parameters are not its own.
      label: what the task is called where others have its name; no result depends on it.
    """

    task: str
    fusion: str
    strategy: str
    config: Config
    parts: tuple[Cell, ...] = ()
    label: str = ""

    @property
    def level(self) -> str:
        """ "baseline", "feature", "decision" or "model"."""
        return level_of(self.fusion) if self.fusion in FUSIONS else "baseline"

    @property
    def is_rule(self) -> bool:
        """Whether it only combines the decisions of unimodal cells, which it then depends on."""
        return self.level == "decision" and not FUSIONS[self.fusion].trained

    @property
    def title(self) -> str:
        """For progress, headings and file names."""
        return " ".join(filter(None, (self.label or self.task, self.fusion, self.strategy)))


@dataclasses.dataclass(frozen=True)
class Run:
    """A cell with a seed, on given data: what determines a result."""

    cell: Cell
    seed: int
    fingerprint: str

    @property
    def identity(self) -> dict:
        """Everything the result depends on. Paths, devices and their number are not among it."""
        cell = self.cell
        parts = {"parts": {part.fusion: part.config.to_dict() for part in cell.parts}} if cell.parts else {}
        return parts | {
            "task": cell.task,
            "fusion": cell.fusion,
            "strategy": cell.strategy,
            "config": cell.config.to_dict(),
            "seed": self.seed,
            "data": self.fingerprint,
            "code": code_version(),
        }

    @property
    def name(self) -> str:
        """The run's folder: readable, then a hash of its identity."""
        readable = file_name("-".join(filter(None, (self.cell.task, self.cell.fusion, self.cell.strategy))))
        return f"{readable}-seed{self.seed}-{digest(self.identity)}"


def obstacle(task: Task, cell: Cell) -> str | None:
    """Why a cell is not defined, or None where it is."""
    accepted = getattr(FUSIONS.get(cell.fusion), "targets", TARGET_KINDS)
    if task.target.kind not in accepted:
        return f"{cell.fusion} takes a target that is {' or '.join(accepted)}, not {task.target.kind}"
    if cell.strategy == UNTRAINED:
        return None
    if is_fitted(cell.fusion) and not task.chooses:
        return f"{cell.fusion} is fitted on validation, and {task.contaminated}"
    if cell.is_rule:
        return next(filter(None, (obstacle(task, part) for part in parts_of(task, cell))), None)
    return undefined(cell.strategy, cell.fusion, task.modalities, task.target, cell.config)


def is_trained(task: Task, cell: Cell) -> bool:
    """Whether the cell is trained itself: it is no rule, no baseline, and nothing that its task refuses."""
    return cell.strategy != UNTRAINED and not cell.is_rule and not obstacle(task, cell)


def runs_of(cell: Cell, task: Task, seeds: Sequence[int]) -> list[Run]:
    """A cell's runs, in the order of the seeds."""
    return [Run(cell, seed, task.fingerprint) for seed in seeds]


def parts_of(task: Task, rule: Cell) -> list[Cell]:
    """The unimodal cells that a decision rule combines, in the order of the task's modalities."""
    same = [dataclasses.replace(rule, fusion=name, parts=()) for name in unimodal_names(task)]
    return list(rule.parts) or same


def cells_of(task: Task, fusions: Sequence[str], strategies: Sequence[str], config: Config) -> list[Cell]:
    """The cells of a task, each after those it depends on.

    Args:
      task: the data, whose modalities `unimodal` stands for.
      fusions: names as `--fusions` takes them (see `fusions_of`).
      strategies: names in STRATEGIES, or "all".
      config: of every cell; where validation may not choose, the last epoch counts whatever it says.

    Returns:
      The majority baseline and the classical ones; then for every strategy the unimodal cells (also those that only a
      decision rule asks for), the trained fusions, and the decision rules.

    Raises:
      InputError: for an unknown name.
    """
    names = fusions_of(task, fusions)
    config = config if task.chooses else config.replace(selection="last")
    cell_of = functools.partial(Cell, task.name, config=config, label=task.label)
    cells = [cell_of(name, UNTRAINED) for name in ("majority", *(n for n in names if n in CLASSICAL))]
    for strategy in strategies_of(strategies):
        asked = [cell_of(name, strategy) for name in names]
        rules = [cell for cell in asked if cell.is_rule]
        single = [unimodal for unimodal in unimodal_names(task) if rules or unimodal in names]
        cells += [cell_of(name, strategy) for name in single]
        cells += [cell for cell in asked if cell.fusion in FUSIONS and not cell.is_rule]
        cells += rules
    return cells


def unimodal_names(task: Task) -> list[str]:
    """ "unimodal/<modality>" for each modality, in the task's order."""
    return [f"unimodal/{spec.name}" for spec in task.modalities]


def fusions_of(task: Task, names: Sequence[str]) -> list[str]:
    """What `--fusions` stands for, each once.

    Args:
      task: its modalities are those of `unimodal`.
      names: of fusions, of levels ("feature", "decision", "model"), "unimodal",
        "unimodal/<modality>", "all", or the baselines "classical" or one of CLASSICAL, "majority" (which is in every
        table) and "oracle" (which needs the unimodal runs).

    Raises:
      InputError: for an unknown name.
    """
    unimodal = unimodal_names(task)
    groups = {name: [name] for name in [*FUSIONS, *CLASSICAL, *unimodal]}
    groups |= {level: list(registry) for level, registry in LEVELS.items()}
    groups |= {
        "unimodal": unimodal,
        "oracle": unimodal,
        "classical": list(CLASSICAL),
        "majority": [],
        "all": [*unimodal, *FUSIONS],
    }
    return list(dict.fromkeys(fusion for name in names for fusion in lookup(groups, "fusion", name)))


def strategies_of(names: Sequence[str]) -> list[str]:
    """What `--strategies` stands for, each once.

    Raises:
      InputError: for an unknown name.
    """
    groups = {name: [name] for name in STRATEGIES} | {"all": list(STRATEGIES)}
    return list(dict.fromkeys(strategy for name in names for strategy in lookup(groups, "strategy", name)))


def check_encoders(overrides: Mapping, tasks: Iterable[Task]):
    """Refuses an encoder for what no task has.

    Raises:
      InputError: for a name that is neither a modality of a task nor the kind of one; a modality that is called as a
        kind has its encoder by its own kind.
    """
    specs = [spec for task in tasks for spec in task.modalities]
    known = {spec.kind for spec in specs} | {spec.name for spec in specs if spec.name not in ENCODERS}
    for name in overrides.get("encoders", ()):
        if name not in known:
            raise InputError(f"config.encoders: {unknown_name('modality or kind', name, known)}")


def digest(values) -> str:
    """A short hash of plain values, independent of the order of keys."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]


@functools.cache
def code_version() -> str:
    """A hash of the source of mmjax: any change to it makes new runs."""
    return source_hash(Path(mmjax.__file__).parent)


def source_hash(root: Path) -> str:
    """A hash of the names and contents of all Python files under a folder."""
    return digest({path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in root.rglob("*.py")})
