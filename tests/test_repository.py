"""What holds the repository together: imports, the lock, the public address, workflows."""

import ast
import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from fmnist_utils.workshop.lab import page_notebooks

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "fmnist_utils"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MAKEFILE = (ROOT / "Makefile").read_text()
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]  # those that are promised, everywhere


def load_file(path: Path):
    """Return the Python file at ``path`` as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- Imports --------------------------------------------------------------------------------------
# What may import what is a contract of import-linter, in pyproject.toml; test_lint.py checks it.

IMPORT_NAMES = {"pyyaml": "yaml", "scikit-learn": "sklearn", "pillow": "PIL"}


def test_importing_the_package_is_free():
    heavy = "{'torch', 'numpy', 'pandas', 'matplotlib'}"
    code = f"import sys, fmnist_utils; print(sorted({heavy} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


def imported(path: Path) -> set[str]:
    """Return the top-level names of what a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


def test_everything_imported_is_declared():
    """The workshop may import what an extra brings; the floors below, besides, only Optuna."""
    project = PROJECT["project"]
    extras = project["optional-dependencies"]
    all_extras = [item for items in extras.values() for item in items]
    for path in PACKAGE.rglob("*.py"):
        optional = all_extras if "workshop" in path.parts else extras["search"]
        wanted = project["dependencies"] + optional
        names = {canonicalize_name(Requirement(item).name) for item in wanted}
        declared = {IMPORT_NAMES.get(name, name) for name in names} | {"fmnist_utils"}
        assert imported(path) - sys.stdlib_module_names <= declared, path.name


# --- The environment ------------------------------------------------------------------------------


LOCKS = ["requirements.lock", "benchmarks/requirements.lock"]


def locked(name: str = "requirements.lock") -> dict[str, list[tuple[Requirement, int]]]:
    """Return what a lock holds, by name: each requirement and how many hashes it has."""
    lines = (ROOT / name).read_text().splitlines()
    lines = [line for line in lines if not line.lstrip().startswith("#")]
    entries: dict[str, list[tuple[Requirement, int]]] = {}
    for entry in re.split(r"\n(?=\S)", "\n".join(lines)):
        requirement, *hashes = re.split(r"\s*\\\n\s*", entry.strip())
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", item) for item in hashes), entry
        parsed = Requirement(requirement)
        entries.setdefault(canonicalize_name(parsed.name), []).append((parsed, len(hashes)))
    return entries


def unlocked_extras() -> set[str]:
    """Return the extras that ``dev``, and with it the lock, does not contain."""
    extras = PROJECT["project"]["optional-dependencies"]
    inside, more = set(), {"dev"}
    while more:
        inside |= more
        named = (Requirement(item) for extra in more for item in extras[extra])
        ours = [item.extras for item in named if item.name == "fmnist-utils"]
        more = set().union(*ours) - inside
    return extras.keys() - inside


def declared(name: str) -> Iterator[Requirement]:
    """Yield the requirements that a lock answers to; the extra ``bench`` has one of its own."""
    extras = PROJECT["project"]["optional-dependencies"]
    chosen = {"bench"} if name.startswith("benchmarks") else extras.keys() - unlocked_extras()
    more = [item for extra in chosen for item in extras[extra]]
    for item in map(Requirement, PROJECT["project"]["dependencies"] + more):
        if item.name != "fmnist-utils":
            yield item


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_is_exact_and_hashed(name):
    for requirements in locked(name).values():
        for requirement, hashes in requirements:
            assert [specifier.operator for specifier in requirement.specifier] == ["=="], (
                requirement
            )
            assert hashes, f"{requirement} has no hash"


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_covers_what_the_package_asks_for(name, python, platform):
    entries = locked(name)
    machine = {"python_full_version": f"{python}.1", "python_version": python}
    machine["sys_platform"] = platform
    for wanted in declared(name):
        locked_items = (item for item, _ in entries.get(canonicalize_name(wanted.name), []))
        found = [item for item in locked_items if applies(item.marker, machine)]
        assert len(found) == 1, f"{wanted.name}: {found}"
        [version] = found[0].specifier
        assert wanted.specifier.contains(version.version), f"{found[0]} is not {wanted}"


