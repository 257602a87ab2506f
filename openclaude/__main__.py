"""`python -m openclaude` is the console script."""

import sys

from openclaude.cli import main

sys.exit(main())
