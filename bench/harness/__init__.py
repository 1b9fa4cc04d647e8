"""Measures process supervisors from the outside: see bench/README.md."""
