"""R17. Five faults in five places of a run: 25 of 25 are seen, and each ends bit by bit alike."""

import hashlib
import io
import json
import shutil

import pytest
import safetensors.torch
import torch
from small_runs import Killed, make, stop_after

from fmnist_utils.audit.records import digest
from fmnist_utils.text import UserError
from fmnist_utils.workshop.engine import train
from fmnist_utils.workshop.store import RunStore

RECIPE = make(select="best")
OTHER = make(select="best", model={"name": "ff_classifier", "hidden_sizes": [9]})
FAULTS = ["truncated", "one bit", "wrong shape", "other model", "other version"]
PLACES = ["newest epoch", "both epochs", "best epoch", "progress", "weights"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Where the run and one of another network are: as they ended, and stopped after 3 epochs."""
    root = tmp_path_factory.mktemp("made")
    for recipe, name in ((RECIPE, "run"), (OTHER, "other")):
        train(recipe, store=RunStore(root / f"{name}-whole"), threads=1)
        with pytest.MonkeyPatch.context() as patch:
            stop_after(patch, 3)
            with pytest.raises(Killed):
                train(recipe, store=RunStore(root / f"{name}-stopped"), threads=1)
    return root


def spoil(path, fault: str, of_other) -> None:
    content = bytearray(path.read_bytes())
    if fault == "truncated":
        content = content[: len(content) // 2]
    elif fault == "one bit":
        content[-len(content) // 3] ^= 1
    elif fault == "other model":
        content = of_other.read_bytes()
    elif path.suffix == ".json":
        progress = json.loads(content)
        if fault == "wrong shape":
            progress["entries"] = {"shape": [1, 2]}
        else:
            progress["format"] = 99
            progress |= {
                "digest": digest(
                    {name: value for name, value in progress.items() if name != "digest"}
                )
            }
        content = json.dumps(progress).encode()
    elif fault == "other version":
        torch.save({"model": {}}, buffer := io.BytesIO())
        content = buffer.getvalue()
    else:
        tensors = {name: torch.zeros(3, 3) for name in safetensors.torch.load(bytes(content))}
        content = safetensors.torch.save(tensors)
    path.write_bytes(content)


def sign_anew(folder) -> None:
    """Write the digests of the files as they are now: damaged before, or by design."""
    progress = json.loads((folder / "progress.json").read_text())
    for entry in progress["entries"]:
        for part in (entry, entry["best"]):
            part["sha256"] = hashlib.sha256((folder / part["file"]).read_bytes()).hexdigest()
    progress.pop("digest")
    (folder / "progress.json").write_text(json.dumps(progress | {"digest": digest(progress)}))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("place", PLACES)
def test_damage_is_refused_and_the_run_ends_as_if_there_were_none(tmp_path, made, place, fault):
    how = "whole" if place == "weights" else "stopped"
    store = RunStore(shutil.copytree(made / f"run-{how}", tmp_path / "damaged"))
    whole, other = RunStore(made / "run-whole").find(RECIPE), RunStore(made / f"other-{how}")
    if place == "weights":
        run = store.find(RECIPE)
        spoil(run._weights, fault, other.find(OTHER)._weights)
        with pytest.raises(UserError, match="damaged.*give the same command again"):
            run.model()
        return
    folder, strangers = store.folder(RECIPE), other.folder(OTHER)
    best = max(folder.glob("best-*")).name
    best_of_other = max(strangers.glob("best-*")).name
    names = {
        "newest epoch": {"epoch-3.safetensors": "epoch-3.safetensors"},
        "both epochs": {f"epoch-{k}.safetensors": f"epoch-{k}.safetensors" for k in (2, 3)},
        "best epoch": {best: best_of_other},
        "progress": {"progress.json": "progress.json"},
    }[place]
    for name, of_other in names.items():
        spoil(folder / name, fault, strangers / of_other)
    if fault in ("wrong shape", "other model", "other version") and place != "progress":
        sign_anew(folder)  # a right digest does not help
    assert train(RECIPE, store=store).record.weights_sha256 == whole.record.weights_sha256


@pytest.mark.parametrize(
    "content", [b"{ not json", b"[]", b"{}", b"null", b'{"digest": 1}', b"[" * 100_000, b"\xff\xfe"]
)
def test_a_broken_progress_file_means_starting_anew(tmp_path, made, content):
    store = RunStore(tmp_path / "a")
    store.folder(RECIPE).mkdir(parents=True)
    (store.folder(RECIPE) / "progress.json").write_bytes(content)
    whole = RunStore(made / "run-whole").find(RECIPE)
    assert train(RECIPE, store=store).record.weights_sha256 == whole.record.weights_sha256
