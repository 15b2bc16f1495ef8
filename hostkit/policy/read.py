"""YAML as hostkit takes it: no repeated keys, no aliases, no tags, `no` is a word and never False."""

from dataclasses import dataclass, field
from typing import Any

import yaml

Path = tuple[str | int, ...]

_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_MAX_DEPTH = 20
_LONGEST_NUMBER = 20
"""Digits: Python itself refuses to read much longer ones, with an error of its own."""
_PLAIN_TAGS = frozenset({"bool", "float", "int", "merge", "null", "str", "timestamp", "value"})


@dataclass
class Reading:
    """A plain tree, the line of each path in it, and what was wrong on the way."""

    plain: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[tuple[int, Path, str]] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)

    def line(self, path: Path) -> int:
        """Return the line of `path`, or of the nearest part above it that has one."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read(text: str, empty: str = "the file is empty") -> Reading:
    """Return what `text` says; everything it may not say is listed in `problems`, none of it raised.

    `empty` is what is said of a text without a document.
    """
    reading = Reading()
    if "\r" in text:
        line = text[: text.index("\r")].count("\n") + 1
        reading.problems.append((line, (), "Windows line ends (CRLF); save the file with Unix line ends"))
        return reading
    try:
        documents = list(yaml.compose_all(text, Loader=_loader()))
    except yaml.YAMLError as why:
        reading.problems.append(_syntax(why))
        return reading
    except RecursionError:
        reading.problems.append((1, (), "nested too deeply"))
        return reading
    _one_document(documents, reading, empty)
    return reading


def _loader() -> Any:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _syntax(why: yaml.YAMLError) -> tuple[int, Path, str]:
    mark = getattr(why, "problem_mark", None)
    problem = getattr(why, "problem", None) or "not YAML"
    return (mark.line + 1 if mark else 1, (), f"not YAML: {problem}")


def _one_document(documents: list[Any], reading: Reading, empty: str) -> None:
    if len(documents) > 1:
        line = documents[1].start_mark.line + 1 if documents[1] is not None else 1
        reading.problems.append((line, (), "two documents in one file; keep one"))
    elif not documents or documents[0] is None:
        reading.problems.append((1, (), empty))
    else:
        reading.plain = _plain(documents[0], (), reading)


def _plain(node: yaml.Node, path: Path, reading: Reading) -> Any:
    line = node.start_mark.line + 1
    reading.lines.setdefault(path, line)
    if id(node) in reading.seen or len(path) > _MAX_DEPTH:
        reading.problems.append((line, path, "aliases are not used here, nor more than 20 levels"))
        return None
    reading.seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, reading)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, index), reading) for index, item in enumerate(node.value)]
    return _scalar(node, path, reading)


def _mapping(node: yaml.MappingNode, path: Path, reading: Reading) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "?"
        line = key_node.start_mark.line + 1
        if key in plain:
            reading.problems.append((line, (*path, key), f"repeated; first on line {reading.lines[(*path, key)]}"))
            continue
        reading.lines[(*path, key)] = line
        plain[key] = _plain(value_node, (*path, key), reading)
    return plain


def _scalar(node: yaml.Node, path: Path, reading: Reading) -> Any:
    if node.tag.removeprefix("tag:yaml.org,2002:") not in _PLAIN_TAGS:
        reading.problems.append((node.start_mark.line + 1, path, f"tag {node.tag} is not used here"))
        return None
    text = str(node.value)
    if getattr(node, "style", None):
        return text
    if text in _WORDS:
        return _WORDS[text]
    if node.tag.endswith(":int") and text.removeprefix("-").isdigit() and len(text) < _LONGEST_NUMBER:
        return int(text)
    if node.tag.endswith(":float") and text.replace(".", "", 1).isdigit():
        return float(text)
    return text
