"""Memory fusion network."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.fusion.presence import require_masks
from mmjax.layers.dropout import Dropout
from mmjax.layers.recurrent import Lstm
from mmjax.layers.softmax import softmax


class Memory(nn.Module):
    """F = [h_1^T; ...; h_M^T; u^T]: an LSTM a modality, and a memory u of how their cells change together.

        a^t = softmax(D_a([c^{t-1}; c^t]))           attention to the coefficients of c = [c_1; ...; c_M]
        d^t = a^t * [c^{t-1}; c^t]
        u^t = gamma_1^t * u^{t-1} + gamma_2^t * tanh(D_u(d^t)),    gamma_k^t = sigmoid(D_k(d^t))

    Every D is a hidden layer of `memory_size` rectified units and a linear one. Each modality's sequence is preceded
    by a learned step, valid for all, from c^{-1} = 0 and u^{-1} = 0: a vector, a sequence of one step, thus
    has a before and an after, and an absent modality says the same of every example. All modalities share a clock; one
    that has ended holds its state, and u holds where all have.

    References:
      Zadeh et al., Memory Fusion Network for Multi-view Sequential Learning, AAAI 2018.
    """

    width: int = DEFAULTS.width
    memory_size: int = DEFAULTS.memory_size
    dropout: float = DEFAULTS.dropout
    axis_name: str | None = None
    joins = "sequences"
    heads_per_modality = False

    @nn.compact
    def __call__(self, sequences, masks, train=False):
        """Sequences, modality -> [B, T_i, d_i], and masks, modality -> [B, T_i], to F [B, M width + memory_size]."""
        require_masks(sequences, masks)
        longest = 1 + max(sequence.shape[1] for sequence in sequences.values())
        cells, outputs, going = [], [], []
        for name in sorted(sequences):
            steps, valid = self._begun(name, sequences[name], masks[name])
            c, h = Lstm(self.width, with_memory=True, name=f"lstm_{name}")(steps, valid)
            rest = longest - valid.shape[1]
            cells.append(jnp.pad(c, ((0, 0), (0, rest), (0, 0)), mode="edge"))
            outputs.append(h[:, -1])
            going.append(jnp.pad(valid, ((0, 0), (0, rest))))
        now = jnp.concatenate(cells, axis=-1)
        before = jnp.pad(now, ((0, 0), (1, 0), (0, 0)))[:, :-1]
        delta = jnp.concatenate([before, now], axis=-1)
        attention = softmax(self._network("attention", delta, delta.shape[-1], train))
        attended = attention * delta
        retain = nn.sigmoid(self._network("retain", attended, self.memory_size, train))
        update = nn.sigmoid(self._network("update", attended, self.memory_size, train))
        proposal = jnp.tanh(self._network("proposal", attended, self.memory_size, train))
        memory = _accumulated(retain, update * proposal, jnp.stack(going).any(0))
        return jnp.concatenate([*outputs, memory], axis=-1)

    def _begun(self, name, sequence, mask):
        """A modality's steps and their mask, after a learned first step."""
        first = self.param(f"first_{name}", nn.initializers.normal(1.0), (sequence.shape[-1],))
        steps = jnp.where(mask[:, :, None], sequence, 0)
        steps = jnp.concatenate([jnp.broadcast_to(first, steps[:, :1].shape), steps], axis=1)
        return steps, jnp.pad(mask, ((0, 0), (1, 0)), constant_values=True)

    def _network(self, name, inputs, size, train):
        hidden = nn.relu(nn.Dense(self.memory_size, name=f"{name}_hidden")(inputs))
        hidden = Dropout(self.dropout, self.axis_name, name=f"{name}_dropout")(hidden, train)
        return nn.Dense(size, name=name)(hidden)


def _accumulated(retained, added, going):
    """The last of u^t = retained^t u^{t-1} + added^t from u = 0, all [B, T, d]; held where `going` [B, T] is False."""

    def step(memory, inputs):
        retained, added, going = inputs
        return jnp.where(going[:, None], retained * memory + added, memory), None

    by_step = tuple(array.swapaxes(0, 1) for array in (retained, added, going))
    return jax.lax.scan(step, jnp.zeros_like(added[:, 0]), by_step)[0]