def test_the_peers_of_the_benchmark_stand_on_the_same_packages():
    """What both locks name has the same version: one environment can stand above the other."""
    ours, theirs = (
        {name: {str(item.specifier) for item, _ in items} for name, items in locked(lock).items()}
        for lock in LOCKS
    )
    assert {"torch", "numpy"} <= ours.keys() & theirs.keys()
    assert [name for name in ours.keys() & theirs.keys() if not theirs[name] <= ours[name]] == []


def applies(marker: Marker | None, machine: dict[str, str]) -> bool:
    return marker is None or marker.evaluate(machine)


def test_conda_asks_for_what_the_package_asks_for():
    conda_names = {"torch": "pytorch-cpu"}
    conda_names |= {name: f"{name}-base" for name in ("matplotlib", "seaborn")}
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = (*PROJECT["project"]["dependencies"], *extras["notebooks"], *extras["search"])
    expected = {
        conda_names.get(item.name, item.name): item.specifier for item in map(Requirement, wanted)
    }
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    packages = [Requirement(item) for item in environment["dependencies"] if isinstance(item, str)]
    found = {item.name: item.specifier for item in packages if item.name not in ("python", "pip")}
    assert found == expected
    assert environment["dependencies"][-1] == {"pip": ["-e ."]}


# --- Documents ------------------------------------------------------------------------------------
# The commands that they promise are tried in test_documented_commands.py.


def test_the_readme_says_the_same_in_both_languages():
    spanish, _, english = (ROOT / "README.md").read_text("utf-8").partition('<a id="english"></a>')
    halves = []
    for half in (spanish, english):
        headings = re.findall(r"^#+ ", half, re.MULTILINE)
        blocks = re.findall(r"^```.*?^```", half, re.MULTILINE | re.DOTALL)
        commands = re.sub(r" --lang (?:es|en)|\s*#.*", "", "\n".join(blocks))
        commands = commands.replace("notebooks/en/", "notebooks/").replace("salida.", "out.")
        halves.append((len(headings), commands))
    assert halves[0] == halves[1]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_between_files_lead_somewhere(name):
    for target in re.findall(
        r"\]\((?!https?:|#|mailto:)([^)#\s]+)", (ROOT / name).read_text("utf-8")
    ):
        assert (ROOT / target).exists(), target


def test_the_readme_lists_the_pages_that_stand():
    linked = set(
        re.findall(r"\]\((notebooks/[^)]+\.ipynb)\)", (ROOT / "README.md").read_text("utf-8"))
    )
    paths = page_notebooks(ROOT / "notebooks") + page_notebooks(ROOT / "notebooks" / "en")
    assert linked == {path.relative_to(ROOT).as_posix() for path in paths}


def test_the_citation_matches_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert (
        citation["version"]
        == PROJECT["project"]["version"]
        == load_file(PACKAGE / "__init__.py").__version__
    )
    assert citation["repository-code"] == PROJECT["project"]["urls"]["Repository"]
    assert citation["license"] == PROJECT["project"]["license"]


# --- The public address ---------------------------------------------------------------------------

# Links that can only lead to this project: its site, its badge, and how it is cloned or installed.
OUR_LINKS = (
    r"(?:git clone |git\+|repository-code: \"?)https://github\.com/([\w-]+)/([\w-]+)"
    r"|https://github\.com/([\w-]+)/([\w-]+)/actions/workflows"
    r"|(?:colab\.research\.google\.com/github|mybinder\.org/v2/gh)/([\w-]+)/([\w-]+)"
    r"|https://([\w-]+)\.github\.io/([\w-]+)/(?:es|en)/"
)


def our_links(text: str) -> set[str]:
    """Return the addresses, as owner/name, to which the links of ``OUR_LINKS`` lead."""
    return {"/".join(filter(None, groups)) for groups in re.findall(OUR_LINKS, text)}


def test_the_public_address_is_the_same_everywhere():
    """To move: git grep -lI OWNER/NAME | xargs sed -i 's|OWNER/NAME|…|g', and OWNER.github.io."""
    address = PROJECT["project"]["urls"]["Repository"].removeprefix("https://github.com/")
    assert re.fullmatch(r"[\w-]+/[\w-]+", address), "Colab needs github.com/owner/name"
    required = [ROOT / name for name in ("README.md", "CITATION.cff", "CONTRIBUTING.md")]
    for path in required:
        assert our_links(path.read_text("utf-8")) == {address}, path.name
    for path in [*ROOT.glob("notebooks/**/*.ipynb"), *ROOT.glob("book/**/*.md")]:
        assert our_links(path.read_text("utf-8")) <= {address}, path.name


