"""A picture of one's own, made like the images of Fashion-MNIST.

    garment = own_image("shirt.jpg")  # float32, (1, 1, 28, 28), from 0 (black) to 1
    plots.photo_steps(own_image_steps("shirt.jpg"))  # what was done to it

The steps are those by which the data set was made from photographs of a shop (H. Xiao, K. Rasul and
R. Vollgraf, arXiv:1708.07747, figure 1), without its sharpening. The images of the data set have a
black background and a brightest pixel of 254 or 255; the picture is given both.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from fmnist_utils import settings
from fmnist_utils.text import UserError, nearest

SIDE = 28
LONGEST = 1000  # larger pictures are shrunk first, to save memory
VISIBLE = 0.1  # what differs from the background by less is taken for background
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # the weights of ITU-R BT.601, as in PIL
Pixels = NDArray[np.float32]


def own_image(picture: Any) -> Tensor:
    """Return one picture in the form of the data set: float32, (1, 1, 28, 28), from 0 to 1.

    1. ``given``: upright, as the EXIF data say; what is transparent becomes white. A side longer
       than 1,000 pixels is divided by a whole number: means of squares.
    2. ``grey``: 0.299 red + 0.587 green + 0.114 blue, from 0 (black) to 1 (white).
    3. ``negated``: the background is the median of the outermost rows and columns. If it is lighter
       than 0.5, everything is negated, 1 - value, the background too. Then the background is
       subtracted, and what falls below 0 becomes 0: it is black.
    4. ``trimmed``: the rows and columns at the edges are cut off in which at most 1 % of the pixels
       are above 0.1. A picture of 28 × 28 pixels is not trimmed.
    5. ``small``: the longer side becomes 28 pixels and the other one in proportion, at least 1. A
       new pixel is the mean of those it covers: of n rows, new row i of m covers those from
       floor(i n / m) to ceil((i + 1) n / m) - 1, and so for the columns. The result is put in the
       middle of 28 × 28 black pixels, (29 - m) // 2 from the top or from the left, and divided by
       its largest value.

    Args:
        picture: the path of a file, a PIL image, or an array or tensor: (H, W), (H, W, C) or
            (C, H, W) with C = 1 (grey), 3 (red, green, blue) or 4 (and opacity), alone or as the
            only one of a batch. Numbers from 0 to 1, from 0 to 255, or whole ones to 65,535.

    Raises:
        UserError: if it cannot be read, has another form, or nothing stands out from the
            background.
    """
    return torch.from_numpy(own_image_steps(picture)["small"])[None, None]


def own_image_steps(picture: Any) -> dict[str, Pixels]:
    """Return the picture after each step of :func:`own_image`, by its name.

    ``given`` is (H, W) or (H, W, 3); the others have no colours, and ``small`` is (28, 28).

    Raises:
        UserError: as :func:`own_image` does.
    """
    given = _over_white(_scale(_read(picture)))
    grey = given @ LUMA if given.ndim == 3 else given
    frame = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    background = float(np.median(frame))
    negated = grey
    if background > 0.5:
        negated = 1 - grey
        background = 1 - background
    negated = (negated - background).clip(0)
    visible = negated > VISIBLE
    if not visible.any():
        raise UserError("photos.plain")
    trimmed = negated if negated.shape == (SIDE, SIDE) else _trim(negated, visible)
    small = _center(_shrink(trimmed))
    small = small / small.max()
    return {"given": given, "grey": grey, "negated": negated, "trimmed": trimmed, "small": small}


def _read(picture: Any) -> NDArray[Any]:
    """Return the numbers of a file, a PIL image, an array or a tensor: (H, W) or (H, W, C)."""
    if isinstance(picture, str | os.PathLike):
        return _read_file(settings.without_tilde(picture))
    if isinstance(picture, Image.Image):
        return _from_pil(picture)
    if isinstance(picture, Tensor):
        numbers = picture.detach().cpu()
        array = (numbers.float() if numbers.is_floating_point() else numbers).numpy()
    elif isinstance(picture, np.ndarray | list):
        array = np.asarray(picture)
    else:
        raise UserError("photos.kind", given=type(picture).__name__)
    shape = array.shape
    if array.ndim == 4 and len(array) == 1:
        array = array[0]
    if array.ndim == 3 and array.shape[0] in (1, 3, 4) and array.shape[2] not in (3, 4):
        array = np.moveaxis(array, 0, 2)
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.dtype.kind not in "buif" or array.ndim not in (2, 3) or channels not in (1, 3, 4):
        raise UserError("photos.shape", shape=shape, dtype=array.dtype)
    if not array.size:
        raise UserError("photos.shape", shape=shape, dtype=array.dtype)
    return array


def _read_file(path: Path) -> NDArray[Any]:
    """Return the numbers in a file."""
    try:
        with Image.open(path) as picture:
            return _from_pil(picture)
    except FileNotFoundError:
        around = path.parent.iterdir() if path.parent.is_dir() else ()
        hint = nearest(path.name, [other.name for other in around])
        raise UserError("photos.missing", file=path, folder=Path.cwd(), hint=hint) from None
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise UserError("photos.unreadable", file=path, reason=error) from None


def _from_pil(picture: Image.Image) -> NDArray[Any]:
    """Return the numbers of a PIL image, upright and not too large: RGBA, or of 16 bits or more."""
    upright = ImageOps.exif_transpose(picture)
    if upright.mode.startswith("I"):
        upright = upright.convert("I")
    elif upright.mode != "F":
        if upright.mode in ("LAB", "HSV", "CMYK", "YCbCr"):
            upright = upright.convert("RGB")
        upright = upright.convert("RGBA")
    times = -(-max(upright.size) // LONGEST)
    return np.asarray(upright.reduce(times) if times > 1 else upright)


def _scale(numbers: NDArray[Any]) -> Pixels:
    """Return numbers from 0 to 1."""
    array = numbers.astype(np.float32)
    low, high = float(array.min()), float(array.max())
    whole = numbers.dtype.kind in "bui"
    if not (low >= 0 and high <= (65_535 if whole else 255)):  # NaN is not
        raise UserError("photos.range", low=low, high=high)
    white = next(white for white in (1, 255, 65_535) if high <= white)
    return array / np.float32(white)


def _over_white(pixels: Pixels) -> Pixels:
    """Return pixels without opacity, the fourth channel: what is transparent becomes white."""
    if pixels.ndim == 2:
        return pixels
    if pixels.shape[2] == 1:
        return pixels[:, :, 0]
    opacity = pixels[:, :, 3:] if pixels.shape[2] == 4 else np.float32(1)
    return pixels[:, :, :3] * opacity + (1 - opacity)


def _trim(pixels: Pixels, visible: NDArray[np.bool_]) -> Pixels:
    """Cut off the rows and columns at the edges in which hardly anything is visible."""
    rows = np.flatnonzero(visible.mean(axis=1) > 0.01)
    columns = np.flatnonzero(visible.mean(axis=0) > 0.01)
    if not len(rows) or not len(columns):
        raise UserError("photos.plain")
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _shrink(pixels: Pixels) -> Pixels:
    """Return the picture with a longer side of 28 pixels, each the mean of those it covers."""
    height, width = pixels.shape
    longest = max(height, width)
    size = (max(1, round(SIDE * height / longest)), max(1, round(SIDE * width / longest)))
    image = torch.from_numpy(np.ascontiguousarray(pixels))[None, None]
    small: Pixels = torch.nn.functional.adaptive_avg_pool2d(image, size)[0, 0].numpy()
    return small


def _center(pixels: Pixels) -> Pixels:
    """Put a picture in the middle of 28 × 28 black pixels."""
    height, width = pixels.shape
    top, left = (SIDE + 1 - height) // 2, (SIDE + 1 - width) // 2
    canvas = np.zeros((SIDE, SIDE), np.float32)
    canvas[top : top + height, left : left + width] = pixels
    return canvas
