"""Pictures of the main views for the README: `python docs/screenshots.py http://127.0.0.1:8000` on a server with the sample corpus."""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

_FOLDER = Path(__file__).with_name("images")
_DESK = {"width": 1280, "height": 800}
_PHONE = {"width": 390, "height": 780}
_QUESTION = "检验一份主题教育实施方案要问哪几个问题？"
_ENGLISH = "What do grassroots prosecutors pay most attention to?"


def main(url: str) -> None:
    """Take every picture."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        sys.exit("There is no Chromium on the path; on Debian: apt-get install chromium fonts-noto-cjk")
    with sync_playwright() as playwright:
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=path, args=root)
        _answer(_open(browser, url), "answer", _QUESTION)
        _answer(_open(browser, url, color_scheme="dark", locale="en-GB"), "answer-dark-english", _ENGLISH)
        _answer(_open(browser, url, viewport=_PHONE), "answer-phone", _QUESTION, with_source=False)
        for name, place in (("ask", "/"), ("library", "/library")):
            page = _open(browser, url)
            page.goto(url + place)
            _take(page, name)
        browser.close()


def _open(browser: Browser, url: str, **how: object) -> Page:
    asked = {"viewport": _DESK, "locale": "zh-CN", "reduced_motion": "reduce", "base_url": url} | how
    return browser.new_context(**asked).new_page()  # type: ignore[arg-type]


def _answer(page: Page, name: str, question: str, *, with_source: bool = True) -> None:
    page.goto("/")
    page.locator("#question").fill(question)
    page.keyboard.press("Enter")
    expect(page.locator(".sources")).to_be_visible(timeout=30_000)
    if with_source:
        page.locator(".statement .cite").first.click()
        expect(page.locator("#source mark, #source .sheet").first).to_be_visible(timeout=30_000)
        for image in page.locator("#source img").all():
            expect(image).not_to_have_js_property("naturalWidth", 0, timeout=30_000)
        page.wait_for_timeout(500)  # the mark is brought into view once the page is painted
        expect(page.locator("#source #mark")).to_be_in_viewport()
    _take(page, name)


def _take(page: Page, name: str) -> None:
    page.screenshot(path=_FOLDER / f"{name}.png")
    page.context.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1].rstrip("/"))
