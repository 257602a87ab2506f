"""Units become processes, fresh ones or forks of the forkserver: environment, log, pipes.

Knows: how to start one. Independent of: when, profiles.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from openclaude.contracts.handover import Handover
from openclaude.contracts.plan import (
    MAIN_KEY,
    PROVIDERS_KEY,
    PROVIDERS_URL,
    STACK_FOLDER,
    Unit,
)
from openclaude.contracts.references import parse_secret
from openclaude.contracts.worker import (
    CERTIFICATE_VARIABLE,
    FORMER_KEYS,
    HOP_CERTIFICATE_VARIABLE,
    MODEL_CHANGES,
    PROGRAM_KEYS,
    PROGRAMS_VARIABLE,
    UnitSetup,
    programs_text,
)
from openclaude.run.os.environment import here
from openclaude.run.os.log_line import bare
from openclaude.run.os.processes import python_environment, python_module
from openclaude.run.stack.folder import CHANGES, client_certificate
from openclaude.run.stack.logs import last_lines, log_path, open_log
from openclaude.run.stack.program_keys import programs_file
from openclaude.run.stack.secret_environment import for_programs, secret_environment
from openclaude.run.supervisor.forkserver_process import ForkserverProcess
from openclaude.run.supervisor.unit_process import UnitProcess, make_pipes

LONGEST_ERROR = 8192  # characters of a log's end that an error holds


class StackContext(NamedTuple):
    """What the units of one stack share."""

    folder: Path
    port: int
    main_key: str
    providers_key: str
    inherited: dict[str, str]  # of the user's environment, the names that plans may take over
    certificate: str = ""  # path of the file with key and certificate
    former: tuple[str, ...] = ()  # digests of main's keys before

    @classmethod
    def of(cls, handover: Handover) -> StackContext:
        """What the launcher hands over."""
        return cls(
            Path(handover.folder),
            handover.port,
            handover.main_key,
            handover.providers_key,
            handover.inherited,
            handover.certificate,
            handover.former,
        )


def unit_environment(unit: Unit, context: StackContext) -> dict[str, str]:
    """The complete environment of the unit's process, built from scratch."""
    hop = f"127.0.0.1:{context.port + 1}"
    values = {
        MAIN_KEY: context.main_key,
        PROVIDERS_KEY: context.providers_key,
        PROVIDERS_URL: f"{'https' if context.certificate else 'http'}://{hop}",
        STACK_FOLDER: str(context.folder),
    }
    named = {name: fill(value, values) for name, value in unit.environment.items()}
    taken = {name: context.inherited[name] for name in unit.inherit if name in context.inherited}
    fetched = secret_environment(unit.secrets, context.inherited)
    proof = {CERTIFICATE_VARIABLE: context.certificate} if context.certificate else {}
    if proof and PROVIDERS_URL in unit.environment.values():
        proof[HOP_CERTIFICATE_VARIABLE] = str(client_certificate(context.folder))
    if MAIN_KEY in unit.environment.values():
        proof[PROGRAM_KEYS] = str(programs_file(context.folder))
        proof[MODEL_CHANGES] = str(context.folder / CHANGES)
        if context.former:
            proof[FORMER_KEYS] = ",".join(context.former)
    return {
        **python_environment(),
        **taken,
        **named,
        **no_proxy(taken),
        **proof,
        **fetched,
        **programs(unit, context.inherited),
    }


def programs(unit: Unit, inherited: Mapping[str, str]) -> dict[str, str]:
    """What programs find that the unit starts; it is not in the unit's own environment."""
    given = for_programs(inherited) if unit.starts_programs else {}
    for reference in unit.secrets.values():  # another provider's key, whatever its name looks like
        given.pop(parse_secret(reference).variable, None)
    return {PROGRAMS_VARIABLE: programs_text(given)} if given else {}


def fill(text: str, values: Mapping[str, str]) -> str:
    """`text` with the plan's placeholders replaced."""
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text


def no_proxy(taken: Mapping[str, str]) -> dict[str, str]:
    """Loopback never goes through a proxy: the hop from main to providers must stay local."""
    theirs = taken.get("no_proxy") or taken.get("NO_PROXY") or ""
    value = ",".join(part for part in ("127.0.0.1,localhost", theirs) if part)
    # whoever trusts the environment would also send ~/.netrc's passwords to providers (measured)
    return {"NO_PROXY": value, "no_proxy": value, "NETRC": os.devnull}


def spawn_process(unit: Unit, listener: int, context: StackContext) -> UnitProcess:
    """Start the unit as a fresh process on the listening socket `listener` (a file descriptor).

    Raises OSError, and ValueError for an invalid environment.
    """
    pipes = make_pipes()
    report, lifeline = pipes.given
    try:
        with open_log(log_path(context.folder, unit.name)) as log:
            popen = subprocess.Popen(
                python_module(
                    "openclaude.run.worker.instance",
                    unit.application,
                    *(f"--prepare={name}" for name in unit.prepare),
                    *("--listener", str(listener)),
                    *("--report", str(report)),
                    *("--lifeline", str(lifeline)),
                    *("--stack", str(context.folder), "--at", str(here())),
                ),
                env=unit_environment(unit, context),
                cwd=empty_folder(context.folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(listener, report, lifeline),
                start_new_session=True,  # a group of its own, so that what it starts ends with it
            )
    except (OSError, ValueError):
        pipes.close(pipes)
        raise
    pipes.close(pipes.given)
    return UnitProcess(popen.pid, pipes, popen=popen)


def fork_process(
    forkserver: ForkserverProcess, unit: Unit, listener: int, context: StackContext
) -> UnitProcess:
    """Start the unit as a fork of the forkserver, which never sees the unit's secrets.

    Raises OSError if the forkserver does not answer, and ValueError for an invalid secret
    reference.
    """
    pipes = make_pipes()
    setup_read, setup_write = os.pipe()
    try:
        with (
            os.fdopen(setup_write, "w", encoding="utf-8") as setup_pipe,
            open_log(log_path(context.folder, unit.name)) as log,
        ):
            setup = UnitSetup(
                environment=unit_environment(unit, context),
                folder=str(empty_folder(context.folder)),
            )
            given = (listener, *pipes.given, log.fileno(), setup_read)
            pid = forkserver.fork(unit.application, given)
            setup_pipe.write(setup.to_json())
    except (OSError, ValueError):
        pipes.close((pipes.report_read, pipes.lifeline_write))
        raise
    finally:
        pipes.close((*pipes.given, setup_read))
    return UnitProcess(pid, pipes, parent=forkserver)


def empty_folder(folder: Path) -> Path:
    """An empty folder: LiteLLM's own command would put the working directory on sys.path."""
    empty = folder / "empty"
    empty.mkdir(mode=0o700, exist_ok=True)
    return empty


def exit_error(name: str, code: int | None, log: Path) -> str:
    """How a process ended, in a sentence and the last lines of its log."""
    if code is None:
        how = "an unknown exit status"
    else:
        how = f"exit status {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
    return f"`{name}` ended with {how}\n{bare(last_lines(log))[-LONGEST_ERROR:]}".rstrip()
