"""AWS's files changed in one section: everything else stays, byte for byte."""

from __future__ import annotations

import configparser
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from botocore.configloader import raw_config_parse
from botocore.exceptions import ConfigParseError
from hypothesis import given
from hypothesis import strategies as st

from openclaude.aws.ini import change_section, find_sections, split_lines
from openclaude.aws.sections import UnreadableFile, header_name, read_sections, write_header

ODD = """\
# mine, do not touch
; nor this

[default]
region=eu-central-1
output   =   json

  # an indented comment
[profile  work]
region : us-east-1
s3 =
    max_concurrent_requests = 20

    # inside the block
    addressing_style = path
credential_process = /bin/sh -c "echo [x] # = no comment"
[profile "with space"]
\tregion = us-east-2
\trole_arn = arn:aws:iam::123456789012:role/A

#include ~/.aws/other
[sso-session  corp]
sso_start_url = https://corp.awsapps.com/start#/
   \t
[plugins]
cli_legacy_plugin_path = /opt
# the end, and no line end"""


def changed_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    """Return the lines removed and those added, between the common start and end."""
    old, new = split_lines(before), split_lines(after)
    while old and new and old[0] == new[0]:
        del old[0], new[0]
    while old and new and old[-1] == new[-1]:
        del old[-1], new[-1]
    return old, new


@pytest.mark.parametrize(
    ("header", "values", "went", "came"),
    [
        ("default", {"region": "eu-west-1"}, ["region=eu-central-1\n"], ["region=eu-west-1\n"]),
        ("default", {"output": "text"}, ["output   =   json\n"], ["output   =   text\n"]),
        ("profile  work", {"region": "x"}, ["region : us-east-1\n"], ["region : x\n"]),
        ("profile  work", {"region": "us-east-1"}, [], []),
        ("profile  work", {"region": None}, ["region : us-east-1\n"], []),
        ("profile  work", {"nothing": None}, [], []),
        ("default", {"sso_session": "corp"}, [], ["sso_session = corp\n"]),
        (
            "profile  work",
            {"s3": None},
            [
                "s3 =\n",
                "    max_concurrent_requests = 20\n",
                "\n",
                "    # inside the block\n",
                "    addressing_style = path\n",
            ],
            [],
        ),
        ('profile "with space"', {"output": "json"}, [], ["\toutput = json\n"]),
        (
            "profile new",
            {"region": "eu-west-1", "output": None},
            ["# the end, and no line end"],
            [
                "# the end, and no line end\n",
                "\n",
                "[profile new]\n",
                "region = eu-west-1\n",
            ],
        ),
    ],
)
def test_only_the_lines_that_must_change_do(
    header: str, values: dict[str, str | None], went: list[str], came: list[str]
) -> None:
    assert changed_lines(ODD, change_section(ODD, header, values)) == (went, came)


def test_every_section_is_found_with_its_options() -> None:
    found = {section.name: [one.name for one in section.options] for section in find_sections(ODD)}

    assert found == {
        "default": ["region", "output"],
        "profile  work": ["region", "s3", "credential_process"],
        'profile "with space"': ["region", "role_arn"],
        "sso-session  corp": ["sso_start_url"],
        "plugins": ["cli_legacy_plugin_path"],
    }


def test_line_ends_stay_as_they_are_and_new_lines_have_the_same() -> None:
    text = "[default]\r\nregion = a\r\n\r\n[profile b]\r\nregion = c"

    assert change_section(text, "profile b", {"region": "d", "output": "json"}) == (
        "[default]\r\nregion = a\r\n\r\n[profile b]\r\nregion = d\r\noutput = json\r\n"
    )
    assert change_section(text, "default", {"output": "json"}) == (
        "[default]\r\nregion = a\r\noutput = json\r\n\r\n[profile b]\r\nregion = c"
    )


def test_characters_that_python_takes_for_line_ends_are_none() -> None:
    text = "[default]\nname = a\x0bb\x0cc\u2028d\x85e\n"

    assert change_section(text, "default", {"region": "x"}) == f"{text}region = x\n"


@pytest.mark.parametrize(
    ("header", "kind", "name", "is_it"),
    [
        ("profile work", "profile", "work", True),
        ("profile  'work'", "profile", "work", True),
        ('profile "a b"', "profile", "a b", True),
        ("default", "profile", "default", True),
        ("profile default", "profile", "default", True),
        ("work", "profile", "work", False),
        ("profile work", "sso-session", "work", False),
        ("sso-session work", "sso-session", "work", True),
        ("profile 'work", "profile", "work", False),
        ("profile work more", "profile", "work", False),
        ("default", "sso-session", "default", False),
    ],
)
def test_a_header_is_recognised_in_all_its_spellings(
    header: str, kind: str, name: str, is_it: bool
) -> None:
    assert (header_name(header, kind) == name) == is_it