@pytest.mark.parametrize(
    "text",
    [
        "git clone https://github.com/old/home.git",
        "%pip install -q git+https://github.com/old/home\\n",
        "https://github.com/old/home/actions/workflows/tests.yml",
        'repository-code: "https://github.com/old/home"',
        "https://colab.research.google.com/github/old/home/blob/gh-pages/es/01.ipynb",
        "https://mybinder.org/v2/gh/old/home/main",
        "See https://old.github.io/home/es/index.html",
    ],
)
def test_a_link_of_ours_is_found(text):
    assert our_links(f"https://github.com/zalandoresearch/fashion-mnist {text}") == {"old/home"}


# --- Continuous integration -----------------------------------------------------------------------


def workflow(name: str) -> dict:
    return yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text("utf-8"))


def test_the_same_pythons_are_promised_everywhere():
    """In the workflow, the set-up and conda; `make lock` resolves from the oldest on."""
    oldest, newest = PYTHONS[0], PYTHONS[-1]
    assert workflow("tests")["jobs"]["tests"]["strategy"]["matrix"]["python"] == PYTHONS
    assert PROJECT["project"]["requires-python"] == f">={oldest}"
    set_up = load_file(ROOT / ".ci" / "make_env.py")
    assert [f"{a}.{b}" for a, b in (set_up.OLDEST, set_up.NEWEST)] == [oldest, newest]
    assert all(python in set_up.UNFIT for python in PYTHONS)
    after = f"3.{int(newest.partition('.')[2]) + 1}"
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert f"python >={oldest},<{after}" in conda
    assert MAKEFILE.count(f"--universal --python-version {oldest} ") == len(LOCKS)


def test_files_named_in_a_workflow_exist():
    named = [step.get("run", "") for step in workflow("tests")["jobs"]["elsewhere"]["steps"]]
    paths = re.findall(r"(?:tests|notebooks)\S*", " ".join(named))
    assert paths and all((ROOT / path).exists() for path in paths)


def test_what_takes_long_runs_every_night():
    jobs = workflow("nightly")["jobs"]
    commands = {step["run"] for job in jobs.values() for step in job["steps"] if "run" in step}
    assert {"make book", "make test-nightly", "make scorecard"} <= commands
    assert "schedule" in workflow("nightly")[True]  # YAML reads the key `on` as true


def test_ci_runs_make_test_without_input(tmp_path):
    make = tmp_path / "make"
    make.write_text('#!/bin/sh\necho "$PWD $CI $*"; cat; exit 7\n')
    make.chmod(0o755)
    finished = subprocess.run(
        [ROOT / ".ci" / "run"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        input="typed",
        capture_output=True,
        text=True,
    )
    assert finished.stdout == f"{ROOT} true test\n"
    assert finished.returncode == 7


def git(*arguments, cwd: Path) -> str:
    identity = ["-c", "user.name=Ana", "-c", "user.email=ana@example.org"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=cwd, check=True, capture_output=True, text=True
    ).stdout


def test_publishing_puts_the_site_on_its_branch(tmp_path):
    project, hub = tmp_path / "project", tmp_path / "hub.git"
    site = project / "book" / "_build" / "html"
    (site / "es" / "notebooks").mkdir(parents=True)
    (project / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "publish", project / ".ci")
    (project / ".gitignore").write_text("_build/\n")
    git("init", "--quiet", "--bare", str(hub), cwd=tmp_path)
    git("init", "--quiet", cwd=project)
    git("add", ".", cwd=project)
    git("commit", "--quiet", "-m", "Begin", cwd=project)
    publish = [project / ".ci" / "publish", hub]
    refused = subprocess.run(publish, capture_output=True, text=True)
    assert refused.returncode == 1 and "make book" in refused.stderr

    (site / "index.html").write_text("first")
    (site / "es" / "notebooks" / "01.ipynb").write_text("{}")
    subprocess.run(publish, check=True, capture_output=True)
    (site / "index.html").write_text("second")
    subprocess.run(publish, check=True, capture_output=True)
    assert git("ls-tree", "-r", "--name-only", "gh-pages", cwd=hub).split() == [
        "es/notebooks/01.ipynb",
        "index.html",
    ]
    assert git("show", "gh-pages:index.html", cwd=hub) == "second"
    assert git("rev-list", "--count", "gh-pages", cwd=hub).strip() == "1"
    assert git("status", "--porcelain", cwd=project) == ""
