"""The strategies that change no gradient: everything at once, or stage by stage."""

from __future__ import annotations

from mmjax.model import PARTS
from mmjax.training.strategies.goal import Goal, Phase, Seen, Setting


class Encode(Goal):
    """A throw-away head on every E_i: each encoder learns alone."""

    encoders_alone = True
    throwaway_heads = True

    def losses(self, seen: Seen):
        return (sum(self.losses_of(seen.heads, seen.batch).values()),), {}

    def decisions(self, outputs, heads):
        return [heads[key] for key in sorted(heads)]


class Fuse(Goal):
    """A throw-away head on F."""

    throwaway_heads = True

    def bases(self, outputs):
        return ({"fused": outputs.fused},)

    def losses(self, seen: Seen):
        return (self.losses_of(seen.heads, seen.batch)["fused"],), {}

    def decisions(self, outputs, heads):
        return [heads["fused"]]


def joint(setting: Setting, parts: frozenset[str]) -> tuple[Phase, ...]:
    """One loss on D trains everything."""
    return (Phase("joint", PARTS, Goal(setting), setting.config.epochs),)


def staged(setting: Setting, parts: frozenset[str]) -> tuple[Phase, ...]:
    """The founding article's three steps: the encoders, then the fusion with encoders frozen, then the decoder.

    Encoders learn with a throw-away head each, the fusion with one on F. A fusion without parameters has
    no stage; `fine_tune_epochs` of joint training may follow.
    """
    config = setting.config
    phases = [Phase("encoders", ("encoders",), Encode(setting), config.epochs)]
    if "fusion" in parts:
        phases.append(Phase("fusion", ("fusion",), Fuse(setting), config.epochs))
    phases.append(Phase("decoder", ("decoder",), Goal(setting), config.epochs))
    if config.fine_tune_epochs:
        phases.append(Phase("fine_tune", PARTS, Goal(setting), config.fine_tune_epochs))
    return tuple(phases)
