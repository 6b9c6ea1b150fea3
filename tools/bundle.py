"""The browser bundle: is it fresh, and how to build it.

The bundle is committed, so that nobody needs Node to install the package. Beside it lies a file with the sha256 of the
sources it was built from. ``setup.py`` uses `refresh`; ``make renderer`` runs this file with ``--force``, and
``make check`` runs it with ``--check``.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
RENDERER = TOP / "renderer"
BUNDLE = TOP / "dash_devices" / "static" / "dash_devices.min.js"
STAMP = BUNDLE.with_name(BUNDLE.name + ".sources")
SINGLE_SOURCES = ("build.mjs", "package-lock.json", "tsconfig.json")


def sources() -> list[Path]:
    """Every file that the bundle depends on, sorted."""
    candidates = [*RENDERER.glob("src/**/*"), *(RENDERER / name for name in SINGLE_SOURCES)]
    return sorted(path for path in candidates if path.is_file())


def digest() -> str:
    """The sha256 over names and contents of the sources; line ends do not count, as git may change them."""
    total = hashlib.sha256()
    for path in sources():
        content = hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
        total.update(f"{path.relative_to(RENDERER).as_posix()} {content}\n".encode())
    return total.hexdigest()


def stale() -> bool:
    """Whether the bundle is missing or was built from other sources."""
    return not BUNDLE.exists() or not STAMP.exists() or STAMP.read_text().strip() != digest()


def build() -> None:
    """Build the bundle and write its stamp. Installs the packages first when they are missing or older than the lock.

    Raises:
        subprocess.CalledProcessError: npm failed; its own words are on stderr.
    """
    installed = RENDERER / "node_modules" / ".package-lock.json"
    lock = RENDERER / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        _npm("ci", "--no-audit", "--no-fund")
    _npm("run", "--silent", "build")
    STAMP.write_text(digest() + "\n")


def refresh() -> None:
    """Build when stale and possible; else say what is used instead. For installing from a checkout or an sdist."""
    if not (RENDERER / "src").is_dir() or not stale():
        return
    if shutil.which("npm") and _built():
        return
    if not BUNDLE.exists():
        sys.exit(f"bundle: {BUNDLE.name} is missing and cannot be built; install Node 20 and try again")
    print(f"bundle: {BUNDLE.name} is older than renderer/src; the committed one is used", file=sys.stderr)


def _built() -> bool:
    try:
        build()
    except subprocess.CalledProcessError as error:
        print(f"bundle: {error}", file=sys.stderr)
        return False
    return True


def check() -> str:
    """What is wrong with the bundle, or "". With Node there it is also built again and compared byte for byte."""
    if stale():
        return "bundle: stale; run make renderer and commit dash_devices/static"
    if not shutil.which("npm"):
        return ""
    committed = BUNDLE.read_bytes()
    try:
        build()
        same = BUNDLE.read_bytes() == committed
    finally:
        BUNDLE.write_bytes(committed)
    return "" if same else "bundle: differs from a new build of the same sources; run make renderer"


def _npm(*command: str) -> None:
    subprocess.run([shutil.which("npm") or "npm", *command], cwd=RENDERER, check=True)


def main() -> int:
    """Build when stale, always with ``--force``, never with ``--check``; 1 when a check fails."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="only look, and exit with 1 when the bundle is not fresh")
    mode.add_argument("--force", action="store_true", help="build even when the bundle is fresh")
    wanted = parser.parse_args()
    if wanted.check:
        problem = check()
        print(problem or "bundle: fresh", file=sys.stderr if problem else sys.stdout)
        return bool(problem)
    if wanted.force or stale():
        build()
    return 0


if __name__ == "__main__":
    sys.exit(main())
