"""Executing the pages, and keeping them; what one language has trained, the other remembers."""

from __future__ import annotations

import ast
import functools
import inspect
import linecache

import nbformat
import pytest
import torch
from small_runs import without_seconds
from toy_book import code, text, write_source

from book.machinery import execution, kernel
from book.machinery.pages import LANGUAGES
from fmnist_utils import training

# --- Executing pages, and keeping them ------------------------------------------------------------


@pytest.fixture
def small_page(own_build, monkeypatch):
    """A page of two cells that uses one module of the package, and how often it was executed."""
    source = own_build / "01_toy.md"
    cells = [
        *text("# Una página", "# A page"),
        code('lang = "es"\nseed = 0', "parameters"),
        code("from fmnist_utils import text\n\ntext.LANGUAGES[seed], lang"),
    ]
    write_source(nbformat.v4.new_notebook(cells=cells), source)
    count, run = [], execution._run
    monkeypatch.setattr(execution, "_run", lambda *how: count.extend(how[1]) or run(*how))
    return source, count


def test_a_page_is_executed_again_when_its_code_has_changed_and_not_its_words(small_page):
    """What else makes it run again is in R26; a page that fails, in R27."""
    source, executed = small_page
    page = execution.execute_all(["en"], [source])["01_toy", "en"]
    assert page.cells[1].outputs[0].data["text/plain"] == "('es', 'en')"
    assert page.cells[0].source == 'lang = "en"\nseed = 0'
    assert "text.py" in page.metadata.used and "torch" in page.metadata.versions
    assert not any(name.startswith("workshop") for name in page.metadata.used)
    content = source.read_text("utf-8")
    source.write_text(content.replace("Una página", "Otra página"), "utf-8")
    execution.execute_all(["en"], [source])
    assert executed == ["en"]
    source.write_text(content.replace("LANGUAGES[seed]", "LANGUAGES[1]"), "utf-8")
    page = execution.execute_all(["en"], [source])["01_toy", "en"]
    assert executed == ["en", "en"]
    assert page.cells[1].outputs[0].data["text/plain"] == "('en', 'en')"


def test_one_kernel_executes_both_languages_and_nothing_is_left_of_the_first(own_build):
    source = own_build / "01_toy.md"
    cells = [
        *text("# Una página", "# A page"),
        code('lang = "es"', "parameters"),
        code("import os\n\nleft = 'first' in globals()\nfirst = lang\nleft, lang, os.getpid()"),
    ]
    write_source(nbformat.v4.new_notebook(cells=cells), source)
    executed = execution.execute_all(["es", "en"], [source])
    shown = [executed["01_toy", lang].cells[1].outputs[0].data["text/plain"] for lang in LANGUAGES]
    es, en = map(ast.literal_eval, shown)
    assert es == (False, "es", es[2]) and en == (False, "en", es[2])


# --- What one language has trained, the other remembers -------------------------------------------


class Net(torch.nn.Module):
    """A network as a page writes it."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(784, 10)
        self.dropout = torch.nn.Dropout(0.2)

    def forward(self, images):
        return self.dropout(self.layer(images.flatten(1)))


IMAGES = torch.rand(200, 1, 28, 28, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(200) % 10


def trained(fit, net=Net, epochs=2, rate=0.01, adam=torch.optim.Adam, **more):
    """Train a network with ``fit``; return all that it leaves behind."""
    torch.manual_seed(3)
    model = net()
    optimizer = adam(model.parameters(), lr=rate)
    train = training.Batches(IMAGES[:150], LABELS[:150], 50, seed=1)
    watch = {"val": training.Batches(IMAGES[150:], LABELS[150:], 50)}
    options = {"watch": watch, "metrics": {"accuracy": training.accuracy}, **more}
    history = fit(model, train, torch.nn.CrossEntropyLoss(), optimizer, epochs, **options)
    rows = without_seconds(history)
    weights = [parameter.tolist() for parameter in model.parameters()]
    gradients = [parameter.grad.tolist() for parameter in model.parameters()]
    moments = [state["exp_avg"].tolist() for state in optimizer.state.values()]
    return rows, weights, gradients, moments, torch.rand(3).tolist(), model.training


@pytest.fixture
def counted(monkeypatch):
    """How often ``fit`` was carried out."""
    calls, fit = [], training.fit
    monkeypatch.setattr(kernel, "get_ipython", lambda: None, raising=False)

    def counting(model, train, loss_fn, optimizer, num_epochs, **more):
        calls.append(num_epochs)
        return fit(model, train, loss_fn, optimizer, num_epochs, **more)

    counting.__signature__ = inspect.signature(fit)
    return calls, counting


def test_what_was_trained_is_loaded_and_everything_is_as_after_training(counted):
    calls, fit = counted
    alone = trained(fit)
    remembering = kernel.remembering(fit)
    for _ in range(3):
        assert trained(remembering) == alone and len(calls) == 2


class Other(Net):
    def forward(self, images):
        return self.layer(images.flatten(1))


def test_a_network_written_on_the_page_is_known_by_its_code(counted, monkeypatch):
    calls, fit = counted
    monkeypatch.setattr(Net, "__module__", "__main__")
    of_the_same_name = type("Net", (Net,), {"__module__": "__main__", "forward": Other.forward})
    remembering = kernel.remembering(fit)
    assert trained(remembering) == trained(remembering) and len(calls) == 1
    trained(remembering, net=of_the_same_name)
    trained(remembering, net=of_the_same_name)
    assert len(calls) == 2


CHANGES = [{"epochs": 1}, {"rate": 0.02}, {"net": Other}, {"patience": 1}]
CHANGES += [{"measured_loss_fn": torch.nn.NLLLoss()}]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_another_network_or_setting_is_trained(counted, change):
    calls, fit = counted
    remembering = kernel.remembering(fit)
    trained(remembering)
    assert trained(remembering, **change) == trained(fit, **change)
    assert len(calls) == 3


ON_THE_PAGE = """
import torch
from fmnist_utils import training

