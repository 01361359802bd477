"""The shared module of the Fashion-MNIST course companion.

Ground floor, what the course teaches; each module can be read alone: :mod:`~fmnist_utils.data`,
:mod:`~fmnist_utils.synthetic`, :mod:`~fmnist_utils.augmentation`, :mod:`~fmnist_utils.models`, :mod:`~fmnist_utils.training`,
:mod:`~fmnist_utils.optimizers`, :mod:`~fmnist_utils.evaluation`, :mod:`~fmnist_utils.plots`, :mod:`~fmnist_utils.text`.

First floor, the workshop. What makes a run repeatable: :mod:`~fmnist_utils.recipes`, :mod:`~fmnist_utils.checkpoints`,
:mod:`~fmnist_utils.runs`. What makes many: :mod:`~fmnist_utils.plans`, :mod:`~fmnist_utils.sweeps`,
:mod:`~fmnist_utils.search`. What audits the reports: :mod:`~fmnist_utils.reports`, :mod:`~fmnist_utils.yardsticks`,
:mod:`~fmnist_utils.audit`. What a reader calls: :mod:`~fmnist_utils.cli`, :mod:`~fmnist_utils.execution`,
:mod:`~fmnist_utils.doctor`. Nothing is imported here, so ``import fmnist_utils`` costs nothing.
"""

__version__ = "0.1.0"
