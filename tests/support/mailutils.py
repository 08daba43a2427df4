# SPDX-License-Identifier: Apache-2.0
"""GNU Mailutils: POP3 and IMAP over mbox files and system users.

Its CAPA says EXPIRENEVER, without a blank; over IMAP it has no UIDPLUS.  When a
message was fetched it gets fields of the server's and so another size.
"""

import mailbox

from commands import run
from imap_mailbox import ImapMailbox, modified_utf7
from unpacked_server import UnpackedServer
from waiting import wait_for

_FIRST_USER = 61000
_CONF = """\
mode daemon;
foreground yes;
logging {{ facility mail; }};
pam {{ service mailhaul-test; }};
mailbox {{ mail-spool {server.mail}; mailbox-type mbox; }};
tls-file-checks {{ key-file none; cert-file none; }};
tls {{ ssl-certificate-file {server.certificate}; ssl-key-file {server.key}; }};
server {server.address}:{clear} {{ single-process no; tls-mode ondemand; }};
server {server.address}:{implicit} {{ single-process no; tls-mode connection; }};
"""
_SCRIPT = """\
chmod 1777 {server.mail}
for daemon in pop3d imap4d; do
	$daemon --config-file=/etc/$daemon.conf --daemon --foreground &
done
wait
"""


class Mailutils(UnpackedServer):
    name = "mailutils"
    address = "127.0.0.23"
    script = _SCRIPT

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._next = _FIRST_USER

    def configure(self):
        for daemon, protocol in (("pop3d", "pop3"), ("imap4d", "imap")):
            (self.etc / f"{daemon}.conf").write_text(_CONF.format(
                server=self, clear=self.ports[protocol], implicit=self.ports[f"{protocol}s"]))
        (self.etc / "pam.d" / "mailhaul-test").write_text(
            "auth required pam_unix.so\naccount required pam_unix.so\n")

    def mailbox(self, user):
        password = f"secret-of-{user}"
        home = self.folder / "home" / user
        home.mkdir(parents=True)
        run("chown", f"{self._next}:{self._next}", home)
        self.add_user(user, self._next, home, run("openssl", "passwd", "-6", password).strip())
        self._next += 1
        return MailutilsMailbox(user, password, self.mail / user, home, self._next - 1)


class MailutilsMailbox(ImapMailbox):
    """One mbox file, and further ones in the home folder."""

    address = Mailutils.address

    def __init__(self, user, password, path, home, uid):
        self.user = user
        self.password = password
        self._path = path
        self._home = home
        self._uid = uid

    def _mbox(self, folder):
        path = self._path if folder == "INBOX" else self._home / modified_utf7(folder)
        box = mailbox.mbox(path)
        run("chown", f"{self._uid}:{self._uid}", path)
        path.chmod(0o660)
        return box

    def put(self, message, folder="INBOX"):
        box = self._mbox(folder)
        wait_for(lambda: self._locked(box), "the lock of the mbox")
        box.add(message.replace(b"\r\n", b"\n"))
        box.close()

    @staticmethod
    def _locked(box):
        """Not while the server has it."""
        try:
            box.lock()
            return True
        except mailbox.ExternalClashError:
            return False

    def uids(self, folder="INBOX"):
        """The Message-ID of each that is still there."""
        box = self._mbox(folder)
        return [message["Message-ID"] for message in box]
