"""All randomness of a run: a key is folded from (seed, purpose, step) where it is needed, and never stored."""

import enum

import jax


class Purpose(enum.IntEnum):
    """What a key is for; the values are part of a run's identity."""

    PARAMETERS = 0
    HEADS = 1
    ORDER = 2
    DROPOUT = 3
    GOAL = 4
    GRADIENT = 5
    AUGMENT = 6


def key_for(seed, purpose: Purpose, step=0) -> jax.Array:
    """The key of a seed (an integer, or traced) for a purpose at a step."""
    return jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), purpose), step)
