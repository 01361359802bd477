"""No document promises a command that does not work.

In `make test`, what a document names has to exist: targets of make, commands and options of fmnist,
modules, files, parameters of pages. At night the commands of the documents for users run in a fresh
clone, the long ones with the small budget that they offer.
"""

import ast
import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
import requests

from fmnist_utils.workshop.cli import main
from fmnist_utils.workshop.download import MIRRORS

ROOT = Path(__file__).resolve().parents[1]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE))
NAMES = ["README.md", "CONTRIBUTING.md", "book/README.md"]
DOCUMENTS = [ROOT / name for name in NAMES] + sorted(ROOT.glob("book/e[ns]/*.md"))


def shell_lines(markdown: str) -> list[str]:
    """Return the commands in the fenced blocks of a document, each as one line, without comments.

    A loop is one command. A block that begins with `#!` is a file to be saved, and no command.
    """
    lines = []
    for block in re.findall(r"^```(?:sh|bash)\n(.*?)^```", markdown, re.MULTILINE | re.DOTALL):
        if not block.startswith("#!"):
            block = re.sub(r"\\\n\s*", "", re.sub(r"(^|\s)#.*", "", block))
            block = re.sub(
                r"^for .*?^done",
                lambda loop: loop[0].replace("\n", ";"),
                block,
                flags=re.MULTILINE | re.DOTALL,
            )
            lines += [line.strip() for line in block.splitlines() if line.strip()]
    return lines


def commands(markdown: str) -> list[list[str]]:
    """Return what a document tells to type, in blocks and within the text, in words."""
    lines = shell_lines(markdown)
    lines += [code.replace(r"\|", "|") for code in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", markdown)]
    found = []
    for line in lines:
        try:
            words = shlex.split(line)
        except ValueError:  # prose between quotes that do not close
            continue
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):  # FMNIST_LANG=en fmnist …
            words.pop(0)
        if words:
            found.append([Path(words[0]).name, *words[1:]])
    return found


def unknown_to_fmnist(words: list[str]) -> list[str]:
    """Return the commands and options among ``words`` that `fmnist` does not have."""
    command, unknown = main, []
    for word in words:
        options = {name for parameter in command.params for name in parameter.opts} | {"--help"}
        if word.startswith("--") and word not in options:
            unknown.append(word)
        elif isinstance(command, click.Group) and re.fullmatch("[a-z]+", word):
            if word in command.commands:
                command = command.commands[word]
            elif word not in ("es", "en"):  # the value of --lang
                unknown.append(word)
    return unknown


def unknown(words: list[str]) -> list[str]:
    """Return what of one command does not exist."""
    name, *rest = words
    if name == "make":
        targets = [word for word in rest if "=" not in word and not word.startswith("-")]
        return [word for word in targets if word not in TARGETS]
    if name == "fmnist":
        return unknown_to_fmnist(rest)
    if name.startswith("python") and rest[:1] == ["-m"]:
        known = importlib.util.find_spec(rest[1])
        return [] if known else [rest[1]]
    if name.startswith("python") and rest and rest[0].endswith(".py"):
        return [] if (ROOT / rest[0]).exists() else [rest[0]]
    if name == "papermill" and rest and rest[0].startswith("notebooks/"):
        return unknown_parameters(ROOT / rest[0], rest)
    return []


def unknown_parameters(path: Path, words: list[str]) -> list[str]:
    if not path.exists():
        return [path.name]
    cells = json.loads(path.read_text("utf-8"))["cells"]
    [cell] = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", [])]
    statements = ast.parse("".join(cell["source"])).body
    known = {target.id for node in statements for target in getattr(node, "targets", [])}
    given = [words[place + 1] for place, word in enumerate(words) if word == "-p"]
    return [name for name in given if name not in known]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_names_exists(path):
    found = {" ".join(words): unknown(words) for words in commands(path.read_text("utf-8"))}
    assert not {command: names for command, names in found.items() if names}


@pytest.mark.parametrize(
    "code",
    [
        "make books",
        "fmnist sweeps plan.yaml",
        "fmnist sweep plan.yaml --engine dask",
        "FMNIST_LANG=en .venv/bin/fmnist data statuses",
        "python -m book.machinery.nothing",
        "python benchmarks/nothing.py",
        "papermill notebooks/01_ff_classifier.ipynb out.ipynb -p num_epoch 2",
    ],
)
def test_what_does_not_exist_is_found(code):
    for markdown in (f"Type `{code}`.", f"```sh\n{code}    # a comment\n```\n"):
        [words] = commands(markdown)
        assert len(unknown(words)) == 1


def test_every_target_is_phony_and_explained():
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[1].split()
    assert set(phony) == TARGETS == set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert all(f"make {target} " in shown for target in TARGETS)


# --- At night: run them ---------------------------------------------------------------------------

