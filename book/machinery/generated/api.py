"""The reference of the package: a page for each module that ``api.md`` introduces."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = """# `{name}`

```{{eval-rst}}
.. automodule:: {module}
   :members:
```
"""


def write(folder: Path, lang: str, executed: dict) -> None:
    """Write ``api/NAME.md`` for each module that ``api.md`` links to."""
    introduced = re.findall(r"\{py:mod\}`[^`<]*<([\w.]+)>`", (folder / "api.md").read_text("utf-8"))
    (folder / "api").mkdir(exist_ok=True)
    for module in dict.fromkeys(introduced):
        name = module.partition(".")[2]
        (folder / "api" / f"{name}.md").write_text(PAGE.format(name=name, module=module), "utf-8")
