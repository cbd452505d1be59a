#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""encap: puts packets into tunnels by hand, as the balancer would; for tests of the receiving side.

encap.py tun DEV KIND FROM TO [PORT]   what is routed into the new device DEV goes to TO as KIND
encap.py send KIND FROM TO N [PORT]    N tunnel packets with a UDP datagram in them

KIND is ipip or gue; FROM and TO are the outer addresses; the kernel writes the outer IP header.
"""
import fcntl
import os
import signal
import socket
import struct
import sys

PROTO = {4: 4, 6: 41}       # inner version -> IP protocol
GUE_PORT = 6080


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Tunnel:
    def __init__(self, kind, source, to, port=GUE_PORT):
        self.gue, self.to = kind == "gue", (to, int(port) if kind == "gue" else 0)
        self.socks = {v: self._open(source, p) for v, p in PROTO.items()}

    def _open(self, source, proto):
        if self.gue:
            sock = socket.socket(family(source), socket.SOCK_DGRAM)
        else:
            sock = socket.socket(family(source), socket.SOCK_RAW, proto)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        # Linux: IP_MTU_DISCOVER, IPV6_MTU_DISCOVER; PROBE: DF, and no memory of path MTUs
        if family(source) == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, 10, 3)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, 23, 3)
        sock.bind((source, 0))
        return sock

    def send(self, packet):
        version = packet[0] >> 4
        if version not in PROTO:
            return
        header = struct.pack("!BBH", 0, PROTO[version], 0) if self.gue else b""
        try:
            self.socks[version].sendto(header + packet, self.to)
        except OSError as e:    # too long, or nobody there: a network drops as well
            print("encap: %s" % e, file=sys.stderr)


def tun(dev, *tunnel):
    fd = os.open("/dev/net/tun", os.O_RDWR)
    # TUNSETIFF; IFF_TUN | IFF_NO_PI
    fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH22x", dev.encode(), 0x1001))
    out = Tunnel(*tunnel)
    print("ready", flush=True)
    while True:
        out.send(os.read(fd, 65536))


def checksum(data):
    words = struct.unpack("!%dH" % (len(data) // 2), data)
    total = sum(words)
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def datagram():
    """From 198.51.100.1 to 192.0.2.10, port 9 (discard), without a UDP checksum."""
    udp = struct.pack("!4H", 1234, 9, 8 + 32, 0) + b"x" * 32
    addresses = socket.inet_aton("198.51.100.1") + socket.inet_aton("192.0.2.10")
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0x4000, 64, 17, 0) + addresses
    return ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + udp


def send(kind, source, to, count, *port):
    out = Tunnel(kind, source, to, *port)
    for _ in range(int(count)):
        out.send(datagram())


def main():
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if len(sys.argv) > 1 and sys.argv[1] == "tun":
        tun(*sys.argv[2:])
    elif len(sys.argv) > 1 and sys.argv[1] == "send":
        send(*sys.argv[2:])
    else:
        sys.exit(__doc__)


main()
