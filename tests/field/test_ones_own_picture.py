"""A reader gives a picture of her own, in whatever form she has it."""

import re

import numpy as np
import pytest
import torch
from PIL import Image

from fmnist_utils import evaluation
from fmnist_utils.data import load_fashion_mnist
from fmnist_utils.models import FeedForwardAutoencoder, FeedForwardClassifier
from fmnist_utils.photos import own_image, own_image_steps
from fmnist_utils.text import UserError, speaking

TEST = load_fashion_mnist().test.images
BOOT = TEST[0]  # its largest value is 1, its background 0


def shop_photo(image=BOOT, times=20, margin=90):
    """An image of the data set as a shop would show it: large, in colour, on white."""
    large = (255 * (1 - image[0])).to(torch.uint8).numpy()
    large = np.kron(large, np.ones((times, times), np.uint8))
    return Image.fromarray(np.pad(large, margin, constant_values=255)).convert("RGB")


def saved(folder, picture, name, **options):
    picture.save(folder / name, **options)
    return folder / name


def turned(picture):
    """A photograph taken with the camera on its side, and the note that says so."""
    lying = picture.rotate(90, expand=True)
    lying.getexif()[0x0112] = 6
    return lying


def cut_out(picture):
    """The garment alone: what was white is transparent."""
    grey = np.asarray(picture.convert("L"))
    return Image.fromarray(np.dstack([0 * grey, 0 * grey, 0 * grey, 255 - grey]))


GIVEN = {
    "a file": lambda folder: saved(folder, shop_photo(), "boot.png"),
    "a path as text": lambda folder: str(
        saved(folder, shop_photo(), "mi botín.webp", lossless=True)
    ),
    "palette": lambda folder: saved(folder, shop_photo().quantize(256), "boot.gif"),
    "on its side": lambda folder: saved(
        folder, turned(shop_photo()), "a.png", exif=turned(shop_photo()).getexif()
    ),
    "transparent": lambda folder: cut_out(shop_photo()),
    "16 bits": lambda folder: saved(
        folder, Image.fromarray(np.asarray(shop_photo().convert("L"), np.uint16) * 257), "16.png"
    ),
    "0–255 floats": lambda folder: np.asarray(shop_photo(), np.float64),
    "0–1 floats": lambda folder: np.asarray(shop_photo(), np.float32) / 255,
    "whole 16-bit numbers": lambda folder: np.asarray(shop_photo()).astype(int) * 257,
    "PyTorch's order": lambda folder: torch.from_numpy(np.array(shop_photo())).permute(2, 0, 1),
    "an image of the data set": lambda folder: BOOT,
    "uint8, without a channel": lambda folder: (255 * BOOT[0]).round().to(torch.uint8).numpy(),
    "a batch of one": lambda folder: BOOT[None].bfloat16(),
    "grey background": lambda folder: 0.8 - 0.8 * BOOT[0].numpy(),
}


@pytest.mark.parametrize("form", GIVEN)
def test_one_garment_in_many_forms_is_one_image(form, tmp_path):
    image = own_image(GIVEN[form](tmp_path))
    assert image.shape == (1, 1, 28, 28) and image.dtype == torch.float32
    assert image.min() == 0 and image.max() == 1
    assert (image[0] - BOOT).abs().mean() < 0.02


