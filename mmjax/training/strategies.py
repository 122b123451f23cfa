"""Training strategies: which parts of theta learn when, and from which loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mmjax.config import Config
from mmjax.model import PARTS


class Phase(NamedTuple):
    """A stretch of training with one loss.

    Attributes:
      name: as the metrics call it.
      trains: the PARTS that learn; the others are frozen, bit for bit.
      head: where the loss is taken: "decoder" (D itself), "modalities" (a throw-away head on every E_i, encoders alone)
        or "fused" (a throw-away head on F).
      epochs: at most.
    """

    name: str
    trains: tuple[str, ...]
    head: str
    epochs: int


def joint(parts: frozenset[str], config: Config) -> tuple[Phase, ...]:
    """One loss on D trains everything."""
    return (Phase("joint", PARTS, "decoder", config.epochs),)


def staged(parts: frozenset[str], config: Config) -> tuple[Phase, ...]:
    """The article's three steps: the encoders, then the fusion with encoders frozen, then the decoder.

    Encoders learn with a throw-away head each, the fusion with one on F. A fusion without parameters has
    no stage; `fine_tune_epochs` of joint training may follow.
    """
    phases = [Phase("encoders", ("encoders",), "modalities", config.epochs)]
    if "fusion" in parts:
        phases.append(Phase("fusion", ("fusion",), "fused", config.epochs))
    phases.append(Phase("decoder", ("decoder",), "decoder", config.epochs))
    if config.fine_tune_epochs:
        phases.append(Phase("fine_tune", PARTS, "decoder", config.fine_tune_epochs))
    return tuple(phases)


STRATEGIES: dict[str, Callable] = {"joint": joint, "staged": staged}
