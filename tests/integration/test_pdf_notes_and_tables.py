"""Notes of a PDF come to their marks, tables go on over pages under one header, merged cells are said in each row, line numbers go."""

from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas

from tests.drawn import Mark, blocks, passages, read, turned
from xuesi.core.ports import Furniture

LINE = "把学习成果转化为工作举措是主题教育的要求各个支部都要认真落实"


def raised(x: float, y: float, text: str) -> Mark:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 6)
        canvas.drawString(x, y + 5, text)

    return draw


@pytest.mark.parametrize("mark", ["①", "［1］", "*"])
def test_a_note_follows_the_paragraph_that_holds_its_mark(tmp_path: Path, mark: str) -> None:
    page: list[Mark] = [
        (96, 740, 12, f"学习要读原著{mark}，也要到基层去。"),
        (96, 720, 12, "第二段讲的是怎样把学习和工作结合起来，怎样到基层去。"),
        (72, 80, 9, f"{mark}参见《读书班手册》第三章，那里写明了"),
        (72, 68, 9, "每天要读的篇目。"),
    ]
    reading = read(tmp_path, page)
    assert blocks(reading) == [
        ("paragraph", f"学习要读原著{mark}，也要到基层去。"),
        ("note", f"{mark}参见《读书班手册》第三章，那里写明了每天要读的篇目。"),
        ("paragraph", "第二段讲的是怎样把学习和工作结合起来，怎样到基层去。"),
    ]
    assert reading.boxes is not None
    at = reading.text.index("参见")
    assert reading.boxes[at, 1] > 750


@pytest.mark.parametrize("by_row", [True, False])
def test_notes_under_columns_come_to_their_marks(tmp_path: Path, *, by_row: bool) -> None:
    texts = [[f"{side}栏第{n}行讲的是学习方法和安排以及要求" for n in "一二三四五"] for side in "左右"]
    texts[0][1] = texts[0][1][:-1] + "①"
    texts[1][2] = texts[1][2][:-1] + "②"
    notes = [
        ["①参见《读书班手册》第三章那里写明", "每天要读的篇目。"],
        ["②参见《调研手册》第五章那里写明", "怎样开座谈会。"],
    ]
    columns: list[list[Mark]] = []
    for x, text, note in zip((50, 320), texts, notes, strict=True):
        column: list[Mark] = [(x, 740 - 20 * i, 12, line) for i, line in enumerate(text)]
        column += [(x, 600 - 12 * i, 9, line) for i, line in enumerate(note)]
        columns.append(column)
    page = [mark for pair in zip(*columns, strict=True) for mark in pair] if by_row else [*columns[0], *columns[1]]
    assert blocks(read(tmp_path, page)) == [
        ("paragraph", "".join(texts[0] + texts[1])),
        *(("note", "".join(note)) for note in notes),
    ]


def test_a_raised_number_is_a_mark_and_a_number_in_the_text_is_none(tmp_path: Path) -> None:
    page: list[Mark] = [
        (72, 740, 12, "The group read 1 text a day and the reports"),
        raised(316, 740, "1"),
        (72, 700, 12, "It met each week for a month, and wrote down what it had found."),
        (72, 80, 8, "1 See the handbook of the group, chapter three."),
        (72, 68, 8, "2 Not marked anywhere in the text above."),
    ]
    found = blocks(read(tmp_path, page))
    assert found[1] == ("note", "1 See the handbook of the group, chapter three.")
    assert found[-1] == ("paragraph", "2 Not marked anywhere in the text above.")


def test_a_note_does_not_break_the_sentence_that_runs_over_the_page(tmp_path: Path) -> None:
    pages: list[list[Mark]] = [
        [
            *((72.0, 720.0 - 20 * i, 12.0, LINE if i != 1 else LINE[:-1] + "①") for i in range(3)),
            (72, 80, 9, "①参见《读书班手册》第三章。"),
        ],
        [(72, 740, 12, "最后一句在第二页结束。")],
    ]
    reading = read(tmp_path, *pages)
    note, paragraph = blocks(reading)
    assert note == ("note", "①参见《读书班手册》第三章。")
    assert paragraph == ("paragraph", LINE + LINE[:-1] + "①" + LINE + "最后一句在第二页结束。")
    assert [page.span.of(reading.text)[:4] for page in reading.pages] == ["①参见《", "最后一句"]


def test_a_note_that_goes_on_at_the_foot_of_the_next_page_is_one(tmp_path: Path) -> None:
    pages: list[list[Mark]] = [
        [
            (96, 740, 12, "学习要读原著①，也要到基层去。"),
            (96, 720, 12, "第二段讲的是怎样把学习和工作结合起来，怎样到基层去："),
            (72, 80, 9, "①参见《读书班手册》第三章，那里写明了"),
        ],
        [(96, 740, 12, "第二页讲的是怎样把学习和工作结合起来。"), (72, 80, 9, "每天要读的篇目。")],
    ]
    reading = read(tmp_path, *pages)
    assert blocks(reading)[1] == ("note", "①参见《读书班手册》第三章，那里写明了每天要读的篇目。")
    assert blocks(reading)[-1] == ("paragraph", "第二页讲的是怎样把学习和工作结合起来。")


def test_small_lines_without_a_mark_stay_where_they_are(tmp_path: Path) -> None:
    page: list[Mark] = [
        (96, 740, 12, "学习要读原著，也要到基层去，这是读书班的要求。"),
        (72, 80, 9, "①本表由各支部填写。"),
    ]
    assert blocks(read(tmp_path, page))[-1][0] != "note"


