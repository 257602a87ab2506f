"""The library: which file is meant, how parents are merged, where each value comes from."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from openclaude.models.catalog import Catalog
from openclaude.paths import find_shipped
from openclaude.profile.library import Entry, Library
from openclaude.profile.mistakes import BadOverride, ProfileMistakes, UnreadableProfile
from openclaude.profile.names import BadProfileName, UnknownProfile
from tests.conftest import REPOSITORY

SHIPPED = find_shipped(REPOSITORY / "openclaude")
QWEN = "bedrock/qwen.qwen3-next-80b-a3b"
MINIMAL = "schema = 1\n"
ON_BEDROCK = f"""\
schema = 1
tiers.haiku = "{QWEN}"
aws = {{ profile = "p", region = "us-west-2" }}
"""


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A library whose two folders are empty."""
    for folder in ("user", "shipped"):
        (tmp_path / folder).mkdir()
    return Library(tmp_path / "user", tmp_path / "shipped")


def put(folder: Path, name: str, text: str = MINIMAL) -> Path:
    """A profile file."""
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path


# --- which file


def test_a_users_file_replaces_the_shipped_one_of_its_name(library: Library) -> None:
    put(library.shipped, "qwen")
    put(library.shipped, "base")
    put(library.user, "qwen", 'schema = 1\ndescription = "mine"\n')
    put(library.user, "own")

    assert library.entries() == (
        Entry("base", library.shipped / "base.toml", "shipped"),
        Entry("own", library.user / "own.toml", "user"),
        Entry("qwen", library.user / "qwen.toml", "user"),
    )
    assert library.load("qwen", env={}).profile.description == "mine"


def test_files_that_no_name_can_mean_are_told_apart(library: Library) -> None:
    put(library.user, "My Profile")
    (library.user / "notes.txt").write_text("")
    put(library.user, "ok")

    assert library.names() == ("ok",)
    assert library.misnamed() == (library.user / "My Profile.toml",)


def test_folders_that_do_not_exist_hold_nothing(tmp_path: Path) -> None:
    assert Library(tmp_path / "a", tmp_path / "b").entries() == ()


def test_a_folder_that_is_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "user").write_text("")

    with pytest.raises(UnreadableProfile) as caught:
        Library(tmp_path / "user", tmp_path).entries()

    assert caught.value.message == f"cannot read `{tmp_path / 'user'}`: not a directory"


def test_an_unknown_profile_suggests_the_nearest(library: Library) -> None:
    put(library.shipped, "qwen")

    with pytest.raises(UnknownProfile) as caught:
        library.load("qwem", env={})

    assert caught.value.hint == "did you mean `qwen`?"


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "..", ""])
def test_a_name_never_leaves_the_folder(library: Library, name: str) -> None:
    with pytest.raises(BadProfileName):
        library.load(name, env={})


def test_sources_and_absent_files_tell_when_a_profile_must_be_read_again(library: Library) -> None:
    parent = put(library.shipped, "base")
    child = put(library.user, "mine", MINIMAL + 'extends = "base"\n')

    loaded = library.load("mine", env={})

    assert loaded.sources == (
        ("mine", child, hashlib.sha256(child.read_bytes()).hexdigest()),
        ("base", parent, hashlib.sha256(parent.read_bytes()).hexdigest()),
    )
    assert loaded.absent == (library.user / "base.toml",)


def test_a_file_outside_the_library_can_be_loaded_by_its_path(
    library: Library, tmp_path: Path
) -> None:
    put(library.shipped, "base", MINIMAL + "[listen]\nport = 5000\n")
    path = put(tmp_path, "elsewhere", MINIMAL + 'extends = "base"\n')

    assert library.load_file(path, env={}).profile.listen.port == 5000
    with pytest.raises(UnreadableProfile, match="no such file"):
        library.load_file(tmp_path / "absent.toml", env={})


# --- reading


def make_folder(path: Path) -> None:
    path.mkdir()


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's path is short
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)


def make_dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


def make_looping_link(path: Path) -> None:
    path.symlink_to(path.name)


