"""Images as a text that a script can hold, lossless: 6,000 of them in 2.5 MB, where deflate and base64 take 3.5.

Each pixel is foretold from its neighbours: the median of the left one, the upper one and their sum less the one between (M. J.
Weinberger, G. Seroussi and G. Sapiro, IEEE Trans. Image Process. 9, 2000). How often each value follows a forecast, among calm or
restless neighbours, is counted, and an entropy coder of J. Duda's kind (arXiv:1311.2540, rANS) writes the frequent in few
digits. Its digits are printable characters. ``browser_code/image_text.js`` reads it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DIGITS = "".join(chr(code) for code in range(32, 127) if chr(code) not in '"\\')  # 93
BASE = len(DIGITS)
TOTAL = 2**13  # what the frequencies of a context add up to
LOWEST = TOTAL * 2**10  # the state of the coder is from here to BASE times as much
STATE_DIGITS = 5
FORECASTS, UNREST = 24, 7  # kinds of forecasts and of neighbours; each pair is a context


def write_images(images: NDArray[np.uint8]) -> dict:
    """Return ``images`` (N, 28, 28) as a text, with what its reader needs: frequencies and limits of the contexts."""
    forecast, unrest = neighbourhoods(images)
    limits = {
        "forecast": quantiles(forecast, FORECASTS),
        "unrest": quantiles(unrest, UNREST),
    }
    contexts = np.digitize(forecast, limits["forecast"]) * (len(limits["unrest"]) + 1)
    contexts += np.digitize(unrest, limits["unrest"])
    table = frequencies(images, contexts)
    flat = "".join(DIGITS[count // BASE] + DIGITS[count % BASE] for count in table.ravel().tolist())
    return {"limits": limits, "frequencies": flat, "text": encode(images, contexts, table)}


def neighbourhoods(images: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the forecast of each pixel, from 0 to 255, and how much its neighbours differ; outside all is black."""
    padded = np.pad(images.astype(np.int64), ((0, 0), (1, 0), (1, 1)))
    left, above = padded[:, 1:, :-2], padded[:, :-1, 1:-1]
    between, beyond = padded[:, :-1, :-2], padded[:, :-1, 2:]
    forecast = np.clip(left + above - between, np.minimum(left, above), np.maximum(left, above))
    unrest = abs(left - between) + abs(between - above) + abs(above - beyond)
    return forecast, unrest


def quantiles(values: NDArray[np.int64], kinds: int) -> list[int]:
    """Return limits that put the values above 0 into kinds of about the same size; 0 is a kind of its own."""
    shares = np.linspace(0, 1, kinds - 1, endpoint=False)[1:]
    return sorted({1, *np.quantile(values[values > 0], shares).astype(int).tolist()})


def frequencies(images: NDArray[np.uint8], contexts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how often each value follows in each context (contexts, 256): whole numbers that add up to ``TOTAL``.

    What occurs has at least 1.
    """
    size = int(contexts.max()) + 1
    counts = np.bincount((contexts * 256 + images).ravel(), minlength=256 * size).reshape(size, 256)
    sums = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    table = np.maximum(counts * TOTAL // sums, (counts > 0).astype(int))
    rows = np.arange(size)
    # The most frequent one evens it out.
    table[rows, table.argmax(axis=1)] += TOTAL - table.sum(axis=1)
    return table


def encode(images: NDArray[np.uint8], contexts: NDArray[np.int64], table: NDArray[np.int64]) -> str:
    """Return the digits of all images, each of its own, one after the other; all are written at once, pixel by pixel."""
    starts = np.cumsum(table, axis=1) - table
    values, kinds = images.reshape(len(images), -1), contexts.reshape(len(images), -1)
    state = np.full(len(images), LOWEST)
    written = np.zeros((len(images), 3 * values.shape[1] + STATE_DIGITS), np.uint8)
    length = np.zeros(len(images), int)

    def write_digit(lanes: NDArray[np.int64]) -> None:
        written[lanes, length[lanes]] = state[lanes] % BASE
        length[lanes] += 1
        state[lanes] //= BASE

    for pixel in reversed(range(values.shape[1])):  # the reader goes forwards
        frequency = table[kinds[:, pixel], values[:, pixel]]
        while (full := np.flatnonzero(state >= LOWEST // TOTAL * BASE * frequency)).size:
            write_digit(full)
        start = starts[kinds[:, pixel], values[:, pixel]]
        state = state // frequency * TOTAL + state % frequency + start
    for _ in range(STATE_DIGITS):
        write_digit(np.arange(len(images)))
    letters = np.frombuffer(DIGITS.encode(), np.uint8)
    return "".join(
        letters[digits[:count][::-1]].tobytes().decode()
        for digits, count in zip(written, length, strict=True)
    )
