"""R18, a gate. Five malicious files in each place that is read: nothing of them runs."""

import ast
import contextlib
import gzip
import hashlib
import io
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
import torch
from mirrors import NAMES, fill
from small_runs import Killed, make, stop_after

from fmnist_utils import data
from fmnist_utils.audit.records import Record, digest
from fmnist_utils.data import DataError, load_arrays
from fmnist_utils.text import UserError
from fmnist_utils.workshop.engine import train
from fmnist_utils.workshop.store import RunStore

ROOT = Path(__file__).resolve().parents[2]
RECIPE = make()
UNFINISHED = ("checkpoint", "progress")  # what only a run that was stopped has
PLACES = ["data", "record", "panel", "weights", "checkpoint", "progress"]
KINDS = ["pickle", "state", "renamed", "chain", "bomb"]


class Evil:
    """Unpickled, it creates the file named by the variable CANARY."""

    def __reduce__(self):
        return os.system, (f'{sys.executable} -c \'import os; open(os.environ["CANARY"], "w")\'',)


def bomb() -> bytes:
    """Return a gzip file of 1 MB that unpacks to 1 GB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block * 1023


def malicious(kind: str) -> bytes:
    buffer = io.BytesIO()
    if kind == "pickle":
        return pickle.dumps(Evil())
    if kind == "state":
        torch.save({"model": {"weight": torch.zeros(2), "nested": [Evil()]}}, buffer)
    if kind == "renamed":
        torch.save({"state_dict": Evil()}, buffer, _use_new_zipfile_serialization=False)
    if kind == "chain":
        return b"cposix\nsystem\n(S'touch \"$CANARY\"'\ntR."
    return bomb() if kind == "bomb" else buffer.getvalue()


def declares_a_gigabyte(place: str) -> bytes:
    """Return what a file of that place looks like that says it is huge."""
    if place in ("record", "progress"):
        return b'{"entries": ' + b"[" * 1_000_000
    tensor = {"dtype": "F32", "shape": [2**28], "data_offsets": [0, 2**30]}
    header = json.dumps({"w": tensor}).encode()
    return len(header).to_bytes(8, "little") + header


def read(place: str, content: bytes, folder: Path) -> str:
    """Read ``content`` where it would be read, with right digests around it; return the outcome."""
    sha256 = hashlib.sha256(content).hexdigest()
    store = RunStore(folder)
    home = store.folder(RECIPE)
    try:
        if place == "data":
            fill(folder, dict.fromkeys(NAMES, content))
            os.environ["FMNIST_DATA"] = str(folder)
            for name, file in data.OFFICIAL_FILES.items():
                data.OFFICIAL_FILES[name] = file._replace(sha256=sha256)
            load_arrays("official")
        elif place in ("checkpoint", "progress"):
            path = home / ("progress.json" if place == "progress" else "epoch-2.safetensors")
            path.write_bytes(content)
            if place == "checkpoint":
                progress = json.loads((home / "progress.json").read_text())
                progress["entries"][-1]["sha256"] = sha256
                progress.pop("digest")
                progress["digest"] = digest(progress)
                (home / "progress.json").write_text(json.dumps(progress))
            train(RECIPE, store=store, progress=False)
        elif place == "record":
            (home / "record.json").write_bytes(content)
            store.find(RECIPE)
        else:
            record = Record.read(home / "record.json")
            record = record.model_copy(update={f"{place}_sha256": sha256}).sealed()
            (home / "record.json").write_text(record.to_json())
            (home / f"record.{place}.safetensors").write_bytes(content)
            run = store.find(RECIPE)
            run.panel if place == "panel" else run.model()
    except (DataError, UserError):
        return "refused"
    return "made anew" if place in UNFINISHED else "read"


def read_all(world: Path, results) -> None:
    """Read every malicious file in every place, in a process whose memory is then known."""
    import resource

    torch.set_num_threads(1)
    os.environ["CANARY"] = str(world / "canary")
    # What PyTorch itself takes at its first training.
    train(RECIPE, store=RunStore(world / "first"), progress=False)
    for place in PLACES:
        for kind in KINDS:
            huge = kind == "bomb" and place != "data"
            content = declares_a_gigabyte(place) if huge else malicious(kind)
            folder = world / f"{place}-{kind}"
            shutil.copytree(world / ("stopped" if place in UNFINISHED else "finished"), folder)
            before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
            how = read(place, content, folder)
            seconds = time.process_time() - start
            after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            results.put((place, kind, how, seconds, (after - before) / 1024))
    results.put(None)


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_nothing_in_a_file_is_ever_run(forks, tmp_path, monkeypatch):
    train(RECIPE, store=RunStore(tmp_path / "finished"))
    with monkeypatch.context() as patch:
        stop_after(patch, 2)
        with pytest.raises(Killed):
            train(RECIPE, store=RunStore(tmp_path / "stopped"))
    results = forks.Queue()
    process = forks.Process(target=read_all, args=(tmp_path, results))
    process.start()
    found = list(iter(lambda: results.get(timeout=300), None))
    process.join()
    assert len(found) == 30 and process.exitcode == 0
    for place, kind, how, seconds, megabytes in found:
        case = (place, kind, seconds, megabytes)
        assert how == ("made anew" if place in UNFINISHED else "refused"), case
        assert seconds < (1 if how == "refused" else 5) and megabytes < 200, case
    assert not (tmp_path / "canary").exists()


def test_the_files_are_malicious_indeed(tmp_path, monkeypatch):
    """Read by a program that unpickles, each of the four leaves its canary."""
    for kind in KINDS[:4]:
        canary = tmp_path / kind
        monkeypatch.setenv("CANARY", str(canary))
        content = malicious(kind)
        with contextlib.suppress(Exception):  # after the deed
            if kind in ("pickle", "chain"):
                pickle.loads(content)
            else:
                torch.load(io.BytesIO(content), weights_only=False)
        assert canary.exists(), kind
    assert len(bomb()) < 2e6 and len(gzip.GzipFile(fileobj=io.BytesIO(bomb())).read(2**22)) == 2**22


UNSAFE = {
    "pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal",
    "jsonpickle",
}  # fmt: skip
CALLS = {"torch.load", "np.load", "numpy.load", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "pd.read_pickle",
         "pandas.read_pickle", "torch.jit.load", "torch.hub.load"}  # fmt: skip


# These load numbers alone when they are told to, and only then.
SAFE = {"torch.load": ("weights_only", True), "np.load": ("allow_pickle", False)}


def unpicklers(source: str) -> list[str]:
    """Return what in ``source`` could run code that a file holds."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] in UNSAFE]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in UNSAFE:
            found.append(node.module)
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            given = {word.arg: getattr(word.value, "value", None) for word in node.keywords}
            safe = SAFE.get(called, ("", None))
            refuses = safe[0] in given and given[safe[0]] is safe[1]
            unsafe = called in CALLS or called in ("eval", "exec", "os.system")
            found += [called] if unsafe and not refuses else []
            for word in node.keywords:
                wanted = {"weights_only": True, "allow_pickle": False, "shell": False}.get(word.arg)
                if wanted is not None and getattr(word.value, "value", 1) is not wanted:
                    found.append(ast.unparse(word))
    return found


