#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""fickle: a backend that gives another name in every answer. For the rig's negative control.

fickle.py ADDRESS PORT
"""
import itertools
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

names = itertools.count()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("X-Backend", "b%d" % next(names))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
