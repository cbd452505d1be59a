# SPDX-License-Identifier: BSD-2-Clause
"""layout: first lines, include guards, READMEs, paths of this or that machine."""
import os
import re

_DUAL = "GPL-2.0-only OR BSD-2-Clause"
_BSD = "BSD-2-Clause"
# In pieces, or this file would report itself. Not part of a longer path or an address.
_MACHINE = re.compile(r"(?<![\w.$}])/(?:wo" + r"rk|ro" + r"ot)/")


def licence_of(path):
    """What a BPF object is built from must suit the kernel, too."""
    if path.startswith(("include/", "lb_kern/")) or path.endswith(".bpf.c"):
        return _DUAL
    return _BSD


def _spdx(file):
    wanted = "SPDX-License-Identifier: " + licence_of(file.path)
    at = 1 if file.lines[0].startswith("#!") else 0
    line = file.lines[at] if at < len(file.lines) else ""
    wanted = f"/* {wanted} */" if file.kind == "c" else f"# {wanted}"
    if line != wanted:
        yield at + 1, f'the first line must be "{wanted}"'


def guard_of(path):
    return re.sub(r"\W", "_", path[len("include/"):] if path.startswith("include/") else path).upper()


def _guard(file):
    guard = guard_of(file.path)
    directives = [(file.line_of(m.start(1)), re.sub(r"\s+", " ", m.group(1)).strip())
                  for m in re.finditer(r"^[ \t]*(#[^\n]*)", file.no_comments, re.MULTILINE)]
    for i, wanted in ((0, f"#ifndef {guard}"), (1, f"#define {guard}"), (-1, "#endif")):
        if len(directives) < 3 or directives[i][1] != wanted:
            line = directives[i][0] if len(directives) >= 3 else 1
            yield line, f"include guard: here must be {wanted}"
            return


def _readmes(tree):
    folders = {""}
    for path in tree.names:
        folder = os.path.dirname(path)
        while folder:
            folders.add(folder)
            folder = os.path.dirname(folder)
    for folder in sorted(folders):
        readme = os.path.join(folder, "README.md")
        if not re.search(r"(^|/)(\.|__pycache__)", folder) and readme not in tree.by_path:
            yield readme, 1, "missing: purpose, rules and decisions of this folder"


def check(tree):
    for file in tree.files:
        if file.kind != "other":
            for line, message in _spdx(file):
                yield file.path, line, message
        if file.path.endswith(".h"):
            for line, message in _guard(file):
                yield file.path, line, message
        for number, line in enumerate(file.lines, 1):
            if _MACHINE.search(line):
                yield file.path, number, "a path of one machine; make it relative or an argument"
    yield from _readmes(tree)
