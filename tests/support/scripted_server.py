# SPDX-License-Identifier: Apache-2.0
"""The wire of the scripted servers: connections, lines, TLS."""

import contextlib
import select
import socket
import ssl
import threading


class Session:
    """One connection."""

    def __init__(self, server, link):
        self.server = server
        self.link = link
        self._buffer = b""

    def send(self, data):
        self.link.sendall(data)

    def drip(self, data, pause, stop):
        """Send byte by byte with pauses, until done or `stop` is set."""
        for i in range(len(data)):
            if stop.wait(pause):
                return
            self.send(data[i : i + 1])

    def line(self):
        """The next command without its line end; None at the end."""
        while b"\n" not in self._buffer:
            if not self._receive():
                return None
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line.rstrip(b"\r")

    def bytes(self, count):
        """The next `count` bytes; None at the end."""
        while len(self._buffer) < count:
            if not self._receive():
                return None
        found, self._buffer = self._buffer[:count], self._buffer[count:]
        return found

    def _receive(self):
        data = self.link.recv(65536)
        self._buffer += data
        return data

    def has_more(self, timeout):
        """Whether a command, or the end, comes within `timeout` seconds."""
        if self._buffer or (isinstance(self.link, ssl.SSLSocket) and self.link.pending()):
            return True
        return bool(select.select([self.link], [], [], timeout)[0])

    def start_tls(self):
        self.link = self.server.context.wrap_socket(self.link, server_side=True)
        self.server.handshakes += 1
        self.server.resumed.append(self.link.session_reused)

    def is_secure(self):
        return isinstance(self.link, ssl.SSLSocket)

    def drop(self):
        """End the connection; TLS gets no close_notify."""
        raise ConnectionAbortedError


class ScriptedServer:
    """`commands` is all that clients said, `handshakes` how often TLS began, and
    `resumed` whether by a session from before.

    What follows the greeting is talk(session), which a protocol defines.
    """

    session = Session

    def __init__(self, certificate=None, implicit=True, host="127.0.0.1", port=0):
        self.commands = []
        self.handshakes = 0
        self.resumed = []
        self.stopping = threading.Event()
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
        self._implicit = implicit and certificate is not None
        self._links = []
        self._listener = socket.create_server((host, port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self.stopping.set()
        for link in (self._listener, *self._links):
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
            link.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                link, _ = self._listener.accept()
                self._links.append(link)
                threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link):
        session = self.session(self, link)
        with contextlib.suppress(OSError, ssl.SSLError, ValueError):
            if self._implicit:
                session.start_tls()
            self.talk(session)
        with contextlib.suppress(OSError):
            session.link.close()