# Documents whose commands are run, in blocks and within the text, and each target of make.
TRIED = [ROOT / name for name in NAMES]
TRIED += [
    path for name in ("how_to_run", "teaching") for path in ROOT.glob(f"book/e[ns]/{name}.md")
]
# Named within a text, without what they need to do something.
MENTIONED = {
    "make",
    "fmnist",
    "fmnist run",
    "fmnist check",
    "fmnist sweep",
    "fmnist sweep --scheduler",
}
# Not run, by how they begin, and why.
SKIPPED = {
    "git clone": "the tests stand in a clone",
    "cd fmnist-companion": "the same",
    "pip install": "test_an_installed_package.py installs a wheel",
    "for computer in": "needs a room of computers; test_many.py has a cluster",
    ".venv/bin/dask scheduler": "the same",
    "fmnist sweep plan.yaml --scheduler": "the same",
    "docker run": "needs Docker and an image of a course",
    "python3 -m http.server": "does not end",
    "make env": "test_make_env.py, and continuous integration",
    "make lock": "asks the registry of packages",
    "make canary": "the same; test_canary.py has its comparison, and the nightly workflow runs it",
    "make lint": "test_lint.py runs the same",
    "make reproduce": "may take days; fmnist reproduce --dry-run is tried",
}
# Run with less to do: the words that are added, by how the command begins.
SMALLER = {
    "make test-nightly": "PYTEST_ARGS=tests/trust/test_fuzz.py",
    "make test": "PYTEST_ARGS=tests/test_text.py",
    "make soak": "RUNS=1 REPEATS=2 PYTEST_ARGS=tests/test_make_env.py",
    "make scorecard": "CASES=R22",
    "make bench": "BENCH_ARGS=--quick",
    "make lab": "LAB='--no-open copies'",
    "fmnist lab": "--no-open copies",
    "make notebooks": "CHECK=--check",
    "fmnist reproduce": "--dry-run",
    "fmnist sweep": "--dry-run",
}


def within_text(markdown: str) -> list[str]:
    """Return the commands of ours in the text: what is in brackets may be typed, NN is a page."""
    text = re.sub(r"^```.*?^```", "", markdown, flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"`((?:make|fmnist|python -m|papermill)(?: [^`\n]+)?)`", text)
    lines = [re.sub(r"\bNN\b", "01", re.sub(r"[\[\]]", "", line)) for line in found]
    return [line for line in lines if line not in MENTIONED]


def tried_commands() -> list[str]:
    """Return the documents' commands and the targets of make, each once, `make clean` last."""
    texts = [path.read_text("utf-8") for path in TRIED]
    lines = [line for text in texts for line in shell_lines(text) + within_text(text)]
    lines += [f"make {target}" for target in sorted(TARGETS)]
    last = "make clean"
    return [*dict.fromkeys(line for line in lines if line != last), last]


def bare(line: str) -> str:
    """Return a command without its variables and the folder of its program."""
    return re.sub(r"^(?:[A-Z_]+=\S+ )*", "", line).replace(".venv/bin/", "")


def run_as(line: str) -> str | None:
    """Return the command as it is tried, or None if it is skipped."""
    if any(line.startswith(start) for start in SKIPPED):
        return None
    for start, more in SMALLER.items():
        if re.match(rf"{re.escape(start)}(?!\S)", re.sub(r" --lang \w+", "", bare(line))):
            return line if more in line else f"{line} {more}"
    return line


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A fresh clone with the environment of the tests, in which the clone's package goes first."""
    folder = tmp_path_factory.mktemp("fresh") / "clone"
    subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
    (folder / ".venv").symlink_to(sys.prefix)
    plan = re.search(
        r"```yaml\n(.*?)```", (ROOT / "book/en/how_to_run.md").read_text("utf-8"), re.DOTALL
    )
    (folder / "plan.yaml").write_text(plan[1], "utf-8")
    (folder / "hand_ins").mkdir()
    shutil.copyfile(folder / "notebooks/00_tensor_to_gradient.ipynb", folder / "hand_ins/ana.ipynb")
    return folder


def is_reached(mirror: str) -> bool:
    try:
        return requests.head(mirror, timeout=10).status_code < 500
    except requests.RequestException:
        return False


@pytest.mark.nightly
@pytest.mark.parametrize("line", [line for line in tried_commands() if run_as(line)])
def test_a_documented_command_works(line, clone):
    if "data fetch" in line and not any(map(is_reached, MIRRORS)):
        pytest.skip("no network: the servers of the data are out of reach")
    variables = {
        "PYTHON": "true",  # make env has nothing to do
        "PYTHONPATH": str(clone),
        "PATH": f"{clone}/.venv/bin:{os.environ['PATH']}",
        "HOME": str(clone.parent),
    }
    if "FMNIST_DATA" not in os.environ:
        variables["FMNIST_CACHE"] = str(clone.parent / "cache")
    finished = subprocess.run(
        ["bash", "-ec", run_as(line)],
        cwd=clone,
        env=os.environ | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=7200,
    )
    said = finished.stdout[-3000:] + finished.stderr[-3000:]
    assert finished.returncode == 0, said


def test_what_is_skipped_or_made_smaller_is_still_documented():
    lines = tried_commands()
    for start in SKIPPED:
        assert any(line.startswith(start) for line in lines), start
    for start in SMALLER:
        assert any(bare(line).startswith(start) for line in lines), start
