"""The tests of Tocsin."""
