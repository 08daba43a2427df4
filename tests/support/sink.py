# SPDX-License-Identifier: Apache-2.0
"""SMTP servers at the end of the world: one that takes and notes everything
that Postfix sends outside, and one that refuses every recipient."""

import socketserver
import threading


class _Handler(socketserver.StreamRequestHandler):
    def handle(self):
        sink = self.server.sink
        recipients = []
        self._reply("220 sink ESMTP")
        while line := self.rfile.readline():
            verb = line.split(b" ")[0].strip().upper()
            if verb == b"DATA":
                self._reply("354 go on")
                lines = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line)
                sink.messages.append((recipients, b"".join(lines)))
                self._reply("250 2.0.0 taken")
            elif verb == b"RCPT":
                command = line.decode("ascii", "replace").strip()
                recipients.append(command)
                self._reply(sink.note(command))
            elif verb == b"MAIL":
                recipients = []
                self._reply("250 2.1.0 ok")
            elif verb == b"QUIT":
                self._reply("221 2.0.0 bye")
                return
            elif verb == b"EHLO":
                utf8 = "250-SMTPUTF8\r\n" if sink.smtputf8 else ""
                self._reply(f"250-sink\r\n250-8BITMIME\r\n{utf8}250 DSN")
            else:
                self._reply("250 2.0.0 ok")

    def _reply(self, text):
        self.wfile.write(text.encode() + b"\r\n")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class Sink:
    """Listens from the start; `recipients` is every RCPT command so far,
    `messages` each message: its RCPT commands, and its bytes."""

    def __init__(self, port, refuses=False, smtputf8=True):
        self.recipients = []
        self.messages = []
        self.smtputf8 = smtputf8
        self._answer = "550 5.1.1 no such user here" if refuses else "250 2.1.5 ok"
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.sink = self
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def note(self, command):
        self.recipients.append(command)
        return self._answer

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
