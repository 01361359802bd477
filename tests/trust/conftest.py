"""What the cases of the scorecard share."""

import multiprocessing
import os
import shutil
import subprocess
import sys

import pytest

from fmnist_utils import data, runs


@pytest.fixture
def disk(tmp_path):
    """A function that gives a disk of so many MB, or changes it: ``disk(20)``, ``disk(64)``, ``disk(64, "ro")``."""
    path = tmp_path / "disk"

    def mount(megabytes: float, *options: str):
        path.mkdir(exist_ok=True)
        options = [*(["remount"] if path.is_mount() else []), f"size={int(megabytes * 1e6)}", *options]
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", path], capture_output=True)
        if done.returncode:
            pytest.skip("no right to mount")
        return path

    if sys.platform != "linux" or os.geteuid() or not shutil.which("mount"):
        pytest.skip("mounting a small disk needs Linux and its administrator")
    yield mount
    if path.is_mount():
        subprocess.run(["umount", "-l", path], check=True)


@pytest.fixture
def forks():
    """Processes that start in an instant: copies of one that has already imported the package."""
    if sys.platform == "win32":
        pytest.skip("starting so many processes takes minutes without fork")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["fmnist_utils.reports", "pytest"])
    return context


@pytest.fixture
def few_images(monkeypatch):
    """A stand-in of 600 + 200 images, drawn in no time; :mod:`small_runs` uses the same in processes of its own."""
    from small_runs import SHAPES

    forget = runs.load_splits.cache_clear
    monkeypatch.setattr(data, "SHAPES", SHAPES)
    forget()
    yield
    forget()
