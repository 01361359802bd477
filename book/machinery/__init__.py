"""What makes the book: pages are read, executed, laid out, rendered, checked (book/README.md)."""

import sys

# A grammar of internationalized addresses, which jsonschema can do without: loading it takes two
# seconds of every process.
sys.modules.setdefault("rfc3987_syntax", None)
