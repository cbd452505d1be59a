#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""udp: a datagram service that says its name, and a client that checks who answers.

udp.py answer ADDRESS PORT NAME
udp.py ask ADDRESS PORT FLOWS DATAGRAMS [BYTES [nodf]]   prints {"flows","answers","lost","changed","names"}
udp.py quic ADDRESS PORT FLOWS FILE    flows that look like QUIC's; FILE is made when all have begun, and they go on
    until it is removed. Then each begins again, from the same port: {..., "again": {"old new": flows}}
"""
import json
import os
import socket
import sys
import time


def open_socket(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.socket(family, socket.SOCK_DGRAM)


def answer(address, port, name):
    sock = open_socket(address)
    sock.bind((address, int(port)))
    while True:
        data, who = sock.recvfrom(65535)
        # of what looks like QUIC the last word, else the first
        word = data.rsplit(b"|", 1)[-1] if data[:1] >= b"@" else data.split()[0]
        sock.sendto(b"%s %s %d" % (name.encode(), word, len(data)), who)


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
            except OSError:    # nobody answers, or too long for the path
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


# First bytes and versions by RFC 9000 and 9369: v1, v2.
INITIAL = (b"\xc3\x00\x00\x00\x01", b"\xd3\x6b\x33\x43\xcf")
HANDSHAKE = (b"\xe3\x00\x00\x00\x01", b"\xf3\x6b\x33\x43\xcf")
SHORT = (b"\x43", b"\x43")


class Quic:
    def __init__(self, address, port, number):
        self.sock, self.version, self.name, self.seq = open_socket(address), number % 2, None, 0
        self.sock.settimeout(1)
        self.sock.connect((address, int(port)))

    def ask(self, head, size):
        """Who answers this packet; None: nobody."""
        self.seq += 1
        tail = b"|%d" % self.seq
        self.sock.send(head[self.version].ljust(size - len(tail), b"\0") + tail)
        try:
            name, got, whole = self.sock.recv(2048).decode().split(" ")
        except OSError:    # nobody answers, or too long for the path
            return None
        return name if (int(got), int(whole)) == (self.seq, size) else None


def quic(address, port, flows, file):
    count = {"flows": int(flows), "answers": 0, "lost": 0, "changed": 0, "names": {}, "again": {}}

    def ask(flow, head, size):
        name = flow.ask(head, size)
        count["lost" if name is None else "answers"] += 1
        if name is not None and flow.name not in (None, name):
            count["changed"] += 1
        return name

    all_flows = [Quic(address, port, n) for n in range(int(flows))]
    for flow in all_flows:
        flow.name = ask(flow, INITIAL, 1200)
        count["names"][flow.name] = count["names"].get(flow.name, 0) + 1
    os.close(os.open(file, os.O_CREAT | os.O_WRONLY))
    turn = 0
    while os.path.exists(file):     # the handshake, twice; then short headers alone
        for flow in all_flows:
            if turn < 2:
                ask(flow, INITIAL, 1200)
                ask(flow, HANDSHAKE, 600)
            ask(flow, SHORT, 40)
        turn += 1
        time.sleep(0.1)
    for flow in all_flows:
        old, flow.name = flow.name, flow.ask(INITIAL, 1200)
        key = "%s %s" % (old, flow.name)
        count["again"][key] = count["again"].get(key, 0) + 1
        for _ in range(3):
            ask(flow, SHORT, 40)
    print(json.dumps(count))


{"answer": answer, "ask": ask, "quic": quic}[sys.argv[1]](*sys.argv[2:])
