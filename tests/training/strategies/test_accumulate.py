"""A batch that is taken in parts trains the same, or the pair is refused before anything is trained."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_tasks import SPECS, random_batch, small_task

from mmjax.config import Config
from mmjax.encoders import ENCODERS
from mmjax.errors import InputError
from mmjax.fusion import DECISION, FUSIONS
from mmjax.model import build_model, initialise
from mmjax.training.loop import check_cell
from mmjax.training.step import PhasePrograms
from mmjax.training.strategies import STRATEGIES, undefined
from mmjax.training.strategies.goal import Setting
from mmjax.types import ModalitySpec, TargetSpec

VECTORS, THREE, N = SPECS[4:6], TargetSpec("multiclass", 3), 24
# Plain descent: Adam's division by the root of squares that are almost 0 would make rounding show.
CONFIG = Config(width=4, encoder_layers=1, epochs=1, batch_size=10, alignment_size=2, held_out=0.2, optimizer="sgd",
                learning_rate=0.1, information_weight=0.1, encoders={"vector": "linear"})  # fmt: skip
WHOLE = ["agm", "cca", "contrastive", "functional_entropy", "pmr"]


@functools.cache
def split():
    return jax.tree.map(jnp.asarray, small_task(VECTORS, THREE, (N, 4, 4), missing=True).splits["train"])


def trained(strategy, phase, config, epochs=1):
    """The state after some epochs of a phase, of 10, 10 and 4 examples."""
    model = build_model(VECTORS, THREE, "concat", config)
    phases = STRATEGIES[strategy].phases(Setting(VECTORS, THREE, config), frozenset())
    made = PhasePrograms(model, phases[phase], config, N, 1)

    @jax.jit
    def run(data):
        state = made.begin(0, 1.0, jax.tree.map(lambda x: x[:1], data))
        return made.train(state, data, 0, 1, epochs)

    return run(split())


def phases_of(strategy):
    return range(len(STRATEGIES[strategy].phases(Setting(VECTORS, THREE, CONFIG), frozenset())))


@pytest.mark.parametrize(
    "strategy, phase", [(name, phase) for name in STRATEGIES if name not in WHOLE for phase in phases_of(name)]
)
def test_two_parts_are_the_whole(strategy, phase):
    """Up to the order of float32 sums, in three steps."""
    halves = CONFIG.replace(accumulate=2)
    assert undefined(strategy, "concat", VECTORS, THREE, halves) is None
    (state, trace), (expected, of_whole) = (trained(strategy, phase, config) for config in (halves, CONFIG))
    for found, value in zip(
        *(jax.tree.leaves(each) for each in ((state.theta, trace), (expected.theta, of_whole))), strict=True
    ):
        np.testing.assert_allclose(found, value, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("strategy", WHOLE)
def test_what_compares_examples_is_refused(strategy):
    reason = undefined(strategy, "concat", VECTORS, THREE, CONFIG.replace(accumulate=2))
    assert reason == f"strategy {strategy} reads a batch as a whole, which accumulate = 2 cuts in parts: give 1"
    assert undefined(strategy, "concat", VECTORS, THREE, CONFIG) is None
    with pytest.raises(InputError, match="accumulate = 2"):
        task = small_task(VECTORS, THREE, (N, 4, 4))
        check_cell(task, "concat", strategy, CONFIG.replace(accumulate=2))


@pytest.mark.slow
@pytest.mark.parametrize("strategy", WHOLE)
def test_what_is_refused_would_be_another(strategy):
    """Two epochs, since prototypes and scores begin to count in the second."""
    halves, whole = (trained(strategy, 0, CONFIG.replace(accumulate=parts), 2)[0] for parts in (2, 1))
    leaves = zip(jax.tree.leaves(halves.theta), jax.tree.leaves(whole.theta), strict=True)
    assert any(np.abs(a - b).max() > 1e-3 for a, b in leaves)


def statistics(variables):
    """Whether running statistics of batches are among a module's variables."""
    paths = jax.tree_util.tree_leaves_with_path(variables["batch_stats"])
    return any(jax.tree_util.keystr(path).endswith(("['mean']", "['variance']")) for path, _ in paths)


@pytest.mark.parametrize("name", ENCODERS)
def test_encoders_say_so_if_they_have_statistics_of_the_batch(name):
    accepted = ENCODERS[name].accepts
    shapes = {"image": (8, 8, 1), "tokens": (6,), "sequence": (8, 8), "vector": (5,), "video": (3, 8, 8, 1),
              "points": (5, 3), "waveform": (400,)}  # fmt: skip
    kind = sorted(accepted)[0]
    spec = ModalitySpec("first", kind, shapes[kind], 11 * (kind == "tokens"), 1000.0 * (kind == "waveform"))
    config = CONFIG.replace(encoders={kind: name}, accumulate=2)
    batch = random_batch((spec, VECTORS[0]), THREE, 2)
    model = build_model((spec, VECTORS[0]), THREE, "concat", config)
    variables = jax.eval_shape(lambda: initialise(model, jax.random.key(0), batch))
    for fusion in ("concat", "unimodal/first"):
        reason = undefined("joint", fusion, (spec, VECTORS[0]), THREE, config)
        assert bool(reason) == statistics(variables) == ENCODERS[name].whole_batch
        assert not reason or reason.startswith(f"encoder {name} reads a batch as a whole")
    assert undefined("joint", f"unimodal/{VECTORS[0].name}", (spec, VECTORS[0]), THREE, config) is None


@pytest.mark.parametrize("name", [name for name in FUSIONS if name not in DECISION or DECISION[name].trained])
def test_fusions_say_so_if_they_add_what_is_no_mean_over_examples(name):
    """Their outputs are example by example, as another law has it; what is left are penalties and statistics."""
    config = CONFIG.replace(accumulate=2, heads=2, fusion_layers=1, fusion_layer=0)
    batch = random_batch(VECTORS, THREE, 2)
    model = build_model(VECTORS, THREE, name, config)

    def begin():
        variables = initialise(model, jax.random.key(0), batch)
        return variables, model.apply(variables, batch)

    variables, outputs = jax.eval_shape(begin)
    joined = statistics(variables) or hasattr(FUSIONS[name], "with_penalty")
    assert outputs.penalty.shape == (2,) or joined or name not in DECISION
    assert bool(undefined("joint", name, VECTORS, THREE, config)) == joined


def test_an_encoder_of_joined_inputs_counts():
    """`early` reads sequences of one length by one encoder, that of the kind of what is joined."""
    sequences = (ModalitySpec("a", "sequence", (8, 4)), ModalitySpec("b", "sequence", (8, 4)))
    config = CONFIG.replace(accumulate=2, encoders={"sequence": "lenet", "a": "gru", "b": "gru"})
    assert undefined("joint", "early", sequences, THREE, config).startswith("encoder lenet")
    assert undefined("joint", "concat", sequences, THREE, config) is None


def test_cca_wants_five_examples_in_a_batch():
    reason = undefined("cca", "concat", VECTORS, THREE, CONFIG.replace(batch_size=4))
    assert reason == "strategy cca needs 5 examples in a batch, and batch_size = 4"
    assert undefined("cca", "concat", VECTORS, THREE, CONFIG.replace(batch_size=5)) is None
    assert undefined("contrastive", "concat", VECTORS, THREE, CONFIG.replace(batch_size=1)) is None
