"""Rules, composing and error mapping, with fakes."""
