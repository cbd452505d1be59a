#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""udp: a datagram service that says its name, and a client that checks who answers.

udp.py answer ADDRESS PORT NAME
udp.py ask ADDRESS PORT FLOWS DATAGRAMS [BYTES [nodf]]   prints {"flows","answers","lost","changed","names"}
"""
import json
import socket
import sys


def open_socket(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.socket(family, socket.SOCK_DGRAM)


def answer(address, port, name):
    sock = open_socket(address)
    sock.bind((address, int(port)))
    while True:
        data, who = sock.recvfrom(65535)
        sock.sendto(b"%s %s %d" % (name.encode(), data.split()[0], len(data)), who)


def ask(address, port, flows, datagrams, size=0, df=""):
    lost = changed = answers = 0
    names = {}
    socks = []
    for _ in range(int(flows)):
        sock = open_socket(address)
        sock.settimeout(2)
        if df == "nodf":    # IP_MTU_DISCOVER: INTERFACE, no DF and no memory of path MTUs
            sock.setsockopt(socket.IPPROTO_IP, 10, 4)
        sock.connect((address, int(port)))
        socks.append([sock, None])
    # In turns, so that each flow has others between its datagrams.
    for seq in range(int(datagrams)):
        for entry in socks:
            sock, first = entry
            data = (b"%d" % seq).ljust(int(size))
            sock.send(data)
            try:
                name, got, whole = sock.recv(2048).decode().split(" ")
            except (TimeoutError, socket.timeout, ConnectionError):
                lost += 1
                continue
            if int(got) != seq or int(whole) != len(data):
                lost += 1
                continue
            answers += 1
            if first is None:
                entry[1] = name
                names[name] = names.get(name, 0) + 1
            elif first != name:
                changed += 1
    print(json.dumps({"flows": len(socks), "answers": answers, "lost": lost,
                      "changed": changed, "names": names}))


{"answer": answer, "ask": ask}[sys.argv[1]](*sys.argv[2:])
