"""The audit: what the reports published, the records of our runs, and the verdicts.

It reads and never trains. What a page needs is imported from here.
"""

from fmnist_utils.audit import text  # noqa: F401 (adds the texts of this floor)
from fmnist_utils.audit.schema import (
    Report,
    find_group,
    load_across,
    load_pretrained,
    load_report,
    report_names,
    student_reports,
)
from fmnist_utils.audit.search import variance_shares
from fmnist_utils.audit.verdicts import *  # noqa: F403

__all__ = [
    "Report",
    "find_group",
    "load_across",
    "load_pretrained",
    "load_report",
    "report_names",
    "student_reports",
    "variance_shares",
]