def make_device_link(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_huge(path: Path) -> None:
    path.write_bytes(b"#" * ((1 << 20) + 1))


def make_latin1(path: Path) -> None:
    path.write_bytes(b"schema = 1\n\ndescription = '\xe9'\n")


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (make_folder, "it is a directory"),
        (make_fifo, "it is not a regular file"),
        (make_socket, "it is not a regular file"),
        (make_dangling_link, "it is a broken link"),
        (make_looping_link, "too many levels of symbolic links"),
        (make_device_link, "it is not a regular file"),
        (make_huge, "it is larger than 1 MiB"),
        (make_latin1, "line 3 is not UTF-8"),
    ],
)
def test_what_is_no_text_file_is_a_clear_error_and_does_not_fall_through_to_the_shipped_one(
    library: Library, make: Callable[[Path], None], why: str
) -> None:
    put(library.shipped, "qwen")
    path = library.user / "qwen.toml"
    make(path)

    with pytest.raises(UnreadableProfile) as caught:
        library.load("qwen", env={})

    assert caught.value.message == f"cannot read `{path}`: {why}"
    assert (caught.value.code, caught.value.exit_code) == ("profile-unreadable", 2)


def test_a_file_without_permission_is_a_clear_error(library: Library) -> None:
    put(library.user, "qwen").chmod(0)
    ourselves = os.geteuid()
    if ourselves == 0:
        os.seteuid(65534)  # root reads everything, nobody does not

    try:
        with pytest.raises(UnreadableProfile, match="permission denied"):
            library.load("qwen", env={})
    finally:
        os.seteuid(ourselves)


def test_a_link_to_a_file_and_a_byte_order_mark_are_fine(library: Library, tmp_path: Path) -> None:
    (tmp_path / "dotfile").write_bytes(b"\xef\xbb\xbfschema = 1\r\n")
    (library.user / "linked.toml").symlink_to(tmp_path / "dotfile")

    assert library.load("linked", env={}).profile.schema_number == 1


# --- parents


def test_a_child_is_merged_with_its_parents_key_by_key(library: Library) -> None:
    put(
        library.shipped,
        "grand",
        'schema = 1\ndescription = "grand"\n[listen]\nport = 5000\nstrict = true\n'
        '[aws]\nprofile = "p"\nregion = "us-east-1"\n',
    )
    put(library.shipped, "parent", 'schema = 1\nextends = "grand"\nlisten.port = 6000\n')
    put(
        library.user,
        "child",
        f'schema = 1\nextends = "parent"\naws.region = "eu-west-1"\ntiers.haiku = "{QWEN}"\n',
    )

    profile = library.load("child", env={}).profile

    assert (profile.listen.port, profile.listen.strict) == (6000, True)
    assert (profile.aws.profile, profile.aws.region) == ("p", "eu-west-1")
    assert profile.tiers["haiku"].model == QWEN
    assert (profile.description, profile.extends) == ("", "parent")


TIER = f'[tiers.haiku]\nmodel = "{QWEN}"\nlabel = "Qwen"\nmax_output_tokens = 4000\n'
AWS = '[aws]\nprofile = "p"\nregion = "us-west-2"\n'


@pytest.mark.parametrize(
    ("child", "label", "cap"),
    [
        ('tiers.haiku.label = "Mine"\n', "Mine", 4000),
        (f'tiers.haiku = "{QWEN}"\n', "Qwen", 4000),
        ('tiers.haiku = "bedrock/zai.glm-5"\n', None, None),
        ('tiers.haiku = { model = "bedrock/zai.glm-5", label = "GLM" }\n', "GLM", None),
        ('tiers.haiku = "claude"\n', None, None),
        ("[tiers.haiku]\n", "Qwen", 4000),
        ("[tiers]\n", "Qwen", 4000),
    ],
)
def test_what_a_parent_says_of_a_model_does_not_stick_to_another(
    library: Library, child: str, label: str | None, cap: int | None
) -> None:
    put(library.shipped, "parent", MINIMAL + TIER + AWS)
    put(library.user, "child", MINIMAL + 'extends = "parent"\n' + child)

    tier = library.load("child", env={}).profile.tiers["haiku"]

    assert (tier.label, tier.max_output_tokens) == (label, cap)


def test_a_table_replaces_a_value_and_a_value_a_table(library: Library) -> None:
    put(library.shipped, "scalar", MINIMAL + 'aws = "p"\n')
    put(library.shipped, "table", MINIMAL + "[listen]\nport = 5000\n")
    put(library.user, "mended", MINIMAL + 'extends = "scalar"\n[aws]\nprofile = "p"\n')
    put(library.user, "broken", MINIMAL + 'extends = "table"\nlisten = 5\n')

    assert library.load("mended", env={}).profile.aws.profile == "p"
    with pytest.raises(ProfileMistakes) as caught:
        library.load("broken", env={})
    assert str(caught.value).endswith("broken.toml:3: listen: must be a table, not a whole number")