def ruled(top: float, rows: list[list[str]]) -> Mark:
    def draw(canvas: Canvas) -> None:
        from tests.drawn import FONT

        canvas.setFont(FONT, 12)
        canvas.grid([72, 172, 372], [top - 24 * i for i in range(len(rows) + 1)])
        for i, row in enumerate(rows):
            for x, cell in zip((80, 180), row, strict=True):
                canvas.drawString(x, top - 17 - 24 * i, cell)

    return draw


def rows_of(first: int, last: int) -> list[list[str]]:
    return [[f"第{n}天", f"自读第{n}章，写下批注和疑问"] for n in range(first, last)]


@pytest.mark.parametrize("said_again", [True, False])
def test_a_table_over_two_pages_is_one_under_one_header(tmp_path: Path, *, said_again: bool) -> None:
    header = [["时段", "内容"]]
    pages: list[list[Mark]] = [
        [(72, 780, 12, "下面的表说明每天怎样安排。"), ruled(300, header + rows_of(1, 9))],
        [ruled(780, (header if said_again else []) + rows_of(9, 16)), (72, 500, 12, "表后另有说明。")],
    ]
    reading = read(tmp_path, *pages)
    rows = [block for block in reading.blocks if block.table]
    assert {block.table for block in rows} == {1}
    assert len(rows) == 16
    assert [it.what for it in reading.left_out] == ([Furniture.TABLE_HEADER] if said_again else [])
    later = [passage for passage in passages(reading, 100) if passage.page_from == 2 and "第" in passage.text]
    assert later
    assert all("时段 | 内容" in passage.heading_path for passage in later if "天 |" in passage.text)


@pytest.mark.parametrize(
    ("cut", "rest", "joined"),
    [
        ("自读第八章并写下批注并且在会上", ["", "说明自己怎样理解"], True),
        ("自读第八章", ["", "研讨第九章"], False),
        ("自读第八章，写下批注并且说明。", ["", "研讨第九章"], False),
        ("自读第八章并写下批注并且在会上", ["第九天", "说明自己怎样理解"], False),
    ],
)
def test_a_row_that_the_page_end_cuts_is_joined_only_where_its_last_cell_surely_goes_on(
    tmp_path: Path, cut: str, rest: list[str], *, joined: bool
) -> None:
    pages: list[list[Mark]] = [
        [ruled(300, [["时段", "内容"], *rows_of(1, 8), ["第八天", cut]])],
        [ruled(780, [rest, *rows_of(10, 16)]), (72, 500, 12, "表后另有说明。")],
    ]
    reading = read(tmp_path, *pages)
    rows = [block.span.of(reading.text) for block in reading.blocks if block.table]
    last = f"第八天 | {cut}"
    assert (last + rest[1] in rows) == joined
    assert (last in rows) != joined
    assert len({block.table for block in reading.blocks if block.table}) == 1 or not joined


def test_a_cell_that_spans_rows_is_said_in_each_of_them(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        from tests.drawn import FONT

        canvas.setFont(FONT, 12)
        for y, left in ((740, 72), (710, 72), (680, 172), (650, 72), (620, 72)):
            canvas.line(left, y, 372, y)
        for x in (72, 172, 372):
            canvas.line(x, 740, x, 620)
        cells = [(80, 720, "时段"), (180, 720, "内容"), (80, 675, "上午"), (180, 690, "自读"), (180, 660, "研讨")]
        for x, y, text in [*cells, (80, 630, "下午"), (180, 630, "调研")]:
            canvas.drawString(x, y, text)

    assert [text for _, text in blocks(read(tmp_path, [draw]))] == [
        "时段 | 内容",
        "上午 | 自读",
        "上午 | 研讨",
        "下午 | 调研",
    ]


@pytest.mark.parametrize("step", [1, 5])
def test_numbers_that_count_the_lines_at_the_margin_are_left_out(tmp_path: Path, step: int) -> None:
    count = 20
    page: list[Mark] = [(100, 760 - 20 * i, 12, LINE) for i in range(count)]
    page += [(60, 760 - 20 * i, 9, str(i + 1)) for i in range(count) if (i + 1) % step == 0]
    reading = read(tmp_path, page)
    assert reading.text == LINE * count
    assert [it.what for it in reading.left_out] == [Furniture.LINE_NUMBER]


def test_numbers_of_rows_and_of_paragraphs_stay(tmp_path: Path) -> None:
    rows: list[Mark] = [
        (x, 740 - 20 * i, 12, text) for i in range(9) for x, text in ((60.0, str(i + 1)), (120.0, f"支部{i}"))
    ]
    assert read(tmp_path, rows).left_out == ()
    uneven: list[Mark] = [(100, 740 - 20 * i, 12, LINE) for i in range(12)]
    uneven += [(60, 740 - 20 * i, 12, str(n + 1)) for n, i in enumerate((0, 2, 3, 7, 8))]
    assert read(tmp_path, uneven).left_out == ()


def test_a_watermark_tiled_over_the_page_is_left_out(tmp_path: Path) -> None:
    tiles: list[Mark] = [turned(60 + 160 * i, 150 + 200 * k, "内部资料", 30, 20) for i in range(3) for k in range(3)]
    pages = [[*tiles, *((72.0, 760.0 - 20 * i, 12.0, f"{n}{LINE}") for i in range(20))] for n in range(4)]
    reading = read(tmp_path, *pages)
    assert {it.what for it in reading.left_out} == {Furniture.WATERMARK}
    assert "内部资料" not in reading.text
    one = read(tmp_path, pages[0])
    assert "内部资料" not in one.text