def sources():
    """Yield every program of the project but the tests: Python files and code of notebooks."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    asked = {"cwd": ROOT, "capture_output": True, "text": True, "check": True}
    for name in subprocess.run(["git", "ls-files"], **asked).stdout.splitlines():
        path = ROOT / name
        if path.suffix == ".py" and not name.startswith("tests/") and path.exists():
            yield name, path.read_text("utf-8")
        elif path.suffix == ".ipynb" and path.exists():
            cells = json.loads(path.read_text("utf-8"))["cells"]
            code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
            # IPython's own commands are no Python.
            yield name, re.sub(r"^(\s*)[%!].*", r"\1pass", code, flags=re.MULTILINE)


# An exercise runs the listings of report 4, which stand in its own cell, to show the error that
# each raises; page 00 shows what its own pickle does when it is read, and why nobody should.
ALLOWED = {
    "book/machinery/generated/training_data.py": ["exec"],  # the program that its panel shows
    # The functions handed in, in a process of their own.
    "fmnist_utils/workshop/answering.py": ["exec"],
    "notebooks/00_tensor_to_gradient.ipynb": ["pickle"],
    "notebooks/en/00_tensor_to_gradient.ipynb": ["pickle"],
    "notebooks/04_autoencoder_comparison.ipynb": ["exec"],
    "notebooks/en/04_autoencoder_comparison.ipynb": ["exec"],
}


def test_no_program_of_ours_unpickles():
    checked = dict(sources())
    assert "fmnist_utils/audit/records.py" in checked
    assert any(name.endswith(".ipynb") for name in checked)
    found = {name: unpicklers(source) for name, source in checked.items()}
    assert {name: parts for name, parts in found.items() if parts} == ALLOWED


@pytest.mark.parametrize(
    "line",
    [
        "import pickle", "from joblib import load", "torch.load(f)", "np.load(f, allow_pickle=True)", "yaml.load(f)",
        "np.load(f)", "torch.load(f, weights_only=safe)",
        "load(f, weights_only=False)", "exec(text)", "run(line, shell=True)",
    ],
)  # fmt: skip
def test_a_program_that_unpickles_is_found(line):
    assert unpicklers(line)
