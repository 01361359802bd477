"""Spread the project's public address, which stands in ``pyproject.toml``, to the places that must repeat it.

    python3 .ci/address.py --check | --write

The book and the workflows ask for the address when they run; a README, a citation file and the cell that installs the
package in Colab cannot. In those files every link of a kind listed in ``LINKS`` is ours, whoever it points at now.
"""

import argparse
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Files that repeat the address; those of the first line must.
REQUIRED = ("README.md", "CITATION.cff", "CONTRIBUTING.md")
ALLOWED = ("book/pages/*.md", "book/es/**/*.md", "book/en/**/*.md")

_OWNER, _NAME = r"(?P<owner>[\w-]+)", r"(?P<name>[\w-](?:[\w.-]*?[\w-])??)"
_END = r"(?=\.git\b|[^\w.-]|\.?$|\.\s)"
LINKS = (
    rf"https://github\.com/{_OWNER}/{_NAME}(?=/actions/workflows/)",  # badge
    rf"git\+https://github\.com/{_OWNER}/{_NAME}{_END}",  # pip install
    rf"git clone https://github\.com/{_OWNER}/{_NAME}{_END}",
    rf"repository-code: \"?https://github\.com/{_OWNER}/{_NAME}{_END}",
    rf"colab\.research\.google\.com/github/{_OWNER}/{_NAME}(?=/)",
    rf"mybinder\.org/v2/gh/{_OWNER}/{_NAME}(?=/)",
    rf"https://{_OWNER}\.github\.io/{_NAME}{_END}",  # the published site
)


def public_address(root: Path = ROOT) -> tuple[str, str]:
    """Return owner and name of the repository, from ``pyproject.toml``.

    Raises:
        ValueError: if the address is not of the form ``https://github.com/owner/name``, which Colab needs.
    """
    address = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["urls"][
        "Repository"
    ]
    match = re.fullmatch(rf"https://github\.com/{_OWNER}/{_NAME}", address)
    if not match:
        raise ValueError(
            f"[project.urls] Repository: {address!r} is not of the form https://github.com/owner/name"
        )
    return match["owner"], match["name"]


def rewritten(text: str, owner: str, name: str) -> tuple[str, int]:
    """Return ``text`` with all its links of ours pointing at ``owner/name``, and how many they are."""

    def point(match: re.Match) -> str:
        start, link = match.start(), match[0]
        for group, value in (
            ("name", name),
            ("owner", owner),
        ):  # the later one first: the earlier keeps its place
            link = link[: match.start(group) - start] + value + link[match.end(group) - start :]
        return link

    links = 0
    for pattern in LINKS:
        text, found = re.subn(pattern, point, text, flags=re.MULTILINE)
        links += found
    return text, links


def outdated(root: Path = ROOT) -> dict[Path, str]:
    """Return the files whose links point elsewhere, each with its right text.

    Raises:
        ValueError: if a file that must repeat the address does not, or the address is not fit.
    """
    owner, name = public_address(root)
    texts = {}
    for pattern in REQUIRED + ALLOWED:
        for path in sorted(root.glob(pattern)):
            text = path.read_text("utf-8")
            right, links = rewritten(text, owner, name)
            if pattern in REQUIRED and not links:
                raise ValueError(f"{path.relative_to(root)} holds no link to the project")
            if right != text:
                texts[path] = right
    return texts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument(
        "--check", action="store_true", help="fail if a file repeats another address"
    )
    action.add_argument("--write", action="store_true", help="correct those files")
    chosen = parser.parse_args()
    try:
        wrong = outdated()
    except ValueError as error:
        sys.exit(str(error))
    for path, text in wrong.items():
        print(path.relative_to(ROOT))
        if chosen.write:
            path.write_text(text, "utf-8")
    return int(chosen.check and bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
