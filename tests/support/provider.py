# SPDX-License-Identifier: Apache-2.0
"""The mail provider: a real Dovecot with POP3, STLS and POP3S, and mailboxes that
are written as Maildirs, so that no mail server alters what a test put there."""

import pathlib
import shutil

from commands import run
from waiting import wait_for, wait_for_port

POP3 = 1110
POP3S = 1995
HOST = "pop.isp.example"  # with the good certificate

_CONF = """\
base_dir = /run/dovecot-provider
state_dir = /run/dovecot-provider-state
log_path = {log}
auth_verbose = yes
protocols = pop3
listen = 127.0.0.1, 127.0.0.2, 127.0.0.3, 127.0.0.4
ssl = yes
ssl_cert = <{good[0]}
ssl_key = <{good[1]}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
mail_fsync = never
first_valid_uid = 100
mail_max_userip_connections = 100
# Not a file: Dovecot overlooks a change within one second.
passdb {{
  driver = static
  args = password=secret-of-%u
}}
userdb {{
  driver = static
  args = uid=vmail gid=vmail home={mail}/%u mail=maildir:~/Maildir
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
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


class Mailbox:
    """One mailbox at the provider."""

    def __init__(self, user, password, folder):
        self.user = user
        self.password = password
        self._folder = folder
        self._next = 1
        for name in ("", "cur", "new", "tmp"):
            path = folder / "Maildir" / name
            path.mkdir(parents=True, exist_ok=True)
            shutil.chown(path, "vmail", "vmail")
        shutil.chown(folder, "vmail", "vmail")

    def put(self, message, uid=None):
        """Add a message; return its UID."""
        uid = uid or f"m{self._next:06d}"
        self._next += 1
        draft = self._folder / "Maildir" / "tmp" / uid
        draft.write_bytes(message)
        shutil.chown(draft, "vmail", "vmail")
        draft.rename(self._folder / "Maildir" / "new" / uid)
        return uid

    def uids(self):
        """The UIDs of all messages that are still there, sorted."""
        return sorted(
            path.name.split(":")[0]
            for name in ("new", "cur")
            for path in (self._folder / "Maildir" / name).iterdir()
        )


class Provider:
    """Addresses: 127.0.0.1 has a good certificate, .2 one that has expired, .3
    one for another name, .4 one that nobody signed."""

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
        self._conf.write_text(
            _CONF.format(
                log=self._log, mail=self._mail, pop3=POP3, pop3s=POP3S,
                good=certificates.issue("pop", HOST),
            )
            + "".join(_LOCAL.format(address=a, pair=p) for a, p in others.items())
        )

    def start(self):
        run("dovecot", "-c", self._conf)
        wait_for_port("127.0.0.1", POP3S, "Dovecot")

    def stop(self):
        run("doveadm", "-c", self._conf, "stop")
        pid = pathlib.Path("/run/dovecot-provider/master.pid")
        wait_for(lambda: not pid.exists(), "Dovecot to stop")

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
