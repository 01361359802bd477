"""R21. Devices that are not there, no name, no memory: a clear message; `auto` never fails."""

import pytest
import torch
from click.testing import CliRunner
from small_runs import make

from fmnist_utils.text import LANGUAGES, Failure, UserError, set_language
from fmnist_utils.training import pick_device
from fmnist_utils.workshop import engine, results
from fmnist_utils.workshop.cli import main
from fmnist_utils.workshop.engine import train
from fmnist_utils.workshop.store import RunStore


@pytest.fixture
def only_a_cpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", ["cuda", "cuda:7", "gpu", "mps"])
def test_what_is_not_there_is_refused_with_what_is(only_a_cpu, lang, name):
    set_language(lang)
    with pytest.raises(UserError, match=f"'{name}'.*: auto, cpu"):
        pick_device(name)
    shown = CliRunner().invoke(main, ["--lang", lang, "train", "01", "model_2", "--device", name])
    assert shown.exit_code == 2 and f"'{name}'" in shown.output and "auto, cpu" in shown.output


def test_auto_takes_what_there_is(only_a_cpu, monkeypatch):
    assert pick_device("auto") == torch.device("cpu")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert pick_device("auto") == torch.device("mps")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert pick_device("auto") == torch.device("cuda")
    assert pick_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(UserError, match="'cuda:7'.*: auto, cuda, cuda:0, cuda:1, mps, cpu"):
        pick_device("cuda:7")


SHORT = {  # how PyTorch says so; that of the CPU has no class of its own
    "cuda": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
    "cpu": RuntimeError(
        "[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried to allocate"
    ),
    "mps": RuntimeError(
        "MPS backend out of memory (MPS allocated: 8.00 GB). Tried to allocate 20.00 GB on private pool."
    ),
}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    ("where", "error"), [("fit", "cuda"), ("evaluate", "cuda"), ("fit", "cpu"), ("evaluate", "mps")]
)
def test_memory_that_does_not_suffice_is_one_message(tmp_path, monkeypatch, lang, where, error):
    def too_large(*arguments, **options):
        raise SHORT[error]

    set_language(lang)
    monkeypatch.setattr(engine if where == "fit" else results, where, too_large)
    with pytest.raises(Failure, match="cpu.*batch_size=50.*device='cpu'"):
        train(make(), store=RunStore(tmp_path))


def test_an_error_of_another_kind_is_not_taken_for_it(tmp_path, monkeypatch):
    def broken(*arguments, **options):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(engine, "fit", broken)
    with pytest.raises(RuntimeError, match="mat1"):
        train(make(), store=RunStore(tmp_path))


def test_the_cpu_really_says_so():
    with pytest.raises(RuntimeError, match="can't allocate memory|not enough memory"):
        torch.empty(2**55)
