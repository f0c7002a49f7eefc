"""How does a source become a web page, with the navigation around it that a reader must see through, or plain text?"""

from html import escape
from pathlib import Path

from corpus.blocks import Block, Heading, Items, Notes, Paragraph, Table
from corpus.manifest import Entry

_WORDS = {
    "zh": ("首页", "学习动态", "调研成果", "资料下载", "当前位置", "相关栏目", "打印本页", "返回顶部", "示例资料，仅供试用。"),
    "en": ("Home", "Study news", "Research", "Downloads", "You are here", "More sections", "Print", "Back to top",
           "Sample material, for trying things out."),
}  # fmt: skip


def write_html(blocks: list[Block], entry: Entry, target: Path) -> None:
    """Write the article inside a page with menu, breadcrumb, sidebar and footer."""
    home, news, research, downloads, here, more, printing, top, notice = map(escape, _WORDS[entry.language])
    body = "\n".join(_markup(block) for block in blocks[1:])
    title, issuer, day = escape(entry.title), escape(entry.issuer), entry.date.isoformat()
    page = f"""<!DOCTYPE html>
<html lang="{entry.language}">
<head>
<meta charset="utf-8">
<title>{title} - {issuer}</title>
<meta name="author" content="{issuer}">
<meta name="date" content="{day}">
<style>body{{max-width:70rem;margin:auto;font-family:sans-serif;line-height:1.8}}nav a{{margin-right:1rem}}</style>
</head>
<body>
<header><nav><a href="#">{home}</a><a href="#">{news}</a><a href="#">{research}</a><a href="#">{downloads}</a></nav></header>
<div class="breadcrumb">{here}: <a href="#">{home}</a> &gt; <a href="#">{news}</a></div>
<main>
<article>
<h1>{title}</h1>
<p class="meta">{issuer} <time datetime="{day}">{day}</time></p>
{body}
</article>
<aside><h2>{more}</h2><ul><li><a href="#">{news}</a></li><li><a href="#">{research}</a></li></ul></aside>
</main>
<footer><a href="#">{printing}</a> <a href="#">{top}</a><p>{notice}</p></footer>
<script>document.documentElement.dataset.ready = "1";</script>
</body>
</html>
"""
    target.write_text(page, encoding="utf-8", newline="\n")


def _markup(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h{block.level}>{escape(block.text)}</h{block.level}>"
    if isinstance(block, Items):
        tag = "ol" if block.ordered else "ul"
        return f"<{tag}>" + "".join(f"<li>{escape(text)}</li>" for text in block.texts) + f"</{tag}>"
    if isinstance(block, Table):
        head, *rows = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in block.rows]
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        return f"<table><thead><tr>{head.replace('td>', 'th>')}</tr></thead><tbody>{body}</tbody></table>"
    return f"<p>{escape(block.text)}</p>"


def write_txt(blocks: list[Block], entry: Entry, target: Path) -> None:
    """Write plain text in the entry's encoding, Chinese paragraphs indented by two full-width spaces.

    Raises:
        ValueError: If the source has a table or notes, which plain text cannot carry.
        UnicodeEncodeError: If the encoding lacks a character of the source.
    """
    indent = "　　" if entry.language == "zh" else ""
    parts = [entry.title, f"{entry.issuer}　{entry.date.isoformat()}"]
    for block in blocks[1:]:
        if isinstance(block, Table | Notes):
            raise ValueError(f"plain text cannot carry a {type(block).__name__}")  # noqa: TRY004  # the source is wrong, not the caller
        if isinstance(block, Heading):
            parts.append(block.text)
        elif isinstance(block, Paragraph):
            parts.append(indent + block.text)
        else:
            parts.append("\n".join(block.labelled("-")))
    target.write_bytes(("\n\n".join(parts) + "\n").encode(entry.encoding))
