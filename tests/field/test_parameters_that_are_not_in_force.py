"""A parameter is asked for, and the notebook would train with another value: it is refused."""

import json

import pytest
from small_pages import PARAMETERS

SHOW = "print(num_epochs, dropout)"
ASSIGN = {
    "on a line with its type": "num_epochs: int = 5",
    "with another": "first, num_epochs = 1, 5",
    "inside an if": "if True:\n    num_epochs = 5",
    "in a loop": "for num_epochs in (3, 5):\n    pass",
    "after a magic": "%matplotlib inline\nnum_epochs = 5",
    "added to": "num_epochs += 1",
}


@pytest.fixture(autouse=True)
def no_kernel(request, monkeypatch):
    """What can be seen in the notebook is refused before a kernel starts."""
    if "kernel" not in request.keywords:
        from fmnist_utils.workshop import execution

        monkeypatch.setattr(execution, "_papermill", lambda *_: pytest.fail("a kernel was started"))


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize("given", [("num_epochs", 2), ("dropout", 0.5)])
def test_without_the_tag_nothing_is_run_and_the_advice_works(lang, given, page, fmnist):
    page(SHOW, tagged=None)
    said = fmnist("--lang", lang, "run", "page.ipynb", "-p", *given)
    assert said.exit_code == 2 and given[0] in said.output and "parameters" in said.output
    command = said.output.partition("`fmnist ")[2].partition("`")[0].split()
    made = fmnist("--lang", lang, *command)
    assert made.exit_code == 0, made.output
    [copy] = (page().parent / command[-1]).rglob("01_*.ipynb")
    tags = [cell["metadata"].get("tags", []) for cell in json.loads(copy.read_text())["cells"]]
    assert ["parameters"] in [[tag for tag in tag_list if tag == "parameters"] for tag_list in tags]


@pytest.mark.parametrize("lang", ["es", "en"])
@pytest.mark.parametrize("how", ASSIGN)
def test_a_cell_that_assigns_it_again_is_named(how, lang, page, fmnist):
    page(ASSIGN[how], SHOW)
    said = fmnist("--lang", lang, "run", "page.ipynb", "-p", "num_epochs", 2)
    assert said.exit_code == 2 and "num_epochs: " in said.output
    assert ASSIGN[how].splitlines()[0] in said.output


@pytest.mark.kernel
def test_a_change_that_cannot_be_seen_is_found_at_the_end(page, fmnist):
    folder = page("exec('dropout = 0.9')", "globals()['num_epochs'] = 5", SHOW).parent
    asked = ["-p", "dropout", 0.5, "-p", "num_epochs", 2]
    said = fmnist("--lang", "en", "run", "page.ipynb", *asked)
    assert said.exit_code == 1
    assert "dropout: 0.5 was asked for, and 0.9" in said.output
    assert "num_epochs: 2 was asked for, and 5" in said.output
    partial = json.loads((folder / "page.out.partial.ipynb").read_text("utf-8"))
    assert partial["metadata"]["fmnist"]["partial"] and not (folder / "page.out.ipynb").exists()


@pytest.mark.kernel
def test_what_is_in_force_is_run_and_no_trace_is_left(page, fmnist):
    folder = page("def f(num_epochs=9):\n    dropout = 1\n    return num_epochs", SHOW).parent
    said = fmnist("run", "page.ipynb", "-p", "num_epochs", 2, "-p", "dropout", ".5")
    assert said.exit_code == 0, said.output
    cells = json.loads((folder / "page.out.ipynb").read_text("utf-8"))["cells"]
    assert "".join(cells[-1]["outputs"][0]["text"]) == "2 0.5\n"
    assert len(cells) == 5  # with the one that papermill puts below the parameters


INJECTED = "# Parameters\nnum_epochs = 2\n"


@pytest.mark.parametrize("lang", ["es", "en"])
def test_papermill_alone_puts_its_cell_on_top_and_the_page_notices(lang, notebook_cells):
    own = PARAMETERS.replace('"es"', f'"{lang}"')
    assert "num_epochs: " in notebook_cells(INJECTED, own) and notebook_cells(own, INJECTED) == ""
    assert notebook_cells(INJECTED.replace("2", "10"), own) == ""
