# SPDX-License-Identifier: BSD-2-Clause
"""kernel: what the kernel or saved graphs hold us to: numbers of reasons, lengths of names."""
import re

NAME_MAX = 15       # BPF_OBJ_NAME_LEN less the final 0

_REASON = re.compile(r'\bX\(\s*(\w+)\s*,\s*(\w+)\s*,\s*(\w+)\s*,\s*"([^"]*)"\s*\)')
_ACTIONS = ("NONE", "PASS", "SEND", "DROP")


def _reasons(file):
    text = file.no_comments
    room = re.search(r"#define\s+(SL_\w*REASONS_MAX)\s+(\d+)", text)
    seen, wanted = {}, 0
    for m in _REASON.finditer(text):
        line = file.line_of(m.start())
        symbol, number, action, label = m.groups()
        if number != str(wanted):
            yield line, f"reason {symbol} has number {number}, not {wanted}: consecutive, in order"
        wanted = (int(number) if number.isdigit() else wanted) + 1
        if action not in _ACTIONS:
            yield line, f"reason {symbol}: action {action} is none of {' '.join(_ACTIONS)}"
        for what, value in (("symbol", symbol), ("label", label)):
            if (what, value) in seen:
                yield line, f"reason {what} {value} stands in line {seen[what, value]} too"
            seen[what, value] = line
    if wanted == 0:
        yield 1, "no row X(symbol, number, action, label) found"
    if room and wanted > int(room.group(2)):
        yield 1, f"{wanted} reasons, more than {room.group(1)}"


def _names_header(file):
    for m in re.finditer(r'"([^"]*)"', file.no_comments):
        yield file.line_of(m.start()), m.group(1)
    for m in re.finditer(r"\bX\((\w+)\)", file.code):
        yield file.line_of(m.start(1)), "sl_" + m.group(1)


def _names_bpf(file):
    for m in re.finditer(r'(?<!#)\b(\w+)\s*SEC\("\.maps"\)', file.no_comments):
        yield file.line_of(m.start()), m.group(1)
    for m in re.finditer(r"^MAPS_DIRECT\((\w+)", file.code, re.MULTILINE):
        yield file.line_of(m.start()), "sl_" + m.group(1)
    for m in re.finditer(r'\bSEC\("(?!\.maps|license)[^"]*"\)[\w\s*]*?\b(\w+)\s*\(',
                         file.no_comments):
        yield file.line_of(m.start(1)), m.group(1)


def check(tree):
    for file in tree.of("c"):
        if file.path in ("include/sluice/reasons.h", "include/sluice/decap.h"):
            for line, message in _reasons(file):
                yield file.path, line, message
        if file.path == "include/sluice/names.h":
            names = _names_header(file)
        elif file.path.startswith("lb_kern/") or file.path.endswith(".bpf.c"):
            names = _names_bpf(file)
        else:
            continue
        for line, name in names:
            if len(name) > NAME_MAX:
                yield (file.path, line,
                       f"{name} has {len(name)} characters; the kernel keeps {NAME_MAX}")
