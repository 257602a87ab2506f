"""An exchanged model is said once in a session that had another one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from openclaude.contracts.plan import Plan
from openclaude.contracts.worker import MODEL_CHANGES
from openclaude.files import write_private
from openclaude.gateway.routing.model_changes import KEPT_S, ModelChanges, read_lines
from openclaude.run.launcher.changes import exchanged, note_exchanged
from openclaude.run.stack.folder import CHANGES, write_files
from tests.unit.commands.test_changed import plan_of

LINE = "[haiku is answered by B since 10:00, before that by A]\n\n"
SLOT = "openclaude-haiku"


def asked(*turns: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": text} for role, text in turns], **more}


OLD = asked(("user", "one"), ("assistant", "1"), ("user", "two"))


def test_it_is_said_once_in_a_conversation_that_has_an_answer() -> None:
    changes = ModelChanges({SLOT: LINE})

    assert changes.notice(SLOT, "s", asked(("user", "one"))) == ""
    assert changes.notice("openclaude-opus", "s", OLD) == ""
    assert changes.notice(SLOT, "s", OLD) == LINE
    assert changes.notice(SLOT, "s", OLD) == LINE  # nobody has an answer with it yet
    changes.told(SLOT, "s")
    assert changes.notice(SLOT, "s", OLD) == ""
    assert changes.notice(SLOT, "t", OLD) == LINE


def test_it_is_not_said_again_by_the_next_instance_nor_where_a_program_reads() -> None:
    changes = ModelChanges({SLOT: LINE})
    told = asked(("user", "one"), ("assistant", f"{LINE}1"), ("user", "two"))

    assert changes.notice(SLOT, "s", told) == ""
    structured = {**OLD, "output_config": {"format": {"type": "json_schema"}}}
    assert changes.notice(SLOT, "s", structured) == ""


def other_haiku(plan: Plan) -> Plan:
    tiers = tuple(
        one._replace(model="bedrock/b", label="B") if one.tier == "haiku" else one
        for one in plan.tiers
    )
    return plan._replace(tiers=tiers).sealed("test")


def test_what_a_reload_notes_is_what_main_reads(tmp_path: Path) -> None:
    plan = plan_of("qwen")
    write_files(tmp_path, plan)

    note_exchanged(tmp_path, other_haiku(plan))

    changes = ModelChanges.of({MODEL_CHANGES: str(tmp_path / CHANGES)})
    assert changes.lines[SLOT].startswith("[haiku is answered by B since ")
    assert "before that by Qwen3 Next 80B" in changes.lines[SLOT]
    assert [*changes.lines] == [SLOT]


def test_the_same_models_and_a_broken_or_old_note_say_nothing(tmp_path: Path) -> None:
    plan = plan_of("qwen")

    assert exchanged(plan, plan) == {}
    note_exchanged(tmp_path / "nowhere", plan)
    path = tmp_path / CHANGES
    for text in ("", "[]", "{", '{"a": 1}', '{"a": ["x"]}', "[" * 100_000):
        write_private(path, text)
        assert read_lines(path, 0.0) == {}
    path.write_text(json.dumps({SLOT: [LINE, 100.0]}))
    assert read_lines(path, 100.0 + KEPT_S - 1) == {SLOT: LINE}
    assert read_lines(path, 100.0 + KEPT_S) == {}
