#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Reads a pcapng file, by the draft alone, and prints a line of JSON for each packet.

pcapng.py FILE   Exit status 1: it is not one, or is cut.
"""
import json
import struct
import sys

SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6


def options(body):
    """{code: last value} of an option list."""
    found = {}
    while body:
        code, length = struct.unpack_from("<HH", body)
        if not code:
            break
        found[code] = body[4 : 4 + length]
        body = body[4 + (length + 3) // 4 * 4 :]
    return found


def blocks(data):
    while data:
        kind, length = struct.unpack_from("<II", data)
        if length > len(data) or length % 4:
            raise ValueError("the file is cut")
        if struct.unpack_from("<I", data, length - 4)[0] != length:
            raise ValueError("the lengths of a block differ")
        yield kind, data[8 : length - 4]
        data = data[length:]


def main():
    with open(sys.argv[1], "rb") as f:
        data = f.read()
    if struct.unpack_from("<I", data, 8)[0] != 0x1A2B3C4D:
        raise ValueError("no magic, or another byte order")
    interfaces = []
    for kind, body in blocks(data):
        if kind == INTERFACE:
            interfaces.append(options(body[8:])[2].decode())
        elif kind == PACKET:
            which, high, low, captured, length = struct.unpack_from("<IIIII", body)
            more = options(body[20 + (captured + 3) // 4 * 4 :])
            comment = dict(
                word.split("=") for word in more[1].decode().split() if "=" in word
            )
            print(
                json.dumps(
                    {
                        "interface": interfaces[which],
                        "ns": high << 32 | low,
                        "frame": body[20 : 20 + captured].hex(),
                        "captured": captured,
                        "length": length,
                        "outbound": struct.unpack("<I", more[2])[0] == 2,
                        "packet": struct.unpack("<Q", more[5])[0],
                        "verdict": struct.unpack("<Q", more[7][1:])[0],
                        **comment,
                    }
                )
            )


try:
    main()
except (ValueError, struct.error, IndexError, KeyError, OSError) as e:
    sys.exit(f"{sys.argv[1]}: {e}")
