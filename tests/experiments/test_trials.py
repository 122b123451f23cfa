import pytest

from experiments.trials import Trial, TrialFile, best_of

FIRST = Trial({"dropout": 0.0}, 0.8, 0.5, [3])
TRIALS = [FIRST, Trial({"dropout": 0.1}, 0.9, 0.7, [2]), Trial({"dropout": 0.2}, None, None, [0], "failed: no")]


def test_the_best_has_the_best_score_then_the_least_loss_then_came_first():
    assert best_of(TRIALS, lower_is_better=False) is TRIALS[1]
    assert best_of(TRIALS, lower_is_better=True) is FIRST
    less_loss, twin = (FIRST._replace(values={"dropout": value}, loss=0.4) for value in (0.3, 0.4))
    for lower_is_better in (False, True):
        assert best_of([FIRST, less_loss, twin], lower_is_better) is less_loss


def test_what_was_asked_for_stands_where_every_trial_failed():
    failed = [trial._replace(status="failed: not finite", score=None) for trial in TRIALS]
    assert best_of(failed, lower_is_better=False) is failed[0]


def test_trials_come_back_as_they_were(tmp_path):
    file = TrialFile(tmp_path / "trials" / "one.json", {"fusion": "concat"})
    assert file.read() == []
    file.write(TRIALS, None)
    assert file.read() == TRIALS
    assert [path.name for path in file.path.parent.iterdir()] == ["one.json"]
    file.remove()
    file.remove()
    assert file.read() == [] and not file.path.parent.exists()


@pytest.mark.parametrize("damage", [lambda text: text[: len(text) // 2], lambda text: "", lambda text: "[1, 2]"])
def test_a_damaged_file_is_as_none(tmp_path, damage):
    file = TrialFile(tmp_path / "one.json", {})
    file.write(TRIALS, None)
    file.path.write_text(damage(file.path.read_text()))
    assert file.read() == []
