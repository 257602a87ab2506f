"""A login at AWS before claude starts, where the last one has expired.

Knows: which faults a login fixes, which program does it, what the profile says about that.
Independent of: how it was found out, what is started afterwards.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping

from openclaude.contracts.plan import LOGIN, STOP_LAUNCH, Plan
from openclaude.diagnostics import Diagnostic
from openclaude.prompt import confirm, is_attended, tell

FIXED = frozenset({"aws-sso-login", "aws-login"})  # the codes of the faults


def log_in_again(plan: Plan, fault: Diagnostic, env: Mapping[str, str]) -> bool:
    """Run the login that fixes a fault, if the profile wants it; return whether it succeeded.

    On a terminal only: nobody else can log in. With `aws.on_expired = "ask"`, after a yes.
    """
    if fault.code not in FIXED or plan.aws_on_expired == STOP_LAUNCH or not is_attended():
        return False
    line = plan.aws_login or fault.commands[0]
    name, *arguments = shlex.split(line)
    program = shutil.which(name, path=env.get("PATH"))
    if program is None:
        return False
    tell(f"{fault.message}\n")
    if plan.aws_on_expired != LOGIN and not confirm(f"run `{line}` now?"):
        return False
    # its stdout may be a launch's, which is claude's alone
    done = subprocess.run((program, *arguments), env=dict(env), stdout=sys.stderr, check=False)
    return done.returncode == 0
