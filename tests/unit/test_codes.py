"""Every code of an error or of a diagnostic: listed once, used for one thing, never forgotten."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

import openclaude
from openclaude.errors import CODES
from tests.conftest import REPOSITORY
from tests.unit.source import parsed

PACKAGE = Path(openclaude.__file__).parent
# a launch fails with these, and doctor predicts them: the same problem, reported by two
FORESEEN = {"extra-missing", "folder-unusable", "port-busy", "secret-missing"}
# tests of doctor's findings that another subject's file has
FURTHER = [
    REPOSITORY / "tests/e2e/test_e2e_joined_environment.py",
    REPOSITORY / "tests/process/test_shared_home.py",
    REPOSITORY / "tests/unit/doctor/test_saved_models.py",
    REPOSITORY / "tests/unit/doctor/test_telemetry.py",
]
# constructors of diagnostics whose code is their first argument
MAKERS = {"fault"}
# a code that is computed: from an error class, from a parameter that MAKERS cover, or from what a
# supervisor has reported
COMPUTED = {"self.code", "error.code", "ProfileMistakes.code", "code"}


@cache
def sources() -> dict[str, ast.Module]:
    """Return every module of ours, parsed."""
    return {
        str(path.relative_to(PACKAGE)): parsed(path)
        for path in sorted(PACKAGE.rglob("*.py"))
        if "standins" not in path.relative_to(PACKAGE).parts
    }


def error_classes() -> dict[str, str | None]:
    """Return every error of ours, by class name, with the code that the class itself sets.

    From the source, since importing all of the gateway takes ten seconds; no two classes of ours
    have the same name (test_names.py), so a base's name identifies it.
    """
    nodes = (node for tree in sources().values() for node in ast.walk(tree))
    classes = [node for node in nodes if isinstance(node, ast.ClassDef)]
    found: dict[str, str | None] = {}
    before = -1
    while len(found) > before:  # until there are no further subclasses
        before = len(found)
        for node in classes:
            if is_error(node, found):
                found[node.name] = own_code(node)
    return found


def is_error(node: ast.ClassDef, found: Collection[str]) -> bool:
    """Tell whether a class is OpenclaudeError, or derived from one of these."""
    return node.name == "OpenclaudeError" or any(ast.unparse(base) in found for base in node.bases)


def own_code(node: ast.ClassDef) -> str | None:
    """Return the code in a class's body."""
    for line in node.body:
        match line:
            case ast.Assign(targets=[ast.Name("code")], value=ast.Constant(str(code))):
                return code
    return None


def codes_of(call: ast.Call) -> Iterator[ast.expr]:
    """Return the codes that a call sets on a diagnostic, whether new or replaced."""
    name = getattr(call.func, "attr", None) or getattr(call.func, "id", "")
    given = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
    if name in {"Diagnostic", "Degradation"}:
        yield from given
    elif name == "_replace":  # of a diagnostic; other types have a `code` that is not a string
        yield from (one for one in given if isinstance(one, ast.Constant))
    elif name in MAKERS:
        yield call.args[0]


def written_codes() -> dict[str, list[tuple[str, bool]]]:
    """Return each code in a diagnostic: where it is, and whether it means that all is well."""
    found: dict[str, list[tuple[str, bool]]] = defaultdict(list)
    for module, tree in sources().items():
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call):
                continue
            for code in codes_of(call):
                if isinstance(code, ast.Constant):
                    is_ok = "severity=Severity.OK" in ast.unparse(call)
                    found[str(code.value)].append((module, is_ok))
                else:
                    assert ast.unparse(code) in COMPUTED, f"{module}:{call.lineno}"
    return found


def own_codes() -> dict[str, list[str]]:
    """Return each code that an error class sets, and the classes that do."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, code in error_classes().items():
        if code is not None:
            found[code].append(name)
    return found


def test_every_code_is_listed_and_every_listed_code_is_used() -> None:
    assert own_codes().keys() | written_codes().keys() == CODES.keys()


def test_no_two_errors_have_the_same_code() -> None:
    assert {code: names for code, names in own_codes().items() if len(names) > 1} == {}


def test_a_diagnostic_has_a_code_of_its_own() -> None:
    wrong = {
        code: places
        for code, places in written_codes().items()
        if not (all(is_ok for _, is_ok in places) and len(set(places)) == 1) and len(places) > 1
    }

    assert wrong == {}
    assert own_codes().keys() & written_codes().keys() == FORESEEN


def test_an_error_without_a_code_of_its_own_takes_that_of_a_diagnostic() -> None:
    assert {name for name, code in error_classes().items() if code is None} == {"AwsUnusable"}


def test_a_code_reads_like_one_and_means_something() -> None:
    for code, meaning in CODES.items():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code)
        assert meaning
        assert not meaning.endswith(".")
    assert len(set(CODES.values())) == len(CODES)


def test_the_findings_of_each_situation_in_internals_exist_and_are_tried() -> None:
    text = (REPOSITORY / "docs/internals.md").read_text(encoding="utf-8")
    rows = [row for row in text.rpartition("| situation |")[2].splitlines()[2:] if row]
    named = {code for row in rows for code in re.findall("`([a-z-]+)`", row.split(" | ")[1])}
    tests = [*(REPOSITORY / "tests").glob("*/test_*doctor*.py")]
    tests += [*(REPOSITORY / "tests").glob("*/test_*unharmed.py"), *FURTHER]
    tried = "".join(path.read_text(encoding="utf-8") for path in tests)

    assert len(rows) >= 20
    assert named - {*CODES} == set()
    assert {code for code in named if f'"{code}"' not in tried} == set()
