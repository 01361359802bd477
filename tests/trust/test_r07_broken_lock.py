"""R7. As R6, where locks do nothing, as on some network disks: 80 of 80 right, in however many GETs."""

import hashlib
from pathlib import Path

from mirrors import leftovers, load_at_once


def test_eight_processes_at_once_without_locks(mirror, forks, arrays, tmp_path):
    mirror(pause=0.01)
    folders = [str(tmp_path / f"cache{k}") for k in range(10)]
    found = load_at_once(forks, 8, folders, locks_work=False)
    assert (
        found
        == [hashlib.sha256(b"".join(array.tobytes() for array in arrays.values())).hexdigest()] * 80
    )
    assert not any(leftovers(Path(cache)) for cache in folders)
