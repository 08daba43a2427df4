# SPDX-License-Identifier: Apache-2.0
"""The mail provider: a real Dovecot with POP3 and IMAP, each with STARTTLS and over
TLS, and mailboxes that are written as Maildirs, so that no mail server alters
what a test put there."""

import os
import pathlib
import shutil

from commands import run
from imap_mailbox import ImapMailbox, modified_utf7
from oauth2 import TokenServer
from waiting import wait_for, wait_for_port

# The standard ports are open, too.
PORTS = {"pop3": 1110, "pop3s": 1995, "imap": 1143, "imaps": 1993}
POP3, POP3S, IMAP, IMAPS = PORTS.values()
HOST = "pop.isp.example"  # with the good certificate
# Also takes certificates of clients, whose name is the user's.
CERTIFICATE_HOST, CERTIFICATE_ADDRESS = "certificate.isp.example", "127.0.0.9"

# Hosts with a good certificate that do not name these capabilities over IMAP.
_CAPABILITIES = ("SASL-IR ID ENABLE IDLE UNSELECT CHILDREN NAMESPACE UIDPLUS LIST-EXTENDED "
                 "CONDSTORE QRESYNC ESEARCH LIST-STATUS MOVE LITERAL+ SPECIAL-USE").split()
LACKING = {
    "without-uidplus.isp.example": ("127.0.0.5", {"UIDPLUS"}),
    "without-idle.isp.example": ("127.0.0.6", {"IDLE"}),
    "without-move.isp.example": ("127.0.0.7", {"MOVE"}),
    "bare.isp.example": ("127.0.0.8", set(_CAPABILITIES)),
}

_CONF = """\
base_dir = /run/dovecot-provider
state_dir = /run/dovecot-provider-state
log_path = {log}
auth_verbose = yes
protocols = pop3 imap
listen = 127.0.0.1, 127.0.0.2, 127.0.0.3, 127.0.0.4, 127.0.0.5, 127.0.0.6, 127.0.0.7, 127.0.0.8, 127.0.0.9
ssl = yes
ssl_cert = <{good[0]}
ssl_key = <{good[1]}
disable_plaintext_auth = no
auth_mechanisms = plain login scram-sha-256 xoauth2 oauthbearer external
auth_ssl_username_from_cert = yes
auth_failure_delay = 0
mail_fsync = never
first_valid_uid = 100
default_client_limit = 4000
default_process_limit = 2000
mail_max_userip_connections = 2000
# Where the machine has no more inotify instances to give.
mailbox_idle_check_interval = 1 s
maildir_very_dirty_syncs = no
rawlog_dir = {mail}/%u/rawlog
# The certificate was the proof; see CERTIFICATE_HOST.
passdb {{
  driver = static
  mechanisms = external
  args = nopassword
}}
{tokens.passdb}\
# Not a file: Dovecot overlooks a change within one second.
passdb {{
  driver = static
  mechanisms = plain login scram-sha-256
  args = password=secret-of-%u
}}
userdb {{
  driver = static
  args = uid=vmail gid=vmail home={mail}/%u mail=maildir:~/Maildir
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {ports[pop3]}
  }}
  inet_listener pop3s {{
    port = {ports[pop3s]}
    ssl = yes
  }}
  inet_listener pop3_standard {{
    port = 110
  }}
  inet_listener pop3s_standard {{
    port = 995
    ssl = yes
  }}
}}
service imap-login {{
  service_count = 0
  inet_listener imap {{
    port = {ports[imap]}
  }}
  inet_listener imaps {{
    port = {ports[imaps]}
    ssl = yes
  }}
  inet_listener imap_standard {{
    port = 143
  }}
  inet_listener imaps_standard {{
    port = 993
    ssl = yes
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
protocol pop3 {{
  pop3_uidl_format = %g
}}
"""
_LOCAL = """\
local {address} {{
  ssl_cert = <{pair[0]}
  ssl_key = <{pair[1]}
}}
"""
_LOCAL_CERTIFICATE = """\
local {address} {{
  ssl_ca = <{ca}
  ssl_verify_client_cert = yes
  ssl_require_crl = no
}}
"""
_LOCAL_CAPABILITY = """\
local {address} {{
  protocol imap {{
    imap_capability = {capability}
  }}
}}
"""


