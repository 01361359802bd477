"""One file an engine: each trains the same networks as its own documentation teaches it."""
