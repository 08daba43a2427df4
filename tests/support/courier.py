# SPDX-License-Identifier: Apache-2.0
"""Courier: POP3 and IMAP over Maildirs, as many a small provider has it.

Announces LOGIN-DELAY, lists over POP3 in an order of its own, has no LITERAL+.
"""

import os
import pathlib
import re

from provider import Mailbox
from unpacked_server import UnpackedServer

_USER = 60902
_SCRIPT = """\
mkdir -p /run/courier/authdaemon
chown -R courier:courier /run/courier
chmod 755 /run/courier /run/courier/authdaemon
/usr/sbin/authdaemond start
for daemon in pop3d imapd pop3d-ssl imapd-ssl; do /usr/lib/courier/$daemon start; done
sleep infinity & wait
"""


class Courier(UnpackedServer):
    name = "courier"
    address = "127.0.0.22"
    script = _SCRIPT

    def configure(self):
        self.add_user("courier", _USER)
        self._set("authdaemonrc", authmodulelist="authuserdb")
        for daemon in ("pop3d", "imapd"):
            self._set(daemon, PORT=self.ports[daemon[:-1]], ADDRESS=self.address, MAXPERIP=40)
            self._set(f"{daemon}-ssl", SSLPORT=self.ports[f"{daemon[:-1]}s"], SSLADDRESS=self.address,
                      TLS_CACHEFILE="", TLS_DHPARAMS="", TLS_CERTFILE="/etc/courier/certificate")
        self._set("imapd", IMAP_IDLE_TIMEOUT=1)
        pem = b"".join(pathlib.Path(part).read_bytes() for part in (self.key, self.certificate))
        certificate = self.etc / "courier" / "certificate"
        certificate.write_bytes(pem)
        certificate.chmod(0o600)
        # The process that talks to a client before its log-in is no longer root.
        os.chown(certificate, _USER, _USER)
        (self.etc / "courier" / "imapaccess").touch()
        (self.etc / "courier" / "userdb").touch()
        (self.etc / "courier" / "userdb").chmod(0o700)

    def folder_name(self, name):
        return f"INBOX.{name}"

    def _set(self, name, **settings):
        path = self.etc / "courier" / name
        text = path.read_text()
        for key, value in settings.items():
            text, count = re.subn(rf"^{key}=.*$", f'{key}="{value}"', text, flags=re.M)
            assert count, f"no {key} in {name}"
        path.write_text(text)

    def mailbox(self, user):
        home = self.mail / user
        home.mkdir()
        box = CourierMailbox(user, f"secret-of-{user}", home)
        box.address = self.address
        self.run_inside("bash", "-euc", f"""
            secret=$(echo {box.password} | userdbpw -md5)
            userdb {user} set home={home} mail={home}/Maildir uid=60803 gid=60803 systempw=$secret
            makeuserdb""")
        return box


class CourierMailbox(Mailbox):
    """Courier has the same Maildirs, but other sub-folders: INBOX.name, in
    UTF-8 on the disk."""

    @staticmethod
    def on_disk(name):
        return name

    def _folder(self, name):
        return super()._folder(name.removeprefix("INBOX.").replace(".", "/"))
