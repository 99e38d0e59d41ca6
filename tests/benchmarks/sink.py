"""A relay that takes all mail and keeps none: an epoll program of its own, with PIPELINING, STARTTLS and AUTH PLAIN.

It prints its port, and for each line on standard input what it took so far (see `Taken`).
"""

from __future__ import annotations

import json
import selectors
import socket
import ssl
import sys
from dataclasses import asdict, dataclass
from threading import Thread

_BLOCK_OCTETS = 65_536
_END = b"\r\n.\r\n"
_DONE = b"250 2.0.0 OK\r\n"
_REPLIES = {
    b"HELO": b"250 sink\r\n",
    b"MAIL": b"250 2.1.0 OK\r\n",
    b"RCPT": b"250 2.1.5 OK\r\n",
    b"RSET": _DONE,
    b"NOOP": _DONE,
    b"AUTH": b"235 2.7.0 welcome\r\n",  # PLAIN with its response on the line, which all our clients send
    b"STAR": b"220 2.0.0 go ahead\r\n",
    b"DATA": b"354 go ahead\r\n",
    b"QUIT": b"221 2.0.0 bye\r\n",
}
_EXTENSIONS = "250-sink\r\n250-PIPELINING\r\n250-SIZE 10485760\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n"


@dataclass(slots=True)
class Taken:
    """How many mails were taken, how many of them after STARTTLS and AUTH, and the octets of their contents."""

    mails: int = 0
    protected: int = 0
    octets: int = 0


class _Connection:
    def __init__(self, stream: socket.socket, sink: _Sink) -> None:
        self.stream = stream
        self._sink = sink
        self._unread = bytearray()
        self._in_content = self._has_logged_in = self._is_shaking_hands = self._has_quit = False
        stream.setblocking(False)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream.send(b"220 sink ESMTP\r\n")

    def work(self) -> bool:
        """Take in what has come and answer it; false where the connection is over."""
        if self._is_shaking_hands and not self._shake_hands():
            return True
        is_open = self._receive()
        replies = self._answer_all()
        if replies:
            self.stream.sendall(replies)  # small: it never has to wait
        return is_open and not self._has_quit

    def _shake_hands(self) -> bool:
        assert isinstance(self.stream, ssl.SSLSocket)
        try:
            self.stream.do_handshake()
        except ssl.SSLWantReadError:
            return False
        self._is_shaking_hands = False
        return True

    def _receive(self) -> bool:
        try:
            while octets := self.stream.recv(_BLOCK_OCTETS):
                self._unread += octets
                if len(octets) < _BLOCK_OCTETS and not isinstance(self.stream, ssl.SSLSocket):
                    return True  # there is no more for now, so that nobody has to ask
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        return False

    def _answer_all(self) -> bytes:
        replies = b""
        while (end := self._unread.find(_END if self._in_content else b"\r\n")) >= 0:
            if self._in_content:
                replies += self._take(end + 2)
            else:
                line = bytes(self._unread[:end])
                del self._unread[: end + 2]
                replies += self._answer(line)
        return replies

    def _take(self, octets: int) -> bytes:
        del self._unread[: octets + 3]
        self._in_content = False
        taken = self._sink.taken
        taken.mails += 1
        taken.protected += self._has_logged_in and isinstance(self.stream, ssl.SSLSocket)
        taken.octets += octets
        return _DONE

    def _answer(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"EHLO":
            offer = "AUTH PLAIN" if isinstance(self.stream, ssl.SSLSocket) else "STARTTLS"
            return f"{_EXTENSIONS}250 {offer}\r\n".encode()
        reply = _REPLIES.get(verb, b"502 5.5.1 no such command\r\n")
        self._in_content = verb == b"DATA"
        self._has_logged_in = self._has_logged_in or verb == b"AUTH"
        self._has_quit = verb == b"QUIT"
        if verb == b"STAR":
            self.stream.send(reply)
            self.stream = self._sink.protect(self.stream)
            self._is_shaking_hands = True
            return b""
        return reply


class _Sink:
    def __init__(self, certificate: str) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self.taken = Taken()
        self.port: int = self._listener.getsockname()[1]

    def serve(self) -> None:
        """Serve until the process ends."""
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    self._accept()
                else:
                    self._attend(key.data)

    def protect(self, stream: socket.socket) -> ssl.SSLSocket:
        """The stream under TLS, its handshake yet to be made; the selector goes on with this one."""
        data = self._selector.unregister(stream).data
        protected = self._context.wrap_socket(stream, server_side=True, do_handshake_on_connect=False)
        self._selector.register(protected, selectors.EVENT_READ, data)
        return protected

    def _accept(self) -> None:
        stream, _ = self._listener.accept()
        self._selector.register(stream, selectors.EVENT_READ, _Connection(stream, self))

    def _attend(self, connection: _Connection) -> None:
        try:
            is_open = connection.work()
        except OSError:  # it was closed in the middle of something
            is_open = False
        if not is_open:
            self._selector.unregister(connection.stream)
            connection.stream.close()


def main() -> None:
    """Serve, showing the certificate (PEM, with its key) in the file named, until standard input ends."""
    sink = _Sink(sys.argv[1])
    Thread(target=sink.serve, daemon=True).start()
    print(sink.port, flush=True)
    for _ in sys.stdin:
        print(json.dumps(asdict(sink.taken)), flush=True)


if __name__ == "__main__":
    main()
