"""R9. The cache on a disk that is too small: a clear message; with more room, healed."""

import errno
import os

import numpy as np
import pytest
from mirrors import NAMES, Mirror, fetch_and_load, idx, is_right, leftovers, use_these

from fmnist_utils.data import DataError
from fmnist_utils.workshop import download


def test_a_full_disk_is_named_with_what_is_needed_and_free(mirror, small, monkeypatch, arrays):
    mirror()

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(DataError, match=r"31 MB are needed and \d+ MB are free") as caught:
            fetch_and_load()
        assert str(small) in str(caught.value) and "FMNIST_CACHE" in str(caught.value)
    assert not leftovers(small) and is_right(fetch_and_load(), arrays)


@pytest.mark.nightly
def test_small_disks(small, disk, monkeypatch):
    """Noise in place of images does not shrink: files are as large as those published."""
    rng = np.random.default_rng(0)
    large = {
        name: rng.integers(0, 256, shape, np.uint8)
        for name, shape in zip(NAMES, ((33_700, 28, 28), (42_000,)) * 2)
    }
    large[NAMES[2]], large[NAMES[3]] = large[NAMES[2]][:5600], large[NAMES[3]][:7000]
    files = {name: idx(array) for name, array in large.items()}
    assert 30e6 < sum(map(len, files.values())) < 32e6
    use_these(files)
    monkeypatch.setattr(download.fetch, "__defaults__", (None, download.Limits(10, 15, 600)))
    server = Mirror(files)
    monkeypatch.setenv("FMNIST_MIRRORS", server.url)
    for megabytes in (10, 20, 30):
        cache = disk(megabytes) / str(megabytes)
        monkeypatch.setenv("FMNIST_CACHE", str(cache))
        with pytest.raises(
            DataError, match=r"No space left on device. 31 MB are needed and \d+ MB are free"
        ) as caught:
            fetch_and_load()
        assert str(cache) in str(caught.value) and not leftovers(cache)
        disk(80)
        assert is_right(fetch_and_load(), large)
        for path in cache.iterdir():
            path.unlink()
    server.stop()
