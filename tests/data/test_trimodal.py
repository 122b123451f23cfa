"""The known joint distribution: what is rendered is read back, and the printed ceiling is the true one."""

import itertools

import numpy as np
import pytest

from mmjax.data import load_task, trimodal


@pytest.fixture(scope="module")
def task():
    return load_task("trimodal")


def reversed_for_ill(row, y):
    return row if y == 0 else row[::-1]


def probability(y, image, text, audio):
    """p(y, z) from the definition, entry by entry."""
    heard = trimodal.SHARP if text in (1, 2) else trimodal.FLAT
    rows = (trimodal.ALONE, image), (trimodal.ALONE, text), (heard, audio)
    return 0.5 * np.prod([reversed_for_ill(row, y)[grade] for row, grade in rows])


def enumerated_accuracy(seen):
    """Accuracy of the best rule, by listing every case a doctor with these modalities can meet."""
    masses = {}
    for y, *grades in itertools.product(range(2), *[range(4)] * 3):
        case = tuple(grade for name, grade in zip(trimodal.MODALITIES, grades, strict=True) if name in seen)
        masses.setdefault(case, [0.0, 0.0])[y] += probability(y, *grades)
    return sum(max(pair) for pair in masses.values())


@pytest.mark.parametrize("seen", [("image",), ("text",), ("audio",), trimodal.MODALITIES])
def test_bayes_accuracy_is_that_of_enumeration(task, seen):
    printed = task.bayes["all" if len(seen) == 3 else seen[0]]
    assert printed == pytest.approx(enumerated_accuracy(seen), abs=1e-12)


def test_task_is_worth_fusing(task):
    alone = [task.bayes[name] for name in trimodal.MODALITIES]
    assert all(0.70 <= accuracy <= 0.80 for accuracy in alone)
    assert 0.92 <= task.bayes["all"] <= 0.93


def test_note_and_recording_are_synergistic():
    """I(y; text, audio) > I(y; text) + I(y; audio), in bits."""

    def information(table):
        p = table.reshape(2, -1)
        return (p * np.log2(p / (p.sum(0) * p.sum(1, keepdims=True)))).sum()

    p = trimodal.joint()
    together, text, audio = information(p.sum(1)), information(p.sum((1, 3))), information(p.sum((1, 2)))
    assert together > text + audio + 0.05


def test_joint_is_a_distribution_with_even_prior():
    p = trimodal.joint()
    assert p.min() > 0
    np.testing.assert_allclose(p.sum((1, 2, 3)), [0.5, 0.5], atol=1e-15)


@pytest.mark.parametrize("modality", trimodal.MODALITIES)
def test_every_grade_is_read_back(modality):
    generator = np.random.default_rng(0)
    grades = generator.integers(0, trimodal.GRADES, 500)
    if modality == "image":
        observed = trimodal.render_images(generator, grades)
    else:
        observed, _ = trimodal.render_tokens(generator, grades, trimodal.SLOT[modality])
    np.testing.assert_array_equal(trimodal.grades_from(modality, observed), grades)


def test_empirical_accuracy_of_the_bayes_rule(task):
    """On 2,000 test examples within 4 standard errors of the exact figure: 4 sqrt(.93 x .07 / 2000) = .023."""
    test = task.splits["test"]
    grades = [trimodal.grades_from(name, test.inputs[name]) for name in trimodal.MODALITIES]
    decisions = trimodal.joint().argmax(axis=0)[tuple(grades)]
    accuracy, exact = np.mean(decisions == test.target), task.bayes["all"]
    assert abs(accuracy - exact) <= 4 * np.sqrt(exact * (1 - exact) / test.size)


def test_grades_have_the_frequencies_of_the_table(task):
    """Counts of (y, z) in train against n p, each within 5 standard deviations of a binomial."""
    train = task.splits["train"]
    grades = [trimodal.grades_from(name, train.inputs[name]) for name in trimodal.MODALITIES]
    p = trimodal.joint()
    counts = np.zeros(p.shape)
    np.add.at(counts, (train.target, *grades), 1)
    assert np.all(np.abs(counts - train.size * p) <= 5 * np.sqrt(train.size * p * (1 - p)) + 1)


@pytest.mark.parametrize("modality", ["text", "audio"])
def test_tokens_beyond_the_length_are_padding_and_none_before(task, modality):
    for batch in task.splits.values():
        valid = np.arange(trimodal.TOKENS) < batch.lengths[modality][:, None]
        np.testing.assert_array_equal(batch.inputs[modality] > 0, valid)
        assert batch.lengths[modality].min() >= trimodal.LENGTHS[0]


def test_sounds_come_in_bursts_of_one_code():
    ids, _ = trimodal.render_tokens(np.random.default_rng(0), np.arange(4).repeat(20), slot=5)
    own = (ids > 0) & (ids <= trimodal.GRADES * trimodal.OWN_WORDS)
    slots, bursts = ids.reshape(-1, 5), own.reshape(-1, 5)
    np.testing.assert_array_equal(bursts.any(1), bursts.all(1))
    assert np.all(slots[bursts.all(1)] == slots[bursts.all(1)][:, :1])
    assert bursts.all(1).reshape(80, -1).sum(1).min() >= 3


def test_shapes_are_the_articles(task):
    assert [(spec.kind, spec.shape, spec.vocabulary) for spec in task.modalities] == [
        ("image", (28, 28, 1), 0), ("tokens", (100,), 10_000), ("tokens", (100,), 10_000)]  # fmt: skip
    assert [batch.size for batch in task.splits.values()] == [1280, 320, 2000]
    image = task.splits["train"].inputs["image"]
    assert image.min() >= 0 and image.max() <= 1


def test_same_every_time(task):
    assert load_task("trimodal").fingerprint == task.fingerprint


@pytest.mark.parametrize("modality", ["text", "audio"])
def test_a_linear_rule_learns_a_modality_from_train(task, modality):
    """Logistic regression on counts of ids comes within 6 points of the ceiling."""
    from sklearn.linear_model import LogisticRegression

    def counts(batch):
        ids = batch.inputs[modality]
        return np.stack([(ids == own).sum(1) for own in range(1, 1 + trimodal.GRADES * trimodal.OWN_WORDS)], axis=1)

    train, test = task.splits["train"], task.splits["test"]
    accuracy = (
        LogisticRegression(C=0.01, max_iter=500).fit(counts(train), train.target).score(counts(test), test.target)
    )
    assert accuracy > task.bayes[modality] - 0.06
