"""What every page must keep to, and the built site: ``python -m book.machinery.rules [NN]``.

A rule is a function that takes what it judges and yields one line for each thing found wrong. Some
are matters of truth (no measured number is typed into text: it comes from a record), some of access
(alternative texts), some keep the two languages one book.
"""

from __future__ import annotations

from pathlib import Path

from book.machinery import pages
from book.machinery.rules.site import SITE_RULES, Site


def check_part(part: str, root: Path, passed: Path | None = None) -> list[str]:
    """Return what is wrong in a part of the site: a language, or what stands in none (``"."``).

    Args:
        root: the folder of the site.
        passed: that of a site in which these rules found nothing; its pages are not judged again,
            only whether their links still lead somewhere.
    """
    site = Site(root, part, passed)
    return [f"{rule.__name__}: {finding}" for rule in SITE_RULES for finding in rule(site)]


def check_site(root: Path) -> list[str]:
    """Return what is wrong with the site built in ``root``."""
    parts = [lang for lang in pages.LANGUAGES if (root / lang).is_dir()]
    return [finding for part in [*parts, "."] for finding in check_part(part, root)]
