# SPDX-License-Identifier: BSD-2-Clause
"""tools: what compilers, shells and clang-format say. Two at a time."""
import os
import re
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor

JOBS = 2
# English messages; make as if called by hand, not as a child of "make lint".
_ENV = {**{k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k != "MFLAGS"},
        "LC_ALL": "C"}


def _run(command, root, stdin=""):
    try:
        p = subprocess.run(command, cwd=root, input=stdin, text=True, errors="replace",
                           env=_ENV,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    except FileNotFoundError:
        return 127, f"{command[0]} is not installed; run make deps"
    return p.returncode, p.stdout


def _flags(root):
    """CFLAGS and BPF_CFLAGS as the Makefile has them, without what writes files."""
    rule = "lint-flags: ; $(info =C $(CFLAGS)) $(info =B $(BPF_CFLAGS)) @:"
    code, out = _run(["make", "-s", "--no-print-directory", "--eval", rule, "lint-flags"], root)
    found = dict(re.findall(r"^=([CB]) *(\S.*)$", out, re.MULTILINE))
    if code or len(found) != 2:
        return None
    drop = {"-MMD", "-MP", "-g"}
    return {k: [f for f in shlex.split(v) if f not in drop] for k, v in found.items()}


def _compile_alone(job):
    """The header as the only thing in a file: whatever it uses, it must include."""
    root, path, command = job
    code, out = _run(command + ["-fsyntax-only", "-x", "c", "-"], root, f'#include "{path}"\n')
    if not code:
        return None
    m = re.search(r"^(?:\./)?([^\s:]+):(\d+):\d+: (?:fatal )?error: (.*)$", out, re.MULTILINE)
    compiler = " ".join(command[:3] if "bpf" in command[:3] else command[:1])
    what = f"{m.group(1)}:{m.group(2)}: {m.group(3)}" if m else out.strip()[-200:]
    line = int(m.group(2)) if m and m.group(1) == path else 1
    return path, line, f"does not compile alone with {compiler}: {what}"


def _headers(tree):
    headers = [f.path for f in tree.of("c") if f.path.endswith(".h")]
    if not headers:
        return []
    flags = _flags(tree.root)
    if not flags:
        return [lambda: ("Makefile", 1, "does not tell CFLAGS and BPF_CFLAGS")]
    host = [[cc] + flags["C"] for cc in ("gcc", "clang")]
    bpf = [["clang", "-target", "bpf"] + flags["B"]]
    jobs = []
    for path in headers:
        if path.startswith("lb_kern/"):
            commands = bpf
        elif path.startswith("include/"):
            commands = host + bpf
        else:
            commands = host
        jobs += [(tree.root, path, command) for command in commands]
    return [lambda j=j: _compile_alone(j) for j in jobs]


def _script(root, file):
    if file.kind == "py":
        try:    # in memory: nothing is left behind
            compile(file.text, file.path, "exec")
        except SyntaxError as e:
            return file.path, e.lineno or 1, f"python3: {e.msg}"
        return None
    # A part without a first line of its own says it to shellcheck.
    bash = re.match(r"#!.*\bbash\b", file.lines[0]) or "shellcheck shell=bash" in file.text
    shell = "bash" if bash else "sh"
    code, out = _run([shell, "-n", file.path], root)
    if not code:
        return None
    m = re.search(r"(?:line )?(\d+): (.*)", out)
    return file.path, int(m.group(1)) if m else 1, f"{shell} -n: {m.group(2) if m else out.strip()}"


def _format(root, paths):
    code, out = _run(["clang-format", "--dry-run", "-Werror", *paths], root)
    first = {}
    for m in re.finditer(r"^([^\s:]+):(\d+):\d+: error: code should be", out, re.MULTILINE):
        first.setdefault(m.group(1), int(m.group(2)))
    if code and not first:
        return [(paths[0], 1, "clang-format: " + out.strip()[-200:])]
    return [(p, n, "not formatted from here on; run make fmt") for p, n in first.items()]


def _pyc(tree):
    return [(p, 1, "compiled Python; remove it") for p in tree.names
            if p.endswith(".pyc") or "__pycache__/" in p]


def check(tree):
    c_files = [f.path for f in tree.of("c")]
    with ThreadPoolExecutor(JOBS) as pool:
        formats = [pool.submit(_format, tree.root, c_files[i:i + 16])
                   for i in range(0, len(c_files), 16)]
        singles = [pool.submit(_script, tree.root, f) for f in tree.of("sh", "py")]
        singles += [pool.submit(job) for job in _headers(tree)]
        for future in formats:
            yield from future.result()
        for future in singles:
            if future.result():
                yield future.result()
    yield from _pyc(tree)
