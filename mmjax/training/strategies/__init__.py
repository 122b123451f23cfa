"""Training strategies: which parts of theta learn when, from which loss, by which gradient.

A strategy is a function (Setting, the PARTS that have parameters) -> phases, and what it needs of a cell. To add one: a
Goal in a file here, and its line in STRATEGIES.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mmjax.config import Config
from mmjax.encoders import ENCODERS
from mmjax.fusion import FUSIONS, level_of
from mmjax.training.strategies.alignment import LEAST_BATCH, cca, contrastive
from mmjax.training.strategies.auxiliary import auxiliary
from mmjax.training.strategies.blend import gradient_blend
from mmjax.training.strategies.dropout import modality_dropout
from mmjax.training.strategies.functional_entropy import functional_entropy
from mmjax.training.strategies.goal import Phase, Setting
from mmjax.training.strategies.modulation import agm, ogm, ogm_ge
from mmjax.training.strategies.pareto import mmpareto
from mmjax.training.strategies.plain import joint, staged
from mmjax.training.strategies.prototypes import pmr
from mmjax.training.strategies.reconstruction import reconstruction
from mmjax.types import ModalitySpec, TargetSpec

SEVERAL = "several modalities"
APART = "an encoder for each modality"
FUSED = "a fused embedding F"
CLASSES = "one class to each example"
CHANCES = "a probability of every decision"


class Strategy(NamedTuple):
    """A way of training.

    Attributes:
      phases: (setting, parts) -> Phases, in order.
      needs: what a cell must have, of SEVERAL, APART, FUSED, CLASSES and CHANCES.
      whole_batch: whether its loss compares a batch's examples, or is not a mean over them.
      least_batch: the least batch_size.
    """

    phases: Callable[[Setting, frozenset[str]], tuple[Phase, ...]]
    needs: tuple[str, ...] = ()
    whole_batch: bool = False
    least_batch: int = 1


STRATEGIES = {
    "joint": Strategy(joint),
    "staged": Strategy(staged),
    "auxiliary": Strategy(auxiliary, (SEVERAL, APART)),
    "modality_dropout": Strategy(modality_dropout, (SEVERAL,)),
    "gradient_blend": Strategy(gradient_blend, (SEVERAL, APART)),
    "mmpareto": Strategy(mmpareto, (SEVERAL, APART)),
    "pmr": Strategy(pmr, (SEVERAL, APART, CLASSES), whole_batch=True),
    "ogm": Strategy(ogm, (SEVERAL, APART)),
    "ogm_ge": Strategy(ogm_ge, (SEVERAL, APART)),
    "agm": Strategy(agm, (SEVERAL,), whole_batch=True),
    "contrastive": Strategy(contrastive, (SEVERAL, APART), whole_batch=True),
    "cca": Strategy(cca, (SEVERAL, APART), whole_batch=True, least_batch=LEAST_BATCH),
    "reconstruction": Strategy(reconstruction, (FUSED,)),
    "functional_entropy": Strategy(functional_entropy, (SEVERAL, APART, CHANCES), whole_batch=True),
}


def undefined(
    strategy: str, fusion: str, modalities: tuple[ModalitySpec, ...], target: TargetSpec, config: Config
) -> str | None:
    """Why a strategy is not defined for a cell, in a sentence; None where it is.

    Args:
      strategy: a name in STRATEGIES.
      fusion: a name in FUSIONS, or "unimodal/<modality>".
      config: of the cell.
    """
    known = fusion in FUSIONS
    has = {
        SEVERAL: known and len(modalities) > 1,
        APART: not known or getattr(FUSIONS[fusion], "joins", "") != "inputs",
        FUSED: not known or level_of(fusion) != "decision",
        CLASSES: target.kind in ("binary", "multiclass"),
        CHANCES: target.kind != "regression",
    }
    lacking = [need for need in STRATEGIES[strategy].needs if not has[need]]
    if lacking:
        subject = f"a {target.kind} target" if lacking[0] in (CLASSES, CHANCES) else fusion
        return f"strategy {strategy} needs {lacking[0]}, which {subject} does not have"
    least = STRATEGIES[strategy].least_batch
    if config.batch_size < least:
        return f"strategy {strategy} needs {least} examples in a batch, and batch_size = {config.batch_size}"
    whole = _of_whole_batches(strategy, fusion, modalities, config) if config.accumulate > 1 else []
    if whole:
        return f"{whole[0]} reads a batch as a whole, which accumulate = {config.accumulate} cuts in parts: give 1"
    return None


def _of_whole_batches(strategy, fusion, modalities, config) -> list[str]:
    """What of a cell would be another with a part of a batch in place of the whole."""
    module = FUSIONS.get(fusion)
    if fusion.startswith("unimodal/"):
        modalities = [spec for spec in modalities if spec.name == fusion.removeprefix("unimodal/")]
    elif getattr(module, "joins", "") == "inputs":
        modalities = [module(tuple(modalities)).spec]
    encoders = [config.encoder_of(spec.name, spec.kind) for spec in modalities]
    whole = [f"strategy {strategy}"] if STRATEGIES[strategy].whole_batch else []
    whole += [f"fusion {fusion}"] if getattr(module, "whole_batch", False) else []
    return whole + [f"encoder {name}" for name in encoders if getattr(ENCODERS.get(name), "whole_batch", False)]
