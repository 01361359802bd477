"""Predictions, counts and tables, each against a value worked by hand or by another library."""

import numpy as np
import pytest
import torch
from scipy.stats import chi2_contingency
from sklearn.decomposition import PCA
from torch import nn

from fmnist_utils import evaluation


@pytest.fixture
def images():
    return torch.rand(23, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def dropout_classifier():
    torch.manual_seed(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 16), nn.Dropout(0.5), nn.Linear(16, 10))


class TinyAutoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, 3), nn.Dropout(0.5))
        self.decoder = nn.Sequential(nn.Linear(3, 784), nn.Unflatten(1, (1, 28, 28)))

    def forward(self, inputs):
        return self.decoder(self.encoder(inputs))


def test_predict_gives_the_softmax_of_the_logits_without_dropout(images):
    model = dropout_classifier()
    probabilities = evaluation.predict(model, images)
    by_hand = model[3](model[1](images.flatten(1))).exp()
    torch.testing.assert_close(probabilities, (by_hand / by_hand.sum(1, keepdim=True)).detach())
    assert probabilities.shape == (23, 10) and not probabilities.requires_grad
    for batch_size in (1, 7):
        torch.testing.assert_close(evaluation.predict(model, images, batch_size), probabilities)


@pytest.mark.parametrize("function", [evaluation.predict, evaluation.reconstruct])
def test_every_part_of_the_model_keeps_its_mode(images, function):
    model = dropout_classifier().train()
    model[2].eval()
    function(model, images)
    assert [module.training for module in model] == [True, True, False, True] and model.training


def test_the_mode_is_restored_after_an_error():
    model = dropout_classifier().train()
    model[1] = nn.Linear(5, 16)
    with pytest.raises(RuntimeError):
        evaluation.predict(model, torch.zeros(2, 1, 28, 28))
    assert model.training and model[2].training


def test_reconstruct_and_encode_are_the_two_halves(images):
    model = TinyAutoencoder().train()
    codes = evaluation.encode(model, images, 5)
    reconstructions = evaluation.reconstruct(model, images, 5)
    assert codes.shape == (23, 3) and reconstructions.shape == images.shape
    torch.testing.assert_close(reconstructions, model.decoder(codes).detach())


def test_codes_can_be_trained_on(images):
    codes = evaluation.encode(TinyAutoencoder(), images)
    nn.Linear(3, 10)(codes).sum().backward()  # tensors of inference mode would raise here


def test_pca_reconstructs_as_scikit_learn_does(images):
    pca = PCA(5, svd_solver="full").fit(images[:20].flatten(1))
    expected = pca.inverse_transform(pca.transform(images[20:].flatten(1)))
    found = evaluation.pca_reconstruct(images[:20], images[20:], 5)
    np.testing.assert_allclose(found.flatten(1), expected, atol=1e-4)
    assert found.shape == (3, 1, 28, 28)


def test_errors_of_pca_fall_with_its_size_and_are_those_of_its_reconstructions(images):
    errors = evaluation.pca_errors(images, images, (2, 8, 22))
    kept = evaluation.pca_reconstruct(images, images, 8)
    differences = [kept - images, kept.clamp(0, 1) - images]
    expected = [
        value.mean().item()
        for difference in differences
        for value in (difference.square(), difference.abs())
    ]
    assert errors.loc[8].tolist() == pytest.approx(expected) and expected[2] < expected[0]
    assert list(errors.columns) == ["mse", "l1", "mse_clamped", "l1_clamped"]
    assert errors["mse"].is_monotonic_decreasing
    # 23 images span 22 directions around their mean.
    assert errors.loc[22, "mse"] == pytest.approx(0, abs=1e-9)


def test_confusion_matrix_worked_by_hand():
    labels, predictions = torch.tensor([0, 0, 0, 1, 1, 2]), torch.tensor([0, 2, 0, 1, 0, 1])
    matrix = evaluation.confusion_matrix(labels, predictions, num_classes=3)
    # Rows: what it is; columns: what it was called.
    assert matrix.tolist() == [[2, 0, 1], [1, 1, 0], [0, 1, 0]]
    absent = evaluation.confusion_matrix([9, 9], [9, 8])
    assert absent.shape == (10, 10) and absent[9, 8] == absent[9, 9] == 1 and absent.sum() == 2
    unknown = evaluation.confusion_matrix([0, 1], [3, 1], num_classes=3)
    assert unknown.tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_z_of_one_run_squared_is_pearsons_chi_square_of_each_cell():
    # Rows of 100 and of 300 or 270.
    theirs, ours = (np.eye(10) * 60 + 4, np.eye(10, k=1) * 30 + np.eye(10) * 120 + 15)
    z = evaluation.confusion_z(theirs, [ours])
    for cell in [(0, 0), (3, 4), (9, 1)]:
        counts = [[matrix[cell], matrix[cell[0]].sum() - matrix[cell]] for matrix in (theirs, ours)]
        assert z[cell] ** 2 == pytest.approx(chi2_contingency(counts, correction=False).statistic)
    assert z[0, 0] > 0 > z[0, 1]


def test_cells_that_nobody_or_everybody_fell_in_do_not_differ():
    z = evaluation.confusion_z(np.eye(10) * 1000, [np.eye(10) * 500] * 2)
    assert not z.any()


def test_runs_that_are_lotteries_have_no_overdispersion_and_runs_that_swing_have():
    random = np.random.default_rng(0)
    drawn = np.array([random.multinomial(1000, [0.7, 0.3, *[0] * 8], size=10) for _ in range(200)])
    assert evaluation.overdispersion(drawn) == pytest.approx(1, abs=0.1)
    swinging = np.array(
        [
            random.multinomial(1000, [share, 1 - share, *[0] * 8], 10)
            for share in random.uniform(0.6, 0.8, 200)
        ]
    )
    # The share has the variance 0.2² / 12; 1000² times that is added to the 210 of one share.
    assert evaluation.overdispersion(swinging) == pytest.approx(
        1 + 1000**2 * 0.2**2 / 12 / 210, rel=0.2
    )
    assert evaluation.overdispersion(drawn[:1]) == 1
    once = evaluation.confusion_z(drawn[0], [drawn[1]])
    # The same sum as of two such runs.
    of_two = evaluation.confusion_z(drawn[0], [drawn[1] * 0.9, drawn[1] * 1.1])
    scale = np.sqrt(evaluation.overdispersion([drawn[1] * 0.9, drawn[1] * 1.1]))
    doubled = evaluation.confusion_z(drawn[0], [drawn[1] * 2])
    np.testing.assert_allclose(of_two * scale, doubled)
    assert np.abs(doubled[0, 0]) > np.abs(once[0, 0])


def test_most_confident_mistakes_come_in_order_and_leave_out_the_hits():
    probabilities = torch.full((4, 10), 0.0)
    for image, (label, probability) in enumerate([(3, 0.6), (1, 0.9), (2, 0.8), (5, 0.7)]):
        probabilities[image, label] = probability
    mistakes = evaluation.most_confident_mistakes(probabilities, torch.tensor([0, 1, 7, 8]), k=2)
    assert mistakes[["index", "true", "predicted"]].values.tolist() == [[2, 7, 2], [3, 8, 5]]
    np.testing.assert_allclose(mistakes["confidence"], [0.8, 0.7])
    assert evaluation.most_confident_mistakes(torch.eye(10), torch.arange(10), k=3).empty
