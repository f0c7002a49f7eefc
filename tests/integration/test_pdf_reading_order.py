"""A page is read in the order in which a person reads it: columns, tables without rules, vertical print, turned lines, lines that break words."""

from pathlib import Path

import numpy as np
import pytest

from tests.drawn import Mark, blocks, down, read, turned

LEFT = [f"左栏第{n}行讲的是学习方法和安排以及要求" for n in "一二三四五"]
RIGHT = [f"右栏第{n}行讲的是调查研究的要求和安排" for n in "一二三四五"]
COLUMNS = ["竖排的第一列在最右边读到底", "第二列接着往左再读一遍到底", "第三列最后结束了。"]


def side_by_side(top: float, prefix: str = "") -> list[Mark]:
    """Two columns as programs write them that go row by row."""
    return [
        (x, top - 20 * i, 12, prefix + text)
        for i, pair in enumerate(zip(LEFT, RIGHT, strict=True))
        for x, text in zip((50, 320), pair, strict=True)
    ]


def test_columns_written_row_by_row_are_read_one_after_the_other_under_each_heading(tmp_path: Path) -> None:
    page: list[Mark] = [
        (150, 790, 18, "读书班的安排与要求"),
        *side_by_side(740),
        (235, 610, 18, "调查研究的安排"),
        *side_by_side(570, "又"),
    ]
    again = ["又" + line for line in (*LEFT, *RIGHT)]
    assert read(tmp_path, page).text.split("\n") == [
        "读书班的安排与要求",
        "".join([*LEFT, *RIGHT]),
        "调查研究的安排",
        "".join(again),
    ]


TABLE = [
    ["支部", "人数", "次数", "备注"],
    ["第一支部", "12", "3", "全员参加"],
    ["第二支部", "108", "4", "两人请假"],
    ["第三支部", "9", "5", ""],
    ["第四支部", "17", "6", "按期完成"],
]


def test_a_table_without_rules_is_read_row_by_row(tmp_path: Path) -> None:
    page: list[Mark] = [(72, 760, 12, "下表是各支部学习的情况，数字由支部自己统计。")]
    page += [
        (x, 730 - 20 * i, 12, cell)
        for i, row in enumerate(TABLE)
        for x, cell in zip((72, 200, 300, 400), row, strict=True)
        if cell
    ]
    page += [(72, 610, 12, "表后另有一段文字说明上面的数字是怎样得来的。")]
    assert blocks(read(tmp_path, page))[1:] == [
        *(("table_row", " | ".join(cell for cell in row if cell)) for row in TABLE),
        ("paragraph", "表后另有一段文字说明上面的数字是怎样得来的。"),
    ]


def test_titles_and_page_numbers_without_dots_between_are_contents_and_no_table(tmp_path: Path) -> None:
    page: list[Mark] = [
        (x, 730 - 20 * i, 12, text)
        for i in range(5)
        for x, text in ((72.0, f"第{'一二三四五'[i]}章 学习内容"), (480.0, str(3 * i + 1)))
    ]
    found = blocks(read(tmp_path, page))
    assert [(kind, text.split()[-1]) for kind, text in found] == [("list_item", n) for n in ("1", "4", "7", "10", "13")]


def test_two_names_beside_each_other_are_no_table(tmp_path: Path) -> None:
    page: list[Mark] = [(72, 730, 12, "甲方：学习办公室"), (320, 730, 12, "乙方：第一支部"), (72, 700, 12, "日期：")]
    assert not any(block.table for block in read(tmp_path, page).blocks)


def test_vertical_print_is_read_from_the_right(tmp_path: Path) -> None:
    page: list[Mark] = [down(460 + 20 * i, 740, text) for i, text in enumerate(reversed(COLUMNS))]
    page = [(200, 790, 18, "竖排的文章"), *page]
    reading = read(tmp_path, page)
    assert reading.text == "竖排的文章\n" + "".join(COLUMNS)
    assert reading.boxes is not None
    at = reading.text.index("第二列")
    assert reading.boxes[at, 0] == pytest.approx(480, abs=1)
    assert reading.boxes[at + 1, 1] > reading.boxes[at, 1]


def test_vertical_print_written_with_its_last_column_first_is_read_from_the_right(tmp_path: Path) -> None:
    page: list[Mark] = [down(500 - 20 * i, 740, text) for i, text in reversed(list(enumerate(COLUMNS)))]
    assert read(tmp_path, page).text == "".join(COLUMNS)


@pytest.mark.parametrize("angle", [90, 270])
def test_a_page_drawn_turned_is_read_as_it_stands_when_turned_back(tmp_path: Path, angle: int) -> None:
    lines = ["横着画的第一行文字要往下接着读完整", "第二行接着第一行的意思继续往下写明", "第三行结束。"]
    ways = {90: [(100 + 20 * i, 200) for i in range(3)], 270: [(400 - 20 * i, 700) for i in range(3)]}
    page: list[Mark] = [
        turned(x, y, text, angle) for (x, y), text in reversed(list(zip(ways[angle], lines, strict=True)))
    ]
    assert read(tmp_path, page).text == "".join(lines)


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_columns_on_a_turned_page_are_columns(tmp_path: Path, angle: int) -> None:
    reading = read(tmp_path, side_by_side(740), turned=angle)
    upright = read(tmp_path, side_by_side(740))
    assert reading.text == upright.text
    assert reading.boxes is not None
    assert np.nanmax(reading.boxes[:, 2]) <= reading.pages[0].width  # type: ignore[operator]