@pytest.mark.parametrize("size", [(1200, 400), (37, 301), (9, 5), (5000, 4000)])
def test_any_size_and_proportion(size):
    picture = Image.new("RGB", (size[0] * 2, size[1] * 2), "white")
    picture.paste("navy", (size[0] // 2, size[1] // 2, size[0] * 3 // 2, size[1] * 3 // 2))
    image = own_image(picture)[0, 0]
    rows, columns = (image > 0.5).any(1).sum(), (image > 0.5).any(0).sum()
    assert max(rows, columns) == 28
    assert min(rows, columns) == pytest.approx(28 * min(size) / max(size), abs=1.5)
    assert image[14, 14] > 0.99


def test_each_step_can_be_seen():
    steps = own_image_steps(shop_photo())
    assert list(steps) == ["given", "grey", "negated", "trimmed", "small"]
    assert steps["given"].shape == (740, 740, 3) and steps["negated"][0, 0] == 0
    assert steps["trimmed"].shape[0] < 740


REFUSED = {
    "several": (TEST[:3], ["(3, 1, 28, 28)", "images[0]"]),
    "a vector": (BOOT.flatten(), ["(784,)"]),
    "text numbers": (np.full((28, 28), "1"), ["<U1"]),
    "normalized": (BOOT * 2 - 1, ["-1", "[0, 1]"]),
    "not a number": (BOOT * torch.nan, ["nan"]),
    "too large": (BOOT.numpy() * 1e6, ["1e+06", "65535"]),
    "blank": (np.full((50, 50, 3), 255, np.uint8), []),
    "empty": (np.zeros((0, 28)), ["(0, 28)"]),
    "a dictionary": ({"boot.png": b""}, ["dict", "Image.open"]),
}
FILES = {
    "note.jpg": b"hello",
    "empty.png": b"",
    "phone.heic": b"\0\0\0\x18ftypheic",
    "folder": None,
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_picture_is_refused_with_what_would_be(case):
    given, parts = REFUSED[case]
    for lang in ("es", "en"):
        with speaking(lang), pytest.raises(UserError) as caught:
            own_image(given)
        assert all(part in str(caught.value) for part in ["own_image", *parts])


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize("name", [*FILES, "boots.png", "cut.png"])
def test_a_bad_file_is_named(name, lang, tmp_path):
    whole = saved(tmp_path, shop_photo(), "boot.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    for other, content in FILES.items():
        (tmp_path / other).mkdir() if content is None else (tmp_path / other).write_bytes(content)
    with speaking(lang), pytest.raises(UserError, match=name) as caught:
        own_image(tmp_path / name)
    assert ("boot.png" if name == "boots.png" else "JPEG") in str(caught.value)


# --- Everything else takes images of the data set's form ------------------------------------------

AUTOENCODER = FeedForwardAutoencoder(4)
FUNCTIONS = {
    "predict": lambda images: evaluation.predict(FeedForwardClassifier(), images),
    "reconstruct": lambda images: evaluation.reconstruct(AUTOENCODER, images),
    "encode": lambda images: evaluation.encode(AUTOENCODER, images),
    "pca_reconstruct": lambda images: evaluation.pca_reconstruct(TEST[:50], images, 2),
    "pca_errors": lambda images: evaluation.pca_errors(images, TEST[:50], [1]),
    "constant_errors": lambda images: evaluation.constant_errors(TEST[:50], images),
    "constant_errors of": lambda images: evaluation.constant_errors(images, TEST[:50]),
}
ONE_PICTURE = {
    "one image": BOOT,
    "without a channel": BOOT[0],
    "bytes": (255 * BOOT).to(torch.uint8),
    "from 0 to 255": 255 * BOOT[None],
    "of NumPy": BOOT[None].numpy(),
    "a picture": shop_photo(),
    "of another size": torch.nn.functional.pad(BOOT, (2, 2, 2, 2)),
}
NO_PICTURE = {
    "three without a channel": TEST[:3, 0],
    "colour": torch.zeros(2, 3, 28, 28),
    "flat": TEST[:2].flatten(1),
    "as many pixels": TEST[:2].reshape(2, 1, 56, 14),
    "not a number": TEST[:2] * torch.nan,
    "none": TEST[:0],
    "a list": [BOOT],
}


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("form", ONE_PICTURE | NO_PICTURE)
def test_images_of_another_form_are_refused_and_the_advice_works(form, function):
    given, told = (ONE_PICTURE | NO_PICTURE)[form], set()
    for lang in ("es", "en"):
        with speaking(lang), pytest.raises(UserError, match=r"\(N, 1, 28, 28\)") as refused:
            FUNCTIONS[function](given)
        told.add(str(refused.value))
    assert len(told) == 2
    if form in ONE_PICTURE:
        [advice] = re.findall("`([^`]+)`", str(refused.value))
        names = {"picture": given}
        exec(advice.replace("; ", "; image = "), names)
        FUNCTIONS[function](names["image"])
