"""The loop against a hand-written one: averages, keys, early stopping, diverging losses."""

import math

import pytest
import torch
from torch import nn

from fmnist_utils.models import FeedForwardClassifier, build_model
from fmnist_utils.text import UserError
from fmnist_utils.training import (
    Batches,
    History,
    OneHotMSE,
    WeightAverage,
    accuracy,
    cosine,
    evaluate,
    fit,
    one_cycle,
    set_learning_rate,
    train_one_epoch,
)

LOSS = nn.CrossEntropyLoss()


def sgd(model, rate=0.1):
    return torch.optim.SGD(model.parameters(), lr=rate)


def adam(model, rate=0.01):
    return torch.optim.Adam(model.parameters(), lr=rate)


@pytest.fixture
def images():
    return torch.rand(130, 1, 28, 28, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def labels():
    return torch.randint(0, 10, (130,), generator=torch.Generator().manual_seed(2))


def new_classifier(seed=0):
    torch.manual_seed(seed)
    return FeedForwardClassifier((16,), dropout=0.3)


def test_loop_equals_the_one_written_by_hand(images, labels):
    by_hand, by_loop = new_classifier(), new_classifier()
    optimizer, losses = adam(by_hand), []
    by_hand.train()
    torch.manual_seed((5 << 20) + 1)
    order = torch.randperm(130)
    for start in range(0, 130, 32):
        chosen = order[start : start + 32]
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(by_hand(images[chosen]), labels[chosen])
        loss.backward()
        optimizer.step()
        losses += [loss.item()] * len(chosen)
    batches = Batches(images, labels, 32, seed=5)
    running_loss = train_one_epoch(by_loop, batches, LOSS, adam(by_loop))
    assert running_loss == pytest.approx(sum(losses) / 130, abs=1e-6)
    for one, other in zip(by_hand.parameters(), by_loop.parameters()):
        assert torch.equal(one, other)


@pytest.mark.parametrize("batch_size", [7, 130, 1000])
def test_evaluate_does_not_depend_on_the_batch_size(images, labels, batch_size):
    model = new_classifier()
    batches = Batches(images, labels, batch_size)
    result = evaluate(model, batches, LOSS, {"accuracy": accuracy})
    logits = model.eval()(images)
    assert result["loss"] == pytest.approx(LOSS(logits, labels).item(), abs=1e-6)
    assert result["accuracy"] == pytest.approx((logits.argmax(1) == labels).double().mean().item())


def test_evaluate_leaves_the_mode_and_the_weights(images, labels):
    model = new_classifier().train()
    model[1].eval()  # a frozen part
    before = [parameter.clone() for parameter in model.parameters()]
    evaluate(model, Batches(images, labels, 50), LOSS)
    assert model.training and not model[1].training and model[2].training
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters()))


def test_evaluate_leaves_the_mode_also_when_it_is_stopped(images, labels):
    model = new_classifier().train()

    def stop(outputs, targets):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(model, Batches(images, labels, 50), LOSS, {"accuracy": stop})
    assert all(module.training for module in model.modules())


def test_an_epoch_shows_every_example_once_in_an_order_of_its_own():
    numbers = torch.arange(50)

    def shown(epoch, seed=3):
        return [inputs for inputs, _ in Batches(numbers, numbers, 8, seed).epoch(epoch)]

    first = torch.cat(shown(1))
    assert sorted(first.tolist()) == list(range(50))
    assert [len(inputs) for inputs in shown(1)] == [8] * 6 + [2]
    assert torch.equal(first, torch.cat(shown(1)))
    assert not torch.equal(first, torch.cat(shown(2)))
    assert not torch.equal(first, torch.cat(shown(1, seed=4)))


