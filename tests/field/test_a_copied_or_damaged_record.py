"""Files of other programs beside the records, and records that came to harm: named, with a way back."""

import shlex
import shutil
import subprocess

import pytest

from fmnist_utils.audit import load_report, rows
from fmnist_utils.audit.records import RESULTS, Records
from fmnist_utils.text import LANGUAGES, UserError, speaking
from fmnist_utils.workshop.plans import estimate

REPORT = "01_ff_classifier"


@pytest.fixture
def records(tmp_path, monkeypatch):
    """A copy of the records of report 1, which Git keeps, in place of those of the package."""
    folder = tmp_path / "mine" / REPORT / "records"
    shutil.copytree(RESULTS / REPORT / "records", folder)
    monkeypatch.setenv("FMNIST_RESULTS", str(tmp_path / "mine"))
    git = ["git", "-C", str(folder), "-c", "user.name=Ana", "-c", "user.email=ana@example.org"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "Keep"]):
        subprocess.run([*git, *command], check=True)
    return folder


def audited():
    return [row.to_json() for row in rows("01")]


@pytest.mark.parametrize(
    "name",
    ["._{}.json", "{} (1).json", "{} - Copy.json", "{}.json.orig", ".{}.json.swp", "{}~.json"],
)
def test_what_other_programs_leave_there_is_no_record(name, records):
    expected = audited()
    for stem in [path.stem for path in records.glob("model_1.*.json")]:
        (records / name.format(stem)).write_bytes(b"\0\5\x16\7junk")
    assert audited() == expected
    recipe = load_report("01").recipe("model_1", "ours")
    assert estimate([recipe], Records(), "cpu")[0] > 0


CHANGES = {
    "empty": (lambda content: b"", ("vacío", "empty")),
    "cut": (lambda content: content[:400], ("se corta", "breaks off")),
    "conflict": (
        lambda content: content.replace(b'"id"', b'<<<<<<< HEAD\n"id"', 1),
        ("conflicto de Git en la línea 3", "Git conflict in line 3"),
    ),
    "lfs": (lambda content: b"version https://git-lfs.github.com/spec/v1\n", ("LFS", "LFS")),
    "page": (lambda content: b"<!DOCTYPE html>\n<html></html>", ("página web", "page of the web")),
    "latin": (lambda content: content[:30] + b"\xe9" + content[30:], ("UTF-8", "UTF-8")),
    "edited": (lambda content: content.replace(b"0.8", b"0.9", 1), ("después de", "altered after")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_harmed_record_is_named_and_the_advice_gives_it_back(change, records):
    spoil, told = CHANGES[change]
    path = min(records.glob("model_1.*.json"))
    whole = path.read_bytes()
    path.write_bytes(spoil(whole))
    for words, lang in zip(told, LANGUAGES, strict=True):
        with speaking(lang), pytest.raises(UserError) as refused:
            audited()
        message = str(refused.value)
        assert words in message and str(path) in message
    subprocess.run(shlex.split(message.split("`")[1]), check=True, capture_output=True)
    assert path.read_bytes() == whole and audited()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_record_saved_by_an_editor_in_another_unicode_is_read(encoding, records):
    expected = audited()
    path = min(records.glob("model_1.*.json"))
    path.write_text(path.read_text("utf-8"), encoding)
    assert audited() == expected


def test_a_pointer_in_place_of_weights_is_named(records):
    [weights, *_] = sorted(records.glob("*.panel.safetensors"))
    weights.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    recipe = next(
        r
        for rs in load_report("01").all_recipes().values()
        for r in rs
        if r.id[:12] in weights.name
    )
    with pytest.raises(UserError, match=r"Git LFS .*checkout HEAD -- "):
        _ = Records().find(recipe).panel
