"""Is the sample corpus taken in once and whole, also where that was interrupted, and is the installation ready only then?"""

from pathlib import Path

import pytest

from tests.api_library import opened
from xuesi.cli.sample import take_sample
from xuesi.core.errors import Misconfigured

_TEXTS = {"a.txt": "读书班六月开班。", "b.txt": "食堂供应三餐。"}


def _corpus(folder: Path) -> Path:
    entries = [
        f'[[document]]\npath = "{name}"\ntitle = "{name}"\nkind = "other"\nissuer = ""\ntopics = []\nlanguage = "zh"\ndate = 2024-01-01\n'
        for name in _TEXTS
    ]
    manifest = folder / "manifest.toml"
    manifest.write_text("\n".join(entries), encoding="utf-8")
    return manifest


def test_an_interrupted_taking_goes_on_and_everything_is_waited_for(tmp_path: Path) -> None:
    manifest = _corpus(tmp_path)
    (tmp_path / "a.txt").write_text(_TEXTS["a.txt"], encoding="utf-8")
    with opened(tmp_path / "var") as services:
        with pytest.raises(Misconfigured, match=r"b\.txt"):
            take_sample(services, manifest)
        (tmp_path / "b.txt").write_text(_TEXTS["b.txt"], encoding="utf-8")
        take_sample(services, manifest)
        assert services.unready() == ["2 documents of the sample corpus are being read"]
        take_sample(services, manifest)
        rows, _ = services.catalogue.rows(limit=10)
        assert sorted(row.document.title for row in rows) == ["a.txt", "b.txt"]
        services.remove(rows[0].document.id)
        services.catalogue.delete_document(rows[1].document.id, at=rows[1].document.created_at)
        assert services.unready() == []


@pytest.mark.parametrize("now", [False, True])
def test_a_sample_document_that_was_removed_does_not_come_back(tmp_path: Path, now: bool) -> None:
    manifest = _corpus(tmp_path)
    for name, text in _TEXTS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with opened(tmp_path / "var") as services:
        take_sample(services, manifest)
        unwanted, kept = services.catalogue.rows(limit=10)[0]
        services.remove(unwanted.document.id, now=now)
    with opened(tmp_path / "var") as services:
        take_sample(services, manifest)
        assert [row.document.id for row in services.catalogue.rows(limit=10)[0]] == [kept.document.id]


def test_a_manifest_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "manifest.toml").write_text("document = ", encoding="utf-8")
    with opened(tmp_path / "var") as services, pytest.raises(Misconfigured, match=r"manifest\.toml cannot be read"):
        take_sample(services, tmp_path / "manifest.toml")
