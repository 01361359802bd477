"""The workshop: what makes runs. Nothing is imported here, so that the command line starts at once."""
