"""R2. Five wrong contents of each file, answered with 200: refused; the next mirror is used."""

import pytest
from mirrors import NAMES, WRONG, fetch_and_load, is_right, leftovers

from fmnist_utils.data import DataError
from fmnist_utils.workshop import download


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fault", WRONG)
def test_wrong_content_is_refused_by_name_and_the_next_mirror_used(
    mirror, small, arrays, name, fault
):
    bad = mirror(None)
    bad.faults[name] = fault
    with pytest.raises(DataError) as caught:
        fetch_and_load()
    for part in (
        name,
        download.PACKED_SHA256[name],
        bad.url,
        "not the published file",
        "fmnist data fetch",
    ):
        assert part in str(caught.value)
    assert not (small / name).exists() and not leftovers(small)
    bad, good = mirror(None, None)
    bad.faults[name] = fault
    assert is_right(fetch_and_load(), arrays)
    assert bad.gets.count(name) == good.gets.count(name) == 1


def test_files_swapped_on_the_mirror_are_refused(mirror, small, files):
    server = mirror()
    server.files = files | {NAMES[0]: files[NAMES[2]]}
    with pytest.raises(DataError, match=download.PACKED_SHA256[NAMES[2]]):
        fetch_and_load()
