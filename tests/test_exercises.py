"""The exercises: their checks know right from wrong, and say it in a sentence."""

import contextlib
import re
import sys
import time

import pytest
import torch
from exercise_answers import ANSWERS

from fmnist_utils import exercises
from fmnist_utils.exercises import EXERCISES, check
from fmnist_utils.text import LANGUAGES, WORDS, UserError, set_language


def told(key: str, lang: str) -> str:
    """Return a pattern that finds what sentences of the exercises say, ``|`` between them."""
    texts = [re.escape(WORDS[f"exercises.{one}"][LANGUAGES.index(lang)]) for one in key.split("|")]
    return re.sub(r"\\\{\w+\\\}", "(?s:.+)", "|".join(texts))


def says(result, key: str, lang: str = "en") -> bool:
    return bool(re.search(told(key, lang), result.told))


def test_every_exercise_has_its_answers():
    assert sorted(ANSWERS) == sorted(EXERCISES)


@pytest.mark.parametrize("number", EXERCISES)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_right_answer_passes_and_three_wrong_ones_are_told_apart(number, lang, monkeypatch):
    monkeypatch.setattr(exercises, "SECONDS", 300)  # the machine may be busy with other things
    set_language(lang)
    right, wrong = ANSWERS[number]
    for _ in range(5 if lang == "en" else 1):  # other inputs each time
        result = check(number, right)
        assert result.state == "right", result.told
    assert says(result, "right", lang) and len(wrong) >= 3
    for answer, key in wrong:
        result = check(number, answer)
        assert result.state == "wrong" and says(result, key, lang), result.told
        assert f"{number}:" in repr(result)
        assert all(len(line) <= 88 for line in repr(result).splitlines())


def left_open(logits): ...


def with_dots(logits):
    return ...


def half_done(logits):
    ...  # noqa: PIE790
    return logits


def done_with_dots(logits):
    ...  # noqa: PIE790
    return logits.softmax(dim=1)


def sliced(logits):
    return logits[..., 0]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_dots_are_told_kindly_unless_the_answer_is_right(lang):
    set_language(lang)
    for answer in (left_open, with_dots, half_done, ...):
        result = check("00.4", answer)
        assert result.state == "unfinished" and says(result, "unfinished", lang)
    assert check("00.4", done_with_dots).state == "right"
    assert check("00.4", sliced).state == "wrong"


def raises(logits):
    return logits / [1]


def endless(logits):
    while True:
        pass


def stubborn(logits):
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(0.01)


def recursive(logits):
    return recursive(logits)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    ("answer", "key"),
    [
        (raises, "raised_in"),
        (recursive, "raised_in"),
        (lambda logits: sys.exit(), "raised"),
        (lambda logits: None, "none"),
        (lambda logits: "\033[31m" * 999, "type"),
        (lambda: 1, "arguments"),
        (lambda logits, more: 1, "arguments"),
        (torch.zeros(2), "no_function"),
        (lambda logits: torch.full_like(logits, torch.nan), "value"),
    ],
)
def test_whatever_is_wrong_gets_a_sentence(answer, key, lang):
    set_language(lang)
    result = check("00.4", answer)
    assert result.state == "wrong" and says(result, key, lang), result.told
    assert "\033" not in result.told and len(result.told) < 900


@pytest.mark.racing
@pytest.mark.parametrize("answer", [endless, stubborn])
def test_a_loop_that_never_ends_is_left(answer, monkeypatch):
    monkeypatch.setattr(exercises, "SECONDS", 0.5)
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    start = time.monotonic()
    result = check("00.4", answer)
    assert time.monotonic() - start < 60
    assert result.state == "wrong" and says(result, "endless")
    assert says(result, "restart") == (answer is stubborn)


def test_inputs_are_new_each_time_and_belong_to_the_check():
    seen = []

    def spoils(logits):
        seen.append(logits.clone())
        answer = logits.softmax(dim=1)
        logits.zero_()
        return answer

    torch.manual_seed(0)
    before = torch.get_rng_state()
    assert check("00.4", spoils).state == check("00.4", spoils).state == "right"
    assert torch.equal(torch.get_rng_state(), before)
    assert len({tensor.sum().item() for tensor in seen}) == len(seen) == 2 * exercises.CASES


def test_an_unknown_exercise_is_refused():
    with pytest.raises(UserError, match=r"'00\.44'.*00\.4.*Did you mean"):
        check("00.44", left_open)
