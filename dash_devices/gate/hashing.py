"""``python -m dash_devices hash-password [--token]``: what ``app.login(users=...)`` wants instead of a password."""

from __future__ import annotations

import argparse
import getpass
import hashlib
import secrets
import sys
from collections.abc import Sequence

from werkzeug.security import generate_password_hash

LEAST = 8  # characters


def main(argv: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m dash_devices hash-password", description=__doc__)
    parser.add_argument("--token", action="store_true", help="make a token for a script, and its SHA-256")
    if parser.parse_args(argv).token:
        token = secrets.token_urlsafe(32)
        digest = hashlib.sha256(token.encode()).hexdigest()
        _say(f"for the script, shown once:  Authorization: Bearer {token}", f'for the app:  User(token="{digest}")')
        return 0
    password = getpass.getpass("Password: ")
    if len(password) < LEAST:
        print(f"at least {LEAST} characters, please", file=sys.stderr)
        return 1
    if getpass.getpass("Again: ") != password:
        print("these are two passwords; try again", file=sys.stderr)
        return 1
    _say(generate_password_hash(password))
    return 0


def _say(*lines: str) -> None:
    print("\n".join(lines))
