# SPDX-License-Identifier: Apache-2.0
"""A real Sendmail, unpacked beside Postfix by tests/support/sendmail-root.

Relays everything to a sink of its own; nothing reaches the world.
"""

import pathlib
import subprocess

from commands import run
from sink import Sink
from waiting import wait_for, wait_for_port

SUPPORT = pathlib.Path(__file__).resolve().parent
PORT, SINK_PORT = 2530, 2531
SOCKET = "/var/spool/postfix/mailhaul/milter.sock"

# Names come from /etc/hosts, queue and log from `folder`.
_MC = """\
include(`{cf}/m4/cf.m4')
OSTYPE(`linux')
define(`_USE_ETC_MAIL_')
define(`SMART_HOST', `relay:[127.0.0.1]')
define(`RELAY_MAILER_ARGS', `TCP $h {sink}')
define(`confTO_ICONNECT', `5s')
define(`confDOMAIN_NAME', `mx.example.org')
define(`confDONT_PROBE_INTERFACES', `True')
define(`confPID_FILE', `{folder}/sendmail.pid')
define(`QUEUE_DIR', `{folder}/queue')
define(`STATUS_FILE', `{folder}/statistics')
define(`HELP_FILE', `{root}/etc/mail/helpfile')
define(`ALIAS_FILE', `')
define(`confSERVICE_SWITCH_FILE', `{folder}/switch')
define(`confMILTER_MACROS_CONNECT', `j, _, {{daemon_name}}, {{if_name}}, {{if_addr}}')
define(`confREJECT_LOG_INTERVAL', `1s')
define(`confBAD_RCPT_THROTTLE', `0')
define(`confCONNECTION_RATE_THROTTLE', `0')
FEATURE(`promiscuous_relay')
FEATURE(`accept_unresolvable_domains')
FEATURE(`nocanonify')
FEATURE(`no_default_msa')
DAEMON_OPTIONS(`Name=MTA, Family=inet, Addr=127.0.0.1, Port={port}')
INPUT_MAIL_FILTER(`mailhaul', `S=local:{socket}, F=T, T=C:10s;S:10s;R:30s;E:60s')
MAILER(`smtp')
"""


class SendmailMta:
    """Start it after the milter: it asks at each connection, F=T."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder) / "sendmail"
        self.root = pathlib.Path(run(SUPPORT / "sendmail-root").strip().splitlines()[-1])
        self.sink = None  # .messages is what it relayed
        self._log = self.folder / "log"
        self._process = None

    def start(self):
        (self.folder / "queue").mkdir(parents=True, exist_ok=True)
        (self.folder / "queue").chmod(0o700)
        (self.folder / "switch").write_text("hosts files\naliases files\n")
        (self.folder / "sendmail.mc").write_text(_MC.format(
            cf=self.root / "usr/share/sendmail/cf", root=self.root, folder=self.folder,
            port=PORT, sink=SINK_PORT, socket=SOCKET,
        ))
        with (self.folder / "sendmail.cf").open("w") as out:
            subprocess.run(
                ["m4", "-D", f"_CF_DIR_={self.root}/usr/share/sendmail/cf/",
                 self.folder / "sendmail.mc"],
                stdout=out, check=True, timeout=30,
            )
        self.sink = Sink(SINK_PORT)
        log = self._log.open("ab")
        self._process = subprocess.Popen(
            [self.root / "usr/libexec/sendmail/sendmail", "-C", self.folder / "sendmail.cf",
             "-D", self._log, "-X", self.folder / "wire", "-bD", "-q1s"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )
        log.close()
        wait_for_port("127.0.0.1", PORT, "Sendmail")

    def stop(self):
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            self._process = None
        if self.sink is not None:
            self.sink.stop()
            self.sink = None

    def waiting(self):
        """The messages in its queue."""
        return sum(1 for path in (self.folder / "queue").iterdir() if path.name.startswith("qf"))

    def wait_until_idle(self, timeout=30):
        wait_for(lambda: not self.waiting(), "an empty Sendmail queue", timeout, self.log)

    def log(self):
        """What it said, and its conversations word by word."""
        texts = [path.read_text("utf-8", "replace") if path.exists() else ""
                 for path in (self._log, self.folder / "wire")]
        return "\n".join(texts)
