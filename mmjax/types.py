"""The contracts between the floors of the house.

Letters for shapes, used all over the project: B batch, T time steps (or tokens), d width,
M modalities, K outputs, n examples of a split, S seeds.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import jax
import numpy as np

from mmjax.errors import InputError, shown

Array = jax.Array | np.ndarray

# What an encoder may meet, with the shape of one example of it.
MODALITY_KINDS = {
    "image": "(height, width, channels) float",
    "tokens": "(T,) integer ids, id 0 is padding",
    "sequence": "(T, features) float",
    "vector": "(features,) float",
    "video": "(T, height, width, channels) float",
    "points": "(points, features) float, a set in no order",
    "waveform": "(samples,) float",
}
TARGET_KINDS = ("binary", "multiclass", "multilabel", "regression")
SCALE_KINDS = ("none", "standard", "log")
SPLITS = ("train", "validation", "test")
# Modalities and views that models add, under names that no modality can have then.
JOINED, PSEUDO, FUSED = RESERVED = ("joined", "pseudo", "fused")
LONGEST_NAME = 100  # bytes of a modality's name in UTF-8: it is part of the names of files
_SUFFIXES = (".present", ".lengths", ".rate")  # of arrays that stand beside a modality's own in files of new examples


def check_modality_names(names: Iterable[str]) -> None:
    """Refuses names that could not be keys, parts of paths and words of a list at once.

    Raises:
      InputError: for the first that `add_modality_name` refuses.
    """
    seen = {}
    for name in names:
        add_modality_name(seen, name)


def add_modality_name(seen: dict[str, str], name: str) -> None:
    """Adds a name to those that were seen, under what it is without regard to case and composition of letters.

    Raises:
      InputError: if it is no name for a modality, or differs from one before in that alone: to some file systems both
        are the same.
    """
    _check_modality_name(name)
    folded = unicodedata.normalize("NFC", name.casefold())
    if folded in seen:
        raise InputError(
            f"modalities {shown(seen[folded])} and {shown(name)}: names must differ in more than case; rename one"
        )
    seen[folded] = name


def _check_modality_name(name: str) -> None:
    plain = all(letter in " _-." or unicodedata.category(letter)[0] in "LMN" for letter in name)
    if not name or not plain or name[0] in " .-" or name[-1] in " ." or ".." in name:
        raise InputError(
            f"modality {shown(name)}: a name is made of letters, digits, '_', '-', single dots and spaces, and begins "
            "with a letter, a digit or '_'; rename it"
        )
    if len(name.encode()) > LONGEST_NAME:
        raise InputError(f"modality {shown(name)}: a name has {LONGEST_NAME} bytes in UTF-8 at most; shorten it")
    if name.endswith(_SUFFIXES):
        raise InputError(f"modality {shown(name)}: a name does not end in {', '.join(_SUFFIXES)}; rename it")


@dataclasses.dataclass(frozen=True)
class ModalitySpec:
    """What is known of one modality before any example is seen.

    Attributes:
      name: the modality's key in every dict of the project, as `check_modality_names` accepts it.
      kind: one of MODALITY_KINDS.
      shape: of one example, padded where the length varies.
      vocabulary: number of ids, for kind `tokens`; 0 otherwise.
      rate: samples per second, for kind `waveform`; 0 otherwise.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    vocabulary: int = 0
    rate: float = 0.0

    def __post_init__(self):
        check_modality_names([self.name])
        if self.kind not in MODALITY_KINDS:
            raise ValueError(f"modality {self.name!r}: kind {self.kind!r} is none of {', '.join(MODALITY_KINDS)}")
        axes = {"image": 3, "sequence": 2, "video": 4, "points": 2}.get(self.kind, 1)
        if len(self.shape) != axes:
            raise ValueError(f"modality {self.name!r}: shape {self.shape} is not {MODALITY_KINDS[self.kind]}")
        if (self.kind == "tokens") != (self.vocabulary > 0):
            raise ValueError(f"modality {self.name!r}: a vocabulary belongs to kind 'tokens', and only to it")
        if (self.kind == "waveform") != (self.rate > 0):
            raise ValueError(f"modality {self.name!r}: a rate above 0 belongs to kind 'waveform', and only to it")

    @property
    def has_length(self) -> bool:
        """Whether an example's first axis is valid up to a length of its own (of `points`: their number)."""
        return self.kind in ("tokens", "sequence", "video", "points", "waveform")


@dataclasses.dataclass(frozen=True)
class ValueScale:
    """How one value y of a regression is brought to the unit z that models learn in: z = (y - offset) / scale.

    Attributes:
      kind: one of SCALE_KINDS; "log" has log(y) in place of y, "none" leaves y as it is.
      offset, scale: in the unit of y, or of log(y); `scale` is above 0.
      lowest, highest: z of the least and of the greatest y in train.
    """

    kind: str
    offset: float = 0.0
    scale: float = 1.0
    lowest: float = 0.0
    highest: float = 0.0

    def __post_init__(self):
        if self.kind not in SCALE_KINDS:
            raise ValueError(f"target: scale {self.kind!r} is none of {', '.join(SCALE_KINDS)}")
        if not self.scale > 0:
            raise ValueError(f"target: a scale of {self.scale} is not above 0")


