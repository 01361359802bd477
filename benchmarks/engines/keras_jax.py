"""Keras 3 on JAX: a ``Sequential`` network, ``compile`` and ``fit``.

Layers begin as PyTorch's do: weights and biases uniform within ±1/√(fan-in). https://keras.io/guides/sequential_model/
"""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np
from keras import initializers, layers
from workloads import LEARNING_RATE, Job


def like_torch(fan_in: int) -> dict[str, initializers.Initializer]:
    """Return the two arguments that make a layer begin as PyTorch's."""
    bound = fan_in**-0.5
    return {
        f"{part}_initializer": initializers.RandomUniform(-bound, bound)
        for part in ("kernel", "bias")
    }


def dense(size: int, fan_in: int, **options) -> layers.Layer:
    return layers.Dense(size, **like_torch(fan_in), **options)


def conv(size: int, channels: int, **options) -> layers.Layer:
    return layers.Conv2D(size, 3, **like_torch(9 * channels), **options)


def deconv(size: int, kernel: int) -> layers.Layer:
    # PyTorch takes the outputs of a transposed convolution for its fan-in.
    how = {"strides": 2, "padding": "valid", "output_padding": 1}
    return layers.Conv2DTranspose(size, kernel, **how, **like_torch(kernel * kernel * size))


def normalization() -> layers.Layer:
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)


def ff() -> list[layers.Layer]:
    hidden = [
        dense(128, 784, activation="relu"),
        layers.Dropout(0.2),
        dense(64, 128, activation="relu"),
        layers.Dropout(0.2),
    ]
    return [layers.Flatten(), *hidden, dense(10, 64)]


def convae() -> list[layers.Layer]:
    encoder = [
        conv(16, 1, activation="relu"),
        layers.MaxPooling2D(2),
        conv(32, 16, activation="relu"),
        layers.MaxPooling2D(2),
    ]
    code = [
        layers.Flatten(),
        dense(64, 800, activation="relu"),
        dense(800, 64, activation="relu"),
        layers.Reshape((5, 5, 32)),
    ]
    return [
        *encoder,
        *code,
        deconv(16, 4),
        layers.ReLU(),
        deconv(1, 3),
        layers.Activation("sigmoid"),
    ]


def cnn3() -> list[layers.Layer]:
    first = [conv(32, 1, padding="same"), normalization(), layers.ReLU(), layers.MaxPooling2D(2)]
    second = [conv(64, 32), normalization(), layers.ReLU(), layers.MaxPooling2D(2)]
    head = [
        layers.Flatten(),
        layers.Dropout(0.1),
        dense(512, 2304),
        layers.Dropout(0.1),
        layers.ReLU(),
        dense(10, 512),
    ]
    return [*first, *second, *head]


NETWORKS = {"ff": ff, "convae": convae, "cnn3": cnn3}


def train(job: Job) -> None:
    """Train, epoch by epoch."""
    keras.utils.set_random_seed(job.seed)
    images = (job.data.images[..., None] / np.float32(255)).astype(np.float32)
    reconstructing = job.workload.loss == "l1"
    model = keras.Sequential([keras.Input((28, 28, 1)), *NETWORKS[job.name]()])
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE, epsilon=1e-8),
        loss=keras.losses.MeanAbsoluteError()
        if reconstructing
        else keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    report = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: job.on_epoch(logs["loss"])
    )
    targets = images if reconstructing else job.data.labels.astype(np.int32)
    model.fit(
        images,
        targets,
        batch_size=job.workload.batch_size,
        epochs=job.epochs,
        verbose=0,
        callbacks=[report],
    )
