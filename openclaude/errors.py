"""Every failure a user can meet: a message, a hint, an exit status.

Knows: the shape of a failure, the list of every code. Must not depend on what fails.
A message is lower case, has no period, and says what is allowed; `hint` is the command or change
that fixes it. `code` is the stable name a `--json` reader sees.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable

from openclaude.diagnostics import Diagnostic, Location, Severity

# Exit statuses: of a launch (as `env`, `timeout` and `chroot` have it), then of our own commands
LAUNCH_FAILED, CLAUDE_NOT_EXECUTABLE, CLAUDE_NOT_FOUND = 125, 126, 127
FAILED, USAGE, BUG = 1, 2, 70  # 70 is EX_SOFTWARE of sysexits.h
OUTPUT_UNREAD = 141  # what a shell shows for a program that SIGPIPE has ended


class OpenclaudeError(Exception):
    """Something a user can fix. Anything else that reaches `cli.main` is a bug of ours."""

    code = "failed"
    exit_code = FAILED  # of our own commands
    launch_exit_code = LAUNCH_FAILED  # openclaude failed before it became claude

    def __init__(self, message: str, *, hint: str = "", location: Location | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.location = location

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What is wrong; several for a report of several."""
        return (
            Diagnostic(
                code=self.code,
                severity=Severity.ERROR,
                message=self.message,
                fix=self.hint,
                location=self.location,
            ),
        )

    @property
    def lines(self) -> tuple[str, ...]:
        """Each of them on a line of its own, with how to fix it."""
        return tuple(one.sentence for one in self.diagnostics)

    def entries(self) -> list[dict[str, object]]:
        """The failure as `errors` of a `--json` envelope."""
        return [one.entry() for one in self.diagnostics]


class UsageError(OpenclaudeError):
    """A wrong command line."""

    code = "usage"
    exit_code = USAGE


class ClaudeNotFound(OpenclaudeError):
    """There is no `claude`."""

    code = "claude-not-found"
    launch_exit_code = CLAUDE_NOT_FOUND


class ClaudeNotExecutable(OpenclaudeError):
    """The `claude` that was found cannot be run."""

    code = "claude-not-executable"
    launch_exit_code = CLAUDE_NOT_EXECUTABLE


# What the system refuses, as sentences: whoever asks for something says it better where it can be
# said; this is for everything else, so that a full disk is never taken for a bug of ours.
ELSEWHERE = "choose another place with XDG_STATE_HOME and XDG_CACHE_HOME"
# These can only be mistakes of ours
BUGS = frozenset({errno.EBADF, errno.EFAULT, errno.ENOTSOCK, errno.EDOM})
WAYS_OUT = {
    **dict.fromkeys(
        (errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "free some space (`df -h`), then try again"
    ),
    errno.EROFS: f"make the file system writable, or {ELSEWHERE}",
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM),
        "look at its owner and its permissions (`ls -ld`); after a run as root, "
        f'`sudo chown -R "$(id -u)" DIRECTORY` gives a directory back; or {ELSEWHERE}',
    ),
    **dict.fromkeys(
        (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL),
        f"the file system or the kernel cannot do this; {ELSEWHERE}",
    ),
    errno.EMFILE: "raise the limit of open files (`ulimit -n 1024`), then try again",
    errno.ENFILE: "the machine has no more open files to give; end some programs, then try again",
    errno.EAGAIN: "the limit of processes may be reached (`ulimit -u`); end some, then try again",
    errno.ENOMEM: "there is too little memory; end some programs, then try again",
    errno.EIO: "the disk reports an error; look at the system's log (`dmesg`)",
    **dict.fromkeys(
        (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG),
        "another program may have changed it meanwhile; try again",
    ),
}


# What no other place of a file would change
PLACELESS = frozenset({errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM, errno.ENOSPC})


class SystemRefused(OpenclaudeError):
    """Something that openclaude needs, and the system does not give."""

    code = "system-refused"


