# SPDX-License-Identifier: Apache-2.0
"""A POP3 server that behaves, but for what a test tells it to do wrong."""

from scripted_server import ScriptedServer


class ScriptedPop3(ScriptedServer):
    """`answers`: {verb: bytes or function(session, argument)} in place of the
    right ones; the verb "" is the greeting.  `commands` is all that clients
    said; `messages` is what is still there: [(uid, bytes with CRLF)]."""

    def __init__(self, messages=(), answers=None, certificate=None, implicit=True, host="127.0.0.1", port=0):
        self.messages = list(messages)
        self.answers = answers or {}
        super().__init__(certificate, implicit, host, port)

    def verbs(self):
        return [command.split(b" ")[0].upper().decode("ascii", "replace") for command in self.commands]

    def talk(self, session):
        session.deleted = set()
        self._answer(session, "", b"")
        while (line := session.line()) is not None:
            self.commands.append(line)
            verb, _, argument = line.partition(b" ")
            verb = verb.decode("ascii", "replace").upper()
            self._answer(session, verb, argument)
            if verb == "QUIT":
                break

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
        stls = b"STLS\r\n" if self.context and not session.is_secure() else b""
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
