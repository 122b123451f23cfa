"""The founding article's worked example in Keras 3, layer by layer as the article lists it.

The backend is JAX, or what the environment variable KERAS_BACKEND says.
"""

import os
import time
from collections.abc import Sequence

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "jax")
import keras  # noqa: E402  (it reads its backend when it is imported)
from keras import layers  # noqa: E402

from benchmarks.peers.trained import Trained  # noqa: E402

VOCABULARY = 10_000


class EpochTimer(keras.callbacks.Callback):
    """Seconds of each epoch's training, without the validation that follows it."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.perf_counter()
        self.ended = None

    def on_test_begin(self, logs=None):
        self.ended = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds.append((self.ended or time.perf_counter()) - self.started)


def build(tokens: int) -> keras.Model:
    """Image 28x28x1, text and audio of `tokens` ids each, to the probability of the diagnosis."""
    image = keras.Input((28, 28, 1))
    readings = [keras.Input((tokens,)) for _ in ("text", "audio")]
    features = [layers.Flatten()(layers.Conv2D(32, (3, 3), activation="relu")(image))]
    features += [layers.LSTM(64)(layers.Embedding(VOCABULARY, 128)(ids)) for ids in readings]
    output = layers.Dense(1, activation="sigmoid")(layers.Concatenate()(features))
    model = keras.Model([image, *readings], output)
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return model


def train(
    inputs: Sequence[np.ndarray], labels: np.ndarray, epochs: int, batch_size: int, seed: int,
    validation_split: float = 0.0,
) -> Trained:  # fmt: skip
    """Trains on an image, a text and an audio of each example, and times each epoch.

    The article sets the last 20% of the examples aside: `validation_split=0.2`.
    """
    keras.utils.set_random_seed(seed)
    model = build(inputs[1].shape[1])
    timer = EpochTimer()
    model.fit(
        list(inputs), np.asarray(labels, np.float32), epochs=epochs, batch_size=batch_size, verbose=0,
        validation_split=validation_split, callbacks=[timer],
    )  # fmt: skip
    examples = len(labels) - int(np.ceil(validation_split * len(labels)))
    return Trained(lambda inputs: model.predict(list(inputs), verbose=0), examples, timer.seconds)
