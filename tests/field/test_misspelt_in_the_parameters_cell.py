"""A name is misspelt in the parameters cell, however it is written, or another cell has names of its own."""

import pytest
from small_pages import PARAMETERS

from fmnist_utils.workshop import execution

WRITTEN = {
    "with its type": "num_epoch: int = 2",
    "with another": "num_epoch, other = 2, 1",
    "inside an if": "if lang:\n    num_epoch = 2",
    "in a with": "import io\nwith io.StringIO() as num_epoch:\n    pass",
    "chained": "num_epochs = num_epoch = 2",
    "walrus": "if (num_epoch := 2) > 1:\n    pass",
    "in a loop": "for num_epoch in [2]:\n    pass",
    "by a magic": "%precision 3\nnum_epoch = 2",
}
OWN = {
    "data": "my_rows = [1, 2]\nx = 3",
    "an unpacked pair": "epoch, total = 0, 0.0",
    "a table": "import pandas as pd\nframe = pd.DataFrame({'a': [1]})",
    "splits": "from fmnist_utils.data import load_fashion_mnist\nsplits = load_fashion_mnist(source)",
}


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize("how", WRITTEN)
def test_it_is_refused_however_it_is_written(how, lang, notebook_cells):
    own = PARAMETERS.replace('"es"', f'"{lang}"') + WRITTEN[how]
    assert "num_epoch: " in (said := notebook_cells(own)) and "'num_epochs'" in said
    assert "num_epoch: " in notebook_cells(PARAMETERS, own)  # corrected from right to wrong
    assert notebook_cells(own, PARAMETERS) == ""  # and from wrong to right


@pytest.mark.parametrize("how", WRITTEN)
def test_so_it_is_in_a_copy_before_a_kernel_starts(how, page, fmnist, monkeypatch):
    monkeypatch.setattr(execution, "_papermill", lambda *_: pytest.fail("a kernel was started"))
    page(cell_0=PARAMETERS + WRITTEN[how])
    said = fmnist("--lang", "en", "run", "page.ipynb")
    assert said.exit_code == 2 and "num_epoch: there is no such parameter" in said.output


@pytest.mark.parametrize("how", OWN)
def test_the_readers_own_variables_are_left_alone(how, notebook_cells):
    assert notebook_cells(PARAMETERS, OWN[how]) == ""
    assert notebook_cells(PARAMETERS, OWN[how], PARAMETERS) == ""
    assert notebook_cells("first = 1", PARAMETERS, OWN[how], OWN[how]) == ""


@pytest.mark.parametrize("comment", ['# load_report("02")', "text = 'load_report(\"03\")'"])
def test_the_report_is_the_one_that_is_loaded_not_one_in_a_comment(comment, page):
    path = page(cell_0=f"{comment}\n{PARAMETERS}")
    assert execution.find_page(str(path))[1].id == "01_ff_classifier"
