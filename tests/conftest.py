"""What every test shares: one thread, English, no progress bars, and a store and cache of its own."""

import contextlib
import functools
import multiprocessing
import os
import shutil
import sys

import pytest

pytest_plugins = ["mirrors", "toy_book"]
os.environ["TQDM_DISABLE"] = "1"


def pytest_collection_modifyitems(items):
    """Begin with the pages, which take longest: what comes last keeps one process busy while the others wait."""
    items.sort(key=lambda item: "nbval" not in item.nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Have the tests of a file, or of a page, run one after the other in one process: they share what they make.

    The second language of a page loads what the first has trained. (The groups of pytest-xdist 3.8 are lost on the way: it writes
    them into an attribute of a test that pytest 9.2 no longer has.)
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
            return (
                "toy site" if needs_the_toy_site(file) else file
            )  # it takes as long to build as a hundred tests to run

    return ByFile(config, log)


@pytest.fixture(scope="session")
def kept_stand_in(pytestconfig):
    """Return a context in which a cache has the stand-in that was drawn in another test.

    Whole, it takes five seconds of processor time to draw, always the same; pytest's own cache keeps it. The package looks at its
    digest before it takes it, so that no test can spoil it for another.
    """
    kept = pytestconfig.cache.mkdir("stand-in")

    @contextlib.contextmanager
    def lent_to(cache):
        cache.mkdir(parents=True, exist_ok=True)
        for drawn in kept.glob("stand-in-*-70000"):
            with contextlib.suppress(FileExistsError):
                (cache / drawn.name).symlink_to(drawn)
        yield
        for drawn in cache.glob("stand-in-*-70000"):
            if not (kept / drawn.name).exists():
                outdated, unfinished = list(kept.glob("stand-in-*")), kept / f"{os.getpid()}.part"
                shutil.copyfile(drawn, unfinished)
                unfinished.replace(kept / drawn.name)
                for other in outdated:  # drawn by other code
                    other.unlink(missing_ok=True)

    return lent_to


@pytest.fixture(autouse=True)
def own_world(monkeypatch, tmp_path, tmp_path_factory, kept_stand_in):
    """Nothing that a test makes reaches the user's cache, and nothing there reaches a test."""
    import torch

    from fmnist_utils import text

    cache = (
        tmp_path_factory.getbasetemp() / "user"
    )  # not in tmp_path, where some tests look at all that there is
    torch.set_num_threads(1)
    monkeypatch.setattr(text, "_language", None)
    monkeypatch.setenv("FMNIST_LANG", "en")
    monkeypatch.setenv("FMNIST_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("FMNIST_CACHE", str(cache))
    with kept_stand_in(cache):
        yield
    for left in set(cache.iterdir()) - set(cache.glob("stand-in-*-70000")):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


@pytest.fixture
def forks():
    """Processes that start in an instant: copies of one that has already imported what a training needs."""
    if sys.platform == "win32":
        pytest.skip("starting so many processes takes minutes without fork")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["fmnist_utils.audit", "pytest"])
    return context


@pytest.fixture
def few_images(monkeypatch):
    """A stand-in of 600 + 200 images, drawn in no time; :mod:`small_runs` uses the same in processes of its own."""
    from small_runs import SHAPES

    from fmnist_utils import data
    from fmnist_utils.workshop import engine as runs

    forget = runs.load_splits.cache_clear
    monkeypatch.setattr(data, "SHAPES", SHAPES)
    forget()
    yield
    forget()
