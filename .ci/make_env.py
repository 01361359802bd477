"""Make, update or repair the project's virtual environment; the standard library is all it needs.

    python3 .ci/make_env.py [FOLDER]        (FOLDER is .venv if not given)
    python3 .ci/make_env.py .venv-bench --above .venv

The environment holds exactly what ``requirements.lock`` names, checked by hash, and the package itself, editable. A
stamp inside it says what it was made from; while the stamp is right nothing is done, so no network is needed. A lock
file beside it lets several ``make`` commands run at once, and tells after a kill that the work was left half done.

An environment *above* another sees all that is in the other, and adds what ``benchmarks/requirements.lock`` names besides: so
the benchmark's peers use the very same PyTorch, and the gigabytes of it are there once.
"""

import sys

if sys.version_info < (3, 11):  # before anything that an older Python could not read
    sys.exit(
        "Se necesita Python 3.11 o posterior; este es {0} ({1}). Por ejemplo: make book PYTHON=python3.12\n"
        "Python 3.11 or newer is needed; this is {0} ({1}). For example: make book PYTHON=python3.12".format(
            sys.version.split()[0], sys.executable
        )
    )

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from fmnist_utils.text import UserError, say  # noqa: E402  (imports the standard library alone)

GIGABYTES = 6
UNFINISHED = "unfinished"


def fingerprint(above: Path | None = None) -> str:
    """Return the SHA-256 of what an environment is made from: the locks, the package's metadata, this folder's place."""
    names = [
        "requirements.lock",
        "pyproject.toml",
        *(["benchmarks/requirements.lock"] if above else []),
    ]
    parts = [(ROOT / name).read_bytes() for name in names]
    return hashlib.sha256(
        b"\0".join([*parts, os.fsencode(ROOT), os.fsencode(above or "")])
    ).hexdigest()


def is_ready(venv: Path, above: Path | None = None) -> bool:
    """Tell whether ``venv`` works and was made from the present files."""
    stamp = venv / "fmnist-stamp"
    return (
        (venv / "bin" / "python").exists()
        and stamp.exists()
        and stamp.read_text() == fingerprint(above)
    )


@contextmanager
def locked(venv: Path) -> Iterator[TextIO]:
    """Hold the lock file beside ``venv``, waiting for it if need be; yields the open file."""
    venv.parent.mkdir(parents=True, exist_ok=True)
    with venv.with_name(venv.name + ".lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(say("env.waiting", folder=venv), flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock


def note(lock: TextIO, word: str) -> None:
    """Write ``word`` as the only content of the lock file."""
    lock.seek(0)
    lock.truncate()
    lock.write(word)
    lock.flush()


def see_through(venv: Path, above: Path) -> None:
    """Let the Python of ``venv`` find the packages of ``above`` too, after its own."""
    [packages] = (venv / "lib").glob("python*/site-packages")
    [seen] = (above / "lib").glob("python*/site-packages")
    (packages / "fmnist-above.pth").write_text(f"import site; site.addsitedir({str(seen)!r})\n")


def make_env(
    venv: Path, run: Callable[..., object] = subprocess.run, above: Path | None = None
) -> bool:
    """Bring ``venv`` up to date; return False if there was nothing to do. ``above`` is an environment that stands.

    Killed at any moment, it is made anew from nothing by the next call. A pip that fails by itself takes back what it
    began, so that the environment is kept and the next call goes on.

    Raises:
        UserError: if ``venv`` is a folder of something else, or an installation fails.
    """
    if is_ready(venv, above):
        return False
    with locked(venv) as lock:
        if is_ready(venv, above):  # made by another process while this one waited
            return False
        lock.seek(0)
        interrupted = lock.read() == UNFINISHED
        if (
            venv.exists()
            and any(venv.iterdir())
            and not (venv / "pyvenv.cfg").exists()
            and not interrupted
        ):
            raise UserError("env.foreign_folder", folder=venv)
        python = venv / "bin" / "python"
        fresh = interrupted or not python.exists()
        free = shutil.disk_usage(venv.parent).free / 1e9
        print(
            say(
                "env.repairing" if interrupted else "env.making" if fresh else "env.updating",
                folder=venv,
            )
        )
        if fresh:
            print(say("env.cost", gigabytes=GIGABYTES, free=free))
        sys.stdout.flush()

        note(lock, UNFINISHED)
        (venv / "fmnist-stamp").unlink(missing_ok=True)
        # As long as a child lives it holds the lock too: killing this process alone lets nobody in.
        options = {"check": True, "stdin": subprocess.DEVNULL, "pass_fds": (lock.fileno(),)}
        pip = [python, "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
        quiet = [] if fresh else ["--quiet"]
        try:
            if fresh:
                # The base interpreter: in an activated environment sys.executable stands in the folder being cleared.
                base = (
                    sys._base_executable if above is None else (above / "bin" / "python").resolve()
                )
                run([base, "-m", "venv", "--clear", venv], **options)
            wheels_only = ["--require-hashes", "--only-binary", ":all:"]
            lock_file = ROOT / ("benchmarks/requirements.lock" if above else "requirements.lock")
            if above:
                see_through(venv, above)
            run([*pip, *quiet, *wheels_only, "--requirement", lock_file], **options)
            if not above:
                run(
                    [*pip, "--quiet", "--no-deps", "--no-build-isolation", "--editable", ROOT],
                    **options,
                )
        except subprocess.CalledProcessError as error:
            if error.returncode > 0 and "pip" in error.cmd:
                note(lock, "")
            command = " ".join(map(str, error.cmd[:5]))
            raise UserError(
                "env.failed", command=command, gigabytes=GIGABYTES, free=free, folder=venv
            ) from error
        (venv / "fmnist-stamp").write_text(fingerprint(above))
        note(lock, "")
    print(say("env.ready", folder=venv), flush=True)
    return True


if __name__ == "__main__":
    try:
        parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
        parser.add_argument("folder", type=Path, nargs="?", default=ROOT / ".venv")
        parser.add_argument("--above", type=Path, help="the environment whose packages it sees")
        chosen = parser.parse_args()
        make_env(chosen.folder.absolute(), above=chosen.above and chosen.above.absolute())
    except UserError as error:
        sys.exit(f"\n{error}")
    except KeyboardInterrupt:
        sys.exit(130)
