"""R8. Killed at a random moment of the download: the next run is right, nothing is left."""

import os
import random
import time

import pytest
from mirrors import NAMES, fetch_and_load, in_a_process, is_right, leftovers

from fmnist_utils.workshop import download


@pytest.mark.racing
@pytest.mark.parametrize("kills", [5, pytest.param(50, marks=pytest.mark.nightly)])
def test_killed_at_any_moment_the_next_run_is_right(mirror, forks, small, files, arrays, kills):
    mirror(pause=0.03)
    variables = {name: os.environ[name] for name in ("FMNIST_MIRRORS", "NO_PROXY")}
    moment = random.Random(0)
    for _ in range(kills):
        start, results = forks.Barrier(2), forks.Queue()
        arguments = (files, variables, [str(small)], start, results, True)
        process = forks.Process(target=in_a_process, args=arguments)
        process.start()
        start.wait(300)
        time.sleep(moment.uniform(0, 0.4))
        process.kill()
        process.join()
        assert is_right(fetch_and_load(), arrays)
        download.fetch()
        (small / moment.choice(NAMES)).unlink()
    download.fetch()
    assert not leftovers(small)
