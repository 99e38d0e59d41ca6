"""The front proxy: the stack's HTTP API at an address that stays the same from run to run."""