def test_a_line_across_the_text_does_not_break_it(tmp_path: Path) -> None:
    page: list[Mark] = [(72, 700 - 20 * i, 12, line) for i, line in enumerate(LEFT)]
    reading = read(tmp_path, [*page, turned(30, 400, "装订线内不要答题", 90)])
    assert reading.text.split("\n") == ["".join(LEFT), "装订线内不要答题"]


def test_words_broken_at_line_ends_are_whole_and_pairs_keep_their_hyphen(tmp_path: Path) -> None:
    lines = [
        "The members of the study group read the texts and hyphen-",
        "ated words of the reports that were written by well-",
        "known people, and what a multi-party system is, and multi-",
        "party talks, and how the read-",
        "ing went.",
    ]
    page: list[Mark] = [(72, 700 - 16 * i, 12, line) for i, line in enumerate(lines)]
    assert read(tmp_path, page).text == (
        "The members of the study group read the texts and hyphenated words of the reports that were written by "
        "well-known people, and what a multi-party system is, and multi-party talks, and how the reading went."
    )


def test_a_word_broken_at_the_end_of_a_page_is_whole(tmp_path: Path) -> None:
    pages: list[list[Mark]] = [
        [(72, 60, 12, "The members of the group read the texts of the con-")],
        [(72, 760, 12, "gress together.")],
    ]
    reading = read(tmp_path, *pages)
    assert reading.text == "The members of the group read the texts of the congress together."
    assert [page.span.of(reading.text)[:3] for page in reading.pages] == ["The", "gre"]


def test_spread_chinese_is_closed_up_and_its_boxes_stay(tmp_path: Path) -> None:
    spread = " ".join("关于红军作战的原则和方针政策的决定")
    page: list[Mark] = [(72, 700, 12, spread), (72, 660, 12, "学习 Python 3 语言和 Word 软件的方法。")]
    reading = read(tmp_path, page)
    assert "关于红军作战的原则和方针政策的决定" in reading.text
    assert "学习 Python 3 语言和 Word 软件的方法。" in reading.text
    assert reading.boxes is not None
    at = reading.text.index("作战")
    assert reading.boxes[at, 0] > 72 + 4 * 12


@pytest.mark.parametrize("shift", [0.0, 0.4, 1.2])
def test_what_is_drawn_twice_to_look_bold_is_read_once(tmp_path: Path, shift: float) -> None:
    lines = [*LEFT, "The group read all of the texts in the lecture hall."]
    once: list[Mark] = [(72, 740 - 20 * i, 12, line) for i, line in enumerate(lines)]
    again: list[Mark] = [(72 + shift, 740 - 20 * i, 12, line) for i, line in enumerate(lines)]
    plain, doubled = read(tmp_path, once), read(tmp_path, once + again)
    assert doubled.text == plain.text
    assert doubled.boxes is not None
    assert plain.boxes is not None
    np.testing.assert_array_equal(doubled.boxes, plain.boxes)


def test_equal_letters_that_lie_over_each_other_by_chance_stay(tmp_path: Path) -> None:
    page: list[Mark] = [
        (72, 740, 12, "第一行写的是学习方法"),
        (72, 740, 12, "第二行写了的学会方式"),
        (72, 700, 12, "末行"),
    ]
    assert read(tmp_path, page).text.count("学") == 2


def test_glyphs_that_are_each_drawn_twice_are_read_once(tmp_path: Path) -> None:
    page: list[Mark] = [
        (72 + 12 * i + shift, 740, 12, char)
        for i, char in enumerate("学习要读原著也要到基层去")
        for shift in (0.0, 1.5)
    ]
    assert read(tmp_path, page).text == "学习要读原著也要到基层去"


BOXED = ["旁边小框第一行", "小框的第二行在", "小框第三行在这", "框里写完了。"]


@pytest.mark.parametrize("written", ["row by row", "box last", "box first"])
@pytest.mark.parametrize("wraps", [True, False])
def test_a_box_beside_the_text_is_not_mixed_into_its_sentences(tmp_path: Path, written: str, *, wraps: bool) -> None:
    main = [f"正文第{n}行讲学习方法和安排以及各项要求写得满满" for n in "一二三四五六七八九"] + ["正文讲完了。"]
    main = [line[:13] if wraps and 2 <= i < 6 else line for i, line in enumerate(main)]
    left = 240 if wraps else 400
    text: list[Mark] = [(60, 740 - 20 * i, 12, line) for i, line in enumerate(main)]
    box: list[Mark] = [(left, 700 - 20 * i, 10, line) for i, line in enumerate(BOXED)]
    page = {
        "row by row": [mark for i, line in enumerate(text) for mark in (line, *box[max(0, i - 2) : i - 1])],
        "box last": text + box,
        "box first": box + text,
    }[written]
    page.append(lambda canvas: canvas.rect(left - 8, 630, 95, 86))
    found = blocks(read(tmp_path, page))
    assert sorted(found, key=lambda block: "小框" in block[1]) == [
        ("paragraph", "".join(main)),
        ("paragraph", "".join(BOXED)),
    ]


def test_a_rectangle_through_whose_sides_lines_run_is_no_box_beside_the_text(tmp_path: Path) -> None:
    page: list[Mark] = [(60, 740 - 20 * i, 12, line) for i, line in enumerate([*LEFT, *RIGHT])]
    assert read(tmp_path, [*page, lambda canvas: canvas.rect(130, 650, 70, 70)]).text == "".join([*LEFT, *RIGHT])
