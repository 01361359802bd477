"""How many seconds something may take that a test waits for."""

import os

SLACK = 60  # seconds: the machine may be busy with other things


def at_most(promised: float, slack: float = SLACK) -> float:
    """Return the seconds that are promised: as they are for the scorecard, else with slack."""
    return promised if os.environ.get("SCORECARD") else promised + slack
