"""Hyper-parameters to try next, by Optuna: the only file that knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from experiments.trials import DONE, Trial

SAMPLER_SEED = 0
RANDOM_TRIALS = 8  # before the sampler learns from them


class Proposals:
    """Values to try, by Optuna's TPE with a fixed seed, in groups that differ in the learning rate alone.

    Args:
      space: field -> its values to choose from; of the learning rate, the lowest and the highest.
      first: the values of the first trial of all.
      lower_is_better: of a trial's score.
    """

    def __init__(self, space: Mapping[str, Sequence], first: Mapping[str, float], lower_is_better: bool):
        import optuna  # late: only a launch that tunes needs it
        from optuna.distributions import CategoricalDistribution, FloatDistribution

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._pruned = optuna.trial.TrialState.PRUNED
        self._space = {
            name: FloatDistribution(*v, log=True) if name == "learning_rate" else CategoricalDistribution(v)
            for name, v in space.items()
        }
        self._study = optuna.create_study(
            direction="minimize" if lower_is_better else "maximize",
            sampler=optuna.samplers.TPESampler(seed=SAMPLER_SEED, n_startup_trials=RANDOM_TRIALS),
        )
        self._study.enqueue_trial(first)
        self._asked = []

    def ask(self, count: int) -> list[dict[str, float]]:
        """The next group of trials' values."""
        self._asked = [self._study.ask(self._space)]
        shared = {name: value for name, value in self._asked[0].params.items() if name != "learning_rate"}
        for _ in range(count - 1):
            self._study.enqueue_trial(shared)
            self._asked.append(self._study.ask(self._space))
        return [{name: trial.params[name] for name in self._space} for trial in self._asked]

    def tell(self, trials: Sequence[Trial]):
        """How the group that was last asked for came out."""
        for asked, trial in zip(self._asked, trials, strict=True):
            if trial.status == DONE:
                self._study.tell(asked, trial.score)
            else:  # of a failed trial the sampler would learn nothing; a pruned one is to it as bad as can be
                self._study.tell(asked, state=self._pruned)
