# SPDX-License-Identifier: BSD-2-Clause
"""names: words, comments, sizes of functions and files, calls that are never right."""
import re

from tree import pattern

FILE_LINES = 450
FUNCTION_LINES = 60

_IDENTIFIER = re.compile(r"\b[A-Za-z_]\w*")
_POISON = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|atoi|gets)\s*\(")
# In two pieces, or this file would report itself.
_LATER = re.compile(r"\b(" + "TO" + "DO|FIX" + r"ME)\b")

# DESIGN section 2. A word counts as a part between underscores, in any case.
_PARTS = {
    "real": "backend", "reals": "backends", "rs": "backend", "pckt": "packet", "pckts": "packets",
    "upstream": "backend", "upstreams": "backends",
}
_WHOLE = {"dst": "backend, or to", "dsts": "backends", "vip_num": "service id"}
# Names of libraries, which they chose.
_THEIRS = re.compile(r"__|curl|CURL|MHD_|uv_|UV_|cJSON|mnl_|bpf_|BPF_|cr_")
# The API is a server; below it the word could only mean a backend.
_NO_SERVER = [pattern(p) for p in ("include/**", "lb_kern/**", "lb_user/base/**",
                                   "lb_user/domain/**", "lb_user/dp/**", "lb_user/svc/**")]
_EXPORTS = [pattern(p) for p in ("lb_kern/**", "lb_user/**", "api/**")]


def bad_word(name, no_server):
    """What to write instead of @name, or None."""
    if _THEIRS.match(name):
        return None
    low = name.lower()
    if low in _WHOLE:
        return _WHOLE[low]
    if "vip_num" in low:
        return _WHOLE["vip_num"]
    for part in low.split("_"):
        if part in _PARTS:
            return _PARTS[part]
        if no_server and part in ("server", "servers"):
            return "backend"
    return None


def _words(file):
    no_server = any(p.match(file.path) for p in _NO_SERVER)
    for m in _IDENTIFIER.finditer(file.code):
        instead = bad_word(m.group(), no_server)
        if instead:
            yield file.line_of(m.start()), f"{m.group()}: we say {instead} (DESIGN section 2)"


def functions(file):
    """(first line, last line, signature) of each definition; kernel style: braces in column 1."""
    lines = file.code.split("\n")
    start = None
    for i, line in enumerate(lines):
        if start is None and line.rstrip() == "{":
            start = i
            while start > 0 and not re.search(r"^\s*$|^#|[;}\\]\s*$", lines[start - 1]):
                start -= 1
        elif start is not None and line.startswith("}"):
            signature = " ".join(lines[start:i]).split("{")[0]
            yield start + 1, i + 1, signature
            start = None


def _function_name(signature):
    signature = re.sub(r"__attribute__\s*\(\(.*?\)\)+|\bSEC\s*\([^)]*\)", " ", signature)
    m = re.search(r"(\w+)\s*\(", signature)
    return m.group(1) if m else None


def _functions(file):
    exports = any(p.match(file.path) for p in _EXPORTS)
    for first, last, signature in functions(file):
        name = _function_name(signature)
        if last - first + 1 > FUNCTION_LINES:
            what = signature.strip() if name == "Test" else name
            yield first, (f"{what} has {last - first + 1} lines, more than {FUNCTION_LINES}; "
                          "one idea per function")
        if (exports and name and name != "main" and not name.startswith("sl_")
                and not re.search(r"\bstatic\b", signature)):
            yield first, f"{name} is exported: make it static, or call it sl_<module>_<verb>"


def check(tree):
    for file in tree.of("c", "sh", "py", "make"):
        path = file.path
        n = len(file.lines) - (file.lines[-1] == "")
        if n > FILE_LINES:
            yield path, n, f"{n} lines, more than {FILE_LINES}; split it by idea"
        for number, line in enumerate(file.lines, 1):
            m = _LATER.search(line)
            if m:
                yield path, number, f"{m.group()}: do it, or write an issue"
    for file in tree.of("c"):
        path = file.path
        for line in file.line_comments():
            yield path, line, "a // comment; write /* */"
        for m in _POISON.finditer(file.code):
            yield (path, file.line_of(m.start()),
                   f"{m.group(1)} has no bound or no error; use snprintf, memcpy, strtoul")
        for line, message in _words(file):
            yield path, line, message
        for line, message in _functions(file):
            yield path, line, message
