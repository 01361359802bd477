"""What the cases of the scorecard share."""

import os
import shutil
import subprocess
import sys

import pytest


@pytest.fixture
def disk(tmp_path):
    """A function that gives a disk of so many MB, or changes it: ``disk(64, "ro")``."""
    path = tmp_path / "disk"

    def mount(megabytes: float, *options: str):
        path.mkdir(exist_ok=True)
        options = [
            *(["remount"] if path.is_mount() else []),
            f"size={int(megabytes * 1e6)}",
            *options,
        ]
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", path], capture_output=True
        )
        if done.returncode:
            pytest.skip("no right to mount")
        return path

    if sys.platform != "linux" or os.geteuid() or not shutil.which("mount"):
        pytest.skip("mounting a small disk needs Linux and its administrator")
    yield mount
    if path.is_mount():
        subprocess.run(["umount", "-l", path], check=True)