def test_a_parents_mistake_is_shown_in_the_parents_file(library: Library) -> None:
    parent = put(library.shipped, "parent", 'schema = 2\ndescription = 5\n[listen]\nport = "x"\n')
    child = put(library.user, "child", MINIMAL + 'extends = "parent"\ntirs = {}\n')

    with pytest.raises(ProfileMistakes) as caught:
        library.load("child", env={})

    assert [str(mistake) for mistake in caught.value.mistakes] == [
        f"{child}:3: tirs: unknown key; did you mean `tiers`?",
        f"{parent}:1: schema: this openclaude reads schema 1, not 2; "
        "write `schema = 1`, or use a newer openclaude",
        f"{parent}:2: description: must be text in quotes, not a whole number",
        f"{parent}:4: listen.port: must be a whole number, not text",
    ]


def test_an_unknown_parent_is_reported_where_it_is_named(library: Library) -> None:
    put(library.shipped, "base")
    put(library.shipped, "middle", MINIMAL + '# x\nextends = "bse"\n')
    # the aws table that the unknown parent may have is not reported as missing
    child = put(library.user, "child", MINIMAL + f'extends = "middle"\ntiers.haiku = "{QWEN}"\n')

    with pytest.raises(ProfileMistakes) as caught:
        library.load("child", env={})

    assert [str(mistake) for mistake in caught.value.mistakes] == [
        f"{library.shipped}/middle.toml:3: extends: no profile named `bse`; did you mean `base`?"
    ]
    assert child.exists()


@pytest.mark.parametrize(
    ("files", "circle", "lines"),
    [
        ({"a": "a"}, "a -> a", ["a:2"]),
        ({"a": "b", "b": "a"}, "a -> b -> a", ["a:2", "b:2"]),
        ({"a": "b", "b": "c", "c": "b"}, "b -> c -> b", ["b:2", "c:2"]),
    ],
)
def test_profiles_that_extend_each_other_are_reported_in_every_file_of_the_circle(
    library: Library, files: dict[str, str], circle: str, lines: list[str]
) -> None:
    for name, parent in files.items():
        put(library.user, name, MINIMAL + f'extends = "{parent}"\n')

    with pytest.raises(ProfileMistakes) as caught:
        library.load("a", env={})

    places = [mistake.location for mistake in caught.value.mistakes]
    assert [f"{place.path.stem}:{place.line}" for place in places if place and place.path] == lines
    assert {mistake.message for mistake in caught.value.mistakes} == {
        f"profiles extend each other in a circle: {circle}"
    }


def test_a_bad_parents_name_is_no_path(library: Library, tmp_path: Path) -> None:
    put(tmp_path, "outside")
    put(library.user, "a", MINIMAL + 'extends = "../outside"\n')

    with pytest.raises(ProfileMistakes) as caught:
        library.load("a", env={})

    assert 'extends: "../outside" cannot be a profile name' in str(caught.value)


# --- the environment


def test_variables_replace_keys_and_leave_a_tiers_own_region(library: Library) -> None:
    put(
        library.user,
        "a",
        MINIMAL
        + f'[tiers]\nhaiku = "{QWEN}"\n'
        + f'sonnet = {{ model = "{QWEN}", region = "us-east-1" }}\n'
        + AWS,
    )
    env = {
        "OPENCLAUDE_AWS_PROFILE": "other",
        "OPENCLAUDE_AWS_REGION": "eu-west-1",
        "OPENCLAUDE_LITELLM_PORT": "5000",
    }

    loaded = library.load("a", env=env)

    assert (loaded.profile.aws.profile, loaded.profile.listen.port) == ("other", 5000)
    assert loaded.profile.region_of("haiku") == "eu-west-1"
    assert loaded.profile.region_of("sonnet") == "us-east-1"
    assert {key: str(origin) for key, origin in loaded.provenance.items() if origin.variable} == {
        "aws.profile": "OPENCLAUDE_AWS_PROFILE",
        "aws.region": "OPENCLAUDE_AWS_REGION",
        "listen.port": "OPENCLAUDE_LITELLM_PORT",
    }


def test_variables_can_say_what_the_profile_does_not(library: Library) -> None:
    put(library.user, "a", MINIMAL + f'tiers.haiku = "{QWEN}"\n')

    profile = library.load(
        "a", env={"OPENCLAUDE_AWS_PROFILE": "p", "OPENCLAUDE_AWS_REGION": "us-west-2"}
    ).profile

    assert (profile.aws.profile, profile.aws.region) == ("p", "us-west-2")


