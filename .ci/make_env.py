"""Make, update or repair a virtual environment.

    python3 .ci/make_env.py [FOLDER]

The folder (.venv) gets what requirements.lock names, checked by hash, and the package itself,
editable. A stamp in it says what it was made from; while that has not changed, nothing is done.
The lock file beside it makes a second process wait. It is empty except during the work: what
stands in it later tells that the work was cut short and has to begin anew.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 14)  # the Pythons that requirements.lock is made for
ROOT = Path(__file__).resolve().parent.parent

UNFIT = """
Se necesita Python 3.11, 3.12, 3.13 o 3.14; este es {0} ({1}).
Por ejemplo: make book PYTHON=python3.12
Python 3.11, 3.12, 3.13 or 3.14 is needed; this is {0} ({1}).
For example: make book PYTHON=python3.12"""
FOREIGN = """
{0} no está vacía y no es un entorno virtual: no se toca.
Para usar otra carpeta: make book VENV=.venv-fmnist
{0} is not empty and is no virtual environment: it is left alone.
To use another folder: make book VENV=.venv-fmnist"""
WAITING = """
Otro proceso está preparando {0}; se espera a que termine.
Another process is setting up {0}; waiting for it to finish."""
MAKING = """
Se prepara {0}. Se hace una sola vez: unos minutos y hasta 7 GB de disco.
Setting up {0}. This happens once: some minutes and up to 7 GB of disk."""
UPDATING = """
Se actualiza {0}.
Updating {0}."""
FAILED = """
No se pudo preparar {0}; el motivo está más arriba. Las causas habituales:
  - no se llega al registro de paquetes: revisar la conexión y pip config list;
  - falta disco: hasta 7 GB, y otro tanto de paso en la carpeta temporal (TMPDIR elige otra);
  - Python vino sin el módulo venv: en Debian y Ubuntu, apt install python3-venv.
Después, repetir el mismo comando.

{0} could not be set up; the reason stands above. The usual causes:
  - the package registry is out of reach: check the connection and pip config list;
  - no disk space: up to 7 GB, and as much in passing in the temporary folder (TMPDIR moves it);
  - Python came without its venv module: on Debian and Ubuntu, apt install python3-venv.
Then repeat the same command."""


def main(venv):
    python, stamp = venv / "bin" / "python", venv / "fmnist-stamp"
    sources = [ROOT / "requirements.lock", ROOT / "pyproject.toml"]

    def made_from():
        """Return a digest of the two files, of this folder's place and of the base interpreter."""
        parts = [path.read_bytes() for path in sources] + [bytes(ROOT), bytes(python.resolve())]
        return hashlib.sha256(b"\0".join(parts)).hexdigest()

    def is_ready():
        return python.exists() and stamp.exists() and stamp.read_text() == made_from()

    if is_ready():
        return
    venv.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{venv}.lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(WAITING.format(venv), flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        if is_ready():  # the other process has made it
            return
        cut_short = os.path.getsize(lock.name) > 0
        foreign = venv.exists() and os.listdir(venv) and not (venv / "pyvenv.cfg").exists()
        if foreign and not cut_short:
            sys.exit(FOREIGN.format(venv))

        # Children hold the lock too: if this process alone is killed, nobody disturbs its pip.
        options = {"stdin": subprocess.DEVNULL, "pass_fds": [lock.fileno()]}
        has_pip = python.exists() and subprocess.call([python, "-c", "import pip"], **options) == 0
        anew = cut_short or not has_pip
        print((MAKING if anew else UPDATING).format(venv), flush=True)
        lock.write("unfinished")
        lock.flush()

        # In an activated environment sys.executable may stand in the very folder to be cleared.
        create = [sys._base_executable, "-m", "venv", "--clear", venv]
        pip = [python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
        locked = [*pip, "--require-hashes", "--only-binary", ":all:", "-r", sources[0]]
        package = [*pip, "--quiet", "--no-deps", "--no-build-isolation", "-e", ROOT]
        for command in [create, locked, package] if anew else [[*locked, "--quiet"], package]:
            status = subprocess.call(command, **options)
            if status > 0:  # not killed: pip takes back what it began, and the next call goes on
                lock.truncate(0)
            if status:
                sys.exit(FAILED.format(venv))
        stamp.write_text(made_from())
        lock.truncate(0)


if __name__ == "__main__":
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        sys.exit(UNFIT.format(sys.version.split()[0], sys.executable))
    try:
        main(Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / ".venv").absolute())
    except KeyboardInterrupt:
        sys.exit(130)
