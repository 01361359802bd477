"""Say what is wrong with the pages, the texts and, where it is built, the site."""

import sys

from book.machinery import links, pages, terms
from book.machinery.rules import check_site
from book.machinery.rules.page import check_page, known_parameters
from book.machinery.rules.prose import check_prose

SITE = pages.BOOK / "_build" / "html"


def main(chosen: list[str]) -> int:
    """Check the pages with these numbers, or everything; return 1 if anything is wrong."""
    findings = []
    for path in pages.paths():
        if not chosen or path.stem[:2] in chosen:
            found = check_page(pages.read(path), known_parameters(path.stem))
            findings += [f"{path.name}: {finding}" for finding in found]
            findings += [f"{path.name}: links: {found}" for found in links.missing(path)]
    findings += [f"terms: {finding}" for finding in terms.check(chosen)]
    if not chosen:
        findings += check_prose()
        findings += check_site(SITE) if SITE.is_dir() else []
    print("\n".join([*findings, f"{len(findings)} findings"]))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
