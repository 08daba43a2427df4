# SPDX-License-Identifier: Apache-2.0
"""A mailbox asked over IMAP by imaplib, on behalf of a test."""

import base64
import contextlib
import imaplib
import re


def modified_utf7(name):
    """The name of a folder as IMAP and Maildir++ write it (RFC 3501, 5.1.3)."""

    def encode(match):
        bits = base64.b64encode(match[0].encode("utf-16-be")).decode().rstrip("=")
        return "&" + bits.replace("/", ",") + "-"

    return re.sub(r"[^\x20-\x7e]+", encode, name.replace("&", "&-"))


def quoted(folder):
    return '"' + modified_utf7(folder).replace("\\", "\\\\").replace('"', '\\"') + '"'


class ImapMailbox:
    """`user`, `password`, and where the server is: `address` and `port`."""

    user = password = None
    address = "127.0.0.1"
    port = 1143

    @contextlib.contextmanager
    def imap(self, folder=None):
        """A client of imaplib that has logged in, with `folder` selected."""
        with imaplib.IMAP4(self.address, self.port, timeout=20) as client:
            client.login(self.user, self.password)
            if folder:
                self.asked(client.select(quoted(folder)))
            yield client

    @staticmethod
    def asked(answer):
        """The data of an answer that must be OK."""
        status, data = answer
        assert status == "OK", answer
        return data

    def flags(self, folder="INBOX"):
        """{UID over IMAP: set of flags}"""
        with self.imap(folder) as client:
            lines = self.asked(client.uid("FETCH", "1:*", "(FLAGS)"))
        found = {}
        for line in filter(None, lines):
            uid = int(re.search(rb"UID (\d+)", line)[1])
            flags = re.search(rb"FLAGS \(([^)]*)\)", line)[1].decode().split()
            found[uid] = set(flags) - {"\\Recent"}
        return found

    def set_flags(self, flags, uids="1:*", folder="INBOX"):
        """Add flags, like another mail program of the same user."""
        with self.imap(folder) as client:
            self.asked(client.uid("STORE", str(uids), "+FLAGS", f"({flags})"))

    def uidvalidity(self, folder="INBOX"):
        with self.imap() as client:
            (line,) = self.asked(client.status(quoted(folder), "(UIDVALIDITY)"))
        return int(re.search(rb"UIDVALIDITY (\d+)", line)[1])
