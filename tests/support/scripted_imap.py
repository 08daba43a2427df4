# SPDX-License-Identifier: Apache-2.0
"""An IMAP server that behaves, but for what a test tells it to do wrong."""

import re

from scripted_server import ScriptedServer, Session

CAPABILITIES = "IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE UIDPLUS MOVE UNSELECT AUTH=PLAIN"


class ImapSession(Session):
    """`folder`: what is selected, `known`: how many messages the client knows of
    there; `tag`: of the command that is answered."""

    folder = None
    known = 0
    tag = b""

    def command(self):
        """(tag, verb, argument) of the next command with its literals, or None.
        The verb of a UID command has two words."""
        line = self.line()
        while line is not None and (literal := re.search(rb"\{(\d+)(\+?)\}\Z", line)):
            if not literal[2]:
                self.send(b"+ go on\r\n")
            text = self.bytes(int(literal[1]))
            rest = self.line()
            if text is None or rest is None:
                return None
            line += b"\r\n" + text + rest
        if line is None:
            return None
        self.server.commands.append(line)
        tag, _, rest = line.partition(b" ")
        verb, _, argument = rest.partition(b" ")
        if verb.upper() == b"UID":
            second, _, argument = argument.partition(b" ")
            verb += b" " + second
        return tag, verb.decode("ascii", "replace").upper(), argument

    def ok(self, text=b"done"):
        self.tell_of_new()
        self.send(self.tag + b" OK " + text + b"\r\n")

    def tell_of_new(self):
        if self.folder is not None and len(self.folder.messages) > self.known:
            self.send(b"* %d EXISTS\r\n" % len(self.folder.messages))
            self.known = len(self.folder.messages)

    def take(self, uid):
        """Remove a message and say so."""
        self.send(b"* %d EXPUNGE\r\n" % self.folder.number(uid))
        self.known -= 1
        del self.folder.messages[uid]

    def no(self, text=b"no"):
        self.send(self.tag + b" NO " + text + b"\r\n")


class Folder:
    """`messages`: {UID: bytes with CRLF}, `flags`: {UID: set}"""

    def __init__(self, messages=(), uidvalidity=1234):
        self.uidvalidity = uidvalidity
        self.messages = {}
        self.flags = {}
        self.next = 1
        for message in messages:
            self.add(message)

    def add(self, message):
        uid, self.next = self.next, self.next + 1
        self.flags[uid] = set()
        self.messages[uid] = message
        return uid

    def number(self, uid):
        return sorted(self.messages).index(uid) + 1

    def chosen(self, text):
        """The UIDs of a set like 1:3,7:*"""
        known = sorted(self.messages)
        last = known[-1] if known else 0
        found = set()
        for part in text.decode("ascii").split(","):
            ends = [last if end == "*" else int(end) for end in part.split(":")]
            found |= {uid for uid in known if min(ends) <= uid <= max(ends)}
        return sorted(found)


