"""R6, a gate. Eight processes on an empty cache, ten times: 80 of 80 right, and exactly four GETs each time."""

import hashlib
from pathlib import Path

from mirrors import leftovers, load_at_once


def test_eight_processes_at_once_download_each_file_once(mirror, forks, arrays, tmp_path):
    server, folders = mirror(pause=0.01), [str(tmp_path / f"cache{k}") for k in range(10)]
    found = load_at_once(forks, 8, folders)
    assert (
        found
        == [hashlib.sha256(b"".join(array.tobytes() for array in arrays.values())).hexdigest()] * 80
    )
    assert not any(leftovers(Path(cache)) for cache in folders)
    assert len(server.gets) == 4 * len(folders)
