"""The attack table: ``python -m tests.attack`` throws hostile input at a real server and judges what comes of it."""
