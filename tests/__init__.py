"""The tests. ``tests/support.py`` has the harness, ``tests/conftest.py`` the fixtures."""