@pytest.mark.parametrize("name", ["work", "a b", "it's", "default", "x@y"])
def test_a_header_that_is_written_is_recognised(name: str) -> None:
    assert header_name(write_header("profile", name), "profile") == name


# --- any file that configparser can read

keys = st.sampled_from(["region", "output", "s3", "role_arn", "Region2"])
values_ = st.text("ab=:#;[] \t", max_size=8).map(str.strip)
spaces = st.sampled_from(["", " ", "  ", "\t"])
noise = st.sampled_from(["\n", "  \n", "# c\n", "  ; [x]\n", "\t#y = z\n"])


@st.composite
def options(draw: st.DrawFn) -> str:
    delimiter = draw(spaces) + draw(st.sampled_from("=:")) + draw(spaces)
    first = f"{draw(spaces)}{draw(keys)}{delimiter}{draw(values_)}\n"
    more = draw(st.lists(noise | values_.map(lambda text: f"      x{text}\n"), max_size=3))
    return first + "".join(more)


@st.composite
def files(draw: st.DrawFn) -> str:
    headers = st.sampled_from(["default", "profile a", "profile b", "sso-session s", "plugins"])
    text = "".join(draw(st.lists(noise, max_size=2)))
    for header in draw(st.lists(headers, unique=True, max_size=4)):
        indent = draw(st.sampled_from(["", "", "", " "]))
        text += f"{indent}[{header}]{draw(spaces)}\n"
        text += "".join(draw(st.lists(options() | noise, max_size=5)))
    return draw(st.sampled_from([text, text.rstrip("\n"), text.replace("\n", "\r\n")]))


def read(text: str) -> dict[str, dict[str, str]] | None:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text.replace("\r\n", "\n"))
    except configparser.Error:
        return None
    return {name: dict(parser.items(name)) for name in parser.sections()}


changes = st.dictionaries(
    st.sampled_from(["region", "output", "s3", "sso_session"]),
    st.none() | st.sampled_from(["new", "eu-west-1"]),
    min_size=1,
)


@given(text=files(), values=changes, header=st.sampled_from(["default", "profile a", "profile z"]))
def test_whatever_is_in_a_file_only_what_was_asked_changes(
    text: str, values: dict[str, str | None], header: str
) -> None:
    before = read(text)
    if before is None:
        return

    changed = change_section(text, header, values)

    wanted: dict[str, Mapping[str, str | None]]
    wanted = {**before, header: {**before.get(header, {}), **values}}
    kept = {key: value for key, value in wanted[header].items() if value is not None}
    after = read(changed)
    # an indented header after our lines would be read as part of them: such a file is not replaced
    is_as_wanted = after == {**wanted, header: kept} or (not kept and after == before)
    if not is_as_wanted:
        assert has_indented_header(text)
        return
    assert change_section(changed, header, values) == changed
    others = [one for one in find_sections(text) if one.name != header]
    lines = split_lines(text)
    for other in others:
        assert "".join(lines[other.start : other.end]).rstrip("\r\n") in changed


def has_indented_header(text: str) -> bool:
    return re.search(r"^[ \t]+\[", text, re.MULTILINE) is not None


# --- files that nobody can read


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"[default]\nregion\n", "line 2 is not `key = value`"),
        (b"[default]\naws_secret_access_key hunter2\n", "line 2 is not `key = value`"),
        (b"hunter2\n", "line 1 comes before any `[section]`"),
        (b"[a]\nx = hunter2\nx = 2\n", "line 3: `x` appears twice"),
        (b"[a]\n[b]\n[a]\n", "line 3: the section `a` appears twice"),
        (b"[a]\nx = \xff\n", "it is not UTF-8 text"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_line_and_never_shown(
    tmp_path: Path, text: bytes, said: str
) -> None:
    (tmp_path / "config").write_bytes(text)

    with pytest.raises(UnreadableFile) as caught:
        read_sections(tmp_path / "config")

    assert str(caught.value) == said


@given(text=files())
def test_a_file_is_read_as_botocore_reads_it(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "config")
        path.write_bytes(text.encode())
        try:
            theirs = raw_config_parse(str(path), parse_subsections=False)
        except ConfigParseError:
            theirs = None

        try:
            ours = read_sections(path)
        except UnreadableFile:
            ours = None

    assert ours == theirs
