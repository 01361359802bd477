"""The figures of the pages: one a call, drawn from arrays, histories and tables, never from a model.

Every function draws one matplotlib figure and returns None, so that it can be the last line of a cell; afterwards
``plt.gcf()`` is that figure. One style for all: the colours of Okabe and Ito, which people with any kind of colour
vision can tell apart (M. Okabe and K. Ito, *Color Universal Design*, 2008), a second mark beside colour (line style,
marker or hatching), an opaque white background, letters that can be read on a phone, and no titles: what a figure
shows is said in its caption.
"""

from fmnist_utils.plots.comparisons import (
    accuracy_by_labels,
    accuracy_by_seconds,
    best_epochs,
    epoch_times,
    errors_by_size,
    intervals,
    misfit,
    ranks,
    seconds_by_cost,
    times,
)
from fmnist_utils.plots.curves import curves, losses_by_cost
from fmnist_utils.plots.diagrams import (
    autoencoder_diagram,
    batch_norm_diagram,
    best_constants,
    classifier_diagram,
    descent_paths,
    dropout_diagram,
    feed_forward_diagram,
    projection,
    splits_diagram,
    strides_diagram,
    transfer_diagram,
    volumes_diagram,
)
from fmnist_utils.plots.images import (
    by_effort,
    class_probabilities,
    image_grid,
    number_maps,
    pixel_maps,
    reconstructions,
    scatter_by_class,
    shares,
)
from fmnist_utils.plots.mistakes import (
    confusion_comparison,
    confusion_matrix,
    mistakes,
    recall_bars,
    recalls_by_class,
    verdicts,
)

__all__ = [
    "accuracy_by_labels",
    "accuracy_by_seconds",
    "best_epochs",
    "epoch_times",
    "errors_by_size",
    "intervals",
    "misfit",
    "ranks",
    "seconds_by_cost",
    "times",
    "curves",
    "losses_by_cost",
    "autoencoder_diagram",
    "batch_norm_diagram",
    "best_constants",
    "classifier_diagram",
    "descent_paths",
    "dropout_diagram",
    "feed_forward_diagram",
    "projection",
    "splits_diagram",
    "strides_diagram",
    "transfer_diagram",
    "volumes_diagram",
    "by_effort",
    "class_probabilities",
    "image_grid",
    "number_maps",
    "pixel_maps",
    "reconstructions",
    "scatter_by_class",
    "shares",
    "confusion_comparison",
    "confusion_matrix",
    "mistakes",
    "recall_bars",
    "recalls_by_class",
    "verdicts",
]
