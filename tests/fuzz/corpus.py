#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""corpus.py TARGET FOLDER: corpus/TARGET.hex or .txt as one file a line, for libFuzzer.
corpus.py --line TARGET FILE: a find as a line for the corpus.
corpus.py --netlink: prints this kernel's own messages about links, neighbours, routes, as corpus/netlink.hex
has them, made in a namespace of one's own (unshare -n)."""
import os
import socket
import struct
import subprocess
import sys

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")


def source(target):
    path = os.path.join(HERE, target + ".hex")
    return (path, True) if os.path.exists(path) else (os.path.join(HERE, target + ".txt"), False)


def text_of(line):
    """\\n is a line's end, all else is itself; JSON's own \\n is written \\u000a."""
    return line.replace("\\n", "\n").encode()


def expand(target, folder):
    path, is_hex = source(target)
    os.makedirs(folder, exist_ok=True)
    with open(path, encoding="utf-8") as f:
        lines = [x for x in f.read().split("\n") if x and not x.startswith("#")]
    for i, line in enumerate(lines):
        with open(os.path.join(folder, f"{i:04}"), "wb") as f:
            f.write(bytes.fromhex(line) if is_hex else text_of(line))
    print(len(lines))


def as_line(target, path):
    with open(path, "rb") as f:
        data = f.read()
    print(data.hex() if source(target)[1] else data.decode(errors="backslashreplace")
          .replace("\n", "\\n"))


def messages(data):
    while len(data) >= 16:
        size, kind = struct.unpack_from("=IH", data)
        if kind >= 16:
            yield data[:size]
        data = data[(size + 3) & ~3:]


def netlink():
    for words in ("link set lo up", "link add va type veth peer name vb", "link set va up",
                  "link set vb up", "addr add 10.9.0.1/24 dev va", "addr add 2001:db8:9::1/64 dev va",
                  "neigh add 10.9.0.2 lladdr 02:00:00:00:00:02 dev va",
                  "neigh add 2001:db8:9::2 lladdr 02:00:00:00:00:02 dev va nud stale",
                  "route add 10.8.0.0/16 via 10.9.0.2",
                  "route add 10.7.0.0/16 via inet6 2001:db8:9::2", "route add blackhole 10.6.0.0/16"):
        subprocess.run(["ip", *words.split()], check=True)
    for kind in (18, 22, 26, 30):  # links, addresses, routes, neighbours
        s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        s.send(struct.pack("=IHHIIB3xI", 24, kind, 0x301, 1, 0, 0, 0))
        done = False
        while not done:
            data = s.recv(1 << 16)
            for m in messages(data):
                print(m.hex())
            done = struct.unpack_from("=H", data, 4)[0] == 3 or b"\x03\0" in data[-20:]
        s.close()


if __name__ == "__main__":
    if sys.argv[1:] == ["--netlink"]:
        netlink()
    elif len(sys.argv) == 4 and sys.argv[1] == "--line":
        as_line(sys.argv[2], sys.argv[3])
    elif len(sys.argv) == 3:
        expand(sys.argv[1], sys.argv[2])
    else:
        sys.exit(__doc__)
