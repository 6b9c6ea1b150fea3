"""``python -m dash_devices``."""

import sys

from .cli import main

sys.exit(main())
