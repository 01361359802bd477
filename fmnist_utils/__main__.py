"""``python -m fmnist_utils``: the command ``fmnist``, also where it is not on the ``PATH``."""

from fmnist_utils.workshop.cli import main

if __name__ == "__main__":
    main(prog_name="fmnist")
