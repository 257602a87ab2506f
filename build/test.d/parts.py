"""The parts of build/test, how long each takes, and which run in parallel.

Knows: the command of each part and where it runs. Independent of: how a command is run or watched.
"""

from __future__ import annotations

from dataclasses import dataclass

QUICK = "not hypothesis and not slow"
SLOW = f"not ({QUICK}) and not variants"
PATIENT = ("PYTEST_TIMEOUT", "7200")  # seconds for one test, in place of what pyproject.toml allows


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part: several commands, or tests that pytest runs."""

    name: str
    what: str
    minutes: float  # measured on two cores, with the other half running in parallel
    commands: tuple[tuple[str, ...], ...] = ()  # programs of the virtual environment, or scripts
    tests: tuple[str, ...] = ()
    isolated: bool = False  # in a loopback-only network namespace
    variables: tuple[tuple[str, str], ...] = ()  # of the environment, with their values
    again: bool = False  # real clocks and processes: a few that fail are run once more, alone


PARTS = {
    part.name: part
    for part in (
        Part(
            name="lint",
            what="format, lint, types, known advisories",
            minutes=0.3,
            commands=(
                ("ruff", "format", "--check", "."),
                ("ruff", "check", "."),
                ("mypy",),
                ("python", "-B", "-E", "-s", "build/audit.d/audit.py"),
            ),
        ),
        Part(
            name="unit",
            what="each function alone; no process, no connection",
            minutes=1.5,
            tests=("tests/unit", "-m", QUICK),
        ),
        Part(
            name="properties",
            what="hundreds of made-up inputs, LiteLLM's own code, the scripts in build/",
            minutes=3,
            tests=("tests/unit", "-m", SLOW),
        ),
        Part(
            name="process",
            what="openclaude's commands and processes, without LiteLLM and claude for the most",
            minutes=20,
            tests=("tests/process", "-m", "not shells and not variants"),
            isolated=True,
            again=True,
        ),
        Part(
            name="shells",
            what="completions in bash, zsh and fish; the page in man",
            minutes=0.5,
            tests=("tests/process", "-m", "shells"),
            isolated=True,
            again=True,
        ),
        Part(
            name="variants",
            what="the life of a stack without forks; more ways that lead to the same",
            minutes=25,
            tests=("tests", "-m", "variants"),
            isolated=True,
            again=True,
        ),
        Part(
            name="e2e",
            what="the real claude through the real LiteLLM, both clouds played by stand-ins",
            minutes=25,
            tests=("tests/e2e", "-m", "not variants"),
            isolated=True,
            again=True,
        ),
        Part(
            name="tomorrow",
            what="installing when the package index has newer versions of everything",
            minutes=4,
            tests=("tests/tomorrow",),
            again=True,
        ),
        Part(
            name="fuzz",
            what="20,000 made-up replies of every dialect through main and providers",
            minutes=14,
            tests=("tests/e2e/test_e2e_fuzz.py",),
            isolated=True,
            variables=(("OPENCLAUDE_FUZZ", "20000"), PATIENT),
        ),
        Part(
            name="fuzz-messages",
            what="thousands of made-up messages, records and settings files; lives of a supervisor",
            minutes=8,
            tests=(
                "tests/unit/contracts/test_fuzz_messages.py",
                "tests/unit/claude/test_fuzz_settings.py",
                "tests/unit/run/supervisor/test_simulated_supervisor.py",
            ),
            variables=(("OPENCLAUDE_FUZZ", "20000"), ("OPENCLAUDE_SIMULATE", "5000"), PATIENT),
        ),
        Part(
            name="soak",
            what="strangers at the doors of a real stack for half an hour: nothing may grow",
            minutes=31,
            tests=("tests/e2e/test_e2e_strangers.py",),
            isolated=True,
            variables=(("OPENCLAUDE_SOAK_S", "1800"), PATIENT),
        ),
        Part(
            name="nemesis",
            what="an hour of kills, pauses and faults at a stack with real claude sessions",
            minutes=62,
            tests=("tests/e2e/test_e2e_nemesis.py",),
            isolated=True,
            variables=(("OPENCLAUDE_NEMESIS_S", "3600"), PATIENT),
        ),
        Part(
            name="tools",
            what="a browser and ccusage, for `long`; needs npm and Debian's packages",
            minutes=0.5,
            commands=(("build/tools",),),
        ),
        Part(
            name="long",
            what="the real claude, for minutes: whole days, long sessions, every profile",
            minutes=5,
            tests=("tests/long",),
            isolated=True,
            variables=(PATIENT,),
            again=True,
        ),
        Part(
            name="llama",
            what="compiles llama.cpp's server, once; needs a package index and a compiler",
            minutes=6,
            commands=(("build/llama",),),
        ),
        Part(
            name="local",
            what="a session on llama.cpp's server, with a tiny model",
            minutes=1,
            tests=("tests/local",),
            isolated=True,
        ),
        Part(
            name="image",
            what="the image of a team's server, and podman; needs a package index and Debian's",
            minutes=2,
            commands=(("build/containers",),),
        ),
        Part(
            name="containers",
            what="that image in pods, as the manifests for Kubernetes say; needs root",
            minutes=2,
            tests=("tests/containers",),
            isolated=True,
        ),
        Part(
            name="packages",
            what="a release in dist/, tried on clean machines; needs a package index",
            minutes=10,
            commands=(("build/release", "--unreleased"),),
            tests=("tests/packages",),
        ),
        Part(
            name="versions",
            what="the main job with the versions of claude that people have; needs npm",
            minutes=12,
            commands=(("build/contract", "versions", "--check"),),
        ),
    )
}
# One stage after the other; the halves of a stage run in parallel, each in its order. End-to-end
# tests mostly wait, so the others run beside them.
Stage = tuple[tuple[str, ...], ...]
ALL: tuple[Stage, ...] = (
    (("lint",),),
    (("unit", "properties", "process"), ("shells", "tomorrow", "e2e")),
)
LONG: Stage = (
    ("fuzz", "fuzz-messages", "soak"),
    ("variants", "tools", "long", "llama", "local", "image", "containers", "nemesis"),
)
STAGES = {
    "all": ALL,
    "--all": (*ALL, (("packages",), ("versions",)), LONG),
}


class UnknownPart(Exception):
    """An argument names no part."""


def split(arguments: list[str]) -> tuple[tuple[Stage, ...], list[str]]:
    """Return the stages that the first arguments name, and what is left for pytest."""
    named: list[str] = []
    for argument in arguments:
        if argument not in (*PARTS, *STAGES):
            break
        named.append(argument)
    rest = arguments[len(named) :]
    if rest and not rest[0].startswith(("-", "tests/")):
        raise UnknownPart(f"unknown part: `{rest[0]}` (all, {', '.join(PARTS)})")
    if not named:
        return ALL, rest
    if len(named) == 1 and named[0] in STAGES:
        return STAGES[named[0]], rest
    if any(name in STAGES for name in named):
        raise UnknownPart("`all` and `--all` stand alone")
    return ((tuple(dict.fromkeys(named)),),), rest


def estimate(stages: tuple[Stage, ...]) -> float:
    """Return the minutes it takes: the longer half of each stage, added up."""
    return sum(max(sum(PARTS[name].minutes for name in half) for half in stage) for stage in stages)