rate = training.one_cycle(0.01, 6)
seen = []

def moves_the_rate(step):
    training.set_learning_rate(optimizer, rate(step))

def counts(step):
    seen.append(step)

def prints(step):
    print(step)

def keeps(step):
    global last
    last = step

def keeps_deep_inside(step):
    def outer():
        def inner():
            global last
            last = step
        inner()
    outer()

def is_even(step):
    return step == 0 or is_odd(step - 1)

def is_odd(step):
    return step > 0 and is_even(step - 1)
"""


@pytest.fixture
def page():
    """The variables of a page that has executed ON_THE_PAGE."""
    name = "the_page.py"
    linecache.cache[name] = (len(ON_THE_PAGE), None, ON_THE_PAGE.splitlines(True), name)
    variables = {"__name__": "__main__"}
    exec(compile(ON_THE_PAGE, name, "exec"), variables)
    yield variables
    del linecache.cache[name]


@pytest.mark.parametrize("callback", ["counts", "prints", "keeps", "keeps_deep_inside"])
def test_what_changes_or_shows_something_on_the_page_is_always_trained(counted, page, callback):
    calls, fit = counted
    remembering = kernel.remembering(fit)
    for _ in range(3):
        trained(remembering, after_step=page[callback])
    assert len(calls) == 3


def test_functions_of_the_page_may_call_each_other(counted, page):
    calls, fit = counted
    remembering = kernel.remembering(fit)
    for _ in range(2):
        trained(remembering, after_step=page["is_even"])
    assert len(calls) == 1


def test_a_network_that_is_listened_to_is_always_trained(counted):
    calls, fit = counted
    remembering = kernel.remembering(fit)
    heard = []

    def listened_to():
        network = Net()
        network.layer.register_forward_hook(lambda *passing: heard.append(len(passing)))
        return network

    for _ in range(2):
        trained(remembering, net=listened_to)
    assert len(calls) == 2 and len(heard) == 2 * 2 * 4  # two epochs of three minibatches and one


def test_a_callback_that_moves_the_rate_of_the_optimizer_is_known_by_its_code(counted, page):
    calls, fit = counted
    remembering = kernel.remembering(fit)
    of_the_page = moving(page)
    assert trained(remembering, **of_the_page) == trained(remembering, **of_the_page)
    assert len(calls) == 1
    page["rate"] = training.one_cycle(0.02, 6)
    assert trained(remembering, **of_the_page) == trained(fit, **of_the_page)
    assert len(calls) == 3


def moving(page):
    """Return the option of ``trained`` with which a page moves the rate of its optimizer."""

    def adam(parameters, lr):
        page["optimizer"] = torch.optim.Adam(parameters, lr=lr)
        return page["optimizer"]

    return {"adam": adam, "after_step": page["moves_the_rate"]}


def test_a_loop_that_a_page_writes_is_not_trained_again(monkeypatch):
    """Epoch by epoch, with the weights of the best one."""
    carried_out = []
    for name in ("train_one_epoch", "evaluate"):
        original = getattr(training, name)

        def counting(*positional, original=original, **named):
            carried_out.append(original.__name__)
            return original(*positional, **named)

        functools.update_wrapper(counting, original)
        monkeypatch.setattr(training, name, kernel.remembering(counting))
    train = training.Batches(IMAGES[:150], LABELS[:150], 50, seed=1)
    val = training.Batches(IMAGES[150:], LABELS[150:], 50)
    loss_fn = torch.nn.CrossEntropyLoss()

    def loop():
        torch.manual_seed(3)
        model = Net()
        optimizer = torch.optim.Adam(model.parameters())
        rows = []
        for epoch in (1, 2):
            loss = training.train_one_epoch(model, train, loss_fn, optimizer, epoch)
            rows.append((loss, training.evaluate(model, val, loss_fn)))
        return rows, model.layer.weight.tolist(), torch.rand(2).tolist()

    assert loop() == loop()
    assert carried_out == ["train_one_epoch", "evaluate"] * 2
