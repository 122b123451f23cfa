"""The memory fusion network, step by step in float64 NumPy."""

import jax
import numpy as np

from mmjax.fusion import Memory

H, U = 3, 4


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    return np.exp(x) / np.exp(x).sum()


def lstm(p, x, c, h):
    i, f, g, o = np.split(x @ p["kernel"] + h @ p["recurrent_kernel"] + p["bias"], 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return c, sigmoid(o) * np.tanh(c)


def equation(p, example, dense):
    """On one clock: a modality that has ended holds its c and h; the memory ends with the longest."""

    def network(name, x):
        return dense(p[name], np.maximum(dense(p[f"{name}_hidden"], x), 0))

    steps = {name: np.concatenate([p[f"first_{name}"][None], x]) for name, x in example.items()}
    states = {name: (np.zeros(H), np.zeros(H)) for name in steps}
    u = np.zeros(U)
    for t in range(max(map(len, steps.values()))):
        before = np.concatenate([c for c, _ in states.values()])
        for name, x in steps.items():
            if t < len(x):
                states[name] = lstm(p[f"lstm_{name}"], x[t], *states[name])
        delta = np.concatenate([before, *(c for c, _ in states.values())])
        attended = softmax(network("attention", delta)) * delta
        proposal = np.tanh(network("proposal", attended))
        u = sigmoid(network("retain", attended)) * u + sigmoid(network("update", attended)) * proposal
    return np.concatenate([*(h for _, h in states.values()), u])


def test_memory_is_its_equation(float64, sequences, examples, random_parameters, reference):
    g = Memory(width=H, memory_size=U)
    p = random_parameters(g, *sequences)
    found = jax.jit(lambda p: g.apply({"params": p}, *sequences))(p)
    for row, example in enumerate(examples):
        np.testing.assert_allclose(found[row], equation(p, example, reference.dense), rtol=1e-9, atol=1e-12)
