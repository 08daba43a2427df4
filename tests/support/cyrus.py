# SPDX-License-Identifier: Apache-2.0
"""Cyrus: POP3 and IMAP, SCRAM, and a store of its own that is filled over IMAP."""

import pathlib

from commands import run
from imap_mailbox import ImapMailbox, quoted
from unpacked_server import UnpackedServer

_USER = 60901
_IMAPD = """\
configdirectory: {conf}
proc_path: {conf}/run/proc
mboxname_lockpath: {conf}/run/lock
defaultpartition: default
partition-default: {server.mail}
admins: cyrus
autocreate_quota: 0
autocreate_post: yes
popminpoll: 0
virtdomains: off
allowplaintext: yes
maxlogins_per_user: 0
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {conf}/sasldb2
sasl_mech_list: {server.mechanisms}
lmtpsocket: {conf}/run/lmtp
idlesocket: {conf}/run/idle
notifysocket: {conf}/run/notify
tls_server_cert: {conf}/certificate
tls_server_key: {conf}/key
"""
_SERVICES = """\
START {{
  recover cmd="ctl_cyrusdb -C {conf}/imapd.conf -r"
  idled cmd="idled -C {conf}/imapd.conf"
}}
SERVICES {{
  imap cmd="imapd -C {conf}/imapd.conf" listen="{server.address}:{ports[imap]}" prefork=1
  imaps cmd="imapd -s -C {conf}/imapd.conf" listen="{server.address}:{ports[imaps]}" prefork=1
  pop3 cmd="pop3d -C {conf}/imapd.conf" listen="{server.address}:{ports[pop3]}" prefork=1
  pop3s cmd="pop3d -s -C {conf}/imapd.conf" listen="{server.address}:{ports[pop3s]}" prefork=1
}}
EVENTS {{
}}
"""


class Cyrus(UnpackedServer):
    """Refuses NUL in messages.  UIDs over POP3 are UIDVALIDITY.UID."""

    name = "cyrus"
    address = "127.0.0.21"
    stores_nul = False
    mechanisms = "PLAIN LOGIN SCRAM-SHA-256"
    script = "exec /usr/lib/cyrus/bin/master -C {server.conf}/imapd.conf -M {server.conf}/cyrus.conf\n"

    @property
    def conf(self):
        return self.folder / "conf"

    def configure(self):
        self.add_user("cyrus", _USER)
        for name in ("db", "socket", "log", "msg", "run/proc", "run/lock"):
            (self.conf / name).mkdir(parents=True)
        names = {"conf": self.conf, "server": self, "ports": self.ports}
        (self.conf / "imapd.conf").write_text(_IMAPD.format(**names))
        (self.conf / "cyrus.conf").write_text(_SERVICES.format(**names))
        for name, source in (("certificate", self.certificate), ("key", self.key)):
            (self.conf / name).write_bytes(pathlib.Path(source).read_bytes())
        run("chown", "-R", f"{_USER}:{_USER}", self.conf, self.mail)

    def mailbox(self, user):
        self.run_inside(
            "setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups",
            "saslpasswd2", "-p", "-c", "-f", self.conf / "sasldb2", "-u", "mx.example.org", user,
            input=f"secret-of-{user}\n".encode(),
        )
        return CyrusMailbox(user, f"secret-of-{user}", self.address)


class CyrusMailbox(ImapMailbox):
    """Asked and filled over IMAP."""

    def __init__(self, user, password, address):
        self.user = user
        self.password = password
        self.address = address

    def put(self, message, folder="INBOX"):
        with self.imap() as client:
            if folder != "INBOX":
                client.create(quoted(folder))
            wire = message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            self.asked(client.append(quoted(folder), None, None, wire))

    def uids(self, folder="INBOX"):
        with self.imap(folder) as client:
            return client.uid("SEARCH", "ALL")[1][0].split()
