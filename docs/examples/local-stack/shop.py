"""A shop for an agent to call: answers everything, and notes on standard error what it was asked."""

import http.server


class Shop(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, text):
        length = int(self.headers.get("content-length", 0))
        self.rfile.read(length)
        body = (text + "\n").encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer("apples, pears")

    def do_POST(self):
        self.answer("ordered")

    def do_DELETE(self):
        self.answer("the shop is empty")


with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
