"""YAML text → a tree. The only file that meets the YAML parser.

The parser is used for its events alone: no object is ever constructed, so that no text can run code, and every bound
is checked before memory is taken. An alias shares the tree of its anchor; what it would expand to is counted first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from striate.errors import SourceError
from striate.sources.tree import ListNode, MapNode, Scalar, TreeNode
from striate.sources.wording import printable, quoted
from striate.units import format_bytes, format_count

__all__ = ["DEPTH_LIMIT", "SCALAR_LIMIT", "TEXT_LIMIT", "VALUE_LIMIT", "read_tree"]

TEXT_LIMIT = 1024**2
"""The largest text that is read, in characters."""
DEPTH_LIMIT = 50
"""The deepest nesting of lists and mappings, aliases followed."""
VALUE_LIMIT = 250_000
"""The most scalars, lists and mappings, aliases expanded."""
SCALAR_LIMIT = 1000
"""The longest single word, in characters."""


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not been read."""

    mapping: bool
    anchor: str | None
    line: int
    start: int
    flow: bool
    children: list[TreeNode] = field(default_factory=list)
    values: int = 1


def read_tree(text: str, where: str) -> TreeNode:
    """The tree of the only document in a text.

    Raises:
        SourceError: it is empty, too large, not YAML, or uses what a network does not need (tags, several documents).
    """
    if len(text) > TEXT_LIMIT:
        raise SourceError(
            "this is too large for the text of a network",
            where=where,
            got=f"{format_count(len(text))} characters",
            needs=f"at most {format_bytes(TEXT_LIMIT)}",
            write="repeat: {times: N, layers: […]} for layers that come again",
        )
    if "\0" in text:
        raise SourceError("this is a binary file, not YAML", where=where, got="NUL bytes", needs="text")
    return _assemble(_events(text, where), text, where)