def understand(error: Exception) -> SystemRefused | None:
    """The sentence for an error of the system's; None for a bug."""
    if isinstance(error, MemoryError) or is_no_thread(error):
        return SystemRefused(
            "the system gives openclaude no more memory or threads", hint=WAYS_OUT[errno.EAGAIN]
        )
    if isinstance(error, ImportError):
        return SystemRefused(
            f"cannot load a part of openclaude: {error}",
            hint="try again; if it remains, look at `ulimit -n` and reinstall openclaude",
        )
    if not isinstance(error, OSError) or error.errno is None or error.errno in BUGS:
        return None
    what = f"cannot use `{error.filename}`" if error.filename else "the system refuses a request"
    return SystemRefused(
        f"{what}: {error.strerror or error}",
        hint=WAYS_OUT.get(
            error.errno, "try again; `openclaude doctor` looks at what a launch needs"
        ),
    )


def is_no_thread(error: Exception) -> bool:
    """Whether a thread could not be started, for which Python has no class."""
    return isinstance(error, RuntimeError) and "start new thread" in str(error)


def nearest(word: str, known: Iterable[str]) -> str:
    """The one of `known` that `word` was probably meant to be, or an empty string."""
    import difflib  # here, because a launch that goes well has no use for it

    near = difflib.get_close_matches(word, list(known), 1, 0.6)
    return near[0] if near else ""


