"""A stand-in for Fashion-MNIST that needs no network: ten classes of garments, drawn by formulas.

Each image is 28x28 grey levels on black, with the ten classes of Fashion-MNIST in their order. A garment is a pile of
shapes, painted one over the other. A shape is a *signed distance*: for each pixel, how far it lies outside the outline
(positive) or inside it (negative). So ``minimum`` joins two shapes, ``maximum`` keeps what they share, and a ramp
around zero gives a soft edge. A hundred garments are drawn at once: a random size is an array of shape (n, 1, 1), which
broadcasts over the 28x28 pixels.

The classes overlap much as the real ones do: shirt, T-shirt, pullover and coat share one cut. A linear model gets some
85 % of them right, a small convolutional network 95 %. These are figures of the stand-in: they say nothing about the
real images.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

SIZE = 28  # pixels a side
BLOCK = 1000  # images drawn from one random stream, as many of each class


class Canvas:
    """``n`` black images, one pen for all of them.

    Coordinates run from -1 to 1, ``x`` to the right and ``y`` downwards; ``side`` is ``|x|``, for what is mirrored.
    They are shifted, turned and stretched a little at random, so that the garments need not be.
    """

    def __init__(self, rng: np.random.Generator, n: int):
        self.rng, self.n = rng, n
        grid = (np.arange(SIZE, dtype=np.float32) + 0.5) * 2 / SIZE - 1
        x, y = (
            grid[None, None, :] + self.between(-0.18, 0.18),
            grid[None, :, None] + self.between(-0.1, 0.1),
        )
        angle = self.between(-0.15, 0.15)
        self.x = (np.cos(angle) * x + np.sin(angle) * y) * self.between(0.76, 1.06)
        self.y = (np.cos(angle) * y - np.sin(angle) * x) * self.between(0.94, 1.1)
        self.side = np.abs(self.x)
        self.image = np.zeros((n, SIZE, SIZE), np.float32)
        self.tone = self.between(0.1, 1) ** 0.5
        self.cloth = self.tone * self.weave()

    def between(self, low: float, high: float) -> np.ndarray:
        """One random number for each image, all values alike probable: shape (n, 1, 1)."""
        return low + (high - low) * self.rng.random((self.n, 1, 1), dtype=np.float32)

    def some(self, share: float) -> np.ndarray:
        """True for about this share of the images: shape (n, 1, 1)."""
        return self.rng.random((self.n, 1, 1), dtype=np.float32) < share

    def weave(self) -> np.ndarray:
        """Plain cloth for most images, stripes or checks for the others, soft folds for all: near 1."""
        pitch, slant = self.between(9, 24), self.between(-0.3, 0.3)
        across = np.sin(pitch * (self.y + slant * self.x) + self.between(0, 6))
        upright = np.sin(pitch * (self.x - slant * self.y) + self.between(0, 6))
        kind, plain = self.between(0, 1), np.float32(-1)
        threads = np.select(
            [kind < 0.12, kind < 0.24, kind < 0.32], [across, upright, across * upright], plain
        )
        folds = np.sin(
            self.x * self.between(2, 7) + self.y * self.between(-3, 3) + self.between(0, 6)
        )
        return (1 - self.between(0.1, 0.5) * (threads > 0.1)) * (
            0.94 + self.between(0, 0.06) * folds
        )

    def trim(self) -> np.ndarray:
        """A tone that stands out against the cloth, darker on bright cloth and brighter on dark: shape (n, 1, 1)."""
        return (self.tone + self.between(0.35, 0.65)) % 1

    def paint(self, shape: np.ndarray, tone: np.ndarray | float) -> None:
        """Lay a shape over what is there, darker towards its edge: that is what shows the seams."""
        shade = 0.6 + 0.4 * np.clip(shape * -9, 0, 1)
        cover = np.clip(0.5 - shape * (SIZE / 2), 0, 1)
        self.image += cover * (tone * shade - self.image)

    def finish(self) -> np.ndarray:
        """The images with a grain, as bytes; black stays black."""
        grain = self.rng.standard_normal(self.image.shape, dtype=np.float32)
        return np.clip(self.image * (255 + 12 * grain), 0, 255).astype(np.uint8)


# Shapes: signed distances, negative inside. Sizes are numbers or arrays of shape (n, 1, 1).
def bend(t: np.ndarray, knots: Sequence[tuple]) -> np.ndarray:
    """The broken line through ``knots`` = [(t, value), ...], t ascending, read at each ``t``; level beyond its ends."""
    value = knots[0][1]
    for (t0, v0), (t1, v1) in zip(knots, knots[1:]):
        value = value + (v1 - v0) * np.clip((t - t0) / (t1 - t0), 0, 1)
    return value


def column(c: Canvas, *knots: tuple) -> np.ndarray:
    """A mirrored silhouette from top to bottom: ``knots`` are (y, half width)."""
    return np.maximum(c.side - bend(c.y, knots), np.maximum(knots[0][0] - c.y, c.y - knots[-1][0]))


def slab(c: Canvas, left, right, top, bottom) -> np.ndarray:
    """What lies between left and right and between top and bottom; these two may vary with x."""
    return np.maximum(np.maximum(left - c.x, c.x - right), np.maximum(top - c.y, c.y - bottom))


def limb(x, y, x0, y0, x1, y1, r0, r1) -> np.ndarray:
    """A tube with round ends from (x0, y0) to (x1, y1) whose radius goes from r0 to r1: sleeves, laces, collars."""
    dx, dy = x1 - x0, y1 - y0
    t = np.clip(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy), 0, 1)
    return np.hypot(x - x0 - t * dx, y - y0 - t * dy) - (r0 + (r1 - r0) * t)


def oval(c: Canvas, x, y, rx, ry) -> np.ndarray:
    """An ellipse around (x, y)."""
    return (np.hypot((c.x - x) / rx, (c.y - y) / ry) - 1) * np.minimum(rx, ry)


def only(which: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """The shape in these images, nothing in the others."""
    return np.where(which, shape, np.float32(1))


# Garments, in the order of their labels.
def top(c: Canvas, sleeve, reach, neck, bottom) -> None:
    """What T-shirts, pullovers, coats and shirts share: two sleeves, a body, the opening of the neck.

    ``sleeve`` says how far down the arm it goes (0.2 short ... 1 long), ``reach`` how far the arm stands off.
    """
    width, hem = c.between(0.38, 0.54), c.between(0.38, 0.56)
    hand_x, hand_y = width + reach * sleeve, 1.35 * sleeve - 0.64
    arm = limb(c.side, c.y, width - 0.03, -0.66, hand_x, hand_y, 0.17, 0.15 - 0.05 * sleeve)
    c.paint(arm, c.cloth * c.between(0.8, 1.0))
    c.paint(
        column(c, (-0.88, 0.2), (-0.75, width + 0.06), (-0.4, width), (0.2, width), (bottom, hem)),
        c.cloth,
    )
    c.paint(oval(c, 0, -0.9, c.between(0.15, 0.24), neck), 0.15)


def t_shirt(c: Canvas) -> None:
    top(c, c.between(0.15, 0.75), c.between(0.2, 0.6), c.between(0.06, 0.3), c.between(0.65, 0.98))
    size = c.between(0.08, 0.26)
    c.paint(
        only(c.some(0.4), oval(c, 0, c.between(-0.35, 0.1), size, size * c.between(0.5, 1.1))),
        c.trim(),
    )


def trouser(c: Canvas) -> None:
    waist, ankle, gap = c.between(0.24, 0.45), c.between(0.22, 0.5), c.between(0.01, 0.2)
    crotch, bottom = c.between(-0.55, -0.2), c.between(0.7, 0.98)
    legs = column(c, (-0.92, waist), (-0.5, waist + 0.08), (bottom, np.maximum(ankle, gap + 0.13)))
    c.paint(
        np.maximum(
            legs, bend(c.y, [(crotch, -0.05), (crotch + 0.1, 0.02), (bottom, gap)]) - c.side
        ),
        c.cloth,
    )
    c.paint(column(c, (-0.92, waist), (-0.82, waist)), c.cloth * c.between(0.6, 1.1))


def pullover(c: Canvas) -> None:
    bottom = c.between(0.65, 0.95)
    top(c, c.between(0.65, 1.1), c.between(0.05, 0.35), c.between(0.05, 0.3), bottom)
    c.paint(
        only(c.some(0.35), column(c, (-0.98, 0.17), (-0.78, 0.22))), c.cloth * c.between(0.8, 1.2)
    )
    c.paint(
        only(c.some(0.4), slab(c, -0.3, 0.3, c.between(-0.4, -0.2), c.between(-0.15, 0.1))),
        c.trim(),
    )
    c.paint(
        np.maximum(np.abs(c.y - bottom + 0.1) - 0.03, c.side - 0.4), c.tone * c.between(0.4, 0.8)
    )


def dress(c: Canvas) -> None:
    shoulder, waist, hem, sleeve = (
        c.between(0.2, 0.5),
        c.between(0.16, 0.44),
        c.between(0.22, 0.66),
        c.between(0.1, 1),
    )
    arm = limb(
        c.side,
        c.y,
        shoulder - 0.05,
        -0.74,
        shoulder + 0.22 * sleeve,
        -0.74 + 1.1 * sleeve,
        0.1,
        0.08,
    )
    c.paint(only(c.some(0.5), arm), c.cloth * 0.9)
    c.paint(
        column(
            c,
            (-0.94, shoulder * 0.7),
            (-0.8, shoulder),
            (-0.2, waist),
            (c.between(0.65, 0.98), hem),
        ),
        c.cloth,
    )
    c.paint(oval(c, 0, -0.96, shoulder * 0.55, c.between(0.1, 0.4)), 0)
    c.paint(column(c, (-0.24, waist), (-0.15, waist)), c.cloth * c.between(0.5, 1.1))


def coat(c: Canvas) -> None:
    bottom, lapel = c.between(0.7, 0.98), c.between(-0.5, 0.1)
    top(c, c.between(0.7, 1.1), c.between(0.03, 0.33), c.between(0.05, 0.2), bottom)
    c.paint(column(c, (-0.88, c.between(0.08, 0.22)), (lapel, 0.0)), c.trim())
    c.paint(np.maximum(c.side - 0.03, np.maximum(lapel - c.y, c.y - bottom)), c.tone * 0.2)
    c.paint(limb(c.side, c.y, 0.18, 0.3, 0.34, 0.26, 0.05, 0.05), c.trim())


def sandal(c: Canvas) -> None:
    flat, heel, thick = c.between(0.3, 0.6), c.between(0, 0.8) ** 2, c.between(0.06, 0.12)
    foot = bend(c.x, [(-0.35, flat), (0.15, flat - 0.6 * heel), (0.7, flat - heel)])
    for share, x, width, height in (
        (1, -0.45, 0.3, 0.3),
        (0.6, -0.1, 0.35, 0.45),
        (0.6, 0.45, 0.32, 0.7),
    ):
        loop = oval(
            c,
            x + c.between(-0.1, 0.1),
            foot,
            width * c.between(0.8, 1.1),
            height * c.between(0.6, 1.1),
        )
        c.paint(
            only(
                c.some(share), np.maximum(np.abs(loop + 0.05) - c.between(0.05, 0.11), c.y - foot)
            ),
            c.cloth,
        )
    c.paint(
        slab(c, np.where(c.some(0.6), 0.66, c.between(-0.1, 0.5)), 0.8, foot, flat + thick),
        c.cloth * 0.8,
    )
    c.paint(slab(c, -0.88, 0.84, foot, foot + thick), c.cloth * c.between(0.7, 1.2))


def shirt(c: Canvas) -> None:
    long, bottom = c.some(0.65), c.between(0.65, 0.98)
    sleeve = np.where(long, c.between(0.65, 1.1), c.between(0.15, 0.65))
    top(c, sleeve, c.between(0.05, 0.45), c.between(0.05, 0.25), bottom)
    c.paint(limb(c.side, c.y, 0.2, -0.88, 0.07, -0.64, 0.08, 0.06), c.tone * c.between(0.8, 1.3))
    c.paint(
        np.maximum(c.side - 0.06, np.maximum(-0.7 - c.y, c.y - bottom)),
        c.tone * c.between(0.7, 1.25),
    )
    button = np.hypot(c.x, (c.y + 1.4) % 0.3 - 0.15) - 0.06  # one every 0.3
    c.paint(np.maximum(button, np.maximum(-0.6 - c.y, c.y - bottom)), c.trim())


def sneaker(c: Canvas) -> None:
    flat, toe, ankle = c.between(0.25, 0.55), c.between(0.35, 0.5), c.between(0.55, 1.1)
    instep, lace = c.between(0.1, 0.35), c.trim()
    height = [
        (-0.92, 0),
        (-0.75, toe - 0.1),
        (-0.35, toe),
        (instep, ankle),
        (0.55, ankle - 0.1),
        (0.85, ankle),
    ]
    c.paint(slab(c, -0.9, 0.86, flat - bend(c.x, height), flat), c.cloth)
    for step in (0, 0.14, 0.28):
        y = flat - toe - 0.02 - (ankle - toe) * step
        c.paint(limb(c.x, c.y, step - 0.3, y + 0.1, step - 0.16, y + 0.16, 0.03, 0.03), lace)
    c.paint(limb(c.x, c.y, 0.1, flat, 0.35, flat - 0.35, 0.06, 0.03), c.trim())
    c.paint(
        slab(c, -0.92, 0.9, flat - 0.03, flat + c.between(0.08, 0.18)),
        np.where(c.some(0.5), c.trim(), c.tone),
    )


def bag(c: Canvas) -> None:
    width, rim, bottom = c.between(0.5, 0.9), c.between(-0.4, 0.15), c.between(0.5, 0.9)
    handle = np.abs(
        oval(c, 0, rim, width * c.between(0.35, 0.85), c.between(0.25, 0.75))
    ) - c.between(0.04, 0.08)
    c.paint(only(c.some(0.75), np.maximum(handle, c.y - rim)), c.cloth * c.between(0.6, 1.0))
    c.paint(
        column(
            c, (rim, width * c.between(0.7, 1.05)), (bottom - 0.08, width), (bottom, width - 0.06)
        ),
        c.cloth,
    )
    flap = c.between(0.12, 0.45)
    c.paint(
        np.maximum(np.abs(c.y - rim - flap) - 0.025, c.side - width * 0.9),
        c.cloth * c.between(0.3, 1.2),
    )
    c.paint(only(c.some(0.6), oval(c, 0, rim + flap, 0.1, 0.08)), c.trim())


def ankle_boot(c: Canvas) -> None:
    flat, toe, shaft, front = (
        c.between(0.5, 0.75),
        c.between(0.35, 0.5),
        c.between(0.7, 1.4),
        c.between(-0.15, 0.15),
    )
    foot = [(-0.88, 0.05), (-0.75, toe - 0.08), (-0.4, toe), (front - 0.1, toe + 0.25)]
    height = bend(c.x, [*foot, (front, shaft), (0.7, shaft - 0.05)])
    c.paint(slab(c, -0.88, 0.74, flat - height, flat), c.cloth)
    c.paint(
        only(c.some(0.5), limb(c.x, c.y, 0.3, flat - shaft + 0.1, 0.35, flat - 0.45, 0.05, 0.08)),
        c.trim(),
    )
    heel = slab(c, c.between(0.25, 0.5), 0.76, flat, flat + c.between(0.1, 0.3))
    c.paint(np.minimum(slab(c, -0.9, 0.76, flat, flat + 0.09), heel), c.between(0.15, 0.9))


GARMENTS = (t_shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle_boot)


def draw(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw ``count`` garments: images, uint8 (count, 28, 28), and labels, uint8 (count,).

    Every thousand holds a hundred of each class, in random order. The same seed gives the same images, and image i does
    not depend on how many are drawn: each thousand has a random stream of its own.
    """

    def block(number: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng((seed, number))
        canvases = [Canvas(rng, BLOCK // len(GARMENTS)) for _ in GARMENTS]
        for garment, canvas in zip(GARMENTS, canvases):
            garment(canvas)
        images = np.concatenate([canvas.finish() for canvas in canvases])
        labels = np.arange(BLOCK) // (BLOCK // len(GARMENTS))
        order = rng.permutation(BLOCK)
        return images[order], labels[order].astype(np.uint8)

    with ThreadPoolExecutor() as pool:  # NumPy lets go of the interpreter while it computes
        images, labels = zip(*pool.map(block, range(max(1, -(-count // BLOCK)))))
    return np.concatenate(images)[:count], np.concatenate(labels)[:count]
