"""Every example of docs/api.md is run, from top to bottom."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

import striate

PAGE = Path(__file__).resolve().parents[1] / "docs" / "api.md"


def test_every_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    page = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "api.md", str(PAGE), 0)
    assert len(page.examples) > 20
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.REPORT_NDIFF).run(page)
    assert result.failed == 0, capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_every_block_is_python_and_every_function_is_shown() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert set(re.findall(r"^```(.+)$", text, re.MULTILINE)) == {"python"}
    assert [name for name in striate.__all__ if f"st.{name}(" not in text] == ["load_data", "report"]