# Every code that an error or a diagnostic can have, and what it means: first those of errors, then
# of other diagnostics, at last of those that say that all is well. A test holds it complete.
CODES = {
    "failed": "the command failed, as its message says",
    "usage": "the command line is wrong",
    "aws-file": "an AWS file cannot be changed safely",
    "aws-setup": "an answer for `aws setup` is missing or invalid",
    "aws-setup-unasked": "`aws setup` needs confirmation, but there is no terminal",
    "cannot-export": "a profile that would not work where it is exported to",
    "cannot-serve": "a profile, certificate or address with which nothing can be served",
    "catalog-missing": "LiteLLM's model map cannot be found",
    "claude-not-executable": "the `claude` that was found cannot be run",
    "claude-not-found": "there is no `claude`",
    "demo-ended": "a signal ended the demo",
    "demo-failed": "the demo did not work",
    "demo-not-removed": "something of a demo that has ended could not be ended or removed",
    "discarded": "the changes made in the editor were discarded",
    "editor-failed": "the editor could not be run, or failed",
    "environment-invalid": "an OPENCLAUDE_* variable has an invalid value",
    "folder-exposed": "another user could change one of openclaude's directories",
    "folder-unusable": "one of openclaude's directories cannot be used",
    "keys-unusable": "a file of people's keys cannot be read or written",
    "ledger-unreadable": "the record of what requests used cannot be read",
    "litellm-malicious": "the installed LiteLLM steals credentials",
    "litellm-version": "the installed LiteLLM is not the version that openclaude needs",
    "log-unreadable": "the log of a team's server cannot be read",
    "lock-held": "another openclaude is doing the same at the moment",
    "model-not-found": "no model has this name",
    "no-temporary-folder": "no directory for temporary files can be used",
    "not-on-bedrock": "no model of the profile is on Bedrock",
    "not-recorded": "a recording of requests cannot be begun, ended or removed",
    "not-ready": "the stack did not become ready",
    "report-not-written": "the file of a report cannot be written",
    "not-removed": "`uninstall` could not remove everything",
    "not-text": "a profile is not UTF-8 text",
    "person-unknown": "nobody of this name has a key for a team's server",
    "port-busy": "a port that the profile requires is in use",
    "profile-changed": "the profile was changed by another program meanwhile",
    "profile-default": "the file that names the default profile is broken",
    "profile-exists": "there is already a profile with this name",
    "profile-in-use": "the profile is in use and cannot be renamed or removed",
    "profile-invalid": "a mistake in a profile",
    "profile-key": "no profile has this key",
    "profile-key-absent": "the key to remove is not in the profile's own file",
    "profile-layout": "the file is laid out in a way that cannot be edited",
    "profile-name": "this cannot be the name of a profile",
    "profile-not-saved": "the changes were not saved; a draft has them",
    "profile-shipped": "a built-in profile cannot be changed this way",
    "profile-unknown": "no profile has this name",
    "profile-unreadable": "a profile's file or directory cannot be read",
    "profile-value": "the value does not have the type of its key",
    "provider-unknown": "no provider has this name",
    "refused": "a request that the slot's model does not support",
    "regions-missing": "botocore's list of regions cannot be found",
    "providers-missing": "LiteLLM's list of providers cannot be found",
    "secret-missing": "a secret of the profile is not where the profile says",
    "settings-conflict": "a setting that a launch cannot override",
    "system-refused": "the system does not give openclaude something that it needs",
    "home-shared": "another container or machine keeps its stack in this home",
    "folder-unfit": "the file system of a directory has no locks or no Unix sockets",
    "few-open-files": "a shell allows too few open files",
    "model-of-openclaude": "a saved model is one that only openclaude knows",
    "saved-model-of-a-slot": "a saved model is a slot here, and Claude's own in plain claude",
    "slot-not-resumed": "plain claude needs a model's name to go on with a session of this slot",
    "resume-forgets-model": "a variable keeps claude from restoring a session's model",
    "model-pinned": "a setting asks for a model that nobody here has",
    "models-limited": "claude's settings allow too few models",
    "state-moved": "stacks are kept on another file system",
    "stack-elsewhere": "the stack of this home belongs to another container or machine",
    "stack-unreachable": "the running stack does not answer",
    "aws-clock": "this machine's clock is off",
    "aws-credential-process": "the profile's `credential_process` cannot be run",
    "aws-credentials-expired": "temporary credentials have expired",
    "aws-credentials-not-fetched": "the profile's `credential_process` failed",
    "aws-error": "AWS answered with an error that openclaude does not know",
    "aws-file-broken": "an AWS file cannot be read by AWS's own programs",
    "aws-key-refused": "AWS rejects the access key",
    "aws-login": "the AWS profile is not logged in (`aws login`)",
    "aws-login-unsupported": "`aws login` needs the package awscrt",
    "aws-mfa": "the AWS profile asks for an MFA code",
    "aws-no-credentials": "the AWS profile has no complete credentials",
    "aws-profile-missing": "the AWS profile does not exist",
    "aws-role-circle": "an AWS profile assumes its own role",
    "aws-role-without-source": "an AWS profile has a role but no credentials to assume it with",
    "aws-source-profile-missing": "the AWS profile to assume a role with does not exist",
    "aws-sso-incomplete": "an AWS profile lacks what its SSO login needs",
    "aws-sso-login": "the AWS profile is not logged in to SSO",
    "aws-sso-session-missing": "the SSO session of an AWS profile does not exist",
    "aws-unreachable": "AWS cannot be reached",
    "aws-variable-takes-over": "a variable that AWS's programs prefer to any AWS profile",
    "aws-variable-unused": "an AWS variable that openclaude does not use",
    "base-url-in-environment": "ANTHROPIC_BASE_URL is set",
    "bedrock-inference-profile": "the model needs the id of an inference profile",
    "bedrock-key-missing": "the Bedrock API key of the profile cannot be had",
    "bedrock-key-refused": "Bedrock refuses the API key of the profile",
    "bedrock-no-access": "the AWS account has no access to the model",
    "bedrock-not-allowed": "IAM does not allow the model",
    "bedrock-not-enabled": "the model's region has it, but the AWS account may not use it yet",
    "bedrock-not-served": "the model's region does not serve it",
    "bedrock-regions-unknown": "AWS did not say what a region serves",
    "bedrock-served": "the model's region serves it",
    "bedrock-throttled": "AWS limits the rate of requests",
    "bedrock-unknown-model": "Bedrock does not know the model in this region",
    "claude-broken": "`claude --version` fails",
    "claude-incompatible": "this version of claude was tried, and does not work with openclaude",
    "claude-old": "claude is older than every version that was tried",
    "claude-untested": "this version of claude was not tried with openclaude",
    "claude-not-on-path": "claude is where an installer puts it, but not on PATH",
    "claude-wrapper": "a program named `claude` starts openclaude",
    "claude-unknown": "`claude` may not be Claude Code",
    "disk-full": "there is little space on a disk",
    "environment-dead-address": "nothing listens at the address in ANTHROPIC_BASE_URL",
    "key-in-environment": "a variable makes plain claude pay per token",
    "lock-differs": "installed packages differ from the tested versions",
    "lock-missing": "this copy of openclaude has no lock file",
    "login-is-no-plan": "claude is logged in, but not with a plan",
    "login-unknown": "openclaude cannot tell whether claude is logged in",
    "no-landlock": "this kernel cannot confine `main`",
    "recording": "bodies of requests are recorded now",
    "recorded": "bodies of requests were recorded and are still there",
    "not-forked": "the running proxies could not be forked, so they are larger and slower to start",
    "not-warmed-up": "the warm-up requests of a running proxy failed",
    "not-asked": "a model that `doctor --online` cannot ask",
    "not-logged-in": "claude is not logged in",
    "other-cloud-in-environment": "a variable sends plain claude to another cloud",
    "port-taken": "a port is in use; a launch uses another one",
    "profile-warning": "a valid profile that may not work as expected",
    "profile-writable-by-others": "other users can change a profile",
    "proxy": "requests to the internet go through a proxy",
    "proxy-dead": "nothing listens at the address of a proxy",
    "python-path": "PYTHONPATH names packages that openclaude does not use",
    "readable-by-others": "other users can read a file with secrets",
    "settings-api-key-helper": "a settings file makes plain claude pay per token",
    "settings-broken": "one of claude's settings files is not a JSON object",
    "settings-dead-address": "nothing listens at an address in a settings file",
    "settings-replaced": "a launch replaces a setting",
    "stack-left-over": "a stack has ended without cleaning up",
    "stack-of-another-version": "the running stack is from another openclaude",
    "stack-outdated": "the profile has changed since its stack was started",
    "start-method": "OPENCLAUDE_START_METHOD has an invalid value",
    "extra-missing": "the profile needs packages that are not installed",
    "telemetry-not-shown": "running proxies could not have the port of `telemetry.prometheus`",
    "telemetry-port-taken": "another program or profile has the port of `telemetry.prometheus`",
    "telemetry-unheard": "nothing listens at the address of `telemetry.otlp`",
    "unit-failed": "a part of the running stack has failed",
    "aws": "the AWS profile is ok, or none is needed",
    "aws-identity": "AWS knows who you are",
    "bedrock": "a model on Bedrock answers",
    "claude": "claude is ok",
    "disclosure": "who receives which text and credential",
    "disk": "directories and permissions are ok",
    "environment": "no variable interferes",
    "litellm": "LiteLLM is ok",
    "lock": "all packages have the tested versions",
    "login": "the login is ok, or none is needed",
    "ports": "the ports are free",
    "profile": "the profile is valid",
    "settings": "no setting interferes",
    "stack": "the stack is ok, or not running",
    "stack-environment": "the running proxies were started from another environment",
    "server": "the server of `providers.url` accepts the key and has the profile's models",
    "server-key": "the server of `providers.url` does not accept the key",
    "server-key-missing": "the key for `providers.url` cannot be fetched",
    "server-model": "the server of `providers.url` lacks a model of the profile",
    "server-unexpected": "what answers at `providers.url` is not a server of openclaude",
    "server-unreachable": "the server of `providers.url` cannot be reached or asked",
    "telemetry": "figures of requests get to where the profile says",
    "way-out": "a server of the profile can be reached",
    "way-out-blocked": "a server of the profile cannot be reached: the network, a proxy, its trust",
    "way-out-redirected": "a server of the profile redirects to another host",
    "proxy-of-settings": "claude's settings name the proxy that is used",
    "proxy-of-settings-dead": "nothing listens at the proxy that claude's settings name",
    "proxy-unusable": "a proxy that claude and openclaude cannot use",
    "authority-missing": "a file with certificates that a variable names is not there",
    "aws-endpoint": "AWS's configuration decides which address of Bedrock is asked",
    "aws-endpoint-plain": "AWS's configuration names an address that is not encrypted",
    "aws-retries": "AWS's configuration has retries that do not count for models",
    "profile-not-fetched": "a profile could not be fetched from its address",
    "switch-out-of-reach": "open sessions cannot be given the new model of a tier",
    "program-unknown": "no program of that name has a key",
    "own-path-unknown": "a service needs the path of openclaude, which is not in PATH",
}
