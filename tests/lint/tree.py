# SPDX-License-Identifier: BSD-2-Clause
"""tree: the files under test, each read once, C also without comments and strings."""
import os
import re
import subprocess

_C_SKIP = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


class File:
    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.lines = text.split("\n")
        self.kind = _kind(path, self.lines[0])
        self._code = self._no_comments = None

    @property
    def code(self):
        """C with comments and literals blanked; lines and columns stay."""
        if self._code is None:
            self._code = _C_SKIP.sub(lambda m: _blank(m.group()), self.text)
        return self._code

    @property
    def no_comments(self):
        """C with only comments blanked."""
        if self._no_comments is None:
            self._no_comments = _C_SKIP.sub(
                lambda m: _blank(m.group()) if m.group()[0] == "/" else m.group(), self.text)
        return self._no_comments

    def line_comments(self):
        return [self.line_of(m.start()) for m in _C_SKIP.finditer(self.text)
                if m.group().startswith("//")]

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1


def _kind(path, first):
    name = os.path.basename(path)
    if name.endswith((".c", ".h")):
        return "c"
    if name.endswith(".py") or re.match(r"#!.*\bpython", first):
        return "py"
    if name.endswith(".sh") or re.match(r"#!.*\b(ba|da)?sh\b", first):
        return "sh"
    if name == "Makefile" or name.endswith(".mk"):
        return "make"
    return "other"


class Tree:
    def __init__(self, root):
        self.root = root
        self.files = []
        self.names = _list(root)
        for path in self.names:
            try:
                with open(os.path.join(root, path), "rb") as f:
                    data = f.read()
                text = data.decode("utf-8")
            except (FileNotFoundError, IsADirectoryError, UnicodeDecodeError):
                continue        # deleted but not yet committed, a link to a folder, a picture
            if "\0" not in text:
                self.files.append(File(path, text))
        self.by_path = {f.path: f for f in self.files}

    def of(self, *kinds):
        return [f for f in self.files if f.kind in kinds]


def _list(root):
    """Tracked and untracked, not ignored; without git, all but build/ and .git/."""
    git = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard", "-z"],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if git.returncode == 0:
        return sorted({p for p in git.stdout.decode().split("\0") if p})
    found = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [s for s in subfolders if s != ".git"
                         and (s != "build" or folder != root)]
        found += [os.path.relpath(os.path.join(folder, n), root) for n in names]
    return sorted(found)


def pattern(glob):
    """A path pattern: * within a folder, ** across folders."""
    parts = (".*" if p == "**" else "[^/]*" if p == "*" else re.escape(p)
             for p in re.split(r"(\*\*|\*)", glob))
    return re.compile("".join(parts) + r"\Z")
