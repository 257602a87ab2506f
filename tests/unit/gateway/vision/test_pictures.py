"""Pictures of a request: which are found, and what is left as it is."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from openclaude.gateway.vision.pictures import PDF_KIND, Picture, pictures_in, with_words


def image(data: str = "AAAA", **more: Any) -> dict[str, Any]:
    source = {"type": "base64", "media_type": "image/png", "data": data}
    return {"type": "image", "source": source, **more}


def pdf(data: str = "JVBE") -> dict[str, Any]:
    source = {"type": "base64", "media_type": "application/pdf", "data": data}
    return {"type": "document", "source": source, "title": "a.pdf"}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def result(*content: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": "t", "content": [*content]}


def made_of(*content: Any) -> dict[str, Any]:
    return {"type": "document", "source": {"type": "content", "content": [*content]}}


def request(*content: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": [*content]}]}


@pytest.mark.parametrize(
    ("content", "replaced"),
    [
        ([image(), text("x")], [text("A"), text("x")]),
        ([image(), image("BBBB"), image()], [text("A"), text("B"), text("A")]),
        ([pdf()], [text("J")]),
        ([result(text("x"), image(), pdf())], [result(text("x"), text("A"), text("J"))]),
        ([result(made_of(image()))], [result(made_of(text("A")))]),
        ([made_of(image(), text("x"))], [made_of(text("A"), text("x"))]),
        (
            [image(cache_control={"type": "ephemeral"})],
            [{**text("A"), "cache_control": {"type": "ephemeral"}}],
        ),
    ],
)
def test_words_stand_where_a_picture_was_also_inside_results_and_documents(
    content: list[Any], replaced: list[Any]
) -> None:
    body = request(*content)
    before = copy.deepcopy(body)

    assert with_words(body, lambda picture: picture.data[0]) == request(*replaced)
    assert body == before, "nothing is changed in place"


ODD: list[Any] = [
    text("[image]"),
    {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": 7}},
    {"type": "image"},
    {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}},
    {"type": "document", "source": {"type": "base64", "media_type": "text/html", "data": "x"}},
    {"type": "tool_result", "tool_use_id": "t", "content": "text"},
    {"type": "tool_use", "id": "t", "name": "n", "input": {"content": [image()]}},
    "a string",
    None,
    7,
]


def test_what_is_no_picture_is_left_as_it_is() -> None:
    body = request(*ODD)

    assert pictures_in(body) == {}
    assert with_words(body, lambda _: "?") == body


@pytest.mark.parametrize("turns", [None, "x", [None], [{"role": "user", "content": "text"}], [7]])
def test_a_body_that_nobody_would_write_is_left_to_its_receiver(turns: Any) -> None:
    body = {"model": "m", "messages": turns}

    assert with_words(body, lambda _: "?") == body


def test_each_picture_is_found_once_and_known_again_by_its_bytes() -> None:
    found = pictures_in(request(image(), result(image("BBBB"), image()), pdf()))

    assert [one.data for one in found.values()] == ["AAAA", "BBBB", "JVBE"]
    assert [one.kind for one in found.values()][-1] == PDF_KIND
    again = pictures_in(request(image(cache_control={"type": "ephemeral"})))
    assert list(again) == list(found)[:1]
    assert len({Picture("image", kind, "AAAA").digest for kind in ("image/png", "image/gif")}) == 2


def test_results_inside_results_are_followed_only_so_far() -> None:
    body = request(result(result(result(result(image())))))

    assert with_words(body, lambda _: "?") == body
