"""R30. A broken set-up is named with the way out; the workflows can do no harm."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import time
from types import SimpleNamespace

import pytest
import yaml
from click.testing import CliRunner
from small_pages import ROOT, fmnist

from fmnist_utils.text import set_language
from fmnist_utils.workshop import doctor, download
from fmnist_utils.workshop.cli import main

GOOD = subprocess.CompletedProcess(
    [], 0, '{"kernelspecs": {"python3": {"spec": {"argv": ["python"]}}}}', ""
)


@pytest.fixture
def healthy(monkeypatch):
    """A set-up in which all is in order, whatever this machine has; PyTorch is not loaded to see."""
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: SimpleNamespace(free=10e9))
    state = {
        "folder": "here",
        "good": dict.fromkeys(download.PACKED_SHA256, True),
        "offline": False,
        "mirrors": list(download.MIRRORS),
        "way_out": "export FMNIST_DATA=",
    }

    def told(code: str) -> subprocess.CompletedProcess:
        return (
            subprocess.CompletedProcess([], 0, json.dumps(state), "")
            if code == doctor.ASK_DATA
            else GOOD
        )

    monkeypatch.setattr(doctor, "_python", told)
    for name in ("FMNIST_DATA", "REQUESTS_CA_BUNDLE", "http_proxy", "HTTP_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    return state


def failing(monkeypatch, sign: str, stderr: str):
    """Make the process whose code holds ``sign`` fail, with this on stderr."""
    failed, usual = subprocess.CompletedProcess([], 1, "", stderr), doctor._python
    monkeypatch.setattr(doctor, "_python", lambda code: failed if sign in code else usual(code))


def answering(monkeypatch, sign: str, answer):
    """Make the process whose code holds ``sign`` answer this."""
    told, usual = subprocess.CompletedProcess([], 0, json.dumps(answer), ""), doctor._python
    monkeypatch.setattr(doctor, "_python", lambda code: told if sign in code else usual(code))


def mixed_builds(monkeypatch, state, tmp_path):
    failing(
        monkeypatch,
        "import torch",
        "Traceback …\nRuntimeError: operator torchvision::nms does not exist\n",
    )


def no_space(monkeypatch, state, tmp_path):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: SimpleNamespace(free=12e6))


def unwritable(monkeypatch, state, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("FMNIST_CACHE", str(tmp_path / "file" / "cache"))


def no_network(monkeypatch, state, tmp_path):
    state["good"] = dict.fromkeys(download.PACKED_SHA256, False)
    answering(
        monkeypatch,
        "requests.head",
        {"answers": False, "variable": download.told_by_variables(download.MIRRORS)},
    )


def old_torch(monkeypatch, state, tmp_path):
    version = importlib.metadata.version
    monkeypatch.setattr(
        importlib.metadata,
        "version",
        lambda name: "2.3.1+cpu" if name == "torch" else version(name),
    )


def no_kernel(monkeypatch, state, tmp_path):
    answering(monkeypatch, "kernelspec", {"kernelspecs": {"ir": {}}})


def foreign_kernel(monkeypatch, state, tmp_path):
    spec = {"spec": {"argv": ["/elsewhere/bin/python3"]}}
    answering(monkeypatch, "kernelspec", {"kernelspecs": {"python3": spec}})


def kernels_not_asked(monkeypatch, state, tmp_path):
    reason = "OSError: [Errno 30] Read-only file system: '/export/ana/.local'"
    failing(monkeypatch, "kernelspec", reason)


def refusing_proxy(monkeypatch, state, tmp_path):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    no_network(monkeypatch, state, tmp_path)


def wrong_certificates(monkeypatch, state, tmp_path):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/root.pem")
    no_network(monkeypatch, state, tmp_path)


def incomplete_data(monkeypatch, state, tmp_path):
    monkeypatch.setenv("FMNIST_DATA", "somewhere")
    state["good"] = {name: "labels" in name for name in download.PACKED_SHA256}


def forbidden_download(monkeypatch, state, tmp_path):
    state["good"], state["offline"] = dict.fromkeys(download.PACKED_SHA256, False), True


def unclear_variable(monkeypatch, state, tmp_path):
    failing(monkeypatch, "import status", "fmnist_utils.text.UserError: FMNIST_OFFLINE: 'maybe' …")


def runs_in_a_file(monkeypatch, state, tmp_path):
    (tmp_path / "runs.txt").touch()
    monkeypatch.setenv("FMNIST_RUNS", str(tmp_path / "runs.txt"))


def no_papermill(monkeypatch, state, tmp_path):
    usual = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: name != "papermill" and usual(name))


def missing_package(monkeypatch, state, tmp_path):
    monkeypatch.setattr(
        importlib.metadata,
        "requires",
        lambda name: ["no-such-package>=1.0", 'x>=9; extra == "test"'],
    )


def lost_library(monkeypatch, state, tmp_path):
    reason = "ImportError: libcudart.so.12: cannot open shared object file"
    failing(monkeypatch, "import torch", reason)


# what is broken → what is said of it, and the way out
BROKEN = {
    mixed_builds: ({"es": "compilaciones distintas", "en": "different builds"}, "torchvision::nms", "--force-reinstall torch torchvision"),
    no_space: ({"es": "quedan 12 MB", "en": "12 MB are left"}, "500", "export FMNIST_CACHE="),
    unwritable: ({"es": "no se puede escribir", "en": "cannot be written"}, "file", "export FMNIST_CACHE="),
    no_network: ({"es": "ninguna de estas direcciones", "en": "none of these addresses"}, download.MIRRORS[0], "fmnist data fetch"),
    old_torch: ({"es": "demasiado viejo", "en": "too old"}, "torch 2.3.1+cpu", "pip install --upgrade 'torch>="),
    no_kernel: ({"es": "llamado python3", "en": "called python3"}, "ir", "ipykernel install --sys-prefix"),
    foreign_kernel: ({"es": "usa otro Python", "en": "uses another Python"}, "/elsewhere/bin/python3", "ipykernel install --sys-prefix"),
    kernels_not_asked: ({"es": "no se pudo preguntar", "en": "could not be asked"}, "Read-only file system", "jupyter kernelspec list"),
    refusing_proxy: ({"es": "la variable http_proxy", "en": "the variable http_proxy"}, "http://127.0.0.1:9", "export http_proxy="),
    wrong_certificates: ({"es": "la variable REQUESTS_CA_BUNDLE", "en": "the variable REQUESTS_CA_BUNDLE"}, "/nowhere/root.pem", "export REQUESTS_CA_BUNDLE="),
    incomplete_data: ({"es": "faltan o están dañados", "en": "missing or damaged"}, "t10k-images", "export FMNIST_DATA="),
    forbidden_download: ({"es": "impide bajarlos", "en": "forbids the download"}, "FMNIST_OFFLINE", "export FMNIST_OFFLINE="),
    unclear_variable: ({"es": "FMNIST_OFFLINE", "en": "FMNIST_OFFLINE"}, "'maybe'", "FMNIST_OFFLINE"),
    runs_in_a_file: ({"es": "no es una carpeta", "en": "is not a folder"}, "runs.txt", "export FMNIST_RUNS="),
    no_papermill: ({"es": "falta lo que ejecuta", "en": "is missing"}, "papermill", "pip install papermill"),
    missing_package: ({"es": "falta el paquete", "en": "is missing"}, "no-such-package", "pip install 'no-such-package>=1.0'"),
    lost_library: ({"es": "no se puede cargar", "en": "cannot be loaded"}, "libcudart.so.12", "pip install --force-reinstall torch"),
}  # fmt: skip


def test_a_good_set_up_is_well(healthy):
    well = CliRunner().invoke(main, ["doctor"])
    assert well.exit_code == 0, well.output


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_broken_set_ups_are_named(broken, lang, healthy, monkeypatch, tmp_path):
    set_language(lang)
    broken(monkeypatch, healthy, tmp_path)
    ill = CliRunner().invoke(main, ["doctor"])
    named, found, way_out = BROKEN[broken]
    assert ill.exit_code == 1 and "Traceback (" not in ill.output
    bad = "\n".join(re.findall(r"^(?:MAL|BAD) .*(?:\n    .*)*", ill.output, re.MULTILINE))
    assert named[lang] in bad and found in bad and way_out in bad
    assert "fmnist doctor" in ill.output.splitlines()[-1]


@pytest.mark.parametrize(("answer", "told"), [("True\n", True), ("False\n", False)])
def test_a_processor_that_imitates_bfloat16_is_told_and_is_no_ailment(
    answer, told, healthy, monkeypatch
):
    loads, usual = subprocess.CompletedProcess([], 0, answer, ""), doctor._python
    monkeypatch.setattr(
        doctor, "_python", lambda code: loads if "emulates_bfloat16" in code else usual(code)
    )
    found = CliRunner().invoke(main, ["--lang", "en", "doctor"])
    assert found.exit_code == 0 and ("has no instructions for bfloat16" in found.output) == told


def test_what_is_asked_of_another_process_is_answered(monkeypatch):
    """Those about the data are asked in R45; a mistake that is not PyTorch's is not blamed on it."""
    kernels = json.loads(doctor._python(doctor.LIST_KERNELS).stdout)["kernelspecs"]
    assert kernels["python3"]["spec"]["argv"]
    monkeypatch.setattr(doctor, "ASK_DATA", "raise OSError('the cache is on fire')")
    [finding] = doctor._safely(doctor.check_data)
    assert not finding.good and "the cache is on fire" in finding.text


