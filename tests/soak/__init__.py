"""``python -m tests.soak``: does it survive? One row for each promise; ``docs/reliability.md`` holds the table."""
