"""Set-ups of people who asked for help: the doctor names what is wrong, and its way out mends it.

Nothing is replaced in the doctor here: each check asks the real machine, in the set-up that the
variables make. The other broken set-ups are tried in ``trust/test_r30_environment.py``.
"""

import pwd
import re

import pytest
from mirrors import NAMES

from fmnist_utils.text import speaking
from fmnist_utils.workshop import doctor


def no_home(folder, monkeypatch):
    def unknown(number):
        raise KeyError(f"uid not found: {number}")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.delenv("HOME")


def absent_records(folder, monkeypatch):
    monkeypatch.setenv("FMNIST_RESULTS", str(folder / "gone"))


def cache_below_a_file(folder, monkeypatch):
    (folder / "file").touch()
    monkeypatch.setenv("FMNIST_CACHE", str(folder / "file" / "cache"))


def runs_in_no_folder(folder, monkeypatch):
    monkeypatch.setenv("FMNIST_RUNS", "/dev/null/runs")


def incomplete_data(folder, monkeypatch):
    (folder / NAMES[0]).write_bytes(b"\x1f\x8bhalf")
    monkeypatch.setenv("FMNIST_DATA", str(folder))


def forbidden_download(folder, monkeypatch):
    monkeypatch.setenv("FMNIST_OFFLINE", "YES")


def refusing_proxy(folder, monkeypatch):
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")


def neither_yes_nor_no(folder, monkeypatch):
    monkeypatch.setenv("FMNIST_OFFLINE", "perhaps")


def old_package(folder, monkeypatch):
    """An old copy comes first on the path, as after ``pip install --user`` long ago."""
    old = folder / "numpy-1.21.0.dist-info"
    old.mkdir()
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 1.21.0\n")
    monkeypatch.syspath_prepend(folder)


# what is broken → the check that sees it, what it names, the variable of its way out
SET_UPS = {
    no_home: (doctor.check_home, ["HOME"], "HOME"),
    absent_records: (doctor.check_folders, ["gone", "FMNIST_RESULTS"], "FMNIST_RESULTS"),
    cache_below_a_file: (doctor.check_folders, ["file/cache"], "FMNIST_CACHE"),
    runs_in_no_folder: (doctor.check_folders, ["/dev/null/runs"], "FMNIST_RUNS"),
    incomplete_data: (doctor.check_data, ["train-images", "FMNIST_DATA"], "FMNIST_DATA"),
    forbidden_download: (doctor.check_data, ["FMNIST_OFFLINE"], "FMNIST_OFFLINE"),
    refusing_proxy: (doctor.check_data, ["http://127.0.0.1:9"], "http_proxy"),
    neither_yes_nor_no: (doctor.check_data, ["FMNIST_OFFLINE", "'perhaps'"], None),
    old_package: (doctor.check_packages, ["numpy 1.21.0"], None),
}


def ailments(check):
    return "\n".join(found.text for found in doctor._safely(check) if not found.good)


@pytest.mark.parametrize("set_up", SET_UPS, ids=lambda set_up: set_up.__name__)
def test_it_is_named_and_the_way_out_works(set_up, tmp_path, monkeypatch):
    check, named, variable = SET_UPS[set_up]
    monkeypatch.delenv("FMNIST_OFFLINE", raising=False)
    monkeypatch.setenv("FMNIST_MIRRORS", "http://127.0.0.1:9/")  # refuses at once
    assert check is doctor.check_data or not ailments(check)
    set_up(tmp_path, monkeypatch)
    told = {}
    for lang in ("es", "en"):
        with speaking(lang):
            told[lang] = ailments(check)
        assert all(name in told[lang] for name in named)
    assert told["es"] != told["en"]
    if variable:
        name, value = re.search(rf"`export ({variable})=(.*?)`", told["en"]).groups()
        monkeypatch.setenv(name, str(tmp_path) if value == "FOLDER" else value)
        assert f"`export {variable}={value}`" not in ailments(check)
