#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Sends TCP segments with SYN and FIN set, which no stack sends: synfin.py ADDRESS PORT COUNT"""
import socket
import struct
import sys

address, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
for i in range(count):
    s.sendto(
        struct.pack("!HHIIBBHHH", 20000 + i, port, 1, 0, 5 << 4, 3, 1024, 0, 0),
        (address, 0),
    )