@pytest.mark.racing
def test_it_does_not_fall_ill_itself(tmp_path):
    """With a PyTorch that cannot be imported it still speaks, and names it: in a real process."""
    for name in ("torch", "torchvision"):
        (tmp_path / "broken" / name).mkdir(parents=True)
    (tmp_path / "broken" / "torch" / "__init__.py").write_text(
        "raise ImportError('libtorch_cpu.so: undefined symbol: iJIT')"
    )
    path = os.pathsep.join([str(tmp_path / "broken"), str(ROOT)])
    started = time.monotonic()
    process = fmnist(
        "--lang",
        "en",
        "doctor",
        cwd=tmp_path,
        PYTHONPATH=path,
        FMNIST_CACHE=str(tmp_path / "cache"),
    )
    assert process.returncode == 1 and "Traceback" not in process.out + process.err
    assert "undefined symbol: iJIT" in process.out and "PyTorch has to load first" in process.out
    assert time.monotonic() - started < 60


@pytest.mark.nightly
def test_a_real_mixture_of_builds(tmp_path):
    """The real PyTorch beside a torchvision that asks it for an operator that it does not have."""
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(
        "import torch\ntorch.library.register_fake('torchvision::nms')(lambda *inputs: None)\n"
    )
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    process = fmnist("--lang", "en", "doctor", cwd=tmp_path, PYTHONPATH=path)
    assert process.returncode == 1
    assert "different builds" in process.out
    assert "torchvision::nms does not exist" in process.out


