"""Pictures with palettes: a figure has few colours, and weighs a third."""

from __future__ import annotations

import base64
import functools
from io import BytesIO

from nbformat import NotebookNode
from PIL import Image, ImageChops, ImageStat

UNSEEN = 2.0  # levels of 255, the root of the mean squared difference: nobody sees so little


def smaller_pictures(notebook: NotebookNode) -> None:
    """Give the pictures among the outputs of ``notebook`` palettes, in place."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if png := output.get("data", {}).get("image/png"):
                small = with_palette(base64.b64decode(png))
                output.data["image/png"] = base64.b64encode(small).decode()


@functools.lru_cache(maxsize=256)  # many are the same in both languages
def with_palette(png: bytes) -> bytes:
    """Return the same picture with 256 colours, if that is smaller and nobody sees it."""
    picture = Image.open(BytesIO(png))
    transparent = picture.mode == "RGBA" and picture.getextrema()[3] != (255, 255)
    if picture.mode not in ("RGB", "RGBA") or transparent:
        return png
    plain = picture.convert("RGB")
    # The first is ten times as fast, and finds good colours for most of the figures.
    for method in (Image.Quantize.FASTOCTREE, Image.Quantize.MEDIANCUT):
        small = plain.quantize(256, method=method, dither=Image.Dither.NONE)
        if difference(plain, small.convert("RGB")) <= UNSEEN:
            break
    else:
        return png
    written = BytesIO()
    # Without optimize=True, which saves a twentieth and takes as long as all the rest.
    small.save(written, "PNG", dpi=picture.info.get("dpi", (100, 100)))
    return min(png, written.getvalue(), key=len)


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return the root of the mean squared difference of two RGB pictures, in levels of 255."""
    return max(ImageStat.Stat(ImageChops.difference(one, other)).rms)
