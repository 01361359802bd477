"""Diagrams. Lengths are in inches, the origin is the lower left corner."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyArrowPatch, Rectangle

from fmnist_utils.plots.style import (
    BEHIND,
    BLUE,
    COLOURS,
    GREEN,
    GREY,
    INK,
    MARKERS,
    ORANGE,
    PALE,
    SKY,
    STAR,
    VERMILION,
    WIDTH,
    _figure,
)
from fmnist_utils.text import say


@_figure
def feed_forward_diagram() -> None:
    """Draw a feed-forward network: inputs, one hidden layer, outputs, and an arrow for every weight."""
    words = [say("plots.inputs"), say("plots.hidden_layer"), say("plots.outputs")]
    axes = _canvas(WIDTH, 3.15)
    symbols = (r"\xi_{1} \xi_{2} \xi_{3} \xi_{K}", "V_{1} V_{2} V_{J}", "O_{1} O_{I}")
    _network(axes, (5, 4, 3), symbols, words, ("w_{jk}", "W_{ij}"))


@_figure
def autoencoder_diagram(latent_dim: int | None = None) -> None:
    """Draw a feed-forward autoencoder: a hidden layer smaller than the inputs, and as many outputs as inputs.

    With ``latent_dim``, the number of units stands beside the name of each layer.
    """
    words = [say("plots.inputs"), say("plots.latent_code"), say("plots.reconstruction")]
    if latent_dim:
        words = [
            f"{word}: {units}" for word, units in zip(words, (784, latent_dim, 784), strict=True)
        ]
    inputs = r"\xi_{1} \xi_{2} \xi_{3} \xi_{K}"
    axes = _canvas(WIDTH, 3.55)
    symbols = (inputs, "V_{1} V_{J}", inputs.replace(r"\xi", r"\hat{\xi}"))
    _network(axes, (5, 3, 5), symbols, words, ("w_{jk}", "W_{kj}"))
    for left, right, word in [(0.75, 2.75, "plots.encoder"), (2.85, 4.85, "plots.decoder")]:
        axes.plot([left, left, right, right], [3.17, 3.25, 3.25, 3.17], color=INK, linewidth=1)
        axes.text((left + right) / 2, 3.3, say(word), ha="center", va="bottom")


@_figure
def classifier_diagram(
    image, hidden_sizes: Sequence[int] = (128, 64), dropout: float = 0.2, label: int | None = None
) -> None:
    """Draw a feed-forward classifier block by block, from the image to its ten outputs.

    The heights of the layers grow with the square root of their numbers of units.

    Args:
        image: (1, 28, 28) or (28, 28), drawn where the data come in.
        hidden_sizes: units of the hidden layers.
        dropout: probability written in the dropout blocks.
        label: the output to be marked, the class of the image.
    """
    hidden = [["Linear", "ReLU", f"Dropout {dropout:g}"]] * len(hidden_sizes)
    width = 3.5 + 1.36 * len(hidden_sizes)
    axes, middle = _canvas(width, 2.6), 1.45
    pixels = np.asarray(image).reshape(np.shape(image)[-2:])
    axes.imshow(pixels, cmap="gray", extent=(0.05, 1.05, middle - 0.5, middle + 0.5))
    axes.text(0.55, 0.2, " × ".join(map(str, pixels.shape)), ha="center")
    x = 1.05
    for names, units in zip([["Flatten"], *hidden], [pixels.size, *hidden_sizes], strict=True):
        x = _blocks(axes, x, middle, names)
        height = 0.078 * units**0.5
        axes.add_patch(Rectangle((x, middle - height / 2), 0.16, height, facecolor=BLUE))
        axes.text(x + 0.08, 0.2, units, ha="center")
        x += 0.16
    x = _blocks(axes, x, middle, ["Linear"]) + 0.1
    for output in range(10):
        y, chosen = middle + 0.215 * (4.5 - output), output == label
        axes.add_patch(
            Circle(
                (x, y), 0.09, facecolor=ORANGE if chosen else "white", edgecolor=INK, linewidth=0.8
            )
        )
        axes.text(
            x + 0.17, y, output, va="center", fontsize=8, fontweight="bold" if chosen else "normal"
        )
    axes.text(x, 0.2, "10", ha="center")


@_figure
def volumes_diagram(shapes: Sequence[Sequence[int]], code: int | None = None) -> None:
    """Draw what leaves each stage of a convolutional network: maps as boxes, channels deep, and vectors as bars.

    Args:
        shapes: of each stage, (channels, height, width) or (units,), the image first.
        code: the place of the latent code: the end of the encoder and, where the last shape is an image, the start of the decoder.
            None where there are no such parts.
    """
    axes, middle, x, places = _canvas(WIDTH, 2.3), 1.2, 0.08, []
    gap = (WIDTH - 0.16 - sum(map(_volume_width, shapes))) / max(len(shapes) - 1, 1)
    for stage, shape in enumerate(shapes):
        width = _volume_width(shape)
        if len(shape) == 1:
            height = min(0.046 * shape[0] ** 0.5, 1.4)  # of the largest, room is left for its name
            axes.add_patch(
                Rectangle(
                    (x, middle - height / 2),
                    width,
                    height,
                    facecolor=ORANGE if stage == code else BLUE,
                )
            )
        else:
            side = 0.024 * shape[1]
            layers = np.linspace(
                width - side, 0, max(2, round(shape[0] / 4)) if shape[0] > 1 else 1
            )
            for shift in layers:
                corner = (x + shift, middle - side / 2 + 0.6 * shift)
                axes.add_patch(
                    Rectangle(
                        corner, side, side, facecolor="#DCEBF5", edgecolor=BLUE, linewidth=0.8
                    )
                )
        name = "×".join(map(str, shape))
        axes.text(
            x + width / 2, 0.2 if stage % 2 else 0.42, name, ha="center", va="center", fontsize=8
        )
        if stage:
            _arrow(axes, (places[-1][1] + 0.03, middle), (x - 0.03, middle))
        places.append((x, x + width))
        x += width + gap
    parts = [] if code is None else [(0, code, "plots.encoder")]
    parts += [(code, len(shapes) - 1, "plots.decoder")] if parts and len(shapes[-1]) == 3 else []
    for first, last, word in parts:
        left, right = (
            places[first][0] + (0.06 if first else 0),
            places[last][1] - (0.06 if last == code else 0),
        )
        axes.plot([left, left, right, right], [1.84, 1.92, 1.92, 1.84], color=INK, linewidth=1)
        axes.text((left + right) / 2, 1.97, say(word), ha="center", va="bottom")


@_figure
def descent_paths() -> None:
    """Draw how SGD, SGD with momentum and Adam descend into a narrow valley, (x² + 25 y²) / 2, from one place."""
    slopes, start, steps = np.array([1.0, 25.0]), np.array([-9.0, 1.6]), 25
    figure, axes = plt.subplots(figsize=(WIDTH, 3.1))
    x, y = np.meshgrid(np.linspace(-10, 2.5, 120), np.linspace(-2, 2, 80))
    axes.contour(
        x,
        y,
        (x**2 + 25 * y**2) / 2,
        levels=np.geomspace(0.4, 90, 9),
        colors="#BBBBBB",
        linewidths=0.8,
    )
    ways = [
        ("SGD", 0.07, 0.0, "o", "-"),
        (say("plots.momentum"), 0.07, 0.8, "s", "--"),
        ("Adam", 0.6, None, "D", ":"),
    ]
    for (name, rate, momentum, marker, line), colour in zip(ways, COLOURS):
        place, path, speed, square = start, [start], np.zeros(2), np.zeros(2)
        for step in range(1, steps + 1):
            gradient = slopes * place
            if momentum is None:
                speed, square = 0.9 * speed + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
                move = (speed / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
            else:
                move = speed = momentum * speed + gradient
            place = place - rate * move
            path.append(place)
        label = f"{name}, η = {rate:g}"
        axes.plot(
            *np.transpose(path),
            line,
            color=colour,
            marker=marker,
            markersize=3.5,
            linewidth=1.2,
            label=label,
        )
    axes.plot(0, 0, "*", color=ORANGE, **STAR, zorder=4)
    axes.set(xlabel="$x$", ylabel="$y$", xlim=(-10, 2.5), ylim=(-2, 2))
    axes.grid(visible=False)
    figure.legend(
        loc="outside upper center", ncols=3, fontsize=9, columnspacing=1, handletextpad=0.4
    )


@_figure
def dropout_diagram() -> None:
    """Draw a layer with dropout of 1/2 twice: in training, half of its units off and the others doubled; in evaluation, all."""
    axes = _canvas(WIDTH, 2.9)
    for left, word, off in (
        (0.25, "plots.training_mode", (1, 2)),
        (3.05, "plots.evaluation_mode", ()),
    ):
        hidden = [(left + 1.15, 0.62 + 0.55 * place) for place in range(4)]
        axes.text(left + 1.15, 2.72, say(word), ha="center", va="center")
        for place, (x, y) in enumerate(hidden):
            dropped = place in off
            for x_end, heights in ((left + 0.2, (0.9, 1.45, 2.0)), (left + 2.1, (1.15, 1.75))):
                for height in () if dropped else heights:
                    ends = sorted([(x_end, height), (x, y)])
                    axes.plot(*np.transpose(ends), color=GREY, linewidth=0.7, zorder=1)
            style = (
                {"facecolor": "white", "linestyle": "--"} if dropped else {"facecolor": "#DCEBF5"}
            )
            axes.add_patch(
                Circle(
                    (x, y),
                    0.2,
                    edgecolor=GREY if dropped else BLUE,
                    linewidth=1.2,
                    zorder=3,
                    **style,
                )
            )
            axes.text(
                x,
                y,
                "0" if dropped else "×2" if off else "×1",
                ha="center",
                va="center",
                fontsize=9,
                zorder=4,
            )
        for x, heights in ((left + 0.2, (0.9, 1.45, 2.0)), (left + 2.1, (1.15, 1.75))):
            for y in heights:
                axes.add_patch(
                    Circle((x, y), 0.13, facecolor="white", edgecolor=INK, linewidth=1, zorder=3)
                )
    axes.text(WIDTH / 2, 0.14, "$p = 1/2$", ha="center", va="center")


@_figure
def splits_diagram() -> None:
    """Draw the three sets of images and what each is for, early stopping on the second, and cross-validation in five blocks."""
    looks = {
        "fits": {"facecolor": SKY},
        "decides": {"facecolor": ORANGE, "hatch": "///"},
        "measures": {"facecolor": "white"},
    }
    axes, left, right = _canvas(WIDTH, 4.5), 0.15, WIDTH - 0.15
    unit = (right - left) / 7

    def block(start, length, height, purpose):
        axes.add_patch(
            Rectangle(
                (left + start * unit, height),
                length * unit,
                0.26,
                edgecolor=INK,
                linewidth=1,
                **looks[purpose],
            )
        )

    axes.text(left, 4.3, say("plots.three_sets"), va="center", fontweight="bold")
    for start, length, purpose in ((0, 5, "fits"), (5, 1, "decides"), (6, 1, "measures")):
        block(start, length, 3.85, purpose)
    for place, purpose in enumerate(looks):
        corner = left + (0, 2.1, 3.6)[place]
        axes.add_patch(
            Rectangle((corner, 3.53), 0.2, 0.15, edgecolor=INK, linewidth=0.8, **looks[purpose])
        )
        axes.text(corner + 0.27, 3.6, say(f"plots.{purpose}"), va="center", fontsize=8.5)
    axes.text(left, 3.2, say("plots.early_stopping"), va="center", fontweight="bold")
    epochs = np.linspace(0, 1, 60)
    train, val = (
        2.0 + 0.95 * np.exp(-4 * epochs),
        2.05 + 0.9 * np.exp(-5 * epochs) + 0.55 * epochs**2,
    )
    x, best, stop = left + 0.1 + 3.2 * epochs, int(val.argmin()), int(val.argmin()) + 16
    axes.plot(x[: stop + 1], train[: stop + 1], ":", color=BLUE)
    axes.plot(x[: stop + 1], val[: stop + 1], "-", color=VERMILION)
    axes.plot(x[best], val[best], "*", color=ORANGE, **STAR, zorder=4)
    for place, line in ((best, ":"), (stop, "-")):
        axes.plot([x[place]] * 2, [1.9, 2.95], line, color=GREY, linewidth=1)
    axes.annotate(
        "", (x[best], 2.85), (x[stop], 2.85), arrowprops={"arrowstyle": "<->", "color": GREY}
    )
    axes.text(
        (x[best] + x[stop]) / 2, 2.95, say("plots.patience"), ha="center", va="bottom", fontsize=8.5
    )
    for name, curve, colour, shift in (
        ("train_loss", train, BLUE, -0.04),
        ("val_loss", val, VERMILION, 0.05),
    ):
        axes.text(
            x[stop] + 0.08, curve[stop] + shift, name, va="center", fontsize=8.5, color=colour
        )
    axes.text(x[best], 1.8, say("plots.kept"), ha="center", va="center", fontsize=8.5)
    axes.text(left, 1.5, say("plots.cross_validation"), va="center", fontweight="bold")
    for fold in range(5):
        for part in range(5):
            block(1.2 * part, 1.2, 1.1 - 0.26 * fold, "decides" if part == 4 - fold else "fits")
        block(6, 1, 1.1 - 0.26 * fold, "measures")


@_figure
def strides_diagram() -> None:
    """Draw a 3×3 kernel on 5×5 pixels, with stride 2, without and with padding, and the way back of a transposed convolution.

    The numbers of the way back are how many products each pixel adds up; output padding adds a row and a column that get none.
    """
    axes, cell = _canvas(WIDTH, 3.1), 0.21
    frames = [(BLUE, "-"), (VERMILION, "--")]

    def grid(x, y, side, numbers=None, pale=()):
        for row, column in np.ndindex(side, side):
            ground = PALE if row in pale or column in pale else "white"
            corner = (x + column * cell, y - (row + 1) * cell)
            axes.add_patch(
                Rectangle(corner, cell, cell, facecolor=ground, edgecolor=GREY, linewidth=0.7)
            )
            if numbers is not None:
                place = {"ha": "center", "va": "center", "fontsize": 8}
                axes.text(corner[0] + cell / 2, corner[1] + cell / 2, numbers[row][column], **place)

    def frame(x, y, column, size, look):
        style = {
            "fill": False,
            "edgecolor": look[0],
            "linestyle": look[1],
            "linewidth": 2,
            "zorder": 4,
        }
        axes.add_patch(
            Rectangle((x + column * cell, y - size * cell), size * cell, size * cell, **style)
        )

    top = 2.45
    for x, side, pale, result, padding in ((0.12, 5, (), 2, 0), (1.85, 7, (0, 6), 3, 1)):
        grid(x, top, side, pale=pale)
        below = x + (side - result) * cell / 2
        grid(below, 0.72, result)
        for place, look in enumerate(frames):
            frame(x, top, 2 * place, 3, look)
            frame(below, 0.72, place, 1, look)
        _arrow(
            axes,
            (x + side * cell / 2, top - side * cell - 0.06),
            (x + side * cell / 2, 0.78),
            linewidth=1,
        )
        word = say("plots.stride_padding", stride=2, padding=padding)
        axes.text(x + side * cell / 2, 2.72, word, ha="center", va="center", fontsize=8.5)
    touched = np.array([1, 1, 2, 1, 1, 0])
    grid(4.18, top, 6, np.outer(touched, touched), pale=(5,))
    below = 4.18 + 2 * cell
    grid(below, 0.72, 2)
    for place, look in enumerate(frames):
        frame(4.18, top, 2 * place, 3, look)
        frame(below, 0.72, place, 1, look)
    _arrow(axes, (4.18 + 3 * cell, 0.78), (4.18 + 3 * cell, top - 6 * cell - 0.06), linewidth=1)
    word = f"{say('plots.transposed')}\n{say('plots.output_padding')}"
    axes.text(4.18 + 3 * cell, 2.78, word, ha="center", va="center", fontsize=8.5)


@_figure
def best_constants(values: Sequence[float] = (0.0, 0.0, 0.0, 0.2, 0.8)) -> None:
    """Draw the mean squared and the mean absolute error of one constant for all ``values``: least at their mean, at their median.

    Args:
        values: numbers in [0, 1].
    """
    values, answers = np.asarray(values, float), np.linspace(0, 1, 201)
    away = answers[:, None] - values
    errors = [("mse", (away**2).mean(axis=1), values.mean(), "plots.mean_at", BLUE, "-", "o")]
    errors += [
        (
            "l1",
            np.abs(away).mean(axis=1),
            np.median(values),
            "plots.median_at",
            VERMILION,
            "--",
            "s",
        )
    ]
    figure, axes = plt.subplots(figsize=(WIDTH, 3.2))
    for name, error, best, word, colour, line, marker in errors:
        axes.plot(answers, error, line, color=colour, label=say(f"plots.{name}"))
        lowest = np.interp(best, answers, error)
        axes.plot(best, lowest, marker, color=colour, markersize=8, zorder=4)
        axes.annotate(
            say(word, value=best), (best, lowest), (2, 11), textcoords="offset points", color=colour
        )
    stacked = [sum(values[:place] == value) for place, value in enumerate(values)]
    heights = -0.05 - 0.035 * np.array(stacked)
    axes.plot(
        values, heights, "D", color=INK, linestyle="", label=say("plots.values"), clip_on=False
    )
    axes.set(xlabel=say("plots.constant"), xlim=(-0.03, 1.03), ylim=(-0.16, None))
    figure.legend(loc="outside upper center", ncols=3, fontsize=9, columnspacing=1)


@_figure
def projection(points, centre, direction) -> None:
    """Draw points on a plane, a line through their centre, and how far each point is from the line.

    Args:
        points: (N, 2).
        centre: (2,), a point of the line.
        direction: (2,), the unit vector along the line.
    """
    points, centre, direction = (np.asarray(each, float) for each in (points, centre, direction))
    places = (points - centre) @ direction
    feet = centre + places[:, None] * direction
    ends = centre + np.array([places.min() - 0.08, places.max() + 0.08])[:, None] * direction
    figure, axes = plt.subplots(figsize=(0.8 * WIDTH, 0.8 * WIDTH))
    axes.plot(*np.stack([points, feet], axis=1).T, color=GREY, linewidth=0.8, zorder=1)
    axes.plot(*ends.T, color=VERMILION, label=say("plots.first_component"))
    axes.plot(*points.T, "o", color=BLUE, label=say("plots.one_image"))
    axes.plot(*feet.T, "|", color=VERMILION, markersize=7, label=say("plots.kept_of_it"))
    axes.plot(*centre, "*", color=ORANGE, **STAR, label=say("plots.mean_image"))
    axes.set(aspect="equal", xlabel=say("plots.one_pixel"), ylabel=say("plots.other_pixel"))
    figure.legend(loc="outside upper center", ncols=2)


@_figure
def transfer_diagram() -> None:
    """Draw three ways of using an encoder: from scratch, frozen and fine-tuned; what is trained is coloured, what is not, hatched."""
    axes = _canvas(WIDTH, 2.75)
    ways = (
        ("scratch", "random_weights", True),
        ("frozen", "pretrained", False),
        ("tuned", "pretrained", True),
    )
    fixed, trained = (
        {"facecolor": "white", "hatch": "////", "edgecolor": GREY},
        {"facecolor": SKY, "edgecolor": INK},
    )
    for place, (way, origin, is_trained) in enumerate(ways):
        middle = WIDTH * (place + 0.5) / 3
        axes.text(middle, 2.58, say(f"plots.{way}"), ha="center", va="center", fontweight="bold")
        axes.text(middle, 0.68, say(f"plots.{origin}"), ha="center", va="center", fontsize=9)
        style = trained if is_trained else fixed
        axes.add_patch(Rectangle((middle - 0.75, 0.95), 1.5, 0.45, linewidth=1.2, **style))
        axes.add_patch(Rectangle((middle - 0.75, 1.75), 1.5, 0.45, linewidth=1.2, **trained))
        axes.text(
            middle,
            1.175,
            say("plots.encoder"),
            ha="center",
            va="center",
            bbox=None if is_trained else BEHIND,
        )
        axes.text(middle, 1.975, say("plots.linear_layer"), ha="center", va="center")
        _arrow(axes, (middle, 1.42), (middle, 1.73), linewidth=1)
    for x, style, word in ((0.9, trained, "plots.trained"), (3.0, fixed, "plots.fixed")):
        axes.add_patch(Rectangle((x, 0.12), 0.3, 0.2, linewidth=1, **style))
        axes.text(x + 0.4, 0.22, say(word), va="center")


@_figure
def batch_norm_diagram() -> None:
    """Draw what batch normalization makes of one number, 3: in training it depends on the others of its minibatch, in evaluation not.

    A is {1, 2, 3, 6} and B {3, 5, 7, 9}; in evaluation the running means stand for both: mean 4.5 and variance 4.25.
    """
    figure, (left, right) = plt.subplots(1, 2, sharey=True, figsize=(WIDTH, 3.4))
    batches = {"A": np.array([1.0, 2, 3, 6]), "B": np.array([3.0, 5, 7, 9])}
    ends, lines = np.array([0.0, 10.0]), []
    for (name, batch), colour, marker, line in zip(batches.items(), COLOURS, MARKERS, ("-", "--")):
        mean, deviation = batch.mean(), batch.std()
        label = say("plots.minibatch", name=name, values=", ".join(f"{value:g}" for value in batch))
        left.plot(ends, (ends - mean) / deviation, line, color=colour, linewidth=1)
        left.plot(batch, (batch - mean) / deviation, marker, color=colour, linestyle="")
        lines.append(Line2D([], [], color=colour, marker=marker, linestyle=line, label=label))
        _mark_output(left, (3 - mean) / deviation, colour)
    mean = np.mean([batch.mean() for batch in batches.values()])
    deviation = np.mean([batch.var() for batch in batches.values()]) ** 0.5
    right.plot(ends, (ends - mean) / deviation, "-.", color=GREEN)
    lines.append(Line2D([], [], color=GREEN, linestyle="-.", label=say("plots.running_mean")))
    _mark_output(right, (3 - mean) / deviation, GREEN)
    for axes, word in ((left, "plots.training_mode"), (right, "plots.evaluation_mode")):
        axes.set(xlim=(0, 10), ylim=(-2.6, 2.6), xlabel=f"$x$, {say(word)}")
        axes.set_xticks([0, 3, 6, 9])
    left.set_ylabel("$y$")
    figure.legend(handles=lines, loc="outside upper center", ncols=2, fontsize=9)


def _mark_output(axes, output: float, colour) -> None:
    """Lead from the input 3 up or down to its output, and from there to the left edge, with the value there."""
    axes.plot([3, 3, 0], [-2.6, output, output], ":", color=colour, linewidth=1.2)
    axes.plot(3, output, "o", markersize=9, markerfacecolor="none", markeredgecolor=colour)
    axes.text(
        0.15, output - 0.1, f"{output:.2f}".replace("-", "−"), color=colour, fontsize=9, va="top"
    )


def _volume_width(shape: Sequence[int]) -> float:
    return 0.024 * shape[1] + 0.005 * shape[0] * (shape[0] > 1) if len(shape) == 3 else 0.12


def _canvas(width: float, height: float):
    figure = plt.figure(figsize=(width, height), layout="none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.grid(visible=False)
    axes.set(xlim=(0, width), ylim=(0, height), aspect="equal", autoscale_on=False)
    return axes


def _arrow(axes, start, end, **style) -> None:
    style = {"color": GREY, "linewidth": 0.7, "mutation_scale": 7} | style
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", shrinkA=0, shrinkB=0, **style))


def _blocks(axes, x: float, middle: float, names: Sequence[str]) -> float:
    """Draw an arrow through a stack of named operations that begins at ``x``; return where the arrow ends."""
    width, height, gap = 0.9 if len(names) > 1 else 0.6, 0.27, 0.15
    _arrow(
        axes,
        (x + 0.03, middle),
        (x + width + 2 * gap - 0.03, middle),
        linewidth=1,
        mutation_scale=9,
    )
    top = middle + height * len(names) / 2
    for row, (name, colour) in enumerate(zip(names, ("#DCEBF5", "#D9F0E8", "#FBECCB"))):
        corner = (x + gap, top - height * (row + 1))
        axes.add_patch(
            Rectangle(
                corner, width, height, facecolor=colour, edgecolor=INK, linewidth=0.8, zorder=3
            )
        )
        axes.text(
            x + gap + width / 2,
            corner[1] + height / 2,
            name,
            ha="center",
            va="center",
            fontsize=9,
            zorder=4,
        )
    return x + width + 2 * gap


def _network(
    axes,
    places: Sequence[int],
    symbols: Sequence[str],
    words: Sequence[str],
    weights: Sequence[str],
) -> None:
    """Draw layers of units joined by arrows; of each layer the last but one place holds three dots."""
    radius, middle, columns = 0.21, 1.75, (0.8, 2.8, 4.8)
    layers = []
    for x, count, layer, word in zip(columns, places, symbols, words, strict=True):
        heights = [middle + 0.56 * ((count - 1) / 2 - place) for place in range(count)]
        axes.text(x, heights.pop(-2), r"$\vdots$", ha="center", va="center", fontsize=13)
        layers.append([(x, y) for y in heights])
        for y, symbol in zip(heights, layer.split(), strict=True):
            axes.add_patch(
                Circle((x, y), radius, facecolor="#DCEBF5", edgecolor=BLUE, linewidth=1.2, zorder=3)
            )
            axes.text(x, y, f"${symbol}$", ha="center", va="center", zorder=4)
        axes.text(x, 0.16, word, ha="center", va="bottom")
    for before, after, weight in zip(layers, layers[1:], weights):
        for x, y in before:
            for end, height in after:
                step = np.array([end - x, height - y])
                step *= radius / np.hypot(*step)
                _arrow(axes, (x + step[0], y + step[1]), (end - step[0], height - step[1]))
        (x, y), (end, height) = before[0], after[0]
        axes.text((x + end) / 2, (y + height) / 2 + 0.1, f"${weight}$", ha="center", va="bottom")
