import math

import pytest

from experiments.proposals import Proposals
from experiments.trials import Trial

SPACE = {"learning_rate": (1e-4, 1e-2), "width": [32, 64, 128], "dropout": [0.0, 0.1, 0.5]}
FIRST = {"learning_rate": 1e-3, "width": 64, "dropout": 0.0}


def score(values):
    """Highest, at 0, for a learning rate of 5e-3, the greatest width, and a dropout of 0.1."""
    distance = abs(math.log10(values["learning_rate"] / 5e-3))
    return -distance - abs(math.log2(values["width"] / 128)) - abs(values["dropout"] - 0.1)


def propose(counts, outcome=score, lower_is_better=False):
    """All values proposed, group by group, each told its outcome (None is a failure)."""
    proposals, groups = Proposals(SPACE, FIRST, lower_is_better), []
    for count in counts:
        groups.append(proposals.ask(count))
        outcomes = [outcome(values) for values in groups[-1]]
        proposals.tell([Trial(values, value, 0.0, [1], "done" if value is not None else "failed")
                        for values, value in zip(groups[-1], outcomes, strict=True)])  # fmt: skip
    return groups


def test_the_first_is_as_given_and_a_group_differs_in_its_learning_rates_alone():
    groups = propose([4, 4, 1, 3])
    assert groups[0][0] == FIRST
    assert [len(group) for group in groups] == [4, 4, 1, 3]
    for group in groups:
        assert len({(values["width"], values["dropout"]) for values in group}) == 1
        assert len({values["learning_rate"] for values in group}) == len(group)
        for values in group:
            assert 1e-4 <= values["learning_rate"] <= 1e-2
            assert values["width"] in SPACE["width"] and values["dropout"] in SPACE["dropout"]


def test_the_same_outcomes_lead_to_the_same_proposals():
    assert propose([4] * 6) == propose([4] * 6)
    assert propose([4] * 6)[3:] != propose([4] * 6, lower_is_better=True)[3:], "outcomes count"


@pytest.mark.parametrize("lower_is_better", [False, True])
def test_later_proposals_are_better_than_the_first_ones(lower_is_better):
    """Ten trials are random; the mean of the last ten of forty lies above theirs."""
    sign = -1 if lower_is_better else 1
    groups = propose([4] * 10, lambda values: sign * score(values), lower_is_better)
    scores = [score(values) for group in groups for values in group]
    assert sum(scores[-10:]) > sum(scores[:10])


def test_the_sampler_learns_of_failures():
    """The upper half of the learning rates fails, in logarithms: blind proposals would fail 6 times in 12."""
    groups = propose([4] * 10, lambda values: 0.5 if values["learning_rate"] < 1e-3 else None)
    failed = [values["learning_rate"] >= 1e-3 for group in groups for values in group]
    assert sum(failed[:12]) >= 6 and sum(failed[-12:]) <= 3
