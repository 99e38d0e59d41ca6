"""A token endpoint that answers after 300 ms, and counts: a program of its own, so that it takes no time of ours.

It prints its port; `GET /answered` says how many requests for tokens it answered.
"""

from __future__ import annotations

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread

LATENCY_SECONDS = 0.3
_answered = count(1)
_last = [0]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(LATENCY_SECONDS)
        number = next(_answered)
        _last[0] = max(_last[0], number)
        tokens = {"access_token": f"a{number}", "refresh_token": f"r{number}", "expires_in": 3600}
        self._answer(json.dumps(tokens | {"token_type": "Bearer"}).encode())

    def do_GET(self) -> None:
        self._answer(str(_last[0]).encode())

    def _answer(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the library's name)
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True


def main() -> None:
    """Serve until standard input ends."""
    server = _Server(("127.0.0.1", 0), _Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
