"""``fmnist doctor``: what is wrong with a set-up, and what to do about it.

PyTorch may be what is broken, so it is loaded in a process of its own, and its errors are read.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from fmnist_utils import settings
from fmnist_utils.text import get_language, say

MEGABYTES = 500  # the four files, and the checkpoints of runs side by side
LOAD_TORCH = """
import torch, {torchvision} fmnist_utils.data
from fmnist_utils.training import pick_device
from fmnist_utils.workshop.fast import emulates_bfloat16
print(emulates_bfloat16(pick_device()))
"""
ASK_MIRRORS = """
import json, requests
from fmnist_utils.workshop.download import PACKED_SHA256, mirrors, told_by_variables
def answers(mirror):
    try:
        address = mirror + next(iter(PACKED_SHA256))
        requests.head(address, timeout=5, allow_redirects=True).raise_for_status()
        return True
    except OSError:  # those of requests too
        return False
found = {mirror: answers(mirror) for mirror in mirrors()}
print(json.dumps({"answers": any(found.values()), "variable": told_by_variables(found)}))
"""
ASK_DATA = (
    "import json; from fmnist_utils.workshop.download import status; print(json.dumps(status()))"
)
LIST_KERNELS = """
import json
from jupyter_client.kernelspec import KernelSpecManager
print(json.dumps({"kernelspecs": KernelSpecManager().get_all_specs()}))
"""


class Finding(NamedTuple):
    """What was looked at, whether it is good, and in words what was found and what to do."""

    name: str
    good: bool
    text: str


def examine() -> list[Finding]:
    """Return a finding for each thing that has to be right, in a fixed order.

    It takes some seconds.
    """
    checks = (check_packages, check_torch, check_home, check_kernel, check_folders, check_data)
    with ThreadPoolExecutor() as pool:
        return [finding for found in pool.map(_safely, checks) for finding in found]


def _safely(check: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """Return the findings of ``check``; if it fails, its error is the finding."""
    try:
        return list(check())
    except Exception as error:
        name = check.__name__.removeprefix("check_")
        return [Finding(name, False, f"{type(error).__name__}: {error}")]


def check_packages() -> Iterator[Finding]:
    """Every package that this one needs is there, and new enough."""
    found = {}
    for needed in importlib.metadata.requires("fmnist-utils") or []:
        name, version = re.match(r"([\w.-]+)(?:>=([\d.]+))?", needed).groups()
        if "extra ==" in needed:
            continue
        found[name] = _version(name)
        values = {"name": name, "needed": version}
        if not found[name]:
            yield Finding("packages", False, say("doctor.no_package", **values))
        elif version and _numbers(found[name]) < _numbers(version):
            told = say("doctor.old_package", found=found[name], **values)
            yield Finding("packages", False, told)
    told = say("doctor.versions", python=sys.version.split()[0], torch=found.get("torch") or "–")
    yield Finding("python", True, told)


def check_torch() -> Iterator[Finding]:
    """PyTorch can be loaded, together with torchvision where that is installed."""
    versions = {name: _version(name) for name in ("torch", "torchvision")}
    torchvision = "torchvision," if versions["torchvision"] else ""
    loaded = _python(LOAD_TORCH.format(torchvision=torchvision))
    if loaded.returncode == 0:
        yield Finding("torch", True, say("doctor.torch_loads"))
        if loaded.stdout.split()[-1:] == ["True"]:
            yield Finding("bfloat16", True, say("doctor.slow_bfloat16"))
        return
    _, reason = _read_answer(loaded)
    mixed = re.search(r"torchvision(::|[/\\_.])|undefined symbol", loaded.stderr)
    if versions["torchvision"] and mixed:
        yield Finding("torch", False, say("doctor.mixed_builds", reason=reason, **versions))
    else:
        told = say("doctor.torch_broken", reason=reason, version=versions["torch"] or "–")
        yield Finding("torch", False, told)


def check_home() -> Iterator[Finding]:
    """The user has a folder, without which Jupyter does not start; that it has is not told."""
    try:
        settings.without_tilde("~")
    except settings.NoHome:
        yield Finding("home", False, say("doctor.no_home", folder=tempfile.gettempdir()))


def check_kernel() -> Iterator[Finding]:
    """Jupyter's kernel python3 is this Python's, and papermill is there to use it."""
    needed = ("papermill", "ipykernel", "jupyter-client")
    if missing := [name for name in needed if not _version(name)]:
        yield Finding("kernel", False, say("doctor.no_notebooks", missing=" ".join(missing)))
        return
    answer, reason = _ask(LIST_KERNELS)
    if answer is None:
        yield Finding("kernel", False, say("doctor.not_asked", reason=reason))
        return
    specs = answer["kernelspecs"]
    if "python3" not in specs:
        known = ", ".join(sorted(specs)) or "–"
        yield Finding("kernel", False, say("doctor.no_kernel", known=known))
        return
    program = specs["python3"]["spec"]["argv"][0]
    if os.path.isabs(program) and not _same_environment(program):
        yield Finding("kernel", False, say("doctor.foreign_kernel", program=program))
    else:
        yield Finding("kernel", True, say("doctor.kernel"))


def check_folders() -> Iterator[Finding]:
    """What is downloaded and trained can be written, there is room for it, and records are read."""
    results = settings.folder("FMNIST_RESULTS")
    if results and not results.is_dir():
        yield Finding("folder", False, say("doctor.no_results", folder=results))
    folders = {"FMNIST_CACHE": settings.cache_folder(), "FMNIST_RUNS": settings.runs_folder()}
    for variable, folder in folders.items():
        existing = next(path for path in (folder, *folder.parents) if path.exists())
        values = {"folder": str(folder), "variable": variable}
        try:
            if not existing.is_dir():
                raise NotADirectoryError(f"{existing}")
            with tempfile.TemporaryFile(dir=existing):
                pass
        except OSError as error:
            reason = error.strerror or say("doctor.not_a_folder", path=str(existing))
            yield Finding("folder", False, say("doctor.unwritable", reason=reason, **values))
            continue
        free = shutil.disk_usage(existing).free / 1e6
        if free < MEGABYTES:
            yield Finding(
                "disk", False, say("doctor.no_space", free=free, needed=MEGABYTES, **values)
            )
        else:
            yield Finding("folder", True, say("doctor.folder", free=free / 1000, **values))


def check_data() -> Iterator[Finding]:
    """The official files are here, or can be downloaded."""
    asked = _python(ASK_DATA)
    state, reason = _read_answer(asked)
    if state is None:
        told = say("doctor.data_unknown")  # PyTorch, told above
        if asked.returncode > 0 and "import torch" not in asked.stderr:
            told = re.sub(r"^fmnist_utils\.[\w.]+: ", "", reason)
        yield Finding("data", False, told)
        return
    bad = [name for name, good in state["good"].items() if not good]
    values = {"missing": len(bad), "folder": state["folder"]}
    if not bad:
        yield Finding("data", True, say("doctor.data", **values))
    elif settings.variable("FMNIST_DATA"):
        told = say("doctor.data_folder", files=", ".join(bad), way_out=state["way_out"])
        yield Finding("data", False, told)
    elif state["offline"]:
        yield Finding("network", False, say("doctor.offline", **values))
    else:
        yield _network(state["mirrors"], values)


def _network(mirrors: list[str], values: dict[str, Any]) -> Finding:
    """Return whether the missing files can be downloaded."""
    answer, reason = _ask(ASK_MIRRORS)
    if answer is None:
        return Finding("network", False, say("doctor.mirrors_not_asked", reason=reason, **values))
    if answer["answers"]:
        return Finding("data", True, say("doctor.data_to_fetch", **values))
    variable = answer["variable"].replace("\n", "\n    ")
    told = say("doctor.no_network", mirrors="\n    ".join(mirrors), variable=variable, **values)
    return Finding("network", False, told)


def _ask(code: str) -> tuple[Any, str]:
    """Return what a program prints as JSON, or None and the reason why it prints none."""
    return _read_answer(_python(code))


def _read_answer(asked: subprocess.CompletedProcess) -> tuple[Any, str]:
    try:
        return json.loads(asked.stdout.strip().splitlines()[-1]), ""
    except (ValueError, IndexError):
        killed = say("doctor.killed", code=asked.returncode)
        return None, (asked.stderr.strip().splitlines() or [killed])[-1]


def _python(code: str) -> subprocess.CompletedProcess:
    try:
        return subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            timeout=120,
            errors="replace",
            env=os.environ | {"FMNIST_LANG": get_language()},  # it answers in words
        )
    except subprocess.TimeoutExpired as error:
        return subprocess.CompletedProcess(error.cmd, -1, "", say("doctor.timeout", seconds=120))


def _same_environment(program: str) -> bool:
    return Path(program).parent.resolve() == Path(sys.executable).parent.resolve()


def _version(name: str) -> str:
    """Return the version of an installed package, or "" if it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _numbers(version: str) -> list[int]:
    """Return the leading numbers of a version, 2.10.1+cpu: [2, 10, 1]."""
    return [int(number) for number in re.findall(r"\d+", re.match(r"[\d.]*", version)[0])]
