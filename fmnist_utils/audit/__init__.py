"""The audit: what the reports published, the records of our runs, and the verdicts.

It reads and never trains. What a page needs is imported from here.
"""

from fmnist_utils.audit import text  # noqa: F401 (adds the texts of this floor)
from fmnist_utils.audit.cards import card
from fmnist_utils.audit.estimates import Estimate
from fmnist_utils.audit.formats import format_bound, format_estimate, format_p, format_value
from fmnist_utils.audit.measures import Measure
from fmnist_utils.audit.planted import planted_errors
from fmnist_utils.audit.schema import (
    Report,
    Store,
    find_group,
    load_across,
    load_pretrained,
    load_report,
    report_names,
    student_reports,
)
from fmnist_utils.audit.scrutiny import (
    chance,
    count_verdicts,
    coverage,
    orders,
    provenance,
    sensitivity,
    timing,
    witnesses,
)
from fmnist_utils.audit.search import variance_shares
from fmnist_utils.audit.tables import (
    Table,
    by_size,
    compare,
    cost_table,
    errors_table,
    spending,
    spread_table,
    summary,
    table,
    values,
)
from fmnist_utils.audit.verdicts import ACROSS, VERDICTS, Row, estimate, measured, rows

__all__ = [
    "ACROSS",
    "VERDICTS",
    "Estimate",
    "Measure",
    "Report",
    "Row",
    "Store",
    "Table",
    "by_size",
    "card",
    "chance",
    "compare",
    "cost_table",
    "count_verdicts",
    "coverage",
    "errors_table",
    "estimate",
    "find_group",
    "format_bound",
    "format_estimate",
    "format_p",
    "format_value",
    "load_across",
    "load_pretrained",
    "load_report",
    "measured",
    "orders",
    "planted_errors",
    "provenance",
    "report_names",
    "rows",
    "sensitivity",
    "spending",
    "spread_table",
    "student_reports",
    "summary",
    "table",
    "timing",
    "values",
    "variance_shares",
    "witnesses",
]
