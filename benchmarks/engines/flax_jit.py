"""JAX with Flax's NNX: one jitted step, the network split from its state once.

Layers begin as PyTorch's do: weights and biases uniform within ±1/√(fan-in).
https://flax.readthedocs.io/en/stable/guides/performance.html
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from workloads import LEARNING_RATE, Job


def like_torch(fan_in: int) -> dict[str, nnx.Initializer]:
    """Return the two arguments that make a layer begin as PyTorch's."""

    def uniform(key, shape, dtype=jnp.float32):
        return jax.random.uniform(key, shape, dtype, -(fan_in**-0.5), fan_in**-0.5)

    return {"kernel_init": uniform, "bias_init": uniform}


def dense(fan_in: int, size: int, rngs: nnx.Rngs) -> nnx.Module:
    return nnx.Linear(fan_in, size, rngs=rngs, **like_torch(fan_in))


def conv(channels: int, size: int, padding: str, rngs: nnx.Rngs) -> nnx.Module:
    return nnx.Conv(channels, size, (3, 3), padding=padding, rngs=rngs, **like_torch(9 * channels))


def deconv(channels: int, size: int, kernel: int, rngs: nnx.Rngs) -> nnx.Module:
    sides = (
        (kernel - 1, kernel),
    ) * 2  # of the input with zeros between: PyTorch's output_padding=1
    # PyTorch takes the outputs of a transposed convolution for its fan-in.
    how = {"strides": (2, 2), "padding": sides, **like_torch(kernel * kernel * size)}
    return nnx.ConvTranspose(channels, size, (kernel, kernel), rngs=rngs, **how)


def flatten(images: jax.Array) -> jax.Array:
    return images.reshape(len(images), -1)


pool = partial(nnx.max_pool, window_shape=(2, 2), strides=(2, 2))


def ff(rngs: nnx.Rngs) -> nnx.Module:
    first, second = dense(784, 128, rngs), dense(128, 64, rngs)
    drop = partial(nnx.Dropout, 0.2, rngs=rngs)
    return nnx.Sequential(
        flatten, first, nnx.relu, drop(), second, nnx.relu, drop(), dense(64, 10, rngs)
    )


def convae(rngs: nnx.Rngs) -> nnx.Module:
    encoder = [
        conv(1, 16, "VALID", rngs),
        nnx.relu,
        pool,
        conv(16, 32, "VALID", rngs),
        nnx.relu,
        pool,
        flatten,
    ]
    code = [
        dense(800, 64, rngs),
        nnx.relu,
        dense(64, 800, rngs),
        nnx.relu,
        lambda x: x.reshape(len(x), 5, 5, 32),
    ]
    return nnx.Sequential(
        *encoder, *code, deconv(32, 16, 4, rngs), nnx.relu, deconv(16, 1, 3, rngs), nnx.sigmoid
    )


def cnn3(rngs: nnx.Rngs) -> nnx.Module:
    norm = partial(nnx.BatchNorm, momentum=0.9, epsilon=1e-5, rngs=rngs)
    drop = partial(nnx.Dropout, 0.1, rngs=rngs)
    blocks = [
        conv(1, 32, "SAME", rngs),
        norm(32),
        nnx.relu,
        pool,
        conv(32, 64, "VALID", rngs),
        norm(64),
        nnx.relu,
        pool,
    ]
    return nnx.Sequential(
        *blocks, flatten, drop(), dense(2304, 512, rngs), drop(), nnx.relu, dense(512, 10, rngs)
    )


NETWORKS = {"ff": ff, "convae": convae, "cnn3": cnn3}


def train(job: Job) -> None:
    """Train, epoch by epoch."""
    reconstructing = job.workload.loss == "l1"
    model = NETWORKS[job.name](nnx.Rngs(job.seed))
    model.train()
    optimizer = nnx.Optimizer(model, optax.adam(LEARNING_RATE), wrt=nnx.Param)
    graph, state = nnx.split((model, optimizer))

    def loss_fn(model, inputs, targets):
        outputs = model(inputs)
        if reconstructing:
            return jnp.abs(outputs - targets).mean()
        return optax.softmax_cross_entropy_with_integer_labels(outputs, targets).mean()

    @partial(jax.jit, donate_argnums=0)
    def step(state, images, targets, chosen):
        model, optimizer = nnx.merge(graph, state)
        loss, gradients = nnx.value_and_grad(loss_fn)(model, images[chosen], targets[chosen])
        optimizer.update(model, gradients)
        return nnx.state((model, optimizer)), loss

    images = jnp.asarray(job.data.images[..., None] / np.float32(255))
    targets = images if reconstructing else jnp.asarray(job.data.labels, jnp.int32)
    key, size = jax.random.key(job.seed), job.workload.batch_size
    for epoch in range(job.epochs):
        order = jax.random.permutation(jax.random.fold_in(key, epoch), len(images))
        losses = []
        for start in range(0, len(images), size):
            state, loss = step(state, images, targets, order[start : start + size])
            losses.append(loss)
        sizes = np.diff([*range(0, len(images), size), len(images)])
        job.on_epoch(float(np.asarray(losses) @ sizes) / len(images))
