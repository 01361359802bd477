"""R16. A disk too small for two checkpoints: the first stays whole; with more room, it goes on."""

import os

import pytest
from small_runs import DATA, as_options, checkpointed, command_line, make

from fmnist_utils.text import UserError
from fmnist_utils.workshop.engine import train
from fmnist_utils.workshop.files import write_atomically
from fmnist_utils.workshop.store import RunStore


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"before")

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left on device"):
        write_atomically(path, b"after")
    assert path.read_bytes() == b"before" and list(tmp_path.iterdir()) == [path]


@pytest.mark.nightly
def test_a_disk_too_small_for_the_second_checkpoint(forks, disk, tmp_path):
    from fmnist_utils.audit.schema import load_report

    changes = {
        "num_epochs": 3,
        "model.hidden_sizes": [600],
        **{f"data.{name}": value for name, value in DATA.items()},
    }
    recipe = load_report("01").recipe("model_2", "ours", 0).but(changes)
    whole = train(recipe, store=RunStore(tmp_path / "whole"))
    # Weights and Adam's moments.
    checkpoint = 3 * 4 * sum(parameter.numel() for parameter in whole.model().parameters()) / 1e6
    store, said = RunStore(disk(1.9 * checkpoint)), tmp_path / "said"
    command = ["train", "01", "model_2", "--threads", "1", *as_options(changes)]
    process = forks.Process(
        target=command_line, args=(command, {"FMNIST_RUNS": str(store.root)}, str(said))
    )
    process.start()
    process.join()
    assert process.exitcode == 2
    assert "No space left on device" in said.read_text()
    assert "FMNIST_RUNS" in said.read_text()
    assert "Traceback" not in said.read_text() and not list(store.folder(recipe).glob("*.part"))
    assert len(checkpointed(recipe, store)) == 1
    disk(5 * checkpoint)
    assert train(recipe, store=store).record.weights_sha256 == whole.record.weights_sha256


def test_a_disk_without_room_at_all_is_named(disk):
    (disk(0.1) / "rest").write_bytes(b"x" * 80_000)
    with pytest.raises(UserError, match="No space left on device.*FMNIST_RUNS"):
        train(make(), store=RunStore(disk(0.1)))
