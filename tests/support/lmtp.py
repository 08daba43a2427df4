# SPDX-License-Identifier: Apache-2.0
"""A real Dovecot that Postfix delivers to by LMTP, with a Sieve script for each
mailbox: the mail store of the company, or the one behind the provider."""

import pathlib
import shutil

from commands import run
from waiting import wait_for, wait_for_port

_CONF = """\
base_dir = /run/dovecot-{name}
state_dir = /run/dovecot-{name}-state
log_path = {folder}/log
protocols = lmtp
listen = 127.0.0.1
ssl = no
hostname = {name}.example
postmaster_address = postmaster@example.org
mail_fsync = never
first_valid_uid = 100
lmtp_save_to_detail_mailbox = no
passdb {{
  driver = static
  args = nopassword
}}
userdb {{
  driver = static
  args = uid=vmail gid=vmail home={mail}/%n mail=maildir:~/Maildir allow_all_users=yes
}}
service lmtp {{
  inet_listener lmtp {{
    port = {port}
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
protocol lmtp {{
  mail_plugins = sieve
}}
plugin {{
  sieve = file:~/script.sieve
}}
"""
VACATION = """\
require "vacation";
vacation :days 1 "I am away.";
"""


class Lmtp:
    """`mail`: the folder of the homes, one for each local part."""

    def __init__(self, folder, name, port, mail=None):
        self._folder = pathlib.Path(folder) / f"lmtp-{name}"
        self._folder.mkdir()
        self._mail = pathlib.Path(mail or self._folder / "mail")
        self._mail.mkdir(exist_ok=True)
        shutil.chown(self._mail, "vmail", "vmail")
        self._pid = pathlib.Path(f"/run/dovecot-{name}/master.pid")
        self._port = port
        self._conf = self._folder / "dovecot.conf"
        self._conf.write_text(_CONF.format(folder=self._folder, name=name, port=port, mail=self._mail))
        self.transport = f"lmtp:inet:127.0.0.1:{port}"

    def __enter__(self):
        run("dovecot", "-c", self._conf)
        wait_for_port("127.0.0.1", self._port, "Dovecot's LMTP")
        return self

    def __exit__(self, *_):
        run("doveadm", "-c", self._conf, "stop")
        wait_for(lambda: not self._pid.exists(), "Dovecot to stop")

    def sieve(self, local, script):
        """Whoever has this local part has this script."""
        home = self._mail / local
        home.mkdir(exist_ok=True)
        (home / "script.sieve").write_text(script)
        for path in (home, home / "script.sieve"):
            shutil.chown(path, "vmail", "vmail")

    def delivered(self):
        """{local part: [message, …]}"""
        found = {}
        for path in sorted(self._mail.glob("*/Maildir/new/*")):
            found.setdefault(path.parts[-4], []).append(path.read_bytes())
        return found

    def log(self):
        return (self._folder / "log").read_text("utf-8", "replace")