class Mailbox(ImapMailbox):
    """One mailbox at the provider.  Folders are named as over IMAP, with "/"."""

    def __init__(self, user, password, home):
        self.user = user
        self.password = password
        self._home = home
        self._next = 1
        self._folder("INBOX")
        shutil.chown(home, "vmail", "vmail")

    def _folder(self, name):
        """The Maildir of a folder, which is made if need be."""
        folder = self._home / "Maildir"
        if name.upper() != "INBOX":
            folder /= "." + self.on_disk(name).replace("/", ".")
        for part in (folder.parent, folder, folder / "cur", folder / "new", folder / "tmp"):
            if not part.exists():
                part.mkdir()
                shutil.chown(part, "vmail", "vmail")
        if folder.name != "Maildir" and not (folder / "maildirfolder").exists():
            (folder / "maildirfolder").touch()
        return folder

    on_disk = staticmethod(modified_utf7)

    def put(self, message, uid=None, folder="INBOX"):
        """Add a message; return its UID (over POP3; over IMAP it gets another)."""
        uid = uid or f"m{self._next:06d}"
        self._next += 1
        maildir = self._folder(folder)
        draft = maildir / "tmp" / uid
        draft.write_bytes(message)
        shutil.chown(draft, "vmail", "vmail")
        draft.rename(maildir / "new" / uid)
        return uid

    def put_many(self, message, count):
        """As put(), fast: links to a few files, since a file has 65,000 names at
        most.  The names tell the size, as Dovecot's own do."""
        sizes = f"S={len(message)},W={len(message) + message.count(b'%c' % 10)}"
        first = None
        for number in range(count):
            name = f"{1700000000 + number}.M1P1.isp,{sizes}"
            if number % 10000 == 0:
                self.put(message, name)
                first = self._folder("INBOX") / "new" / name
            else:
                os.link(first, first.with_name(name))

    def uids(self, folder="INBOX"):
        """The UIDs of all messages that are still there, sorted.  Those that are
        only marked as deleted are still there."""
        return sorted(path.name.split(":")[0] for path in self._files(folder))

    def messages(self, folder="INBOX"):
        """What is stored, in the order of the UIDs."""
        return [path.read_bytes() for path in sorted(self._files(folder))]

    def _files(self, folder):
        """One for each message, which a server may move from new to cur meanwhile."""
        maildir = self._folder(folder)
        found = {}
        for name in ("new", "cur"):
            found.update((path.name.split(":")[0], path) for path in (maildir / name).iterdir())
        return found.values()

    def make_folder(self, *names):
        for name in names:
            self._folder(name)

    def change_uidvalidity(self, folder="INBOX"):
        """As when an administrator restores the mailbox: new UIDs, too."""
        old = self.uidvalidity(folder)
        maildir = self._folder(folder)
        # The last number given is kept: the next one is higher.
        for path in maildir.glob("dovecot*"):
            if not path.name.startswith(("dovecot-keywords", "dovecot-uidvalidity")):
                path.unlink()
        assert self.uidvalidity(folder) != old

    def change_uids(self, prefix="moved"):
        """As after a move to another server: all messages get other UIDs (over POP3)."""
        for path in self._files("INBOX"):
            path.rename(path.with_name(prefix + path.name))

    def record(self):
        """From now on, commands() knows what clients say after they logged in."""
        folder = self._home / "rawlog"
        folder.mkdir()
        shutil.chown(folder, "vmail", "vmail")

    def commands(self):
        """The lines of all clients since record(), by connection."""
        logs = sorted((self._home / "rawlog").glob("*.in"), key=lambda path: path.stat().st_ctime)
        return [log.read_text("utf-8", "replace").splitlines() for log in logs]

    def replies(self):
        """What the server said since record(): [(time.time(), line)]."""
        lines = [
            line.split(" ", 1)
            for log in (self._home / "rawlog").glob("*.out")
            for line in log.read_text("utf-8", "replace").splitlines()
        ]
        return sorted((float(when), text) for when, text in lines)


class Provider:
    """Addresses: 127.0.0.1 has a good certificate, .2 one that has expired, .3
    one for another name, .4 one that nobody signed; see CERTIFICATE_HOST and
    LACKING for more.  `tokens` gives the mailboxes' tokens."""

    name = "dovecot"
    host = HOST
    stores_nul = True

    def __init__(self, folder, certificates):
        self._folder = pathlib.Path(folder) / "provider"
        self._folder.mkdir()
        self._mail = self._folder / "mail"
        self._log = self._folder / "dovecot.log"
        self._conf = self._folder / "dovecot.conf"
        others = {
            "127.0.0.2": certificates.issue("expired", "expired.isp.example", days=-1),
            "127.0.0.3": certificates.issue("wrong-name", "other.isp.example"),
            "127.0.0.4": certificates.self_signed("self-signed", "self-signed.isp.example"),
        }
        self.tokens = TokenServer(self._folder / "tokens")
        self._conf.write_text(
            _CONF.format(
                log=self._log, mail=self._mail, ports=PORTS, tokens=self.tokens,
                good=certificates.issue("pop", HOST, "imap.isp.example", CERTIFICATE_HOST, *LACKING),
            )
            + _LOCAL_CERTIFICATE.format(address=CERTIFICATE_ADDRESS, ca=certificates.ca)
            + "".join(_LOCAL.format(address=a, pair=p) for a, p in others.items())
            + "".join(
                _LOCAL_CAPABILITY.format(
                    address=address,
                    capability=" ".join(["IMAP4rev1", *(c for c in _CAPABILITIES if c not in lacking)]),
                )
                for address, lacking in LACKING.values()
            )
        )

    def configure(self, text):
        """More settings, which win; before start()."""
        with self._conf.open("a") as conf:
            conf.write(text)

    def start(self):
        self.tokens.start()
        run("dovecot", "-c", self._conf)
        for port in PORTS.values():
            wait_for_port("127.0.0.1", port, "Dovecot")

    def stop(self):
        run("doveadm", "-c", self._conf, "stop")
        pid = pathlib.Path("/run/dovecot-provider/master.pid")
        wait_for(lambda: not pid.exists(), "Dovecot to stop")
        self.tokens.stop()

    def folder_name(self, name):
        return name

    def mailbox(self, user):
        """Make a new mailbox."""
        home = self._mail / user
        home.mkdir(parents=True)
        return Mailbox(user, f"secret-of-{user}", home)

    def log_size(self):
        return self._log.stat().st_size if self._log.exists() else 0

    def log(self, since=0):
        with self._log.open("rb") as file:
            file.seek(since)
            return file.read().decode("utf-8", "replace")
