"""An array as a modality: checked against what its kind must be, its scale and the order of its axes judged."""

from __future__ import annotations

import numpy as np

from mmjax.data.folder.numbers import LARGEST
from mmjax.data.folder.schema import KINDS, ModalityPart
from mmjax.data.folder.sounds import oddities
from mmjax.data.transforms.contract import Column, Transform
from mmjax.data.transforms.image import Channels, normalisation_of
from mmjax.data.transforms.points import NormalisePoints
from mmjax.data.transforms.raw_form import FULL_SCALE, OWN, RawForm, RawModality
from mmjax.data.transforms.series import Window
from mmjax.data.transforms.tabular import Impute, Scale
from mmjax.data.transforms.text import Clean, Tokens
from mmjax.errors import InputError

AXES = {"vector": 2, "tokens": 2, "image": 4, "sequence": 3, "waveform": 2, "video": 5, "points": 3}
OVERSHOOT = 2.0  # beyond which samples are in other units, and not only louder than a recorder can take
MOST_IDS = 2**24  # of tokens: a vocabulary of more is a hash or a number of something else
COLOURS = (1, 2, 3, 4)  # channels by which an axis of them is known
# What is subtracted of samples of whole numbers, and what they are divided by, to lie in [-1, 1).
FULL_SCALES = {
    "uint8": (2**7, 2**7),
    "int8": (0, 2**7),
    "int16": (0, 2**15),
    "uint16": (2**15, 2**15),
    "int32": (0, 2**31),
}


def modality_of_array(
    part: ModalityPart, where: str, values: np.ndarray, lengths: np.ndarray | None, form: RawForm | None = None
) -> RawModality:
    """The column of an array.

    Args:
      part: of task.yaml.
      where: how the array is called in a complaint.
      values: [n, ...].
      lengths: [n] valid steps, or None.
      form: what training found; None in training.

    Raises:
      InputError: if it is not what the kind must be, naming the row where it is one's.
    """
    if part.kind == "text":
        return _text(part, where, values)
    kind = KINDS[part.kind]
    plain = kind == "image" and values.ndim == 3
    _check_kind(part, where, values, plain)
    present = _present(kind, where, values)
    if lengths is not None:
        most = values.shape[1]
        if lengths.dtype.kind not in "iu" or lengths.ndim != 1 or (lengths < 0).any() or (lengths > most).any():
            raise InputError(f"{where}: lengths must be whole numbers from 0 to {most}, one an example")
        present &= lengths > 0
    found, warnings = RawForm(kind=part.kind), []
    if kind in ("image", "video") and not plain:
        first, last = values.shape[-3], values.shape[-1]
        known = part.channels or (form.channels if form else "")
        channels = known or ("first" if first in COLOURS and last not in COLOURS else "last")
        found = RawForm(kind=part.kind, channels=channels)
        if not known and (channels == "first" or (first in COLOURS) == (last in COLOURS)):
            warnings.append(
                f"{part.name}: arrays of shape {values.shape[1:]} are taken as channels {channels}, "
                f"{first if channels == 'first' else last} of them; `channels: {channels}` says so, "
                f"`channels: {'last' if channels == 'first' else 'first'}` says otherwise"
            )
        if channels == "first":
            values = np.moveaxis(values, -3, -1)
    if kind == "tokens":
        if values.min() < 0:
            raise InputError(f"{where} holds the id {values.min()}; accepted are 0 (padding) and more")
        if values.max() >= MOST_IDS:
            raise InputError(
                f"{where} holds the id {values.max()}; accepted are ids below {MOST_IDS:,}: number the tokens from 1"
            )
        if lengths is None:
            lengths = np.where(values > 0, np.arange(1, values.shape[1] + 1), 0).max(axis=1)
            present &= lengths > 0
    if part.kind == "waveform":
        values, units, warning = _sound(part, where, values, present, form)
        found, warnings = RawForm(kind=part.kind, units=units), warnings + warning
        warnings += [f"{part.name}: {sentence}" for sentence in oddities(values, present, lengths)]
    lengths = None if lengths is None else lengths.astype(np.int32)
    vocabulary = int(values.max()) + 1 if kind == "tokens" else 0
    column = Column(values, present, lengths, vocabulary, float(part.rate))
    return RawModality(column, _steps_of(kind, values, plain), found, tuple(warnings))


