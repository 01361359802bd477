"""The figures of images and the diagrams show what they were given; numbers are PyTorch's."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from drawn import IMAGES, SMALL_NETWORK, least_contrast, legend, panels, rows, texts, written

from fmnist_utils import plots, text


def shown():
    """Return the images of the current figure, in their order."""
    return [axes.images[0] for axes in panels()]


# --- Images ---------------------------------------------------------------------------------------


def test_image_grid_takes_tensors_arrays_class_numbers_and_texts():
    labels = [torch.tensor(9), np.int64(1), 2, "x", "y", "z"]
    plots.image_grid(torch.tensor(IMAGES), labels=labels, columns=4)
    assert [len(axes.images) for axes in plt.gcf().axes] == [1] * 6 + [0] * 2
    np.testing.assert_array_equal(shown()[5].get_array(), IMAGES[5, 0])
    named = [text.class_names()[label] for label in (9, 1, 2)]
    assert [written(axes)[0] for axes in panels()] == [*named, *"xyz"]


def test_image_grid_gives_all_images_the_same_black_and_white():
    plots.image_grid(IMAGES[:2, 0] * np.array([1, 3]).reshape(2, 1, 1))
    assert len({image.get_clim() for image in shown()}) == 1
    plots.image_grid(IMAGES, value_range=(-1, 1))
    assert shown()[0].get_clim() == (-1, 1)


def test_reconstructions_names_each_row_and_draws_bytes_and_numbers_alike():
    numbers = torch.full((2, 1, 28, 28), 0.2)
    plots.reconstructions({"bytes": np.full((2, 28, 28), 51, np.uint8), "numbers": numbers})
    drawn = [np.ma.filled(image.get_array(), np.nan) for image in shown()]
    for left in (0, 30):
        pictures = np.array(drawn)[:, :, left : left + 28]
        np.testing.assert_allclose(pictures, np.full((2, 28, 28), 0.2), rtol=1e-6)
    assert np.isnan(np.array(drawn)[:, :, 28:30]).all()  # what is between them is not drawn
    assert {image.get_clim() for image in shown()} == {(0, 1)}
    assert [written(axes) for axes in panels()] == [["bytes"], ["numbers"]]


def test_long_names_leave_the_rows_of_reconstructions_where_they_are():
    lefts = []
    for name in ("x", "a name as long as three columns of the figure"):
        plots.reconstructions({name: np.zeros((10, 28, 28)), "y": np.zeros((10, 28, 28))})
        plt.gcf().canvas.draw()
        lefts.append([axes.get_position().x0 for axes in plt.gcf().axes])
    np.testing.assert_allclose(*lefts, atol=1e-3)


def test_class_probabilities_draws_the_ten_outputs_and_marks_the_true_class():
    probabilities = np.linspace(0, 0.2, 10)
    plots.class_probabilities(IMAGES[0], probabilities, label=9)
    left, right = plt.gcf().axes
    np.testing.assert_allclose([bar.get_width() for bar in right.patches], probabilities)
    assert [bool(bar.get_hatch()) for bar in right.patches] == [False] * 9 + [True]
    assert rows(right)[9] == "Ankle boot  9" and written(left) == ["is: Ankle boot"]
    assert right.get_xlabel() == "probability"


def test_pixel_maps_share_one_scale_which_says_when_values_go_beyond():
    plots.pixel_maps({"a": np.eye(2), "b": 3 * np.eye(2)}, "contributions", (0, 2))
    *maps, bar = [axes for axes in plt.gcf().axes if axes.images or axes.get_xlabel()]
    assert [(axes.images[0].get_clim(), written(axes)[0]) for axes in maps] == [
        ((0, 2), "a"),
        ((0, 2), "b"),
    ]
    assert bar.get_xlabel() == "products that each pixel adds up" and bar._colorbar.extend == "max"


def test_number_maps_write_every_number_and_frame_what_is_marked():
    maps = {"a": [[1, 2.25], [3, 4]], "b": [[5, 6]], "c": [[7, 8]]}
    names = {"rows": ["x"], "columns": ["y", "z"], "across": "w"}
    plots.number_maps(maps, form=".1f", marked={"a": (0, 1, 2, 1)}, **names)
    first, second, third = panels()
    assert written(first) == ["1.0", "2.2", "3.0", "4.0", "a"]
    assert written(second) == ["5.0", "6.0", "b"] and written(third) == ["7.0", "8.0", "c"]
    [frame] = first.patches
    assert (frame.get_xy(), frame.get_width(), frame.get_height()) == ((0.5, -0.5), 1, 2)
    assert third.get_xlabel() == "w" and not second.patches
    assert min(least_contrast(axes, axes.texts[:-1]) for axes in panels()) >= 4.5


def test_scatter_by_class_gives_each_class_its_own_marker_and_colour():
    places = np.arange(40.0).reshape(20, 2)
    plots.scatter_by_class({"PCA": places, "t-SNE": -places}, list(range(10)) * 2)
    left, right = plt.gcf().axes
    drawn = np.concatenate([group.get_offsets() for group in left.collections])
    assert sorted(drawn.tolist()) == places.tolist() and right.get_xlabel() == "t-SNE"
    (key,) = plt.gcf().legends
    assert len({(line.get_color(), line.get_marker()) for line in key.get_lines()}) == 10
    assert legend() == text.class_names()


def test_pixels_are_written_where_they_stand():
    plots.pixel_numbers(IMAGES[0], 10, 3, size=2)
    whole, part = plt.gcf().axes
    assert whole.patches[0].get_xy() == (2.5, 9.5)
    assert written(part) == [f"{value:.1f}" for value in IMAGES[0, 0, 10:12, 3:5].flat]


def test_a_code_is_drawn_in_rows_of_eight_between_the_two_images():
    plots.code_diagram(IMAGES[0], np.arange(20.0), IMAGES[1])
    first, last, code = (np.asarray(image.get_array()) for image in plt.gcf().axes[0].images)
    np.testing.assert_array_equal([first, last], IMAGES[:2, 0])
    assert code.shape == (3, 8) and code.ravel()[:20].tolist() == list(range(20))


def test_filters_share_one_scale_with_zero_in_the_middle():
    plots.filters(np.linspace(-0.5, 0.2, 27).reshape(3, 3, 3))
    assert [image.get_clim() for image in shown()] == [(-0.5, 0.5)] * 3


def test_feature_maps_draws_an_image_and_its_channels_in_a_row():
    layers = {"first": np.ones((2, 3, 14, 14)), "second": np.full((2, 1, 6, 6), 2.0)}
    plots.feature_maps(IMAGES[:2], layers)
    assert [image.get_array().shape[0] for image in shown()] == [28, 14, 14, 14, 6] * 2
    assert [image.get_clim() for image in shown()[1:5]] == [(0, 1)] * 3 + [(0, 2)]


def test_importance_maps_draws_the_image_and_each_method():
    plots.importance_maps(IMAGES[0], {"one": np.eye(28), "two": -3 * np.eye(28)})
    assert [written(axes)[0] for axes in panels()][1:] == ["one", "two"]
    assert shown()[2].get_clim() == (-3, 3)


def test_value_ridges_has_a_ridge_a_layer_and_counts_zeros():
    layers = {"a": np.array([0.0, 0.0, 0.0, 1.0]), "b": np.array([1e-3, 10.0])}
    plots.value_ridges({"start": {"g = 1": layers}})
    (axes,) = plt.gcf().axes
    assert rows(axes) == ["a", "b"] and len(axes.lines) == 2 and "75 % zeros" in written(axes)


# --- Diagrams -------------------------------------------------------------------------------------


def test_the_paths_into_the_valley_are_those_of_pytorch():
    plots.descent_paths()
    sgd, adam = torch.optim.SGD, torch.optim.Adam
    ways = [(sgd, {"lr": 0.07}), (sgd, {"lr": 0.07, "momentum": 0.8}), (adam, {"lr": 0.6})]
    for (kind, settings), line in zip(ways, plt.gcf().axes[0].lines, strict=False):
        place = torch.tensor([-9.0, 1.6], dtype=torch.float64, requires_grad=True)
        optimizer, path = kind([place], **settings), [place.tolist()]
        for _ in range(25):
            optimizer.zero_grad()
            ((place**2 * torch.tensor([1.0, 25.0])).sum() / 2).backward()
            optimizer.step()
            path.append(place.tolist())
        assert np.allclose(np.transpose(line.get_data()), path, atol=1e-6)


def test_the_way_back_adds_up_as_many_products_as_pytorch():
    plots.strides_diagram()
    drawn = [int(one) for one in written(plt.gcf().axes[0]) if one.isdigit()]
    ones = torch.ones(1, 1, 2, 2), torch.ones(1, 1, 3, 3)
    counted = torch.nn.functional.conv_transpose2d(*ones, stride=2, output_padding=1)
    assert drawn == counted.int().flatten().tolist()


def test_the_gradients_of_the_small_network_are_those_of_pytorch():
    inputs, *weights = (torch.tensor(item, dtype=torch.float64) for item in SMALL_NETWORK)
    first, second = (item.requires_grad_() for item in weights)
    logits = second @ torch.relu(first @ inputs)
    torch.nn.functional.cross_entropy(logits[None], torch.tensor([0])).backward()
    plots.gradient_diagram(*SMALL_NETWORK, backward=True)
    numbers = {float(item.replace("−", "-")) for item in texts() if re.match(r"−?\d", item)}
    assert {*first.grad.flatten().tolist(), *second.grad.flatten().tolist()} <= numbers
    plots.gradient_diagram(*SMALL_NETWORK)
    assert "$L = -\\ln\\,p_1 = 0.69$" in texts()


def test_the_best_constants_are_the_mean_and_the_median():
    plots.best_constants([0.0, 0.1, 0.1, 0.2, 1.0])
    squared, best, absolute, middle, _ = plt.gcf().axes[0].lines
    for error, mark, answer in ((squared, best, 0.28), (absolute, middle, 0.1)):
        assert mark.get_xdata()[0] == pytest.approx(answer)
        assert error.get_xdata()[error.get_ydata().argmin()] == pytest.approx(answer, abs=0.006)


def test_each_point_is_joined_to_its_projection_on_the_line():
    points, centre, direction = np.array([[0, 0], [1, 0], [1, 1.0]]), [0.5, 0.5], [0.6, 0.8]
    plots.projection(points, centre, direction)
    segments = [line.get_xydata() for line in plt.gcf().axes[0].lines[: len(points)]]
    for point, (start, foot) in zip(points, segments, strict=True):
        assert start.tolist() == point.tolist()
        np.testing.assert_allclose((foot - point) @ direction, 0, atol=1e-12)
        offset = foot - centre
        np.testing.assert_allclose(offset, (offset @ direction) * np.array(direction), atol=1e-12)


def test_batch_norm_gives_one_number_as_many_outputs_as_minibatches_and_then_one():
    plots.batch_norm_diagram()
    norm, wanted = torch.nn.BatchNorm1d(1, eps=1e-12, affine=False), set()
    for batch in ([1.0, 2, 3, 6], [3.0, 5, 7, 9]):
        wanted.add(f"{norm(torch.tensor(batch)[:, None])[batch.index(3)].item():.2f}")
    norm.running_mean[:], norm.running_var[:] = 4.5, 4.25
    wanted.add(f"{norm.eval()(torch.tensor([[3.0]])).item():.2f}")
    assert len(wanted) == 3 and {number.replace("-", "−") for number in wanted} <= texts()
