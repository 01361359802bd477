"""R4. A first mirror that fails: the second is used; when all fail, each is listed."""

import socket
import time

import pytest
from mirrors import LIMITS, fetch_and_load, is_right
from patience import at_most

from fmnist_utils.data import DataError


@pytest.mark.racing
@pytest.mark.parametrize("fault", ["refused", "no such name", 404, 503, 0.5])
def test_the_next_mirror_is_used(mirror, monkeypatch, arrays, fault):
    bad, good = mirror(fault, None)
    if fault == "refused":
        bad.stop()
    if fault == "no such name":
        look_up = socket.getaddrinfo

        def fail(host, *arguments, **options):
            if host == "mirror.invalid":
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return look_up(host, *arguments, **options)

        monkeypatch.setattr(socket, "getaddrinfo", fail)
        monkeypatch.setenv("FMNIST_MIRRORS", f"http://mirror.invalid/,{good.url}")
    start = time.monotonic()
    assert is_right(fetch_and_load(), arrays)
    assert time.monotonic() - start < at_most(LIMITS.connect + 2)
    assert len(bad.gets) <= 1, "a mirror that failed is not asked first again"
    assert len(good.gets) == 4


def test_when_all_fail_each_mirror_is_listed_with_its_cause(mirror, monkeypatch):
    first, second = mirror(404, "html")
    monkeypatch.setenv(
        "FMNIST_MIRRORS", f"{first.url},{second.url.rstrip('/')}, http://127.0.0.1:9/x"
    )
    with pytest.raises(DataError) as caught:
        fetch_and_load()
    lines = [line for line in str(caught.value).splitlines() if "http://" in line]
    assert len(lines) == 3
    assert "404" in lines[0]
    assert "not the published file" in lines[1]
    assert "ConnectionRefusedError" in lines[2]
    assert "FMNIST_MIRRORS" in str(caught.value) and "fmnist data fetch" in str(caught.value)