def _events(text: str, where: str) -> Iterator[Any]:
    """The parser's events, with its errors told as ours."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError
    from ruamel.yaml.reader import ReaderError

    try:
        # parse() yields events only; nothing is composed, resolved or constructed.
        yield from YAML(typ="safe", pure=True, plug_ins=[]).parse(text)
    except MarkedYAMLError as error:
        raise _syntax_error(error, text, where) from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        code = error.character if isinstance(error.character, int) else ord(error.character)
        raise SourceError(
            "this character is not allowed in YAML",
            where=f"{where}:{line}",
            got=f"U+{code:04X}",
            needs="printable text in UTF-8",
        ) from None
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        # Malformed escapes and directives reach chr() and int() inside the parser.
        got = quoted(str(error), 200)
        raise SourceError("this is not YAML: an escape or a directive has no meaning", where=where, got=got) from None


def _syntax_error(error: Any, text: str, where: str) -> SourceError:
    mark = error.problem_mark or error.context_mark
    problem = printable(str(error.problem or error.context or "it cannot be read"))[:200]
    if mark is None:
        return SourceError(f"this is not YAML: {problem}", where=where)
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    place = f"{where}:{mark.line + 1}, column {mark.column + 1}"
    if "\\t" in problem or "\t" in line[: len(line) - len(line.lstrip())]:
        return SourceError(
            "a tab stands where YAML allows only spaces",
            where=place,
            got=quoted(line),
            needs="spaces to indent",
            write="two spaces for each level",
        )
    context = None
    if error.context and error.context_mark:
        context = f"{printable(str(error.context))[:100]} that begins on line {error.context_mark.line + 1}"
    got = quoted(line) if line.strip() else "the end of the text" if mark.line >= len(lines) - 1 else "an empty line"
    return SourceError(f"this is not YAML: {problem}" + (f" ({context})" if context else ""), where=place, got=got)


def _assemble(events: Iterator[Any], text: str, where: str) -> TreeNode:
    anchors: dict[str, TreeNode] = {}
    stack: list[_Open] = []
    root: TreeNode | None = None
    documents = 0
    for event in events:
        kind = type(event).__name__
        line = event.start_mark.line + 1
        place = f"{where}:{line}"
        if kind == "DocumentStartEvent":
            documents += 1
            _check_document(event, documents, place)
            continue
        if kind in ("SequenceStartEvent", "MappingStartEvent"):
            _check_tag(event, place)
            if len(stack) >= DEPTH_LIMIT:
                raise _too_deep(place)
            start = event.start_mark.index
            stack.append(_Open(kind == "MappingStartEvent", event.anchor, line, start, bool(event.flow_style)))
            continue
        if kind == "ScalarEvent":
            _check_tag(event, place)
            node: TreeNode = _scalar(event, line, place)
            anchor = event.anchor
        elif kind == "AliasEvent":
            if event.anchor not in anchors:
                raise SourceError(
                    f"there is no anchor {quoted('&' + event.anchor)} before this alias",
                    where=place,
                    got=quoted("*" + event.anchor),
                    needs="an anchor that ends before the alias begins",
                )
            node, anchor = anchors[event.anchor], None
        elif kind in ("SequenceEndEvent", "MappingEndEvent"):
            frame = stack.pop()
            node, anchor = _close(frame, where, event.end_mark.index), frame.anchor
        else:
            continue
        if anchor is not None:
            anchors[anchor] = node
        if stack:
            _attach(stack, node, place)
        else:
            root = node
    if root is None or (isinstance(root, Scalar) and root.plain and not root.text):
        raise _empty(text, where)
    return root


def _attach(stack: list[_Open], node: TreeNode, place: str) -> None:
    """Put a finished value into the list or mapping around it, unless that would grow too deep or too large."""
    frame = stack[-1]
    frame.children.append(node)
    frame.values += node.values
    if len(stack) + node.height > DEPTH_LIMIT:
        raise _too_deep(place)
    if sum(outer.values for outer in stack) > VALUE_LIMIT:
        raise SourceError(
            "this expands to too many values",
            where=place,
            got=f"more than {format_count(VALUE_LIMIT)}, counting each alias as often as it is used",
            needs="fewer aliases of aliases",
            write="repeat: {times: N, layers: […]}",
        )


def _close(frame: _Open, where: str, end: int) -> TreeNode:
    children = frame.children
    height = 1 + max((child.height for child in children), default=0)
    if not frame.mapping:
        return ListNode(tuple(children), frame.line, height, frame.values, frame.start, end, frame.flow)
    entries: list[tuple[Scalar, TreeNode]] = []
    lines: dict[str, int] = {}
    for key, value in zip(children[::2], children[1::2], strict=True):
        place = f"{where}:{key.line}"
        if not isinstance(key, Scalar):
            raise SourceError("a list or mapping stands where a name is needed", where=place, needs="a word before ':'")
        if key.plain and key.text == "<<":
            raise SourceError(
                "'<<' belongs to YAML 1.1 and is not read",
                where=place,
                got="<<",
                needs="the attributes written out",
                write="repeat: {times: N, layers: […]} for layers that come again",
            )
        if key.text in lines:
            raise SourceError(
                f"{quoted(key.text)} is written twice",
                where=place,
                got=f"{quoted(key.text)} on line {lines[key.text]} and on line {key.line}",
                needs="each name once" if key.text != "layers" else "one list of layers",
            )
        lines[key.text] = key.line
        entries.append((key, value))
    return MapNode(tuple(entries), frame.line, height, frame.values, frame.start, end, frame.flow)


def _scalar(event: Any, line: int, place: str) -> Scalar:
    if len(event.value) > SCALAR_LIMIT:
        raise SourceError(
            "this word is too long",
            where=place,
            got=f"{quoted(event.value, 30)}, {format_count(len(event.value))} characters",
            needs=f"at most {format_count(SCALAR_LIMIT)}",
        )
    return Scalar(event.value, event.style is None, line, start=event.start_mark.index, end=event.end_mark.index)


def _check_document(event: Any, documents: int, place: str) -> None:
    if documents > 1:
        raise SourceError("a second YAML document begins here", where=place, got="---", needs="one network in one file")
    if event.version is not None and tuple(event.version) != (1, 2):
        got = "%YAML " + ".".join(str(part) for part in event.version)
        raise SourceError("this is another version of YAML", where=place, got=got, needs="YAML 1.2", write="%YAML 1.2")


def _check_tag(event: Any, place: str) -> None:
    if event.tag is not None:
        raise SourceError(
            "YAML tags are not read: a network is words, numbers, lists and mappings",
            where=place,
            got=quoted(str(event.tag)),
            needs="the value without a tag; quotes make a number text",
        )


def _too_deep(place: str) -> SourceError:
    return SourceError(
        "this is nested too deeply", where=place, needs=f"at most {DEPTH_LIMIT} lists and mappings inside each other"
    )


def _empty(text: str, where: str) -> SourceError:
    lines = [line.strip() for line in text.splitlines()]
    comments = any(line.startswith("#") for line in lines)
    return SourceError(
        "there is no network in this text",
        where=where,
        got="only comments" if comments else "nothing",
        needs="input and layers",
        write="input: [3, 32, 32], and below it layers: with one '- layer' on each line",
    )
