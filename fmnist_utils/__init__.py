"""The shared module of the Fashion-MNIST course companion.

Ground floor, what the course teaches; each module can be read alone: :mod:`~fmnist_utils.data`,
:mod:`~fmnist_utils.models`, :mod:`~fmnist_utils.training`, :mod:`~fmnist_utils.evaluation`, :mod:`~fmnist_utils.plots`,
:mod:`~fmnist_utils.text`. First floor, the workshop that makes runs repeatable and audits the reports:
:mod:`~fmnist_utils.recipes`, :mod:`~fmnist_utils.runs`, :mod:`~fmnist_utils.reports`, :mod:`~fmnist_utils.audit`,
:mod:`~fmnist_utils.cli`. Nothing is imported here, so ``import fmnist_utils`` costs nothing.
"""

__version__ = "0.1.0"
