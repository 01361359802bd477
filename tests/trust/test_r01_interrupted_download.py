"""R1. A download cut at 10 to 99 % of each file: nothing is left, and the next run is right."""

import pytest
from mirrors import NAMES, fetch_and_load, is_right, leftovers

from fmnist_utils.data import DataError
from fmnist_utils.workshop import download


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.75, 0.99])
def test_a_cut_connection_leaves_nothing_and_the_next_run_is_right(
    mirror, small, arrays, name, share
):
    server = mirror()
    server.faults[name] = share
    with pytest.raises(DataError, match=name):
        fetch_and_load()
    assert not leftovers(small) and not (small / name).exists()
    server.faults.clear()
    assert is_right(fetch_and_load(), arrays)
    assert server.gets.count(name) == 2 and len(server.gets) <= 8


def test_partial_files_of_an_earlier_run_are_swept(mirror, small):
    mirror()
    small.mkdir()
    (small / f"{NAMES[0]}.123-abc.part").write_bytes(b"half")
    download.fetch()
    assert not leftovers(small)
