"""Make the parts of the site that are kept: ``python -m book.machinery.generated [es en]``."""

import sys
import tempfile
from pathlib import Path

from book.machinery.build import copy_texts
from book.machinery.generated import write_kept
from book.machinery.pages import LANGUAGES, paths

names = [source.stem for source in paths()]
for lang in sys.argv[1:] or LANGUAGES:
    with tempfile.TemporaryDirectory() as folder:
        copy_texts(lang, Path(folder, lang))
        write_kept(Path(folder, lang), lang, names)
