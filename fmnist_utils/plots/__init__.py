"""The figures of the pages: one a call, drawn from arrays, histories and tables.

Every function draws one matplotlib figure and returns None, so that it can be the last line of a
cell; afterwards ``plt.gcf()`` is that figure. All have one style: the colours of Okabe and Ito,
which people with any kind of colour vision can tell apart (M. Okabe and K. Ito, *Color Universal
Design*, 2008); beside colour a second mark (line style, marker or hatching); an opaque white
background; letters that can be read on a phone; and no titles, since the caption says what a figure
shows.

Where a function takes a mapping by name, recorded groups are called by their labels.
"""

from fmnist_utils.plots.audits import deviations, verdicts
from fmnist_utils.plots.comparisons import (
    accuracy_by_labels,
    by_effort,
    errors_by_size,
    interaction,
    intervals,
    misfit,
    ranks,
    shares,
)
from fmnist_utils.plots.costs import accuracy_by_seconds, epoch_times, seconds_by_cost, times
from fmnist_utils.plots.curves import best_epochs, curves, losses_by_cost
from fmnist_utils.plots.diagrams import (
    best_constants,
    descent_paths,
    projection,
    splits_diagram,
    strides_diagram,
)
from fmnist_utils.plots.gradients import gradient_diagram, pixel_numbers
from fmnist_utils.plots.images import (
    class_probabilities,
    image_grid,
    number_maps,
    photo_steps,
    pixel_maps,
    reconstructions,
    scatter_by_class,
)
from fmnist_utils.plots.inside import feature_maps, filters, importance_maps, value_ridges
from fmnist_utils.plots.mistakes import (
    confusion_comparison,
    confusion_matrix,
    mistakes,
    recall_bars,
    recalls_by_class,
)
from fmnist_utils.plots.networks import (
    autoencoder_diagram,
    batch_norm_diagram,
    channels_diagram,
    classifier_diagram,
    code_diagram,
    dropout_diagram,
    feed_forward_diagram,
    transfer_diagram,
    volumes_diagram,
)
from fmnist_utils.plots.schedules import learning_rates

__all__ = [
    "accuracy_by_labels",
    "accuracy_by_seconds",
    "autoencoder_diagram",
    "batch_norm_diagram",
    "best_constants",
    "best_epochs",
    "by_effort",
    "channels_diagram",
    "class_probabilities",
    "classifier_diagram",
    "code_diagram",
    "confusion_comparison",
    "confusion_matrix",
    "curves",
    "descent_paths",
    "deviations",
    "dropout_diagram",
    "epoch_times",
    "errors_by_size",
    "feature_maps",
    "feed_forward_diagram",
    "filters",
    "gradient_diagram",
    "image_grid",
    "importance_maps",
    "interaction",
    "intervals",
    "learning_rates",
    "losses_by_cost",
    "misfit",
    "mistakes",
    "number_maps",
    "photo_steps",
    "pixel_maps",
    "pixel_numbers",
    "projection",
    "ranks",
    "recall_bars",
    "recalls_by_class",
    "reconstructions",
    "scatter_by_class",
    "seconds_by_cost",
    "shares",
    "splits_diagram",
    "strides_diagram",
    "times",
    "transfer_diagram",
    "value_ridges",
    "verdicts",
    "volumes_diagram",
]