class ScriptedImap(ScriptedServer):
    """`answers`: {verb: bytes, with TAG for the command's tag, or
    function(session, argument)} in place of the right ones; "" is the greeting,
    "DONE" the end of IDLE.  `between`: sent before each untagged reply about
    messages.  `commands` is all that clients said, `folders` what is stored.

    Folders have no sub-folders, logging in succeeds always.
    """

    session = ImapSession

    def __init__(self, messages=(), answers=None, certificate=None, implicit=True,
                 host="127.0.0.1", capabilities=CAPABILITIES, between=b""):
        self.folders = {"INBOX": Folder(messages)}
        self.answers = answers or {}
        self.capabilities = capabilities.encode()
        self.between = between
        self.logins = 0
        super().__init__(certificate, implicit, host)

    @property
    def messages(self):
        """What is still in INBOX, marked as deleted or not."""
        return self.folders["INBOX"].messages

    @property
    def flags(self):
        return self.folders["INBOX"].flags

    def verbs(self):
        """Of all commands; UID commands as "UID FETCH"."""
        found = []
        for command in self.commands:
            words = command.upper().decode("ascii", "replace").split(" ")[1:3]
            found.append(" ".join(words) if words and words[0] == "UID" else "".join(words[:1]))
        return found

    def deliver(self, message, folder="INBOX"):
        """New mail; those who are idling hear of it."""
        return self.folders[folder].add(message)

    def talk(self, session):
        self._answer(session, "", b"")
        while (command := session.command()) is not None:
            session.tag, verb, argument = command
            self._answer(session, verb, argument)
            if verb == "LOGOUT":
                break

    def _answer(self, session, verb, argument):
        wanted = self.answers.get(verb)
        if isinstance(wanted, bytes):
            session.send(wanted.replace(b"TAG", session.tag))
        elif wanted:
            wanted(session, argument)
        else:
            self.answer_rightly(session, verb, argument)

    def answer_rightly(self, session, verb, argument):
        answer = getattr(self, "_do_" + (verb.lower().replace(" ", "_") or "greeting"), None)
        if answer is None:
            session.send(session.tag + b" BAD unknown command\r\n")
        else:
            answer(session, argument)

    def _untagged(self, session, text):
        session.send(b"* " + text + b"\r\n")

    def _about_messages(self, session, text):
        session.send(self.between)
        self._untagged(session, text)

    # Before the log-in.

    def _offered(self, session):
        starttls = b" STARTTLS" if self.context and not session.is_secure() else b""
        return b"CAPABILITY " + self.capabilities + starttls

    def _do_greeting(self, session, argument):
        session.send(b"* OK [" + self._offered(session) + b"] ready\r\n")

    def _do_capability(self, session, argument):
        session.send(b"* " + self._offered(session) + b"\r\n")
        session.ok()

    def _do_starttls(self, session, argument):
        session.ok(b"go on")
        session.start_tls()

    def _do_login(self, session, argument):
        self.logins += 1
        session.ok(b"[" + self._offered(session) + b"] welcome")

    def _do_authenticate(self, session, argument):
        if b" " not in argument:
            session.send(b"+ \r\n")
            self.commands.append(session.line() or b"")
        self._do_login(session, argument)

    def _do_noop(self, session, argument):
        session.ok()

    _do_enable = _do_noop

    def _do_id(self, session, argument):
        session.send(b'* ID ("name" "scripted")\r\n')
        session.ok()

    def _do_logout(self, session, argument):
        session.send(b"* BYE see you\r\n")
        session.ok()

    # Folders.

    def _do_namespace(self, session, argument):
        self._untagged(session, b'NAMESPACE (("" "/")) NIL NIL')
        session.ok()

    def _do_list(self, session, argument):
        for name in self.folders:
            self._untagged(session, b'LIST () "/" "%s"' % name.encode())
        session.ok()

    def _named(self, argument):
        name = argument.decode("ascii").split(" (")[0].strip('"')
        return self.folders.get("INBOX" if name.upper() == "INBOX" else name)

    def _do_select(self, session, argument, mode=b"READ-WRITE"):
        folder = session.folder = self._named(argument)
        if folder is None:
            return session.no(b"[NONEXISTENT] no such folder")
        session.known = len(folder.messages)
        flags = rb"\Answered \Flagged \Deleted \Seen \Draft"
        for text in (
            b"FLAGS (" + flags + b")", b"%d EXISTS" % session.known, b"0 RECENT",
            rb"OK [PERMANENTFLAGS (" + flags + rb" \*)] may be set",
            b"OK [UIDVALIDITY %d] valid" % folder.uidvalidity,
            b"OK [UIDNEXT %d] next" % folder.next,
        ):
            self._untagged(session, text)
        return session.ok(b"[" + mode + b"] selected")

    def _do_examine(self, session, argument):
        self._do_select(session, argument, b"READ-ONLY")

    def _do_status(self, session, argument):
        folder = self._named(argument)
        self._untagged(session, b"STATUS %s (MESSAGES %d UIDNEXT %d UIDVALIDITY %d)" % (
            argument.split(b" (")[0], len(folder.messages), folder.next, folder.uidvalidity))
        session.ok()

    def _do_unselect(self, session, argument):
        session.folder = None
        session.ok()

    # Messages.

    def _do_uid_search(self, session, argument):
        wanted = re.search(rb"UID ([0-9:*,]+)", argument)
        uids = session.folder.chosen(wanted[1] if wanted else b"1:*")
        self._about_messages(session, b"SEARCH" + b"".join(b" %d" % uid for uid in uids))
        session.ok()

    def _do_uid_fetch(self, session, argument):
        chosen, _, items = argument.partition(b" ")
        for uid in session.folder.chosen(chosen):
            self._about_messages(session, fetched(session.folder, uid, items.upper()))
        session.ok()

    def _do_uid_store(self, session, argument):
        chosen, _, rest = argument.partition(b" ")
        flags = set(re.search(rb"\(?([^()]*)\)?\Z", rest.partition(b" ")[2])[1].decode().split())
        for uid in session.folder.chosen(chosen):
            session.folder.flags[uid] |= flags
            if b"SILENT" not in rest.upper():
                self._about_messages(session, fetched(session.folder, uid, b"UID FLAGS"))
        session.ok()

    def _expunge(self, session, uids):
        for uid in uids:
            if r"\Deleted" in session.folder.flags[uid]:
                session.take(uid)
        session.ok()

    def _do_uid_expunge(self, session, argument):
        self._expunge(session, session.folder.chosen(argument))

    def _do_expunge(self, session, argument):
        self._expunge(session, sorted(session.folder.messages))

    def _do_uid_copy(self, session, argument):
        chosen, _, name = argument.partition(b" ")
        if (target := self._named(name)) is None:
            return session.no(b"[TRYCREATE] no such folder")
        for uid in session.folder.chosen(chosen):
            target.add(session.folder.messages[uid])
        return session.ok()

    def _do_uid_move(self, session, argument):
        chosen, _, name = argument.partition(b" ")
        if (target := self._named(name)) is None:
            return session.no(b"[TRYCREATE] no such folder")
        for uid in session.folder.chosen(chosen):
            target.add(session.folder.messages[uid])
            session.take(uid)
        return session.ok()

    def _do_create(self, session, argument):
        self.folders[argument.decode().strip('"')] = Folder(uidvalidity=99)
        session.ok()

    def _do_idle(self, session, argument):
        session.send(b"+ idling\r\n")
        while not session.has_more(0.02):
            if self.stopping.is_set():
                session.drop()
            session.tell_of_new()
        done = session.line()
        if done is None:
            session.drop()
        self.commands.append(b"- " + done)
        self._answer(session, "DONE", b"")

    def _do_done(self, session, argument):
        session.ok(b"idled")


def fetched(folder, uid, items):
    """The data of a FETCH reply, without "* "."""
    message = folder.messages[uid]
    parts = [b"UID %d" % uid]
    if b"FLAGS" in items:
        parts.append(b"FLAGS (" + " ".join(sorted(folder.flags[uid])).encode() + b")")
    if b"RFC822.SIZE" in items:
        parts.append(b"RFC822.SIZE %d" % len(message))
    if b"INTERNALDATE" in items:
        parts.append(b'INTERNALDATE "21-Nov-2026 10:00:00 +0000"')
    header = message[: message.index(b"\r\n\r\n") + 4]
    for section, text in ((b"BODY[]", message), (b"BODY[HEADER]", header)):
        if section in items.replace(b".PEEK", b""):
            parts.append(section + literal(text))
    return b"%d FETCH (%s)" % (folder.number(uid), b" ".join(parts))


def literal(text):
    return b" {%d}\r\n%s" % (len(text), text)
