"""Pages hold every row once, in their order, however they are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MalformedMessage
from doorstep.server.accounts.models import Organisation
from doorstep.server.api.pages import page, page_of


@pytest.mark.parametrize("by", ["pk", "-pk"])
def test_pages_hold_every_row_once(rolled_back: None, by: str) -> None:
    made = [Organisation.objects.create(name=str(n), kind="customer").pk for n in range(7)]
    rows = Organisation.objects.filter(pk__in=made)
    seen, cursor = [], ""
    while True:
        answer = page(rows, by, lambda row: row.pk, cursor, 3)
        seen += answer["items"]
        if answer["next"] is None:
            break
        cursor = answer["next"]
    assert seen == sorted(made, reverse=by == "-pk")


@given(st.lists(st.integers(), max_size=20), st.integers(1, 7))
def test_list_in_memory_is_cut_the_same_way(items: list[int], limit: int) -> None:
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = page_of(items, lambda item: item, cursor, limit)
        assert len(answer["items"]) <= limit
        seen += answer["items"]
        cursor = answer["next"]
    assert seen == items


@given(st.text(max_size=40))
def test_cursor_of_another_is_a_documented_error(cursor: str) -> None:
    try:
        answer = page_of([1, 2, 3], lambda item: item, cursor, 2)
    except MalformedMessage:
        return
    assert len(answer["items"]) <= 2
