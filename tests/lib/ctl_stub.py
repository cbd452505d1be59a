# SPDX-License-Identifier: BSD-2-Clause
"""The API as tests of sluicectl want it. ctl_stub.py FOLDER SOCKET, or FOLDER tcp (port in FOLDER/port).

Answers come from FOLDER/can/"METHOD ~path~with~tildes #ORDER": first line "STATUS TYPE", then the
body. Of several files for a request the first is used and removed, the last one stays. The types
huge, hang, cut and raw are misbehaviour. FOLDER/log has a line for each request.
"""
import datetime, glob, http.server, json, os, re, socketserver, sys, time

root, where = sys.argv[1:3]

def fill(body):
    """@T+72@ becomes the time 72 s from now."""
    def when(m):
        t = datetime.datetime.fromtimestamp(time.time() + float(m.group(1)), datetime.timezone.utc)
        return (t.strftime('%Y-%m-%dT%H:%M:%S.') + '%03dZ' % (t.microsecond // 1000)).encode()
    return re.sub(rb'@T([+-][0-9.]+)@', when, body)

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def address_string(self):
        return 'stub'

    def log_message(self, *args):
        pass

    def answer(self):
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0)).decode()
        with open(root + '/log', 'a') as f:
            f.write(' '.join(x for x in (self.command, self.path,
                    self.headers.get('Content-Type') if body else None, body) if x) + '\n')
        key = '%s/can/%s %s' % (root, self.command, self.path.replace('/', '~'))
        files = sorted(glob.glob(glob.escape(key) + ' #*'))
        if not files:
            return self.send(404, 'application/problem+json', json.dumps({
                'title': 'Not Found', 'status': 404, 'code': 'not-found',
                'detail': 'no such thing: ' + self.path}).encode())
        with open(files[0], 'rb') as f:
            head, data = f.read().split(b'\n', 1)
        if len(files) > 1:
            os.remove(files[0])
        status, kind = head.decode().split()
        if kind == 'huge':
            self.send_response(200)
            self.send_header('Content-Length', str(17 << 20))
            self.end_headers()
            try:
                for _ in range(17):
                    self.wfile.write(b'[' * (1 << 20))
            except OSError:
                pass
            self.close_connection = True
        elif kind == 'hang':
            time.sleep(40)
            self.close_connection = True
        elif kind == 'cut':
            self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"a":')
            self.close_connection = True
        elif kind == 'raw':
            self.wfile.write(data)
            self.close_connection = True
        else:
            self.send(int(status), kind, fill(data))

    def send(self, status, kind, data):
        self.send_response(status)
        if status != 204:
            self.send_header('Content-Type', kind)
            self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        if status != 204:
            self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

class Base(socketserver.ThreadingMixIn):
    daemon_threads = True

    def handle_error(self, request, address):
        if not isinstance(sys.exc_info()[1], OSError):  # sluicectl may go away at any time
            super().handle_error(request, address)

class Unix(Base, socketserver.UnixStreamServer):
    pass

class Tcp(Base, http.server.HTTPServer):
    pass

if where == 'tcp':
    stub = Tcp(('127.0.0.1', 0), Handler)
    with open(root + '/port', 'w') as f:
        f.write(str(stub.server_address[1]))
else:
    stub = Unix(where, Handler)
stub.serve_forever()
