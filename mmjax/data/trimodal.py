"""A medical case made from a seed: an image, a note and a recording speak of one diagnosis.

The diagnosis y in {0, 1} causes a finding of 4 grades in each modality, by a table that is
known:  p(y, z) = p(y) p(z_image | y) p(z_text | y) p(z_audio | y, z_text).  The recording
says more where the note is equivocal: together the two tell more of y than the sum of what
each tells alone, and no rule that adds up the modalities' evidence is optimal.

A grade is then rendered at random, but so that it can be read back without error: the
observation tells z exactly and of y nothing beyond z. So the accuracy of the Bayes-optimal
rule, of all modalities or of any of them, is a finite sum over the table. The shapes are
those of the founding article: an image of 28 x 28 x 1, and 100 ids of a vocabulary of 10,000 twice.
"""

from __future__ import annotations

import numpy as np

from mmjax.types import Batch, ModalitySpec, TargetSpec, Task

SEED = 20240  # of the data set itself; a run's seed does not change the data
SIZES = {"train": 1280, "validation": 320, "test": 2000}
MODALITIES = ("image", "text", "audio")
SIDE, TOKENS, VOCABULARY = 28, 100, 10_000

# p(grade | y = 0); for y = 1 it runs the other way round.
ALONE = np.array([0.45, 0.30, 0.22, 0.03])  # image and text
SHARP = np.array([0.66, 0.22, 0.09, 0.03])  # audio, where the text's grade is 1 or 2
FLAT = np.array([0.30, 0.30, 0.20, 0.20])  # audio, where the text's grade is 0 or 3
GRADES = len(ALONE)

RADII = (3, 5, 7, 9)  # of a lesion, in pixels, by grade
TISSUE, LESION = (0.0, 0.4), (0.6, 1.0)  # brightness; apart, so that the lesion can be counted
OWN_WORDS = 20  # ids that only one grade uses: 1 + 20 z to 20 + 20 z
SHARE = 0.25  # of an example's slots that carry its grade
LENGTHS = (40, TOKENS)  # valid ids, drawn evenly
SLOT = {"text": 1, "audio": 5}  # ids a slot: symptoms are single words, sounds are bursts of one code


def joint() -> np.ndarray:
    """p(y, z_image, z_text, z_audio), float64 [2, 4, 4, 4]."""
    alone, sharp, flat = (np.stack([row, row[::-1]]) for row in (ALONE, SHARP, FLAT))
    audio = np.stack([flat, sharp, sharp, flat], axis=1)
    return 0.5 * np.einsum("yi,yt,yta->yita", alone, alone, audio)


def bayes_accuracy(*modalities: str) -> float:
    """Accuracy of the best rule that sees these modalities: sum over z of max over y of p(y, z)."""
    unseen = tuple(axis for axis, name in enumerate(MODALITIES, start=1) if name not in modalities)
    return float(joint().sum(unseen).max(axis=0).sum())


def grades_from(modality: str, values: np.ndarray) -> np.ndarray:
    """The grades that observations [n, ...] of a modality were rendered from, int [n]."""
    if modality == "image":
        return np.searchsorted([disc(radius).sum() for radius in RADII], (values > 0.5).sum(axis=(1, 2, 3)))
    own = (values >= 1) & (values <= GRADES * OWN_WORDS)
    return np.where(own, (values - 1) // OWN_WORDS, -1).max(axis=1)


def disc(radius: int) -> np.ndarray:
    """A filled circle, bool [2 radius + 1, 2 radius + 1]."""
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return x**2 + y**2 <= radius**2


def render_images(generator: np.random.Generator, grades: np.ndarray) -> np.ndarray:
    """Noise with a bright disc somewhere, its radius the grade's: float32 [n, 28, 28, 1] in [0, 1]."""
    images = generator.uniform(*TISSUE, (len(grades), SIDE, SIDE))
    for image, grade in zip(images, grades, strict=True):
        lesion = disc(RADII[grade])
        top, left = generator.integers(0, SIDE - len(lesion), 2, endpoint=True)
        image[top : top + len(lesion), left : left + len(lesion)][lesion] = generator.uniform(*LESION, lesion.sum())
    return images[..., None].astype(np.float32)


def render_tokens(generator: np.random.Generator, grades: np.ndarray, slot: int) -> tuple[np.ndarray, np.ndarray]:
    """Background ids with slots of the grade's own ids strewn in, 0 beyond the length.

    Background ids follow Zipf's law. A slot holds one id throughout.

    Returns:
      ids int32 [n, 100] and lengths int32 [n].
    """
    n, slots = len(grades), TOKENS // slot
    lengths = generator.integers(*LENGTHS, n, endpoint=True)
    background = np.arange(1 + GRADES * OWN_WORDS, VOCABULARY)
    zipf = 1 / np.arange(1, len(background) + 1)
    ids = generator.choice(background, (n, TOKENS), p=zipf / zipf.sum())

    # The slots of lowest score carry the grade: at least 3, and only slots inside the length.
    whole = lengths // slot
    carriers = np.maximum(generator.binomial(whole, SHARE), 3)
    score = np.where(np.arange(slots) < whole[:, None], generator.random((n, slots)), np.inf)
    chosen = score.argsort(axis=1).argsort(axis=1) < carriers[:, None]
    own = 1 + OWN_WORDS * grades[:, None] + generator.integers(0, OWN_WORDS, (n, slots))
    ids = np.where(chosen.repeat(slot, axis=1), own.repeat(slot, axis=1), ids)
    return np.where(np.arange(TOKENS) < lengths[:, None], ids, 0).astype(np.int32), lengths.astype(np.int32)


def load(data_dir: str | None, cache_dir: str) -> Task:
    """The task; nothing is read or written, so the folders are not used."""
    table = joint()
    splits = {}
    for index, (split, n) in enumerate(SIZES.items()):
        generator = np.random.default_rng([SEED, index])
        y, image, text, audio = np.unravel_index(generator.choice(table.size, n, p=table.ravel()), table.shape)
        inputs, lengths = {"image": render_images(generator, image)}, {}
        for name, grades in (("text", text), ("audio", audio)):
            inputs[name], lengths[name] = render_tokens(generator, grades, SLOT[name])
        present = {name: np.ones(n, bool) for name in MODALITIES}
        splits[split] = Batch(inputs, lengths, present, y.astype(np.int32), np.ones(n, np.float32))
    return Task(
        name="trimodal",
        modalities=(
            ModalitySpec("image", "image", (SIDE, SIDE, 1)),
            ModalitySpec("text", "tokens", (TOKENS,), VOCABULARY),
            ModalitySpec("audio", "tokens", (TOKENS,), VOCABULARY),
        ),
        target=TargetSpec("binary"),
        splits=splits,
        class_names=("healthy", "ill"),
        bayes={"all": bayes_accuracy(*MODALITIES), **{name: bayes_accuracy(name) for name in MODALITIES}},
        source="generated from a fixed seed by a known joint distribution",
    )
