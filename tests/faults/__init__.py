"""Functions that die, and servers that misbehave: nothing is lost, and little is repeated."""
