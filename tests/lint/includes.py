# SPDX-License-Identifier: BSD-2-Clause
"""includes: who includes whom, against floors.txt. Arrows point down only."""
import os
import re

from tree import pattern

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)
_RULES = "tests/lint/floors.txt"


class Floors:
    """floors.txt, whose forms are described at its top."""

    def __init__(self, file):
        self.edges, self.order, self.system, self.owners, self.forbid = [], {}, [], [], []
        self.problems = []
        for number, line in enumerate(file.lines, 1):
            words = line.split("#")[0].split()
            if words and not self._rule(words[0], words[1:]):
                self.problems.append((file.path, number, f"not a rule: {line.strip()}"))

    def _rule(self, word, args):
        if len(args) < 2:
            return False
        if word == "edge":
            self.edges.append((pattern(args[0]), [pattern(a) for a in args[1:]]))
        elif word == "order":
            rank = 0
            for a in args[1:]:
                if a == "<":
                    rank += 1
                else:
                    self.order.setdefault(args[0], []).append((pattern(a), rank))
        elif word == "system":
            self.system.append((pattern(args[0]), [pattern(a.strip("<>")) for a in args[1:]]))
        elif word == "owner":
            self.owners.append((pattern(args[0].strip("<>")), [pattern(a) for a in args[1:]]))
        elif word == "forbid":
            self.forbid.append((pattern(args[0]), args[1:]))
        else:
            return False
        return True

    def rank(self, path):
        folder, name = os.path.split(path)
        for glob, rank in self.order.get(folder, []):
            if glob.match(name):
                return rank
        return None


def _any(globs, text):
    return any(g.match(text) for g in globs)


def _resolve(tree, file, quote, name):
    """Path of a header of ours; None for one of the system."""
    places = [name, "include/" + name] if quote == '"' else ["include/" + name]
    if quote == '"':
        places.append(os.path.normpath(os.path.join(os.path.dirname(file.path), name)))
    for place in places:
        if place in tree.by_path:
            return place
    return name if quote == '"' else None


def _ours(tree, floors, source, line, target, quote):
    """Problems of @source including @target, which is or should be in the tree."""
    path = source.path
    if target.endswith(".c"):
        yield path, line, f"{target}: a .c file is included; make it a header or link it"
        return
    if target not in tree.by_path and not target.endswith(".skel.h"):
        yield path, line, f'"{target}" is not in the tree; write it from the root of the tree'
        return
    if quote == '"' and f'"{target}"' not in source.lines[line - 1]:
        yield path, line, f'write it from the root of the tree: "{target}"'
    if not any(a.match(path) and _any(b, target) for a, b in floors.edges):
        yield path, line, f"{path} may not include {target} (no edge in {_RULES})"
    folder = os.path.dirname(path)
    if folder not in floors.order or folder != os.path.dirname(target):
        return
    for p in (path, target):
        if floors.rank(p) is None:
            yield path, line, f"{p} has no place in the order of {folder} in {_RULES}"
            return
    if floors.rank(target) >= floors.rank(path):
        yield path, line, f"{target} does not come before {path} in the order in {_RULES}"


def _system(floors, path, line, name):
    for files, allowed in floors.system:
        if files.match(path):
            if not _any(allowed, name):
                yield path, line, f"<{name}> is not for this floor ({_RULES}, system)"
            break
    owners = [files for header, files in floors.owners if header.match(name)]
    if owners and not any(_any(files, path) for files in owners):
        yield path, line, f"<{name}> belongs to other files ({_RULES}, owner)"


def _cycles(graph):
    """Each include that closes a circle: (from, to, the way back)."""
    done, way = set(), []

    def visit(node):
        way.append(node)
        for line, to in graph.get(node, []):
            if to in way:
                yield node, line, way[way.index(to):] + [to]
            elif to not in done:
                yield from visit(to)
        way.pop()
        done.add(node)

    for node in sorted(graph):
        if node not in done:
            yield from visit(node)


def check(tree):
    if _RULES not in tree.by_path:
        yield _RULES, 1, "missing: it holds the allowed includes"
        return
    floors = Floors(tree.by_path[_RULES])
    yield from floors.problems
    graph = {}
    for file in tree.of("c"):
        for m in _INCLUDE.finditer(file.no_comments):
            line = file.line_of(m.start(1))
            target = _resolve(tree, file, m.group(1), m.group(2))
            if target is None:
                yield from _system(floors, file.path, line, m.group(2))
                continue
            yield from _ours(tree, floors, file, line, target, m.group(1))
            graph.setdefault(file.path, []).append((line, target))
        for files, names in floors.forbid:
            if not files.match(file.path):
                continue
            for m in re.finditer(r"\b(%s)\s*\(" % "|".join(names), file.code):
                yield (file.path, file.line_of(m.start()),
                       f"{m.group(1)}() is not for this floor ({_RULES}, forbid)")
    for path, line, way in _cycles(graph):
        yield path, line, "includes go in a circle: " + " -> ".join(way)
