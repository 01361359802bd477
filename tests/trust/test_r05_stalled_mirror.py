"""R5. A mirror that stalls, drips or says nothing is left for the next one in time."""

import time

import pytest
from mirrors import fetch_and_load, is_right
from patience import at_most

from fmnist_utils.workshop import download

PUBLISHED = download.Limits()
IMPATIENT = PUBLISHED._replace(read=5)


def test_the_published_limits_are_the_promised_ones():
    assert PUBLISHED.read <= 15 and PUBLISHED.connect <= 15


@pytest.mark.racing
@pytest.mark.parametrize("fault", ["stall", "drip", "silent"])
def test_a_mirror_that_does_not_get_on_is_left(mirror, monkeypatch, arrays, fault):
    mirror(fault, None)
    monkeypatch.setattr(download.fetch, "__defaults__", (None, IMPATIENT))
    start = time.monotonic()
    assert is_right(fetch_and_load(), arrays)
    assert time.monotonic() - start < at_most(IMPATIENT.read + 3)


@pytest.mark.racing
@pytest.mark.nightly
@pytest.mark.parametrize("fault", ["stall", "drip", "silent"])
def test_with_the_published_limits(mirror, monkeypatch, arrays, fault):
    mirror(fault, None)
    monkeypatch.setattr(download.fetch, "__defaults__", (None, PUBLISHED))
    start = time.monotonic()
    assert is_right(fetch_and_load(), arrays)
    assert time.monotonic() - start < at_most(PUBLISHED.read + 3)
