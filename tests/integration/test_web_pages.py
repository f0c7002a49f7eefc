"""A web page without what belongs to its site, with its lists and tables as they are shown."""

from pathlib import Path

import pytest

from ingest.readers.html import HtmlReader
from ingest.readers.html_parts import is_of_site
from tests.drawn import blocks, check
from xuesi.core.ports import Furniture, Reading

BODY = "".join(
    f"<p>学习要求的第{i}点，各个支部都要认真落实主题教育的各项安排，把学习成果转化为工作举措。</p>" for i in range(5)
)


def read(folder: Path, inside: str) -> Reading:
    path = folder / "a.html"
    head = "<html><head><title>读书班通知</title></head><body><div class='content'><h1>读书班通知</h1>"
    path.write_text(f"{head}{BODY}{inside}</div></body></html>", encoding="utf-8")
    reading = HtmlReader().read(path)
    check(reading)
    return reading


def test_what_belongs_to_the_site_is_left_out_and_named(tmp_path: Path) -> None:
    site = ["（责任编辑：王五）", "上一篇：旧的通知", "下一篇：新的通知", "分享到： 微信 微博"]
    reading = read(tmp_path, "".join(f"<p>{text}</p>" for text in site))
    assert [(it.what, it.text) for it in reading.left_out] == [(Furniture.BOILERPLATE, text) for text in site]
    assert not any(text in reading.text for text in site)
    assert reading.text.count("各个支部") == 5


@pytest.mark.parametrize(
    "text",
    ["您的位置：首页 > 通知公告", "版权所有 学习网 京ICP备12345号", "打印 关闭窗口", "字号：大 中 小", "浏览次数：120", "相关阅读", "All rights reserved."],
)  # fmt: skip
def test_notices_and_buttons_of_many_sites_are_known(text: str) -> None:
    assert is_of_site(text)


@pytest.mark.parametrize(
    "text",
    ["上一篇文章讲了学习的方法。", "编辑部的同志要到基层去。", "主办单位：学习办公室", "微信", "大", "下一步要抓好落实。", "分享会在下午举行"],
)  # fmt: skip
def test_text_that_only_begins_like_them_stays(text: str) -> None:
    assert not is_of_site(text)


def test_items_have_their_numbers_and_bullets(tmp_path: Path) -> None:
    listed = "<ul><li>读原著</li><li><p>去调研</p></li><li>（一）自己有号</li></ul><ol start='3'><li>自学</li><li>研讨</li></ol>"
    found = blocks(read(tmp_path, f"<p>安排如下：</p>{listed}"))
    items = [text for kind, text in found if kind == "list_item"]
    assert items == ["• 读原著", "• 去调研", "（一）自己有号", "3. 自学", "4. 研讨"]


def test_a_cell_that_spans_rows_is_said_in_each_of_them(tmp_path: Path) -> None:
    rows = (
        "<tr><th>时段</th><th colspan='2'>内容</th></tr><tr><td rowspan='2'>上午</td><td>自读</td><td>两小时</td></tr>"
    )
    rows += "<tr><td rowspan='2'>研讨</td><td>一小时</td></tr><tr><td>下午</td><td>半小时</td></tr>"
    found = blocks(read(tmp_path, f"<table>{rows}</table>"))
    assert [text for kind, text in found if kind == "table_row"] == [
        "时段 | 内容 | 内容",
        "上午 | 自读 | 两小时",
        "上午 | 研讨 | 一小时",
        "下午 | 研讨 | 半小时",
    ]


def test_cells_that_claim_to_span_without_end_lose_nothing(tmp_path: Path) -> None:
    row = "".join(f"<td rowspan=65534 colspan=1000>格{i}</td>" for i in range(30))
    table = "".join(f"<tr>{row}</tr>" for _ in range(60))
    found = read(tmp_path, f"<table>{table}</table>").text
    assert all(found.count(f"格{i} ") + found.count(f"格{i}\n") >= 59 for i in range(30))
