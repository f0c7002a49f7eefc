"""Does what a command prints fit the terminal, and stay whole in a pipe?"""

import pytest
from rich.cells import cell_len

from xuesi.cli.layout import fitted, shortened, wrapped

ID = "01a22080-a0c7-7091-b046-242bff5e4e3c"
NAMES = ("id", "state", "title", "kind", "date", "pages")
LONG = "湖南：走基层找问题、想办法促发展，把学习调研成果变成为民实招"
ROWS = [(ID, "live", LONG, "research_report", "2024-05-01", "12"), (ID, "superseded", "Notes", "other", "", "")]


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_a_table_fits_the_terminal_and_shortens_the_title_but_never_the_id(width: int) -> None:
    lines, _ = fitted(NAMES, ROWS, shorten="title", width=width)
    assert len(lines) == 1 + len(ROWS)
    assert max(map(cell_len, lines)) <= width
    assert all(line.startswith(ID) for line in lines[1:])
    assert "湖南：走基层" in lines[1]
    assert lines[1].count("…") == (width < 160)


def test_the_columns_that_leave_the_title_no_room_are_left_out_and_named() -> None:
    lines, left_out = fitted(NAMES, ROWS, shorten="title", width=80)
    assert lines[0].split() == ["id", "state", "title", "pages"]
    assert left_out == ["kind", "date"]


def test_a_column_without_a_value_takes_no_room_on_a_terminal() -> None:
    lines, left_out = fitted(NAMES, [(ID, "live", "a", "", "", "3")], shorten="title", width=80)
    assert lines[0].split() == ["id", "state", "title", "pages"]
    assert not left_out


def test_a_pipe_gets_every_value_whole_on_one_line() -> None:
    lines, left_out = fitted(NAMES, ROWS, shorten="title", width=None)
    assert lines[0].split() == list(NAMES)
    assert LONG in lines[1]
    assert lines[1].split()[-3:] == ["research_report", "2024-05-01", "12"]
    assert not left_out


def test_columns_stand_below_each_other_in_chinese_too() -> None:
    lines, _ = fitted(("id", "title", "kind"), [("1", "食堂", "a"), ("2", "x", "b")], shorten="title", width=None)
    assert lines == ["id  title  kind", "1   食堂   a", "2   x      b"]


def test_a_reason_stands_below_its_row_on_a_terminal_and_in_the_row_in_a_pipe() -> None:
    names, rows = ("id", "file", "reason"), [("1", "a.pdf", "It is broken."), ("2", "b.pdf", "")]
    on_terminal, _ = fitted(names, rows, shorten="file", below="reason", width=80)
    assert on_terminal == ["id  file", "1   a.pdf", "  → It is broken.", "2   b.pdf"]
    in_pipe, _ = fitted(names, rows, shorten="file", below="reason", width=None)
    assert in_pipe == ["id  file   reason", "1   a.pdf  It is broken.", "2   b.pdf"]


def test_a_text_is_shortened_by_the_cells_that_it_takes() -> None:
    assert shortened("读书班组织", 10) == "读书班组织"
    assert shortened("读书班组织", 9) == "读书班组…"
    assert shortened("读书班组织", 8) == "读书班…"
    assert shortened("two\nlines", 20) == "two lines"


def test_lines_break_between_words_and_chinese_characters() -> None:
    assert wrapped("the reading class", width=12) == "the reading\nclass"
    assert wrapped("读书班 of Hunan，很好。", width=9, indent="  ") == "  读书班\n  of\n  Hunan，\n  很好。"
    assert wrapped("一二三，四", width=6) == "一二\n三，四"  # no line begins with a comma


def test_what_has_no_place_to_break_at_stays_whole_and_so_does_a_text_in_a_pipe() -> None:
    address = "http://127.0.0.1:8000/documents/" + ID
    assert wrapped(f"at {address} now", width=20) == f"at\n{address}\nnow"
    assert wrapped("one  two\nthree", width=None, indent="  ", first="- ") == "- one two three"
