"""R6, a gate. Eight processes, an empty cache, ten times: 80 of 80 right, four GETs each time."""

import hashlib
from pathlib import Path

import pytest
from mirrors import leftovers

pytestmark = pytest.mark.racing


def test_eight_processes_at_once_download_each_file_once(mirror, load_at_once, arrays, tmp_path):
    server, folders = mirror(pause=0.01), [str(tmp_path / f"cache{k}") for k in range(10)]
    right = hashlib.sha256(b"".join(array.tobytes() for array in arrays.values())).hexdigest()
    assert load_at_once(8, folders) == [right] * 80
    assert not any(leftovers(Path(cache)) for cache in folders)
    assert len(server.gets) == 4 * len(folders)
