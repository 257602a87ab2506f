"""The two instances of a plan as fresh processes of a test, without a supervisor.

Knows: how a unit becomes a process. Independent of: what is requested of it. For tests that look
into an instance: its modules, its log, LiteLLM's callbacks.
"""

from __future__ import annotations

import os
import select
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from openclaude.contracts.plan import Plan, read_plan
from openclaude.run.launcher.listeners import bind_pair
from openclaude.run.os.processes import python_environment
from openclaude.run.supervisor.unit_process import UnitProcess
from openclaude.run.supervisor.unit_start import StackContext, spawn_process
from tests.e2e.house import House

READY_TIMEOUT_S = 180.0
MAIN_KEY, PROVIDERS_KEY = "sk-openclaude-main", "sk-openclaude-providers"


def plan_of(house: House) -> Plan:
    """The plan of the house's profile."""
    return read_plan(house.command("compile", "--json").json()["data"]["files"]["plan.json"])


@contextmanager
def instances(
    plan: Plan,
    folder: Path,
    env: Mapping[str, str],
    *,
    modules: Mapping[str, str] | None = None,
    application: str = "",
    prepare: tuple[str, ...] = (),
) -> Iterator[int]:
    """Start the plan's instances with more Python modules to import by name; yield main's port.

    `application` is served in place of each unit's own, whose name is in WRAPPED; the functions
    named in `prepare` are called before the unit's own ones, which import LiteLLM.
    """
    for name, text in (modules or {}).items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    for name, text in plan.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    path = os.pathsep.join([str(folder), *python_environment().values()])
    pair = bind_pair(plan.port, strict=False)
    context = StackContext(folder, pair.port, MAIN_KEY, PROVIDERS_KEY, dict(env))
    processes: list[UnitProcess] = []
    try:
        for unit in plan.units:
            listener = pair.main if unit.name == "main" else pair.providers
            more = {"PYTHONPATH": path, "WRAPPED": unit.application}
            unit = unit._replace(
                application=application or unit.application,
                prepare=(*prepare, *unit.prepare),
                environment={**unit.environment, **more},
            )
            processes.append(spawn_process(unit, listener.fileno(), context))
        for process in processes:
            assert select.select([process.report], [], [], READY_TIMEOUT_S)[0], "it is not ready"
            assert process.read_report(), [log.read_text() for log in folder.glob("*.log")]
        yield pair.port
    finally:
        for process in processes:
            process.kill()
            process.reap()
        pair.close()
