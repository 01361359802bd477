"""R7. As R6, where locks do nothing, as on some network disks: 80 of 80 right."""

import hashlib
from pathlib import Path

import pytest
from mirrors import leftovers

pytestmark = pytest.mark.racing


def test_eight_processes_at_once_without_locks(mirror, load_at_once, arrays, tmp_path):
    mirror(pause=0.01)
    folders = [str(tmp_path / f"cache{k}") for k in range(10)]
    right = hashlib.sha256(b"".join(array.tobytes() for array in arrays.values())).hexdigest()
    assert load_at_once(8, folders, locks_work=False) == [right] * 80
    assert not any(leftovers(Path(cache)) for cache in folders)
