#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""echo: ICMP echo requests, without the ping package. echo.py ADDRESS COUNT; status 0: all answered."""
import os
import select
import socket
import struct
import sys
import time

address, count = sys.argv[1], int(sys.argv[2])
six = ":" in address
family, proto, ask, reply = ((socket.AF_INET6, socket.IPPROTO_ICMPV6, 128, 129) if six
                             else (socket.AF_INET, socket.IPPROTO_ICMP, 8, 0))
sock = socket.socket(family, socket.SOCK_RAW, proto)
sock.connect((address, 0))
ident = os.getpid() & 0xffff


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff


def answered(seq):
    limit = time.monotonic() + 1
    while select.select([sock], [], [], max(0, limit - time.monotonic()))[0]:
        data = sock.recv(2048)
        data = data if six else data[(data[0] & 15) * 4:]
        if data[0] == reply and struct.unpack("!HH", data[4:8]) == (ident, seq):
            return True
    return False


good = 0
for n in range(count):
    head = struct.pack("!BBHHH", ask, 0, 0, ident, n) + b"sluice"
    # The kernel fills in the ICMPv6 checksum, not the ICMP one.
    sock.send(head[:2] + struct.pack("!H", checksum(head)) + head[4:])
    good += answered(n)
print("%d of %d answered" % (good, count))
sys.exit(good != count)
