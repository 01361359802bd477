"""What machine this is: its cores, and what decides whether a run can be repeated bit by bit."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

import fmnist_utils


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_jobs(device: torch.device) -> int:
    """Return how many runs go on side by side where nobody says: one for each core on the CPU, one on another device."""
    return available_cores() if device.type == "cpu" else 1


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def describe_environment(device: torch.device) -> dict[str, str | int | None]:
    """Return what decides whether a run can be repeated bit by bit, and what made it."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    return {
        "fmnist_utils": fmnist_utils.__version__,
        "commit": _commit(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "system": platform.system(),
        "device": device.type,
        "device_name": name,
        "cpu": torch.backends.cpu.get_cpu_capability(),  # the vector instructions, which decide the order of sums
        "threads": torch.get_num_threads(),
    }


@functools.cache
def _commit() -> str | None:
    """Return the commit of this checkout, with ``+`` if the package differs from it; None outside a checkout."""
    here = Path(fmnist_utils.__file__).parent
    try:
        git = functools.partial(
            subprocess.run, cwd=here, capture_output=True, text=True, check=True, timeout=10
        )
        commit = git(["git", "rev-parse", "--short=12", "HEAD"]).stdout.strip()
        return commit + (
            "+" if git(["git", "status", "--porcelain", "--", "."]).stdout.strip() else ""
        )
    except (OSError, subprocess.SubprocessError):
        return None