def _text(part: ModalityPart, where: str, values: np.ndarray) -> RawModality:
    if values.dtype.kind != "U" or values.ndim != 1:
        raise InputError(f"{where} is {values.dtype} {values.shape}, and a text must be strings of shape (n,)")
    texts = np.array([*values.tolist(), None], object)[:-1]
    present = np.array([bool(text.strip()) for text in texts])
    return RawModality(Column(texts, present), (Clean(), Tokens()), RawForm(kind=part.kind))


def _check_kind(part: ModalityPart, where: str, values: np.ndarray, plain: bool) -> None:
    kind = KINDS[part.kind]
    wanted = "whole numbers" if kind == "tokens" else "numbers"
    if values.dtype.kind not in ("biu" if kind == "tokens" else "biuf") or values.ndim + plain != AXES[kind]:
        raise InputError(
            f"{where} is {values.dtype} {values.shape}, and kind {part.kind!r} must be {wanted} of {AXES[kind]} axes"
        )
    if 0 in values.shape:
        raise InputError(f"{where} is {values.shape}: an example holds nothing; give at least one number each")


def _present(kind: str, where: str, values: np.ndarray) -> np.ndarray:
    if values.dtype.kind != "f":
        return np.ones(len(values), bool)
    flat = values.reshape(len(values), -1)
    present = ~np.isnan(flat).all(axis=1)
    wrong = np.isinf(flat) if kind == "vector" else ~np.isfinite(flat) & present[:, None]
    if values.dtype.itemsize > 4:
        wrong |= np.abs(flat) > LARGEST
    if wrong.any():
        row = int(np.argwhere(wrong)[0][0])
        raise InputError(
            f"{where}, row {row} holds {flat[row][wrong[row]][0]}; accepted are finite numbers up to {LARGEST:.3g} (of "
            "float32), or NaN all over"
        )
    return present


def units_of(where: str, loudest: float, accepted: float, form: RawForm | None) -> tuple[str, list[str]]:
    """FULL_SCALE or OWN, of floats whose greatest magnitude is `loudest`; and warnings.

    Args:
      where: the sound is, for a complaint.
      loudest: sample.
      accepted: magnitude in full scale, in training.
      form: what training found; None in training.

    Raises:
      InputError: if training was in full scale, and this is far beyond.
    """
    if form and form.units == FULL_SCALE and loudest > OVERSHOOT:
        raise InputError(
            f"{where} reaches {loudest:g}, and the run was trained on sound in [-1, 1]; divide by the full scale"
        )
    if loudest <= accepted or form:
        return FULL_SCALE if loudest <= accepted else OWN, []
    return OWN, [f"samples reach {loudest:g}, and sound lies in [-1, 1]; divide by the full scale"]


def _sound(part: ModalityPart, where: str, values: np.ndarray, present: np.ndarray, form: RawForm | None):
    """Samples as float32 in [-1, 1] where their type says what is loudest; their units; and warnings."""
    if not part.rate:
        raise InputError(f"{where}: sound in an array needs its rate; add `rate: <samples a second>` to the modality")
    if values.dtype.kind == "f":
        loudest = float(np.abs(values[present]).max()) if present.any() else 0.0
        units, told = units_of(where, loudest, 1, form)
        return values, units, [f"{part.name}: {sentence}" for sentence in told]
    if values.dtype.name not in FULL_SCALES:
        raise InputError(
            f"{where} is {values.dtype}, which says no full scale; save sound as {', '.join(FULL_SCALES)}, or as "
            "floats in [-1, 1]"
        )
    if form and form.units == OWN:
        raise InputError(
            f"{where} is {values.dtype}, and the run was trained on floats beyond [-1, 1]; give samples as in training"
        )
    middle, scale = FULL_SCALES[values.dtype.name]
    return ((values.astype(np.float64) - middle) / scale).astype(np.float32), FULL_SCALE, []


def _steps_of(kind: str, values: np.ndarray, plain: bool) -> tuple[Transform, ...]:
    scaled = normalisation_of(values)
    return {
        "vector": (Impute(), Scale()),
        "image": (Channels(), scaled) if plain else (scaled,),
        "video": (scaled,),
        "sequence": (Window(), Scale()),
        "points": (NormalisePoints(),),
    }.get(kind, ())
