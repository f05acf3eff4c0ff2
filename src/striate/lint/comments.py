"""The comments of a text, YAML or Python, each with the line it is about."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator

from striate.lint.allowing import Comment
from striate.sources.tree import MapNode, Scalar, TreeNode, content_end

__all__ = ["python_comments", "yaml_comments"]

_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_COMMENT = re.compile(r"(?:^|(?<=[ \t]))#")
#: Whatever else stands on a line of Python.
_NOTHING = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)


def yaml_comments(text: str, items: dict[str, TreeNode]) -> list[Comment]:
    """The comments of a network in YAML.

    One inside a layer that is written over several lines is about the line where that layer begins.

    Args:
        text: the whole of it.
        items: the pieces that its layers were written as, by node; see
            :func:`striate.sources.yaml_reader.read_located_yaml`.

    >>> [(comment.line, comment.about) for comment in yaml_comments("a: 1 # x\\n\\n# y\\n\\nb: '# z'\\n", {})]
    [(1, 1), (3, 5)]
    """
    from striate.sources.parsing import read_tree

    taken = sorted({(word.start, word.end) for word in _words(read_tree(text, "the text")) if "#" in word.text})
    begins = _first_lines(text, items)
    found: list[tuple[str, int, bool]] = []
    filled: list[int] = []
    offset = 0
    for number, line in enumerate(_BREAK.split(text), start=1):
        match = next((m for m in _COMMENT.finditer(line) if not _inside(offset + m.start(), taken)), None)
        before = line if match is None else line[: match.start()]
        if before.strip():
            filled.append(number)
        if match is not None:
            found.append((line[match.start() :], number, not before.strip()))
        ending = _BREAK.match(text, offset + len(line))
        offset += len(line) + (len(ending[0]) if ending else 0)
    return list(_about(found, filled, begins))


def python_comments(text: str) -> list[Comment]:
    """The comments of Python source; none where it cannot be taken apart.

    >>> [(comment.line, comment.about) for comment in python_comments("x = 1  # a\\n# b\\ny = '# c'\\n")]
    [(1, 1), (2, 3)]
    """
    found: list[tuple[str, int, bool]] = []
    filled: set[int] = set()
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                found.append((token.string, token.start[0], not token.line[: token.start[1]].strip()))
            elif token.type not in _NOTHING:
                filled.update(range(token.start[0], token.end[0] + 1))
    except (tokenize.TokenError, SyntaxError):
        return []
    return list(_about(found, sorted(filled), {}))


def _about(found: list[tuple[str, int, bool]], filled: list[int], begins: dict[int, int]) -> Iterator[Comment]:
    for text, line, alone in found:
        about = next((number for number in filled if number > line), line) if alone and line not in begins else line
        yield Comment(text, line, begins.get(about, about))


def _words(node: TreeNode) -> Iterator[Scalar]:
    stack, seen = [node], set()
    while stack:
        current = stack.pop()
        if isinstance(current, Scalar):
            yield current
        elif id(current) not in seen:
            # What an alias shares is looked at once.
            seen.add(id(current))
            entries = current.entries if isinstance(current, MapNode) else ()
            stack += [part for entry in entries for part in entry] if entries else getattr(current, "items", ())


def _inside(place: int, spans: list[tuple[int, int]]) -> bool:
    return any(start <= place < end for start, end in spans)


def _first_lines(text: str, items: dict[str, TreeNode]) -> dict[int, int]:
    """The line where a layer begins, for each further line that it takes; structures hold layers of their own."""
    found: dict[int, int] = {}
    for item in {id(item): item for item in items.values()}.values():
        if isinstance(item, MapNode) and not any(
            key.text in ("residual", "branches", "repeat") for key, _ in item.entries
        ):
            count = len(_BREAK.findall(text, item.start, content_end(item)))
            found.update({item.line + number: item.line for number in range(1, count + 1)})
    return found
