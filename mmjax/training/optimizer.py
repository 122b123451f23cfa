"""The Optax chain that a config describes."""

import optax

from mmjax.config import Config


def learning_rate(config: Config, epochs: int, steps_per_epoch: int) -> optax.Schedule:
    """Step -> learning rate over a phase: a linear warm-up, then constant or a cosine to 0."""
    warmup = config.warmup_epochs * steps_per_epoch
    total = epochs * steps_per_epoch
    if config.schedule == "cosine":
        after = optax.cosine_decay_schedule(config.learning_rate, max(total - warmup, 1))
    else:
        after = optax.constant_schedule(config.learning_rate)
    rise = optax.linear_schedule(0.0, config.learning_rate, max(warmup, 1))
    return optax.join_schedules([rise, after], [warmup]) if warmup else after


def make_optimizer(config: Config, epochs: int, steps_per_epoch: int) -> optax.GradientTransformation:
    """Clipping, then the optimiser with its weight decay (L2 for adam, decoupled for adamw and sgd)."""
    rate = learning_rate(config, epochs, steps_per_epoch)
    clip = [optax.clip_by_global_norm(config.clip_norm)] if config.clip_norm else []
    if config.optimizer == "adam":
        decay = [optax.add_decayed_weights(config.weight_decay)] if config.weight_decay else []
        return optax.chain(*clip, *decay, optax.adam(rate))
    if config.optimizer == "adamw":
        return optax.chain(*clip, optax.adamw(rate, weight_decay=config.weight_decay))
    momentum = optax.trace(0.9)
    decay = [optax.add_decayed_weights(config.weight_decay)] if config.weight_decay else []
    return optax.chain(*clip, momentum, *decay, optax.scale_by_learning_rate(rate))
