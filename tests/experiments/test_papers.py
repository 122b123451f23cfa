import dataclasses

import numpy as np
import pytest

from experiments.papers import PAPERS, tmc
from experiments.papers.paper import Figure, Paper, account, passes

PAPER = Paper(
    title="A paper",
    link="https://example.org",
    metric="accuracy, %",
    published=(
        Figure(98.0, 0.5, "its table", True),
        Figure(90.0, 0.0, "its code", True),
        Figure(99.9, 0.0, "another split", False),
    ),
    protocol=("As it says.",),
    resolution=0.25,
    seeds=2,
    run=lambda data_dir, workdir, seeds: {"as published": [98.0 for _ in seeds]},
)


@pytest.mark.parametrize(
    "values, verdict", [([97.5, 97.5], True), ([97.0, 98.0], True), ([97.4, 97.5], False), ([100.0], True)]
)
def test_the_verdict_allows_the_spread_of_a_figure(values, verdict):
    assert passes(PAPER, values) is verdict


@pytest.mark.parametrize("value, verdict", [(89.75, True), (89.74, False)])
def test_the_verdict_allows_one_test_example_where_there_is_no_spread(value, verdict):
    paper = dataclasses.replace(PAPER, published=PAPER.published[1:])
    assert passes(paper, [value]) is verdict


def test_the_account_prints_all_figures_the_rule_and_the_verdict():
    text = account(PAPER, {"as published": [97.0, 98.0], "another way": [50.0]})
    assert "98.00±0.50 (its table)" in text and "90.00 (its code)" in text and "99.90 (another split; beside it" in text
    # Student's t of one degree of freedom is 12.706 at 95%; the mean's standard error is 0.5.
    assert "ours, as published: 97.50 [91.15, 103.85]" in text and "ours, another way: 50.00" in text
    assert text.endswith("PASS") and account(PAPER, {"as published": [90.0]}).endswith("MISS")


@pytest.mark.parametrize("paper", PAPERS.values(), ids=PAPERS)
def test_every_paper_has_a_figure_to_be_judged_by_and_a_source_for_each(paper):
    assert any(figure.same_protocol for figure in paper.published)
    assert all(figure.source for figure in paper.published)
    assert paper.link.startswith("https://") and paper.protocol and paper.seeds > 1


def test_splits_scaled_apart_fill_the_unit_interval_each_and_constants_stay_finite(task):
    split = task.splits["test"]
    constant = split._replace(inputs=split.inputs | {"sight": np.full_like(split.inputs["sight"], 3)})
    apart = tmc.scaled_apart(dataclasses.replace(task, splits=dict(task.splits) | {"test": constant}))
    for name, values in apart.splits.items():
        low, high = values.inputs["sound"].min(axis=0), values.inputs["sound"].max(axis=0)
        np.testing.assert_array_equal([low, high], [[0, 0, 0], [1, 1, 1]], err_msg=name)
    np.testing.assert_array_equal(apart.splits["test"].inputs["sight"], 0)
    assert apart.fingerprint != task.fingerprint and apart.name != task.name


def test_tmc_is_trained_as_published():
    config = tmc.CONFIG
    assert (config.optimizer, config.learning_rate, config.weight_decay) == ("adam", 3e-3, 1e-5)
    assert (config.batch_size, config.epochs, config.kl_epochs) == (200, 500, 50)
    assert config.selection == "last" and config.patience == 0, "nothing is chosen"
    assert config.encoder_of("pixel", "vector") == "identity" and config.decoder == "dense"