@dataclasses.dataclass(frozen=True)
class TargetSpec:
    """What is predicted.

    Attributes:
      kind: one of TARGET_KINDS.
      size: classes for `multiclass`; 1 for `binary`; labels for `multilabel`; values for `regression`.
      scales: of each value of a regression, fitted on train; () where models learn the values as they are. JSON's dicts
        are taken too.
    """

    kind: str
    size: int = 1
    scales: tuple[ValueScale, ...] = ()

    def __post_init__(self):
        scales = tuple(each if isinstance(each, ValueScale) else ValueScale(**each) for each in self.scales)
        object.__setattr__(self, "scales", scales)
        if scales and (self.kind != "regression" or len(scales) != self.size):
            raise ValueError(f"target: {len(scales)} scales do not fit kind {self.kind!r} of size {self.size}")
        if self.kind not in TARGET_KINDS:
            raise ValueError(f"target: kind {self.kind!r} is none of {', '.join(TARGET_KINDS)}")
        minimum = 2 if self.kind == "multiclass" else 1
        if self.size < minimum or (self.kind == "binary" and self.size != 1):
            raise ValueError(f"target: size {self.size} does not fit kind {self.kind!r}")

    @property
    def outputs(self) -> int:
        """K, the width of the logits: one for `binary` (a sigmoid), else `size`."""
        return self.size

    @property
    def classes(self) -> int:
        """Classes that one decision chooses between; 0 for regression."""
        return {"multiclass": self.size, "binary": 2, "multilabel": 2, "regression": 0}[self.kind]


class Batch(NamedTuple):
    """Examples side by side: a batch, or a whole split (then B = n and the arrays are NumPy's).

    Attributes:
      inputs: modality -> [B, *shape], float32 or int32 (tokens).
      lengths: modality -> [B] int32 valid steps, for the modalities that have a length.
      present: modality -> [B] bool, False where that example lacks the modality.
      target: [B] int32 (binary, multiclass), [B, K] float32 (multilabel, regression).
      weight: [B] float32, 0 for the rows that only fill a batch up, 1 otherwise.
    """

    inputs: Mapping[str, Array]
    lengths: Mapping[str, Array]
    present: Mapping[str, Array]
    target: Array
    weight: Array

    @property
    def size(self) -> int:
        """B."""
        return self.weight.shape[0]


class Features(NamedTuple):
    """What passes from one stage of an encoder to the next.

    Attributes:
      values: [B, ..., channels]; the middle axes are space or time, or absent for a vector.
      mask: [B, T] bool of valid steps where the middle axis is time, else None.
      valid: [B] bool, False for rows that only fill the batch up or lack the modality;
        batch statistics leave them out.
    """

    values: Array
    mask: Array | None
    valid: Array


class Encoded(NamedTuple):
    """E_i: what an encoder makes of modality i.

    Attributes:
      sequence: H_i [B, T_i, d_i]; a vector is a sequence of one.
      mask: m_i [B, T_i] bool, False on padding.
      pooled: h_i [B, d_i'].
    """

    sequence: Array
    mask: Array
    pooled: Array


class Outputs(NamedTuple):
    """What a model says of a batch.

    Attributes:
      logits: D [B, K]; for decision-level fusion log-probabilities (binary: their log-odds).
      fused: F [B, d], or None at the decision level.
      embeddings: modality -> h_i [B, d_i].
      modality_logits: modality -> l_i [B, K], where the model has a head for each modality.
      evidence: view -> e [B, classes] with the fused one under "fused"; empty unless evidential.
      penalty: what the fusion adds to the loss: of the batch, a scalar, or of each example, [B].
    """

    logits: Array
    fused: Array | None
    embeddings: Mapping[str, Array]
    modality_logits: Mapping[str, Array]
    evidence: Mapping[str, Array]
    penalty: Array | float


@dataclasses.dataclass(frozen=True)
class Task:
    """A data set under its protocol: three splits, in memory, as NumPy.

    Attributes:
      name: as `--tasks` takes it, with its config: `avdigits/clean`.
      modalities: in the data set's own order.
      target: what is predicted.
      splits: "train", "validation", "test" -> Batch of NumPy arrays.
      class_names: one a class, or empty.
      bayes: accuracy of the Bayes-optimal rule, where the joint distribution is known:
        "all" and each modality's name -> [0, 1]; empty otherwise.
      information: bits that modalities tell of the class, where the joint distribution is known: "all", each modality
        and subset, and of a pair its parts "redundant", "only <modality>" and "synergistic"; empty otherwise.
      tags: domains and lists the task belongs to.
      source: where the data come from, one line for tables' footers.
      fingerprint: hash of the arrays and of what they were made by and mean, part of a run's identity.
      groups: split -> [n] int, examples of one number belong together (a patient, a video), where that is known.
      preprocessing: modality -> what was fitted on train (`mmjax.data.transforms.preprocessing.Fitted`), where the
        inputs were made by steps that can be applied to new examples.
      warnings: what a reader of results must know of the data, one sentence each.
      label: what it is called where other tasks have its name too; "" where the name will do. No result depends on it.
      contaminated: how validation was seen in training or in preparing the features, so that nothing may be chosen or
        fitted by it; "" where it was not.
    """

    name: str
    modalities: tuple[ModalitySpec, ...]
    target: TargetSpec
    splits: Mapping[str, Batch]
    class_names: tuple[str, ...] = ()
    bayes: Mapping[str, float] = dataclasses.field(default_factory=dict)
    information: Mapping[str, float] = dataclasses.field(default_factory=dict)
    tags: tuple[str, ...] = ()
    source: str = ""
    fingerprint: str = ""
    groups: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    preprocessing: Mapping[str, object] = dataclasses.field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    label: str = ""
    contaminated: str = ""

    @property
    def title(self) -> str:
        """What people read, and what tells it from the other tasks of a launch."""
        return self.label or self.name

    @property
    def chooses(self) -> bool:
        """Whether validation may choose: the epoch, hyper-parameters, rules' parameters, the best of a table."""
        return not self.contaminated
