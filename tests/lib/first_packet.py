#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""first_packet: from a request to the API until a new connection reaches this host.

first_packet.py DEV VIP PORT SOCKET PATH BODY
Posts BODY to PATH over the agent's Unix socket and watches DEV for a SYN to VIP:PORT (IPv4).
Prints {"status", "answer_ms", "packet_ms"}, both counted from before the request is sent.
Run it in the namespace of the backend; the load comes from elsewhere.
"""
import json
import select
import socket
import struct
import sys
import time

dev, vip, port, path_sock, path, body = sys.argv[1:]
vip_be, port = socket.inet_aton(vip), int(port)
ETH_P_IP = 0x0800


def is_syn(frame):
    if len(frame) < 54 or frame[12:14] != b"\x08\x00" or frame[23] != 6:
        return False
    tcp = 14 + (frame[14] & 15) * 4
    return (frame[30:34] == vip_be and struct.unpack("!H", frame[tcp + 2:tcp + 4])[0] == port
            and frame[tcp + 13] & 0x12 == 0x02)


wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_IP))
wire.bind((dev, ETH_P_IP))
api = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
api.connect(path_sock)
request = ("POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
           "Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (path, len(body), body)).encode()
begin = time.monotonic()
api.sendall(request)
status = answer_ms = packet_ms = None
while (status is None or packet_ms is None) and time.monotonic() - begin < 5:
    for sock in select.select([wire, api] if status is None else [wire], [], [], 0.5)[0]:
        at_ms = round((time.monotonic() - begin) * 1000, 1)
        if sock is api:
            words = api.recv(4096).split(b" ")
            status, answer_ms = int(words[1]) if len(words) > 1 else 0, at_ms
        elif is_syn(wire.recv(2048)) and packet_ms is None:
            packet_ms = at_ms
print(json.dumps({"status": status, "answer_ms": answer_ms, "packet_ms": packet_ms}))
