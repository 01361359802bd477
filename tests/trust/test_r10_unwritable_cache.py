"""R10. A cache that is read-only, another's, in the way, without locks: it works or says why."""

import errno
import os
import sys

import pytest
from mirrors import NAMES, fetch_and_load, fill, is_right, leftovers, use_these
from small_runs import make

from fmnist_utils.data import DataError
from fmnist_utils.text import UserError
from fmnist_utils.workshop.engine import train
from fmnist_utils.workshop.store import RunStore


def refused_by_name(folder) -> bool:
    with pytest.raises(DataError) as caught:
        fetch_and_load()
    return str(folder) in str(caught.value) and "FMNIST_CACHE" in str(caught.value)


def test_a_cache_that_cannot_be_made(mirror, monkeypatch, tmp_path):
    mirror()
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("FMNIST_CACHE", str(tmp_path / "file" / "cache"))
    assert refused_by_name(tmp_path / "file" / "cache")


def test_a_lock_that_cannot_be_made(mirror, small, files, arrays):
    mirror()
    fill(small, files)
    (small / ".lock").mkdir()
    assert is_right(fetch_and_load(), arrays), "a good cache is only read"
    (small / NAMES[0]).unlink()
    assert refused_by_name(small) and not leftovers(small)


@pytest.mark.skipif(sys.platform == "win32", reason="flock is of Unix")
@pytest.mark.parametrize("problem", ["ENOLCK", "EOPNOTSUPP"])
def test_a_network_disk_without_locks(mirror, small, monkeypatch, tmp_path, problem):
    import fcntl

    def flock(*_):
        raise OSError(getattr(errno, problem), os.strerror(getattr(errno, problem)))

    mirror()
    monkeypatch.setattr(fcntl, "flock", flock)
    assert refused_by_name(small) and not leftovers(small)
    with pytest.raises(UserError, match="FMNIST_RUNS"):
        train(make(), store=RunStore(tmp_path / "runs"))


def test_a_read_only_disk(mirror, small, disk, files, arrays, monkeypatch):
    mirror()
    cache = disk(10) / "cache"
    monkeypatch.setenv("FMNIST_CACHE", str(cache))
    fill(cache, files)
    disk(10, "ro")
    assert is_right(fetch_and_load(), arrays)
    disk(10, "rw")
    (cache / NAMES[0]).unlink()
    disk(10, "ro")
    assert refused_by_name(cache) and not leftovers(cache)
    with pytest.raises(UserError, match="FMNIST_RUNS"):
        train(make(), store=RunStore(cache / "runs"))


def as_nobody(files: dict, variables: dict, results) -> None:
    os.environ.pop("FMNIST_DATA", None)  # the process that starts this one may have it
    os.environ.update(variables)
    use_these(files)
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    try:
        fetch_and_load()
    except Exception as error:
        results.put((type(error).__name__, str(error)))


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0,
    reason="only the administrator can become somebody else",
)
def test_the_cache_of_somebody_else(mirror, forks, small, files):
    mirror()
    fill(small, files).chmod(0o700)
    variables = {name: os.environ[name] for name in ("FMNIST_CACHE", "FMNIST_MIRRORS", "NO_PROXY")}
    results = forks.Queue()
    process = forks.Process(target=as_nobody, args=(files, variables, results))
    process.start()
    kind, message = results.get(timeout=60)
    process.join()
    assert kind == "DataError" and str(small) in message and "FMNIST_CACHE" in message


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind this user"
)
def test_a_cache_without_the_right_to_write(mirror, small, files, arrays):
    mirror()
    fill(small, files).chmod(0o555)
    assert is_right(fetch_and_load(), arrays)
    small.chmod(0o755)
    (small / NAMES[0]).unlink()
    small.chmod(0o555)
    assert refused_by_name(small)
