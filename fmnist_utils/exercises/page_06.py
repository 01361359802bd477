"""The exercises of page 06, on searching for hyperparameters."""

from fmnist_utils.exercises.cases import Case, Draw, exercise


@exercise("06.4")
def count_trials(draw: Draw) -> Case:
    """The fewest random trials of which one hits with enough probability."""
    share, probability = draw.number(0.02, 0.4), draw.number(0.5, 0.98) + 0.003
    trials = 1
    while 1 - (1 - share) ** trials < probability:
        trials += 1
    return Case({"share": share, "probability": probability}, trials)


@exercise("06.5")
def honest_score(draw: Draw) -> Case:
    """The mean of the runs of one configuration that the search did not see."""
    accuracies = 0.5 + draw.uniform(draw.whole(2, 3), draw.whole(3, 4)).numpy() / 2
    chosen = draw.whole(0, accuracies.shape[0] - 1)
    seen = draw.whole(0, accuracies.shape[1] - 1)
    row = accuracies[chosen].tolist()
    others = row[:seen] + row[seen + 1 :]
    given = {"final": accuracies, "chosen": chosen, "seen": seen}
    return Case(given, sum(others) / len(others))
