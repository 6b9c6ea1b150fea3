"""The rules of docs/semantics.md: each has tests that carry its number."""
