"""What `--json` prints is what docs/json.md says, for each command that needs no proxies.

In this process, as a command is then a tenth of what it takes to start one; those of running
proxies are in test_words.py.
"""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from openclaude.commands import runner
from openclaude.commands.payloads.table import PAYLOADS, keys_of
from openclaude.files import private_folder
from openclaude.ledger.store import add, ledger_file, open_to_write
from tests.process.test_words import REPORTS
from tests.unit.ledger.entries import entry

# each prints a whole payload, but for the documented keys after the bar
RUN = [
    "profiles copy qwen mine",
    "profiles new fresh --tier haiku=openai/gpt-5-mini",
    "profiles edit fresh",
    "profiles edit mine",
    "profiles import {home}/foreign.toml foreign --yes",
    "profiles list",
    "profiles show mine",
    "profiles validate mine",
    "profiles set mine listen.port=4100",
    "profiles unset mine listen.port",
    "profiles use mine",
    "profiles use --clear",
    "profiles diff mine qwen",
    "profiles path mine",
    "profiles path | name from",
    "profiles export mine",
    "profiles rename mine yours",
    "profiles remove yours --yes",
    "usage | html",
    "usage --html {home}/page.html | by rows total plan spared",
    "requests",
    "requests show 1",
    "requests record | was_on removed",
    "requests record --stop | until folder",
    "budget",
    "budget allow 2.00 --today",
    "models glm",
    "aws policy",
    "aws setup --name x --method process --command /bin/true --dry-run | reference backups next",
    "aws setup --name x --method process --command /bin/true --yes | reference",
    "aws setup --name x --method process --command /bin/false | reference backups next",
    "aws setup --profile bedrock --method api-key --yes | region changed diff backups next",
    "compile",
    "serve --keys {home}/people.keys --new-key ann",
    "team add bob --keys {home}/people.keys --rpm 60",
    "team limit bob --keys {home}/people.keys --rpm none",
    "team usage {home}/people.keys",
    "team list --keys {home}/people.keys",
    "team revoke bob --keys {home}/people.keys",
    "setup --yes | profile",
    "stop --all",
    "uninstall --yes",
]
# a whole payload, and an error
UNASKED = {"aws setup --name x --method process --command /bin/false": "aws-setup-unasked"}


def test_each_document_has_the_keys_that_are_documented(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "foreign.toml").write_text('schema = 1\nextends = "base"\n')
    state = tmp_path / ".local" / "state" / "openclaude"
    private_folder(state)
    with closing(open_to_write(ledger_file(state))) as connection:
        add(connection, [entry()])
    # of two profiles that are edited, one is changed
    editor = "sh -c 'case $0 in *fresh*) echo >> $0;; esac'"
    env = {"HOME": str(tmp_path), "EDITOR": editor, "AWS_BEARER_TOKEN_BEDROCK": "x" * 20}
    for row in RUN:
        line, _, missing = row.partition(" | ")
        name, *arguments = line.format(home=tmp_path).split()

        runner.run(name, [*arguments, "--json"], env)

        document = json.loads(capsys.readouterr().out)
        codes = [one["code"] for one in document["errors"]]
        assert (line, codes) == (line, [UNASKED[line]] if line in UNASKED else [])
        documented = [key for key in keys_of(document["command"]) if key not in missing.split()]
        assert (line, [*document["data"]]) == (line, documented)


def test_no_payload_is_left_out() -> None:
    lines = [*RUN, *(line for line, _, keys in REPORTS if keys)]

    left = {path for path in PAYLOADS if not any(line.startswith(path) for line in lines)}

    assert not left
