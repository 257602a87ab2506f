"""Which test carries out which printed command; tests/unit/test_printed.py holds it complete.

Knows: the command as the source has it, `{}` for what is filled in, and the test that types it, or
does by its own means what it does. Independent of: how a test does it.
"""

from __future__ import annotations

PRINTED = "tests/process/test_printed_commands.py::"
SWEPT = f"{PRINTED}test_what_needs_no_proxies_does_what_it_is_printed_for"
WITH_PROXIES = f"{PRINTED}test_what_is_about_proxies_does_what_it_is_printed_for"
LAUNCHED = f"{PRINTED}test_a_launch_that_is_printed_is_a_launch"
LOOKED_AT = f"{PRINTED}test_what_only_looks_shows_what_it_is_printed_for"
FIXED = "tests/process/test_doctor_fixes.py::test_what_a_fix_says_takes_the_finding_away"
OF_A_USER = "tests/process/test_doctor_fixes.py::test_a_folder_that_may_not_be_entered_is_opened"
SITUATIONS = "tests/process/test_doctor_situations.py::"
SETUP = "tests/process/test_setup.py::"
CLAUDE = "tests/process/test_finding_claude.py::"
RESUMED = "tests/long/test_plain_claude_unharmed.py::"

CARRIED_OUT: dict[str, tuple[str, ...]] = {
    SWEPT: (
        "openclaude --help",
        "openclaude COMMAND --help",
        "openclaude {} --help",
        "openclaude aws setup --help",
        "openclaude budget --help",
        "openclaude budget allow 2.00 --today",
        "openclaude budget allow {} {}",
        "allow DOLLARS",
        "openclaude demo --help",
        "openclaude help",
        "openclaude logs --help",
        "openclaude models",
        "openclaude models {}",
        "openclaude profiles edit",
        "openclaude profiles edit {}",
        "openclaude profiles list",
        "openclaude profiles remove {}",
        "openclaude profiles set NAME search.with=duckduckgo",
        "openclaude profiles set NAME tiers.haiku=MODEL aws.region=REGION",
        "openclaude profiles set NAME {}='{}'",
        "openclaude profiles set NAME KEY=VALUE",
        "openclaude profiles set {} DOLLARS --profile {}",
        "openclaude profiles set {} budget.day=5.00",
        "openclaude profiles set {} listen.port=PORT",
        "openclaude profiles set telemetry.prometheus=PORT --profile {}",
        "openclaude profiles show",
        "openclaude profiles show {}",
        "openclaude profiles use",
        "openclaude profiles use NAME",
        "openclaude profiles validate {}",
        "openclaude requests",
        "openclaude requests --help",
        "openclaude requests record",
        "openclaude requests record --minutes 10",
        "openclaude requests record --remove",
        "openclaude requests record --stop",
        "openclaude requests show 42",
        "requests show",
        "show ID",
        "openclaude serve --help",
        "openclaude team usage --help",
        "openclaude statusline --help",
        "openclaude team add NAME --keys {}",
        "openclaude team add ann@example.com --keys FILE",
        "openclaude team limit {} --keys FILE --{} DOLLARS",
        "openclaude team list --keys {}",
        "openclaude team revoke {} --keys {}",
        "openclaude usage",
    ),
    f"{PRINTED}test_copied_and_imported_profiles_have_the_name_that_is_typed": (
        "openclaude profiles copy {} NAME",
        "openclaude profiles import - NAME --yes",
    ),
    WITH_PROXIES: (
        "openclaude lock",
        "openclaude logs --profile {}",
        "openclaude restart",
        "openclaude restart --profile {}",
        "openclaude start",
        "openclaude start --profile {}",
        "openclaude start {}",
        "openclaude status",
        "openclaude status --json",
        "openclaude stop",
        "openclaude stop --all",
        "openclaude stop --profile {}",
    ),
    f"{PRINTED}test_a_switch_is_undone_by_the_command_that_status_prints": (
        "openclaude switch --undo",
        "openclaude switch --undo {}",
    ),
    LAUNCHED: (
        "openclaude -- --help",
        "openclaude -- WORD",
        "openclaude -- {}",
        "openclaude --continue",
        "openclaude --continue --model MODEL",
        "openclaude --profile {}",
        "openclaude --profile {} --continue",
        "openclaude --resume ID --model {}",
        "openclaude -p hi --model TIER",
        'openclaude {} -p "..."',
    ),
    f"{PRINTED}test_a_ledger_that_cannot_be_read_is_moved_away_and_a_new_one_begins": (
        "mv {} {}.old",
    ),
    f"{PRINTED}test_who_holds_a_lock_is_shown_and_the_lock_is_free_after_its_end": ("fuser -v {}",),
    f"{PRINTED}test_a_demo_that_could_not_be_removed_is_removed_by_hand": (
        "chmod -R u+rwx {}; rm -rf {}",
    ),
    f"{PRINTED}test_a_folder_that_uninstall_cannot_read_is_opened": ("chmod u+rwx {}",),
    LOOKED_AT: (
        "df -h",
        "du -sh {}",
        "ls -ld",
        "ps -fp {}",
        "ulimit -a",
        "ulimit -n",
        "ulimit -n 1024",
        "ulimit -u",
    ),
    FIXED: (
        "chmod +x {}",
        "chmod 600 {}",
        "chmod go-w {}",
        "export OPENCLAUDE_CLAUDE={}",
        'export PATH={}:"$PATH"',
        "export {}=http://HOST:PORT",
        "install -m 600 /dev/stdin {}",
        "npm install -g @anthropic-ai/claude-code",
        "openclaude doctor",
        "rm {}",
        "unset OPENCLAUDE_START_METHOD",
        "unset {}",
    ),
    "tests/process/test_doctor_fixes.py::test_pythonpath_is_unset_as_it_is_said": (
        "unset PYTHONPATH",
    ),
    OF_A_USER: ('sudo chown -R "$(id -u)" {}', 'sudo chown -R "$(id -u)" DIRECTORY'),
    "tests/process/test_sudo_once.py::test_root_in_a_home_of_its_own_is_a_user_like_any_other": (
        "sudo -H",
    ),
    f"{SITUATIONS}test_a_limit_of_open_files_is_named_and_what_it_names_raises_it": (
        "ulimit -n {}",
    ),
    "tests/process/test_doctor_online.py::test_aws_says_who_we_are_and_each_model_is_asked_once": (
        "doctor --online",
        "openclaude doctor --online",
    ),
    "tests/long/test_doctor_stacks.py::test_a_stack_that_was_left_over_is_stopped_by_fix": (
        "openclaude doctor --fix",
    ),
    "tests/process/test_aws_login_again.py::"
    "test_a_person_is_asked_and_the_stack_starts_after_the_login": ("aws login",),
    "tests/process/test_aws_setup_terminal.py::test_the_login_is_run_by_the_aws_cli_after_a_yes": (
        "aws sso login",
    ),
    "tests/process/test_aws_setup_terminal.py::"
    "test_a_person_makes_a_profile_with_keys_that_are_never_shown": (
        "aws setup",
        "openclaude aws",
        "openclaude aws setup",
    ),
    "tests/process/test_aws_setup_terminal.py::"
    "test_a_bedrock_api_key_is_asked_without_echo_and_only_in_its_own_file": (
        "openclaude aws setup {} --method api-key",
    ),
    "tests/unit/commands/export/test_export.py::"
    "test_no_target_writes_a_secret_and_each_says_where_it_is": (
        "openclaude export compose PROFILE --out DIR",
        "openclaude export compose {}",
        "openclaude export kubernetes {}",
        "openclaude export process-compose {}",
        "openclaude export systemd-server {}",
    ),
    "tests/process/test_aws_simulator.py::"
    "test_the_engine_allows_a_shipped_profile_its_models_and_no_other": (
        "aws sts get-caller-identity --query Account --output text",
    ),
    f"{SETUP}test_a_person_with_nothing_gets_everything_by_answering": (
        "claude auth login",
        "claude auth status",
        "openclaude setup",
    ),
    f"{SETUP}test_a_second_run_changes_no_byte": ("openclaude setup --yes",),
    f"{CLAUDE}test_version_and_doctor_look_behind_such_a_script_and_leave_nothing_running": (
        "claude --version",
    ),
    "tests/process/test_command_line.py::test_claudes_update_says_whose_it_is": ("claude update",),
    f"{RESUMED}test_a_session_of_a_small_slot_needs_the_name_of_a_model_to_go_on": (
        "claude --resume ID",
        "claude --resume ID --model {}",
    ),
    "tests/e2e/test_e2e_secrets.py::"
    "test_a_key_that_cannot_be_had_is_one_sentence_until_it_is_mended_and_restarted": (
        "openclaude profiles set {} KEY=file:PATH",
    ),
    "tests/process/test_profiles_authoring.py::test_a_profile_from_elsewhere_is_kept_after_a_yes": (
        "openclaude profiles import",
    ),
    "tests/process/test_words.py::test_every_report_is_the_same_envelope": (
        "openclaude export systemd {}",
    ),
    "tests/process/test_words.py::test_status_shows_itself_again_until_it_is_interrupted": (
        "openclaude status --watch",
    ),
    "tests/long/test_switch.py::"
    "test_a_session_goes_on_with_another_model_is_told_once_and_goes_back": (
        "openclaude switch haiku=MODEL",
    ),
    "tests/process/test_uninstall.py::test_a_person_says_no_or_yes": ("openclaude uninstall",),
    "tests/long/test_managed_pricing.py::"
    "test_claudes_own_figure_is_the_ledgers_with_the_printed_settings": (
        "openclaude usage NAME --{}",
    ),
    "tests/process/test_command_line.py::"
    "test_a_mistyped_command_is_no_prompt_and_its_hint_is_right": ("openclaude {}",),
}
# Of programs that no test may fetch: what their own index or service has to give is needed
NOT_HERE = {
    "npm install -g @anthropic-ai/claude-code@{}": "npm's index has it; tried with a newer one",
    "loginctl enable-linger": "it asks systemd's logind, which tests do not run",
    "ollama pull qwen3-coder:30b": "18 GB of a model",
    "ollama serve": "another program's server, which the stand-in of its API is for",
}
