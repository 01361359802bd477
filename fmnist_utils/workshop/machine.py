"""What machine this is: its cores, and what decides whether a run can be repeated bit by bit."""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

import fmnist_utils


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_jobs(device: torch.device) -> int:
    """Return how many runs to make side by side: one for each core, or one on another device."""
    return available_cores() if device.type == "cpu" else 1


def now() -> str:
    """Return the date and the time, UTC, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def describe_environment(device: torch.device) -> dict[str, str | int | None]:
    """Return what decides whether a run can be repeated bit by bit, and what made it."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    capabilities = cpu_capabilities()
    return {
        "fmnist_utils": fmnist_utils.__version__,
        "commit": _commit(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "system": platform.system(),
        "device": device.type,
        "device_name": name,
        # The vector instructions, which decide the order of sums.
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "cpu_name": str(capabilities.get("cpu_name", platform.processor())).replace("/", " "),
        "instruction_sets": " ".join(name for name in INSTRUCTION_SETS if capabilities.get(name)),
        "onednn": onednn_instruction_set(),
        "threads": torch.get_num_threads(),
    }


# Those that change which kernels multiply, and with them the last bits of a run in bfloat16.
INSTRUCTION_SETS = (
    "avx2",
    "avx512_f",
    "avx512_vnni",
    "avx512_bf16",
    "avx512_fp16",
    "amx_tile",
    "amx_bf16",
    "avx10_2",
)


def cpu_capabilities() -> dict[str, object]:
    """Return what PyTorch says of the processor (``cpu_name``, ``avx512_bf16``, …), if anything."""
    try:
        return dict(torch.cpu.get_capabilities())
    except (AttributeError, RuntimeError):
        return {}


@functools.cache
def onednn_instruction_set() -> str | None:
    """Return the instruction set of oneDNN, which multiplies for PyTorch; None if it is unknown.

    oneDNN names it in the log of its first operation, on the standard output of the process, which
    is a file for that long.
    """
    image, kernel = torch.ones(1, 16, 8, 8), torch.ones(16, 16, 3, 3)
    try:
        with tempfile.TemporaryFile() as log:
            sys.stdout.flush()
            screen = os.dup(1)
            os.dup2(log.fileno(), 1)
            try:
                with torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON):
                    torch.nn.functional.conv2d(image.bfloat16(), kernel.bfloat16())
                ctypes.CDLL(None).fflush(None)
            finally:
                os.dup2(screen, 1)
                os.close(screen)
            log.seek(0)
            found = re.search(r"cpu,isa:([^\n]+)", log.read().decode(errors="replace"))
    except (OSError, AttributeError, RuntimeError, TypeError):
        return None
    return found[1].strip().replace("/", " ") if found else None


@functools.cache
def _commit() -> str | None:
    """Return the commit of this checkout, with ``+`` if the package differs from it, or None."""
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        changes = _git("status", "--porcelain", "--", ".")
    except (OSError, subprocess.SubprocessError):
        return None
    return commit + ("+" if changes else "")


def _git(*arguments: str) -> str:
    """Return what Git says of the folder of the package."""
    command = ["git", "-C", str(Path(fmnist_utils.__file__).parent), *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    return finished.stdout.strip()