def test_the_loop_cannot_tell_an_autoencoder(images):
    torch.manual_seed(0)
    model = build_model("ff_autoencoder", latent_dim=8)
    batches = Batches(images, images, 10)
    history = fit(model, batches, nn.MSELoss(), adam(model), 3, watch={"train": batches})
    assert list(history.rows[0]) == ["epoch", "running_loss", "seconds", "train_loss"]
    assert history["train_loss"][-1] < history["train_loss"][0]


def test_running_and_train_loss_are_two_things(images, labels):
    model = new_classifier()
    batches = Batches(images, labels, 10)
    history = fit(model, batches, LOSS, sgd(model, 0.5), 1, watch={"train": batches})
    assert history["running_loss"] != history["train_loss"]
    assert history["train_loss"][0] == evaluate(model, batches, LOSS)["loss"]


def test_going_on_from_a_history_equals_not_having_stopped(images, labels):
    def run(stops):
        model, history = new_classifier(), None
        optimizer = adam(model, 0.001)
        for stop in stops:
            torch.rand(7)  # whatever else drew from the generator meanwhile
            batches = Batches(images, labels, 32, seed=1)
            options = {"watch": {"val": batches}, "history": history}
            history = fit(model, batches, LOSS, optimizer, stop, **options)
        return history["val_loss"], [parameter.detach() for parameter in model.parameters()]

    whole, weights = run([5])
    parts, resumed = run([2, 3, 5])
    assert whole == parts
    assert all(torch.equal(a, b) for a, b in zip(weights, resumed))


def test_early_stopping_waits_for_patience_and_survives_a_stop(images, labels):
    falling_then_rising = iter([3.0, 2.0, 1.0, 1.5, 1.6, 1.7, 1.8])

    class Scripted(nn.Module):
        def forward(self, outputs, targets):
            loss = 0.0 if torch.is_grad_enabled() else next(falling_then_rising)
            return outputs.sum() * 0 + loss

    model = new_classifier()
    batches = Batches(images, labels, 130)
    what = (model, batches, Scripted(), sgd(model))
    arguments = {"watch": {"val": batches}, "patience": 2}
    history = fit(*what, 4, **arguments)
    history = fit(*what, 20, history=history, **arguments)
    assert len(history) == 5 and history.best_epoch("val_loss") == 3


def test_the_learning_rate_follows_its_schedule(images, labels):
    model, seen = new_classifier(), []
    optimizer = sgd(model, 123.0)

    def note(history):
        seen.append(optimizer.param_groups[0]["lr"])

    how = {"learning_rate_at": cosine(0.2, 4), "on_epoch_end": note}
    fit(model, Batches(images, labels, 130), LOSS, optimizer, 4, **how)
    half = math.sqrt(0.5)
    assert seen == pytest.approx([0.2, 0.1 * (1 + half), 0.1, 0.1 * (1 - half)])


def test_one_cycle_rises_and_falls_and_ends_at_nearly_zero():
    rates = [one_cycle(0.5, 100)(step) for step in range(101)]
    assert rates[0] == pytest.approx(0.02) and rates[25] == 0.5 and max(rates) == 0.5
    assert rates[:26] == sorted(rates[:26]) and rates[25:] == sorted(rates[25:], reverse=True)
    assert rates[62] == pytest.approx(0.5 * (1 + math.cos(math.pi * 37 / 75)) / 2)
    assert rates[100] == pytest.approx(0)


def test_each_step_is_told_with_its_number_across_epochs(images, labels):
    model, steps = new_classifier(), []
    arguments = (model, Batches(images, labels, 50), LOSS, sgd(model))
    history = fit(*arguments, 1, after_step=steps.append)
    fit(*arguments, 3, after_step=steps.append, history=history)
    assert steps == list(range(1, 10)) and arguments[1].num_steps == 3


def test_a_rate_set_after_a_step_is_that_of_the_next(images, labels):
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    optimizer, weights = sgd(model), []

    def stop_moving(step):
        set_learning_rate(optimizer, 0.0)
        weights.append(model[1].weight.detach().clone())

    train = Batches(images, labels, 65)
    train_one_epoch(model, train, LOSS, optimizer, after_step=stop_moving)
    assert torch.equal(weights[0], weights[1])


