"""The shared module of the Fashion-MNIST course companion.

Ground floor, what a page imports: :mod:`~fmnist_utils.data`, :mod:`~fmnist_utils.models`,
:mod:`~fmnist_utils.training`, :mod:`~fmnist_utils.evaluation`, :mod:`~fmnist_utils.augmentation`,
:mod:`~fmnist_utils.photos`, :mod:`~fmnist_utils.plots` and :mod:`~fmnist_utils.text`. Each can be
read alone.

Above it :mod:`~fmnist_utils.audit`, which reads reports and records and gives verdicts, and above
that :mod:`~fmnist_utils.workshop`, which makes runs. Nothing is imported here.
"""

__version__ = "0.2.0"
