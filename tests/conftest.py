"""What every test shares: one thread, English, no progress bars, a store and cache of its own."""

import functools
import itertools
import multiprocessing
import os
import signal
import sys

import pytest

pytest_plugins = ["many_runs", "mirrors", "site_browser", "toy_book"]
os.environ["TQDM_DISABLE"] = "1"
# A shell has what it starts in the background ignore Ctrl-C, and so would what the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config):
    """Let git look at the checkout, whoever owns it: in containers that is often somebody else."""
    count = int(os.environ.get("GIT_CONFIG_COUNT", 0))
    os.environ |= {f"GIT_CONFIG_KEY_{count}": "safe.directory", f"GIT_CONFIG_VALUE_{count}": "*"}
    os.environ["GIT_CONFIG_COUNT"] = str(count + 1)


LONG = ("nbval", "installed", "under_fire", "r24", "r29", "r30")  # words in the names of files


def pytest_collection_modifyitems(items):
    """Begin with the files that take longest: what comes last keeps the other process waiting."""
    items.sort(key=lambda item: not any(word in item.path.name for word in LONG))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Run the tests of a file, or of a page, in one process: they share what they make.

    The groups of pytest-xdist 3.8 are lost on the way: it writes them into an attribute of a test
    that pytest 9.2 no longer has.
    """
    if config.getvalue("dist") != "loadscope":
        return None
    from xdist.scheduler import LoadScopeScheduling

    @functools.cache
    def needs_the_toy_site(file):
        return "toy_site" in (config.rootpath / file).read_text("utf-8")

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file, _, test = nodeid.partition("::")
            if "nbval" in file and "[" in test:
                return test.rpartition("-")[0]
            # It takes as long to build as a hundred tests to run.
            return "toy site" if needs_the_toy_site(file) else file

    return ByFile(config, log)


WORLDS = itertools.count()


@pytest.fixture(autouse=True)
def own_world(monkeypatch, tmp_path_factory):
    """Nothing that a test makes reaches the user's cache, and nothing there reaches a test."""
    import torch

    from fmnist_utils import text
    from fmnist_utils.audit import parameters

    torch.set_num_threads(1)
    monkeypatch.setattr(text, "_language", None)
    monkeypatch.setattr(parameters, "_CHECKED", set())
    monkeypatch.setenv("FMNIST_LANG", "en")
    # Not in tmp_path, where some tests look at all that there is; and pytest finds the number of a
    # folder of its own by looking at all the others.
    world = tmp_path_factory.getbasetemp() / "worlds" / str(next(WORLDS))
    (world / "cache").mkdir(parents=True)
    monkeypatch.setenv("FMNIST_RUNS", str(world / "runs"))
    monkeypatch.setenv("FMNIST_CACHE", str(world / "cache"))
    # As in an environment that is activated: messages name its programs as they are typed there.
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"])


@pytest.fixture
def forks():
    """Processes that start in an instant, as copies of one that has imported what they need."""
    if sys.platform == "win32":
        pytest.skip("starting so many processes takes minutes without fork")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["fmnist_utils.audit", "pytest"])
    return context
