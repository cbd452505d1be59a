# SPDX-License-Identifier: BSD-2-Clause
"""lint.py ROOT: every check over the tree; a line per problem; exit status 1 if there is one."""
import os
import sys

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import includes
import kernel
import layout
import names
import tools
from tree import Tree


def main():
    if len(sys.argv) != 2 or not os.path.isdir(sys.argv[1]):
        print("usage: lint.py ROOT", file=sys.stderr)
        return 2
    tree = Tree(os.path.realpath(sys.argv[1]))
    problems = set()
    for module in (includes, kernel, layout, names, tools):
        problems.update(module.check(tree))
    for path, line, message in sorted(problems):
        print(f"{path}:{line}: {message}")
    print(f"lint: {len(tree.names)} files, {len(problems)} problems")
    return 1 if problems or not tree.names else 0


if __name__ == "__main__":
    sys.exit(main())
