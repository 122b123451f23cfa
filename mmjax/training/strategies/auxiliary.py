"""A loss of its own for every modality, beside the one on D."""

from __future__ import annotations

from mmjax.model import PARTS
from mmjax.training.strategies.goal import Goal, Phase, Seen, Setting


class Auxiliary(Goal):
    """L(D) + lambda * sum_i L_i, L_i of a throw-away head on h_i; 0 where an example lacks modality i."""

    throwaway_heads = True

    def losses(self, seen: Seen):
        own = sum(self.losses_of(seen.heads, seen.batch).values())
        return (self.plain_loss(seen) + self.setting.config.auxiliary_weight * own,), {}


def auxiliary(setting: Setting, parts: frozenset[str]) -> tuple[Phase, ...]:
    """One phase; the heads take no part in decisions."""
    return (Phase("auxiliary", PARTS, Auxiliary(setting), setting.config.epochs),)
