"""The page of `usage --html` in a real browser: light, dark, narrow; no name in it is run."""

from __future__ import annotations

import shutil
import struct
import subprocess
import zlib
from collections import Counter
from pathlib import Path

import pytest

from openclaude.ledger.store import add, ledger_file, open_to_write
from tests.conftest import need
from tests.e2e.house import OPENCLAUDE
from tests.unit.ledger.entries import entry

BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")
DARK = ("--blink-settings=preferredColorScheme=0",)
RAN = "<script>document.title='ran'</script>"
HOSTILE = f"{RAN}<img src=x onerror=\"document.title='ran'\">"


@pytest.fixture(scope="module")
def browser() -> str:
    """Return a browser without a screen."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    need(found, "Chromium (build/tools)")
    return str(found)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a page about some days and models, one with a hostile name."""
    home = tmp_path_factory.mktemp("picture")
    connection = open_to_write(ledger_file(home / ".local/state/openclaude"))
    for day in range(20):
        at = 1_790_000_000.0 + day * 86400
        for model in ("bedrock/qwen", "claude-opus-5-5", HOSTILE):
            add(connection, [entry(at=at, answered=model, tokens_in=1000 * day, dollars=0.1)])
    connection.close()
    target = home / "usage.html"
    env = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    argv = (str(OPENCLAUDE), "usage", "--html", str(target))
    subprocess.run(argv, env=env, check=True, capture_output=True)
    return target


def browse(browser: str, page: Path, *options: str) -> str:
    """Open the page; return what the browser prints."""
    argv = (browser, "--no-sandbox", "--hide-scrollbars", "--force-color-profile=srgb", *options)
    ran = subprocess.run(
        (*argv, page.as_uri()), check=True, capture_output=True, text=True, timeout=120
    )
    return ran.stdout


def colours(png: bytes) -> Counter[bytes]:
    """How often each colour is in a picture of 8 bits for each of three or four channels."""
    wide, high, depth, kind = struct.unpack(">IIBB", png[16:26])
    assert depth == 8
    size = {2: 3, 6: 4}[kind]
    at, data = 8, b""
    while at < len(png):
        length, name = struct.unpack(">I4s", png[at : at + 8])
        data += png[at + 8 : at + 8 + length] if name == b"IDAT" else b""
        at += length + 12
    raw = zlib.decompress(data)
    stride, before = wide * size, bytearray(wide * size)
    found: Counter[bytes] = Counter()
    for row in range(high):
        start = row * (stride + 1)
        line = unfiltered(raw[start], raw[start + 1 : start + 1 + stride], before, size)
        found.update(bytes(line[one : one + 3]) for one in range(0, stride, size))
        before = line
    return found


def unfiltered(kind: int, line: bytes, before: bytearray, size: int) -> bytearray:
    """A row of a PNG as it was before its filter."""
    out = bytearray(line)
    for one in range(len(out)):
        left = out[one - size] if one >= size else 0
        above = before[one]
        corner = before[one - size] if one >= size else 0
        base = left + above - corner
        nearest = min((left, above, corner), key=lambda value: abs(base - value))
        out[one] = (out[one] + (0, left, above, (left + above) // 2, nearest)[kind]) & 255
    return out


@pytest.mark.parametrize(
    ("options", "back", "bars"),
    [((), "ffffff", ("2a78d6", "3c9d6b")), (DARK, "14171b", ("5b9ff0", "62bd8d"))],
)
@pytest.mark.parametrize("width", [420, 1000])
def test_it_is_drawn_for_a_light_and_a_dark_screen(
    browser: str,
    page: Path,
    tmp_path: Path,
    options: tuple[str, ...],
    back: str,
    bars: tuple[str, ...],
    width: int,
) -> None:
    picture = tmp_path / "page.png"

    browse(browser, page, f"--window-size={width},1200", f"--screenshot={picture}", *options)

    seen = colours(picture.read_bytes())
    assert seen[bytes.fromhex(back)] > 10_000
    assert [seen[bytes.fromhex(bar)] > 500 for bar in bars] == [True, True]


def test_no_name_is_run(browser: str, page: Path) -> None:
    document = browse(browser, page, "--dump-dom")

    assert "<title>openclaude usage</title>" in document
    assert "&lt;script&gt;" in document
    assert RAN not in document
