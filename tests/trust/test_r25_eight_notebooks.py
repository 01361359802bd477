"""R25. Eight runs of one notebook at once: eight results, and no cell of another's."""

from __future__ import annotations

import json

import pytest
from small_pages import UNCHECKED, fmnist, write_page

pytestmark = pytest.mark.racing


@pytest.mark.nightly
def test_eight_at_once_do_not_mix(tmp_path):
    write_page(
        tmp_path / "page.ipynb", "import time; time.sleep(2)", "print(seed)", check=UNCHECKED
    )
    started = [
        fmnist(
            "run",
            "page.ipynb",
            "-p",
            "seed",
            str(seed),
            "-o",
            f"out-{seed}.ipynb",
            cwd=tmp_path,
            wait=False,
        )
        for seed in range(8)
    ]
    said = [process.communicate(timeout=500) for process in started]
    assert [process.returncode for process in started] == [0] * 8, said
    assert len(list(tmp_path.glob("out-*.ipynb"))) == 8
    assert not list(tmp_path.glob("*.partial.ipynb"))
    for seed in range(8):
        cells = json.loads((tmp_path / f"out-{seed}.ipynb").read_text("utf-8"))["cells"]
        assert cells[-1]["outputs"][0]["text"] == [f"{seed}\n"]
        injected = [
            cell for cell in cells if "injected-parameters" in cell["metadata"].get("tags", [])
        ]
        assert len(injected) == 1 and f"seed = {seed}\n" in "".join(injected[0]["source"]) + "\n"


@pytest.mark.nightly
def test_two_runs_into_one_file_do_not_mix(tmp_path):
    write_page(tmp_path / "page.ipynb", "import time; time.sleep(20)", check=UNCHECKED)
    first = fmnist("run", "page.ipynb", cwd=tmp_path, wait=False)
    while not (tmp_path / "page.out.partial.ipynb").exists() and first.poll() is None:
        pass
    second = fmnist("run", "page.ipynb", "--lang", "en", cwd=tmp_path)
    assert second.returncode == 2
    assert "Another run is writing page.out.ipynb" in second.err
    assert "-o" in second.err
    assert first.wait(300) == 0 and (tmp_path / "page.out.ipynb").exists()
