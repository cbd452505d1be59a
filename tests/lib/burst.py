#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""burst: datagrams from 64 ports in turn, at some 30,000 a second; waits for no answer.

burst.py ADDRESS PORT COUNT [BYTES]
"""
import socket
import sys
import time

address, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
data = bytes(int(sys.argv[4]) if len(sys.argv) > 4 else 64)
socks = []
for _ in range(64):
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("", 0))
    socks.append(sock)
for n in range(count):
    socks[n % len(socks)].sendto(data, (address, port))
    if n % 32 == 31:
        time.sleep(0.001)
