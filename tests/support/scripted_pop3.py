# SPDX-License-Identifier: Apache-2.0
"""A POP3 server that behaves, but for what a test tells it to do wrong."""

import contextlib
import socket
import ssl
import threading


class Session:
    """One connection."""

    def __init__(self, server, link):
        self.server = server
        self.link = link
        self.deleted = set()
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
            data = self.link.recv(4096)
            if not data:
                return None
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line.rstrip(b"\r")

    def start_tls(self):
        self.link = self.server.context.wrap_socket(self.link, server_side=True)
        self.server.handshakes += 1

    def drop(self):
        """End the connection; TLS gets no close_notify."""
        raise ConnectionAbortedError


class ScriptedPop3:
    """`answers`: {verb: bytes or function(session, argument)} in place of the
    right ones; the verb "" is the greeting.  `commands` is all that clients
    said; `messages` is what is still there: [(uid, bytes with CRLF)]."""

    def __init__(self, messages=(), answers=None, certificate=None, implicit=True, host="127.0.0.1"):
        self.messages = list(messages)
        self.answers = answers or {}
        self.commands = []
        self.handshakes = 0
        self.stopping = threading.Event()
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
        self._implicit = implicit and certificate is not None
        self._links = []
        self._listener = socket.create_server((host, 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def verbs(self):
        return [command.split(b" ")[0].upper().decode("ascii", "replace") for command in self.commands]

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
        session = Session(self, link)
        with contextlib.suppress(OSError, ssl.SSLError):
            if self._implicit:
                session.start_tls()
            self._answer(session, "", b"")
            while (line := session.line()) is not None:
                self.commands.append(line)
                verb, _, argument = line.partition(b" ")
                verb = verb.decode("ascii", "replace").upper()
                self._answer(session, verb, argument)
                if verb == "QUIT":
                    break
        with contextlib.suppress(OSError):
            session.link.close()

    def _answer(self, session, verb, argument):
        wanted = self.answers.get(verb)
        if isinstance(wanted, bytes):
            session.send(wanted)
        elif wanted:
            wanted(session, argument)
        else:
            self.answer_rightly(session, verb, argument)

    def answer_rightly(self, session, verb, argument):
        answer = getattr(self, "_do_" + (verb.lower() or "greeting"), None)
        session.send(answer(session, argument) if answer else b"-ERR unknown command\r\n")

    def _do_greeting(self, session, argument):
        return b"+OK ready\r\n"

    def _do_capa(self, session, argument):
        stls = b"STLS\r\n" if self.context and not isinstance(session.link, ssl.SSLSocket) else b""
        return b"+OK\r\nUSER\r\nUIDL\r\nTOP\r\n" + stls + b".\r\n"

    def _do_stls(self, session, argument):
        session.send(b"+OK go on\r\n")
        session.start_tls()
        return b""

    def _do_user(self, session, argument):
        return b"+OK\r\n"

    _do_pass = _do_noop = _do_rset = _do_user

    def _do_stat(self, session, argument):
        size = sum(len(message) for _, message in self.messages)
        return b"+OK %d %d\r\n" % (len(self.messages), size)

    def _listing(self, values, argument):
        if argument:
            number = int(argument)
            return b"+OK %d %s\r\n" % (number, values[number - 1])
        lines = b"".join(b"%d %s\r\n" % (n, value) for n, value in enumerate(values, 1))
        return b"+OK\r\n" + lines + b".\r\n"

    def _do_uidl(self, session, argument):
        return self._listing([uid.encode() for uid, _ in self.messages], argument)

    def _do_list(self, session, argument):
        return self._listing([b"%d" % len(message) for _, message in self.messages], argument)

    def _do_retr(self, session, argument):
        return b"+OK\r\n" + stuffed(self.messages[int(argument) - 1][1]) + b".\r\n"

    def _do_dele(self, session, argument):
        session.deleted.add(int(argument) - 1)
        return b"+OK\r\n"

    def _do_quit(self, session, argument):
        self.messages = [m for n, m in enumerate(self.messages) if n not in session.deleted]
        return b"+OK bye\r\n"


def stuffed(message):
    """A message with CRLF line ends as it goes over the wire, without the end."""
    lines = message.split(b"\r\n")
    text = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines)
    return text if text.endswith(b"\r\n") else text + b"\r\n"
