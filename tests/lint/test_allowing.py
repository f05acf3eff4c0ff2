"""Comments that allow a finding: found wherever a comment can stand, about the layer that they stand at."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from striate.errors import NetworkError
from striate.lint.allowing import Allow, Comment, IdleAllow, read_allows, sift
from striate.lint.comments import python_comments, yaml_comments
from striate.lint.target import read_target
from striate.sources.yaml_reader import read_located_yaml

YAML = """\
# one
name: "not # a comment"   # two
input: [3, 8, 8]
layers:
  # three

  # four
  - relu  # five
  - conv:      # six
      # seven
      filters: 4   # eight
      kernel: 3
  # nine
  - branches:        # ten
      - [relu,       # eleven
         tanh]       # twelve
      - [tanh]
  - relu#not
"""


def test_comments_in_yaml() -> None:
    text = YAML.replace("  - relu#not\n", "  - relu\n")
    _, items = read_located_yaml(text)
    found = [(comment.text.split()[1], comment.line, comment.about) for comment in yaml_comments(text, items)]
    assert found == [
        ("one", 1, 2),
        ("two", 2, 2),
        ("three", 5, 8),
        ("four", 7, 8),
        ("five", 8, 8),
        ("six", 9, 9),
        ("seven", 10, 9),
        ("eight", 11, 9),
        ("nine", 13, 14),
        ("ten", 14, 14),
        ("eleven", 15, 15),
        ("twelve", 16, 16),
    ]


def test_line_ends_do_not_matter() -> None:
    text = YAML.replace("  - relu#not\n", "")
    _, items = read_located_yaml(text)
    expected = [(comment.line, comment.about) for comment in yaml_comments(text, items)]
    for ending in ("\r\n", "\r"):
        other = text.replace("\n", ending)
        _, items = read_located_yaml(other)
        assert [(comment.line, comment.about) for comment in yaml_comments(other, items)] == expected


PYTHON = '''\
"""A doc # string"""
x = 1  # one
# two

# three
def f(a):  # four
    b = """
    # not one
    """  # five
    # six
    return g(
        a,  # seven
    )
'''


def test_comments_in_python() -> None:
    found = [(comment.text.split()[1], comment.line, comment.about) for comment in python_comments(PYTHON)]
    assert found == [
        ("one", 2, 2),
        ("two", 3, 6),
        ("three", 5, 6),
        ("four", 6, 6),
        ("five", 9, 9),
        ("six", 10, 11),
        ("seven", 12, 12),
    ]


def test_what_is_addressed_to_the_linter() -> None:
    texts = {
        "# striate: allow even-kernel": ("even-kernel",),
        "#striate:allow N105,N301": ("N105", "N301"),
        "## Striate: Allow N105 N301  : as in the paper, see N104": ("N105", "N301"),
        "# striate: allow": (),
        "# see striate: allow N105": None,
        "# striate: allowed N105": None,
        "# noqa": None,
    }
    for text, names in texts.items():
        found = list(read_allows([Comment(text, 3, 4)], "net.yaml"))
        assert found == ([] if names is None else [Allow(names, "net.yaml", 3, 4)]), text
    assert list(read_allows([Comment("# striate: allow-file N1", 3, 4)], "a")) == [Allow(("N1",), "a", 3, None)]


KNOWN = {"even-kernel": "N105", "N105": "N105", "N301": "N301"}


def test_sifting() -> None:
    allows = [
        Allow(("even-kernel",), "a.yaml", 1, 1),
        Allow(("N105", "N301"), "a.yaml", 2, 3),
        Allow(("N301",), "b.py", 1, None),
        Allow(("evn-kernel",), "a.yaml", 9, 9),
    ]
    found = [("N105", "a.yaml:1"), ("N105", "b.yaml:1"), ("N301", "a.yaml:3"), ("N301", None), ("N301", "b.py:7")]
    excused, idle = sift(found, allows, KNOWN, {"N105", "N301"})
    assert excused == [True, False, True, True, True]
    assert idle == (
        IdleAllow("N105", "a.yaml:2", True),
        IdleAllow("evn-kernel", "a.yaml:9", False, "even-kernel"),
    )
    assert sift([], allows[:1], KNOWN, {"N301"}) == ([], ()), "a rule that did not run cannot have found anything"


def test_a_comment_about_a_rule_that_cannot_be_judged_is_left_alone() -> None:
    text = "input: [3, 8, 8]\nlayers:\n  - conv: [4, 8]\n  - batchnorm  # striate: allow batchnorm-of-one-value\n"
    assert "unused-allow" not in rules_of(text)
    assert "unused-allow" in rules_of(text, batch=64)
    assert not {"unused-allow", "batchnorm-of-one-value"} & rules_of(text, batch=1)
    assert "batchnorm-of-one-value" in rules_of(text.partition("  #")[0] + "\n", batch=1)


def rules_of(text: str, batch: int | None = None) -> set[str | None]:
    from striate.lint.result import lint_target

    return {finding.rule for finding in lint_target(read_target(text, batch=batch)).findings}


@given(st.text(alphabet="#ab:-[]{}\"'\n\r\t >|&*", max_size=60), st.sampled_from(["\n", "\r\n"]))
def test_any_text_has_comments_or_is_no_yaml(text: str, ending: str) -> None:
    """A comment that is found is one: without it the text means the same."""
    whole = ending.join(["input: [3, 8, 8]", "layers: [relu]", f"name: {text}"])
    try:
        graph, items = read_located_yaml(whole)
    except NetworkError:
        return
    for comment in yaml_comments(whole, items):
        assert comment.text.startswith("#")
        at = whole.index(comment.text)
        if whole.count(comment.text) == 1:
            assert read_located_yaml(whole[:at] + whole[at + len(comment.text) :])[0] == graph


@given(st.text(alphabet="#ab:()\"'\n\r\t \\=", max_size=60))
def test_any_text_has_comments_or_is_no_python(text: str) -> None:
    for comment in python_comments(text):
        assert comment.text.startswith("#")
        assert comment.about >= comment.line