def test_a_command_that_is_not_there_is_no_crash(monkeypatch):
    monkeypatch.setattr(doctor, "check_kernel", lambda: (_ for _ in ()).throw(KeyError("x")))
    monkeypatch.setattr(doctor, "_python", lambda code: GOOD)
    findings = doctor._safely(doctor.check_kernel)
    assert [finding.good for finding in findings] == [False]


# --- Workflows --------------------------------------------------------------------------------------------------------

TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


def harm(workflow: dict) -> list[str]:
    """Return what in a workflow could do harm: a token that writes, actions that can be moved, commands of its own."""
    found, events = [], workflow[True]  # YAML reads the key `on` as true
    if workflow.get("permissions") != {"contents": "read"}:
        found.append("its token can write")
    if "pull_request_target" in events:
        found.append("pull_request_target")
    local = {".ci/run", ".ci/publish origin", *(f"make {target}" for target in TARGETS)}
    local.add("google-chrome --version")  # asks whether there is the browser of the site's tests
    without_make = r"python -m (pip install (--require-hashes|--no-deps) |pytest )[\w./:\" -]+"
    for name, job in workflow["jobs"].items():
        if job.get("permissions", {}) not in ({}, {"contents": "write"}) or (
            "permissions" in job and "pull_request" in events
        ):
            found.append(f"{name}: its token can write")
        for step in job["steps"]:
            if "uses" in step and not re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", step["uses"]):
                found.append(
                    f"{name}: {step['uses']} is not an action of GitHub's pinned by commit"
                )
            command = step.get("run", ".ci/run")
            if command not in local and not re.fullmatch(without_make, command):
                found.append(f"{name}: {command}")
    return found


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob(".github/workflows/*.yml")), ids=lambda path: path.stem
)
def test_workflows_can_do_no_harm(path):
    assert harm(yaml.safe_load(path.read_text())) == []


@pytest.mark.parametrize(
    "change",
    [
        {"permissions": {"contents": "write"}},
        {True: {"pull_request_target": None}},
        {"jobs": {"a": {"permissions": {"contents": "write"}, "steps": []}}},
        {"jobs": {"a": {"steps": [{"uses": "actions/checkout@v5"}]}}},
        {"jobs": {"a": {"steps": [{"uses": "someone/action@" + "0" * 40}]}}},
        {"jobs": {"a": {"steps": [{"run": "curl example.org | sh"}]}}},
        {"jobs": {"a": {"steps": [{"run": "python -m pip install requests"}]}}},
    ],
)
def test_harm_would_be_found(change):
    good = {
        True: {"pull_request": None},
        "permissions": {"contents": "read"},
        "jobs": {"a": {"steps": [{"run": ".ci/run"}]}},
    }
    assert harm(good) == [] and harm(good | change)


def test_the_environment_is_installed_from_hashes():
    assert "--require-hashes" in (ROOT / ".ci" / "make_env.py").read_text()
    assert (ROOT / "requirements.lock").read_text().count("--hash=sha256:") > 100