def test_the_average_of_weights_against_the_formula(images, labels):
    model = new_classifier()
    average, by_hand = WeightAverage(model, 0.5), model[1].weight.detach().clone()

    def update(step):
        average.update(step)
        share = min(0.5, step / (step + 9))
        by_hand.mul_(share).add_(model[1].weight.detach(), alpha=1 - share)

    train = Batches(images, labels, 10)
    how = {"watch": {"val": train}, "after_step": update, "measured": average.model}
    history = fit(model, train, LOSS, sgd(model, 0.5), 2, **how)
    assert torch.allclose(average.model[1].weight, by_hand, atol=1e-6)
    assert not torch.allclose(model[1].weight, by_hand, atol=1e-3)
    assert history["val_loss"][-1] == evaluate(average.model, train, LOSS)["loss"]
    assert history["val_loss"][-1] != evaluate(model, train, LOSS)["loss"]
    assert not average.model.training
    assert all(weight.grad is None for weight in average.model.parameters())


def test_an_average_of_batch_norm_has_its_running_means():
    model = nn.BatchNorm2d(1).train()
    average = WeightAverage(model, 0.9)
    model(torch.rand(8, 1, 4, 4) + 3)
    average.update(1)
    assert average.model.num_batches_tracked == 1
    assert average.model.running_mean.item() == pytest.approx(0.9 * model.running_mean.item())


def test_what_is_measured_may_be_another_loss(images, labels):
    model, batches = new_classifier(), Batches(images, labels, 50)
    smoothed = nn.CrossEntropyLoss(label_smoothing=0.3)
    how = {"watch": {"val": batches}, "measured_loss_fn": LOSS}
    history = fit(model, batches, smoothed, sgd(model), 1, **how)
    assert history["val_loss"][0] == evaluate(model, batches, LOSS)["loss"]
    assert history["val_loss"][0] != evaluate(model, batches, smoothed)["loss"]


def test_minibatches_are_augmented_in_training_alone_and_alike_each_time(images, labels):
    def brighten(inputs):
        return inputs + torch.rand(len(inputs), 1, 1, 1)

    batches = Batches(images, labels, 50, seed=3, augment=brighten)
    epochs = ([inputs for inputs, _ in batches.epoch(k)] for k in (1, 1, 2))
    first, again, second = map(torch.cat, epochs)
    assert torch.equal(first, again) and not torch.equal(first, second)
    assert torch.equal(torch.cat([inputs for inputs, _ in batches]), images)


def test_one_hot_mse_against_a_case_by_hand():
    outputs = torch.tensor([[0.5, 0.0, 0.0], [0.0, 0.0, 1.0]])
    assert OneHotMSE()(outputs, torch.tensor([0, 1])).item() == pytest.approx((0.25 + 1 + 1) / 6)


def test_an_epoch_in_which_the_machine_slept_changes_no_time():
    rows = [{"seconds": seconds} for seconds in (1.1, 3600.0, 1.0, 1.3, 1.2)]
    assert History(rows).epoch_seconds == 1.2


def test_history_as_frame_and_best_epoch():
    losses = enumerate([0.5, 0.2, 0.2], start=1)
    history = History([{"epoch": epoch, "val_loss": loss} for epoch, loss in losses])
    assert history.best_epoch("val_loss") == 2 and history.epochs_since_best("val_loss") == 1
    assert history.frame().loc[3, "val_loss"] == 0.2


@pytest.mark.parametrize(("inputs", "targets", "batch_size"), [(3, 2, 1), (0, 0, 1), (3, 3, 0)])
def test_impossible_batches_are_refused(inputs, targets, batch_size):
    with pytest.raises(UserError, match="minibatches"):
        Batches(torch.zeros(inputs), torch.zeros(targets), batch_size)
