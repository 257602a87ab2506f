"""A stub for claude: records what it was given, prints and exits as it is told.

The file `claude.json` next to it says how: {"out", "err", "sleep_s", "signal", "status"}.
"""

import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path

here = Path(sys.argv[0]).resolve().parent
arguments = [os.fsencode(argument).decode("latin-1") for argument in sys.argv[1:]]
settings = Path(sys.argv[2]) if arguments[:1] == ["--settings"] else None
opened = {}
for path in Path("/proc/self/fd").glob("*"):
    with contextlib.suppress(OSError):  # the descriptor of the folder itself
        opened[path.name] = str(path.readlink())
record = {
    "pid": os.getpid(),
    "arguments": arguments,  # byte for byte, as latin-1
    "environment": {
        name.decode("latin-1"): value.decode("latin-1") for name, value in os.environb.items()
    },
    "settings": json.loads(settings.read_text("utf-8")) if settings else None,
    "settings_mode": settings.stat().st_mode & 0o777 if settings else None,
    "open": opened,
    "session": os.getsid(0),
    "group": os.getpgrp(),
}
part = here / f"claude-{os.getpid()}.part"
part.write_text(json.dumps(record), "utf-8")
part.rename(part.with_suffix(".json"))

orders = {}
if (here / "claude.json").exists():
    orders = json.loads((here / "claude.json").read_text("utf-8"))
if sys.stdout and sys.stderr:  # None if it was started with them closed
    sys.stdout.write(orders.get("out", ""))
    sys.stderr.write(orders.get("err", ""))
    sys.stdout.flush()
time.sleep(orders.get("sleep_s", 0))
if "signal" in orders:
    if orders["signal"] != signal.SIGKILL:
        signal.signal(orders["signal"], signal.SIG_DFL)
    os.kill(os.getpid(), orders["signal"])
sys.exit(orders.get("status", 0))
