"""A type adapter that is built later is the one that would have been built at once."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Literal, Optional

import pytest
from pydantic import BaseModel, ConfigDict, PydanticUserError, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from openclaude.gateway.late import adapters
from openclaude.gateway.late.adapters import late_adapters


class Size(BaseModel):
    """A model that adapters are made for."""

    width: int


class Entry(TypedDict):
    """A type that is named by a text, which only this module can read."""

    size: Size


def is_built(adapter: TypeAdapter[Any]) -> bool:
    return adapter.pydantic_complete


def test_an_adapter_is_built_when_it_is_first_used() -> None:
    with late_adapters():
        adapter = TypeAdapter(list[Size])
    assert not is_built(adapter)

    made = adapter.validate_python([{"width": 1}])

    assert made == [Size(width=1)]
    assert is_built(adapter)
    assert "rebuild" not in vars(adapter)
    assert adapter.dump_json(made) == b'[{"width":1}]'


def test_it_finds_the_names_of_the_module_it_was_made_in_and_no_others() -> None:
    names: dict[str, Any] = {"TypeAdapter": TypeAdapter, "Of": Size}
    with late_adapters():
        exec("made = TypeAdapter(list['Of'])", names)  # noqa: S102 - a module of its own
    Of = str  # noqa: N806, F841 - a name of who uses it, which pydantic would take

    assert names["made"].validate_python([{"width": 1}]) == [Size(width=1)]


def test_a_name_that_is_not_defined_yet_is_found_once_it_is() -> None:
    names: dict[str, Any] = {"TypeAdapter": TypeAdapter}
    with late_adapters():
        exec("made = TypeAdapter(list['Of'])", names)  # noqa: S102 - a module of its own

    with pytest.raises(PydanticUserError, match="not fully defined"):
        names["made"].validate_python([])
    Of = Size  # noqa: N806, F841 - pydantic looks for it here too

    assert names["made"].validate_python([{"width": 1}]) == [Size(width=1)]


def test_what_cannot_be_built_fails_when_it_is_used() -> None:
    class Strange:
        pass

    with late_adapters():
        adapter = TypeAdapter(Strange)

    for _ in range(2):
        with pytest.raises(PydanticUserError, match="Unable to generate"):
            adapter.validate_python(1)


def test_adapters_of_one_plain_type_share_what_is_built() -> None:
    with late_adapters():
        one, other = (TypeAdapter(dict[str, object]) for _ in range(2))
        strict = TypeAdapter(dict[str, object], config=ConfigDict(strict=True))

    assert is_built(one)
    assert one.validator is other.validator
    assert one.validator is not strict.validator
    assert not is_built(strict)


@pytest.mark.parametrize(
    "kind",
    [
        object,
        int | None,
        dict[str, list[int]],
        tuple[object, ...],
        Mapping[str, Any],
        int | str,
    ],
)
def test_a_plain_type_is_made_of_pythons_own(kind: Any) -> None:
    assert adapters.is_plain(kind)


@pytest.mark.parametrize(
    "kind", [Size, Entry, list[Size], dict[str, "int"], Literal["a"], Optional["Size"]]
)
def test_any_other_type_is_not(kind: Any) -> None:
    assert not adapters.is_plain(kind)


def test_unions_whose_order_differs_are_two_types() -> None:
    with late_adapters():
        kinds: list[Any] = [int | str, str | int]
        first, second = (TypeAdapter(kind) for kind in kinds)

    assert first.validator is not second.validator


def test_threads_that_use_an_adapter_first_build_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[bool] = []
    real = TypeAdapter._init_core_attrs

    def build(self: TypeAdapter[Any], *given: Any, **more: Any) -> bool:
        built.append(adapters.building._is_owned())  # type: ignore[attr-defined]
        return real(self, *given, **more)

    monkeypatch.setattr(TypeAdapter, "_init_core_attrs", build)
    with late_adapters():
        adapter = TypeAdapter(list[Size])
    together = threading.Barrier(8)
    made: list[list[Size]] = []

    def use() -> None:
        together.wait()
        made.append(adapter.validate_python([{"width": 1}]))

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert made == [[Size(width=1)]] * 8
    assert built == [True]


def test_errors_are_those_of_an_adapter_that_was_built_at_once() -> None:
    usual = TypeAdapter(list[Size])
    with late_adapters():
        late = TypeAdapter(list[Size])

    texts = []
    for adapter in (usual, late):
        with pytest.raises(ValidationError) as caught:
            adapter.validate_python([{"width": "wide"}])
        texts.append(str(caught.value))
    assert texts[0] == texts[1]


def test_what_is_made_after_the_context_is_built_at_once() -> None:
    with late_adapters():
        pass

    assert is_built(TypeAdapter(list[Size]))


def test_with_another_pydantic_nothing_is_delayed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("pydantic._internal._mock_val_ser.set_type_adapter_mocks")

    with late_adapters():
        assert is_built(TypeAdapter(list[Size]))
