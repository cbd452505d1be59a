#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""frames: datagrams in Ethernet frames made by hand, with VLAN tags, and what of them comes in elsewhere.

frames.py send DEV MAC TAGS FROM TO PORT COUNT   from source ports 20001 ...; prints {"sent","answers"}
frames.py watch DEV PORT                         a line for each: source port, tags, IP headers

TAGS are "-" or TYPE:TCI, outermost first, in hex: 88a8:6064,8100:a007. MAC is that of the next hop.
IP headers are version/protocol, outermost first: 4/17, or 6/41,4/17 within a tunnel.
"""
import signal
import socket
import struct
import sys
import time

PORT0 = 20001
SOL_PACKET, PACKET_AUXDATA = 263, 8
TAGS = (0x8100, 0x88a8)
GUE_PORT = 6080


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def packet(source, to, sport, dport, payload):
    six = ":" in to
    pack = [socket.inet_pton(socket.AF_INET6 if six else socket.AF_INET, a) for a in (source, to)]
    length = 8 + len(payload)
    udp = struct.pack("!4H", sport, dport, length, 0) + payload
    pseudo = b"".join(pack) + struct.pack("!II", length, 17)
    udp = udp[:6] + struct.pack("!H", checksum(pseudo + udp) or 0xffff) + udp[8:]
    if six:
        return struct.pack("!IHBB", 6 << 28, length, 17, 64) + b"".join(pack) + udp
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 1, 0x4000, 64, 17, 0) + b"".join(pack)
    return ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + udp


def send(dev, mac, tags, source, to, port, count):
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    out.bind((dev, 0))
    six = ":" in to
    socks = []
    head = bytes.fromhex(mac.replace(":", "")) + out.getsockname()[4]
    for tag in [] if tags == "-" else tags.split(","):
        head += bytes.fromhex(tag.replace(":", ""))
    head += struct.pack("!H", 0x86dd if six else 0x0800)
    for n in range(int(count)):
        sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((source, PORT0 + n))
        socks.append(sock)
        out.send(head + packet(source, to, PORT0 + n, int(port), b"%d" % n))
    time.sleep(0.5)
    answers = 0
    for sock in socks:
        try:
            sock.recv(2048, socket.MSG_DONTWAIT)
            answers += 1
        except BlockingIOError:
            pass
    print('{"sent": %d, "answers": %d}' % (len(socks), answers))


def headers(ethertype, data):
    """Version and protocol of each IP header, and the datagram behind them."""
    found = []
    while ethertype in (0x0800, 0x86dd):
        six = ethertype == 0x86dd
        proto, data = (data[6], data[40:]) if six else (data[9], data[(data[0] & 15) * 4:])
        found.append("%d/%d" % (6 if six else 4, proto))
        if proto == 17 and struct.unpack("!H", data[2:4])[0] == GUE_PORT:
            proto, data = data[9], data[12:]
        elif proto == 17:
            return found, data
        ethertype = {4: 0x0800, 41: 0x86dd}.get(proto, 0)
    return found, b""


def watch(dev, port):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sock.bind((dev, 0))
    sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    print("ready", flush=True)
    while True:
        data, more, _, who = sock.recvmsg(65536, 256)
        if who[2] == socket.PACKET_OUTGOING:
            continue
        tags = []
        for _, kind, aux in more:       # the kernel takes the first tag out of the frame
            status, _, _, _, _, tci, tpid = struct.unpack("=IIIHHHH", aux[:20])
            if kind == PACKET_AUXDATA and status & 0x10:
                tags.append("%04x:%04x" % (tpid if status & 0x40 else 0x8100, tci))
        ethertype, data = struct.unpack("!H", data[12:14])[0], data[14:]
        while ethertype in TAGS:
            tags.append("%04x:%04x" % (ethertype, struct.unpack("!H", data[:2])[0]))
            ethertype, data = struct.unpack("!H", data[2:4])[0], data[4:]
        found, udp = headers(ethertype, data)
        if len(udp) >= 8 and struct.unpack("!H", udp[2:4])[0] == int(port):
            print(struct.unpack("!H", udp[:2])[0], ",".join(tags) or "-", ",".join(found), flush=True)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
{"send": send, "watch": watch}[sys.argv[1]](*sys.argv[2:])
