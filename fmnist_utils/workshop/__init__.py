"""The workshop: what makes runs, and the command line.

Only the texts of this floor are imported here, so that the command line starts at once.
"""

from fmnist_utils.workshop import text  # noqa: F401