def test_empty_variables_say_nothing(library: Library) -> None:
    put(library.user, "a", ON_BEDROCK)

    env = {"OPENCLAUDE_AWS_PROFILE": "", "OPENCLAUDE_LITELLM_PORT": ""}

    assert library.load("a", env=env) == library.load("a", env={})


@pytest.mark.parametrize(
    ("variable", "text", "message", "hint"),
    [
        ("OPENCLAUDE_LITELLM_PORT", "x", '"x" is not a port', ""),
        ("OPENCLAUDE_LITELLM_PORT", "-1", '"-1" is not a port', ""),
        ("OPENCLAUDE_LITELLM_PORT", "4 000", '"4 000" is not a port', ""),
        ("OPENCLAUDE_LITELLM_PORT", "４０００", '"４０００" is not a port', ""),
        ("OPENCLAUDE_LITELLM_PORT", "9" * 5000, '"' + "9" * 77 + '..." is not a port', ""),
        (
            "OPENCLAUDE_LITELLM_PORT",
            "65535",
            "must be a port from 1024 to 65534, not 65535",
            "providers listens on the next one",
        ),
        (
            "OPENCLAUDE_AWS_REGION",
            "us-wset-2",
            'no AWS region named "us-wset-2"',
            "did you mean `us-west-2`?",
        ),
        ("OPENCLAUDE_AWS_REGION", "mars", 'no AWS region named "mars"', ""),
        ("OPENCLAUDE_AWS_PROFILE", "a\nb", "must be one line of 1 to 200 printable characters", ""),
    ],
)
def test_a_bad_variable_is_refused_by_its_name(
    library: Library, variable: str, text: str, message: str, hint: str
) -> None:
    put(library.user, "a")

    with pytest.raises(BadOverride) as caught:
        library.load("a", env={variable: text})

    assert caught.value.message == f"{variable}: {message}"
    assert caught.value.hint == hint
    assert (caught.value.code, caught.value.exit_code) == ("environment-invalid", 2)


# --- provenance


def test_every_value_remembers_where_it_comes_from(library: Library) -> None:
    parent = put(library.shipped, "parent", MINIMAL + "\n[listen]\nport = 5000\n")
    child = put(
        library.user,
        "child",
        f'schema = 1\nextends = "parent"\n[tiers]\nhaiku = "{QWEN}"\n\n[aws]\n'
        'profile = "p" # here\nregion = "us-west-2"\n',
    )

    provenance = library.load("child", env={"OPENCLAUDE_AWS_REGION": "us-east-1"}).provenance

    assert {
        key: (origin.kind, str(origin))
        for key, origin in provenance.items()
        if origin.kind != "default"
    } == {
        "schema": ("profile", f"{child}:1"),
        "extends": ("profile", f"{child}:2"),
        "tiers.haiku.model": ("profile", f"{child}:4"),
        "aws.profile": ("profile", f"{child}:7"),
        "aws.region": ("environment", "OPENCLAUDE_AWS_REGION"),
        "listen.port": ("parent", f"{parent}:4"),
    }
    assert provenance["tiers.opus.model"].as_data() == {
        "kind": "default",
        "path": None,
        "line": None,
        "variable": None,
    }


# --- the model map and the shipped profiles


def test_a_profile_of_claude_tiers_never_reads_the_model_map(tmp_path: Path) -> None:
    library = Library(tmp_path, tmp_path, catalog=Catalog(tmp_path / "no map"))
    put(tmp_path, "plain", MINIMAL + 'tiers.opus = "claude-opus-5-5"\n[aws]\nregion = "us-east-1"')

    assert library.load("plain", env={}).profile.tiers["opus"].model == "claude-opus-5-5"


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("*.toml")))
def test_every_shipped_profile_is_valid(tmp_path: Path, name: str) -> None:
    loaded = Library(tmp_path, SHIPPED).load(name, env={})

    assert loaded.profile.description
    assert loaded.absent[0] == tmp_path / f"{name}.toml"


def test_the_default_profile_moves_haiku_only(tmp_path: Path) -> None:
    profile = Library(tmp_path, SHIPPED).load("qwen", env={}).profile

    assert {name: tier.model for name, tier in profile.tiers.items()} == {
        "opus": "claude",
        "sonnet": "claude",
        "haiku": QWEN,
        "fable": "claude",
    }
