# SPDX-License-Identifier: Apache-2.0
"""A real Postfix in the sandbox, and what its log says about each message."""

import contextlib
import pathlib
import re
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field

from commands import run
from waiting import wait_for, wait_for_port

LOG = pathlib.Path("/var/log/mail.log")
QUEUE = pathlib.Path("/var/spool/postfix")
MILTER = (
    "{ unix:mailhaul/milter.sock, default_action=tempfail, connect_timeout=5s,"
    " command_timeout=30s, content_timeout=60s }"
)
SINK_PORT = 2526
REFUSING_PORT = 2527

_QUEUE_LINE = re.compile(r" postfix/(\S+?)\[\d+\]: ([0-9A-F]{6,}): (.*)$")
_BEGINNERS = ("pickup", "smtpd", "cleanup")
_STATUS = re.compile(r"to=<([^>]*)>,(?: orig_to=<([^>]*)>,)? relay=(\S+),.* status=(\w+) \((.*)\)$")


@dataclass
class Queued:
    """What Postfix logged about one queue id."""

    queue_id: str
    message_id: str = ""
    sender: str = ""
    removed: bool = False
    sent: list = field(default_factory=list)  # addresses
    bounced: list = field(default_factory=list)
    deferred: list = field(default_factory=list)


def parse_log(text):
    """{queue id: Queued} of the messages that begin there: of one from before only
    the end may be there, since qmgr(8) logs that after the file is gone."""
    queue = {}
    for line in text.splitlines():
        if not (match := _QUEUE_LINE.search(line)):
            continue
        service, queue_id, rest = match.groups()
        begins = service.rpartition("/")[2] in _BEGINNERS
        if service == "postsuper" or not (begins or queue_id in queue):
            continue
        entry = queue.setdefault(queue_id, Queued(queue_id))
        if status := _STATUS.match(rest):
            getattr(entry, status[4], []).append(status[1])
        elif rest.startswith("message-id="):
            entry.message_id = rest.removeprefix("message-id=")
        elif rest.startswith("from="):
            entry.sender = rest[6 : rest.index(">")]
        elif rest == "removed":
            entry.removed = True
    return queue


class Postfix:
    """Started once for all tests; settings can be changed for a while.

    `mailboxes`: the addresses of virtual(8); mail for any other one bounces.
    """

    def __init__(self, folder, mailboxes):
        self.mail = pathlib.Path(folder) / "delivered"  # DOMAIN/LOCAL/new/…
        self.milter_folder = QUEUE / "mailhaul"
        self._mailboxes = sorted(set(mailboxes))
        self._picked_up = 0

    def start_first(self):
        """Debian's own master.cf (cleanup and smtpd in a chroot), our main.cf."""
        self.mail.mkdir()
        shutil.chown(self.mail, "vmail", "vmail")
        etc = pathlib.Path("/etc/postfix")
        shutil.copy("/usr/share/postfix/master.cf.dist", etc / "master.cf")
        pairs = (address.split("@") for address in self._mailboxes)
        (etc / "mailboxes").write_text(
            "".join(f"{local}@{domain} {domain}/{local}/\n" for local, domain in pairs)
        )
        (etc / "main.cf").write_text("".join(f"{k} = {v}\n" for k, v in self._main_cf().items()))
        self.milter_folder.mkdir()
        shutil.chown(self.milter_folder, "mailhaul-milter", "postfix")
        self.milter_folder.chmod(0o2710)
        LOG.touch()
        self.start()

    def _main_cf(self):
        return {
            "compatibility_level": "3.6",
            "maillog_file": LOG,
            "myhostname": "mx.example.org",
            "mydomain": "example.org",
            "myorigin": "example.org",
            "mydestination": "localhost, lan.example.org",
            "mynetworks": "127.0.0.0/8",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "disable_dns_lookups": "yes",
            "smtp_host_lookup": "native",
            "relayhost": f"[127.0.0.1]:{SINK_PORT}",
            "alias_maps": "",
            "alias_database": "",
            "home_mailbox": "Maildir/",
            "virtual_mailbox_domains": ", ".join({a.split("@")[1] for a in self._mailboxes}),
            "virtual_mailbox_base": self.mail,
            "virtual_mailbox_maps": "texthash:/etc/postfix/mailboxes",
            "virtual_mailbox_limit": "0",
            "mailbox_size_limit": "0",
            "virtual_uid_maps": "static:60803",
            "virtual_gid_maps": "static:60803",
            "transport_maps": f"inline:{{ {{ refused@example.org = smtp:[127.0.0.1]:{REFUSING_PORT} }} }}",
            "non_smtpd_milters": MILTER,
            "notify_classes": "bounce, 2bounce, resource, software",
            "smtputf8_autodetect_classes": "verify",
        }

    def start(self):
        run("postfix", "start")
        wait_for_port("127.0.0.1", 25, "Postfix")

    def stop(self):
        run("postfix", "stop")

    @contextlib.contextmanager
    def stopped(self):
        """No Postfix daemon runs inside this block."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextlib.contextmanager
    def written(self, **values):
        """main.cf has these values; Postfix's daemons are not told."""
        main_cf = pathlib.Path("/etc/postfix/main.cf")
        saved = main_cf.read_bytes()
        run("postconf", "-e", *(f"{name}={value}" for name, value in values.items()))
        try:
            yield
        finally:
            main_cf.write_bytes(saved)

    @contextlib.contextmanager
    def settings(self, **values):
        """main.cf has these values inside this block."""
        saved = {
            name: run("postconf", "-h", name).strip()
            for name in values
        }
        self._configure(values)
        try:
            yield
        finally:
            self._configure(saved)

    def _configure(self, values):
        run("postconf", "-e", *(f"{name}={value}" for name, value in values.items()))
        # Not `reload`: a daemon that is busy at that moment keeps the old values.
        self.stop()
        self.start()

    def log_size(self):
        return LOG.stat().st_size

    def log(self, since=0):
        with LOG.open("rb") as file:
            file.seek(since)
            return file.read().decode("utf-8", "replace")

    def messages(self, since=0):
        """What became of each queue id that is named in the log from there."""
        return parse_log(self.log(since))

    def waiting(self):
        """The queue files that are not finished: {folder: count}."""
        found = {}
        for name in ("maildrop", "incoming", "active", "deferred", "hold"):
            count = sum(1 for path in (QUEUE / name).rglob("*") if path.is_file())
            if count:
                found[name] = count
        return found

    def wait_until_idle(self, timeout=60):
        """Every message has reached its end, and the log has what became of it."""
        wait_for(
            lambda: self._is_idle() or self._pick_up(),
            "an empty Postfix queue",
            timeout,
            lambda: f"{self.waiting()}\n{self.log()[-6000:]}",
        )
        self._wait_for_log()

    def _is_idle(self):
        """Twice: a bounce may have come into a folder that was looked at already."""
        return not self.waiting() and not self.waiting()

    def _wait_for_log(self):
        """What the daemons said goes through postlogd(8), one line after the other."""
        begun = self.log_size()
        line = f"tests: idle at {time.monotonic_ns()}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as postlogd:
            try:
                postlogd.sendto(line.encode(), str(QUEUE / "public/postlog"))
            except OSError:
                return  # Postfix is stopped
        wait_for(lambda: line in self.log(begun), "Postfix's log")

    def _pick_up(self):
        """What could not be taken from maildrop is tried again now, not in a minute."""
        if time.monotonic() - self._picked_up > 1 and any((QUEUE / "maildrop").iterdir()):
            self._picked_up = time.monotonic()
            subprocess.run(["postkick", "public", "pickup", "W"], check=False, timeout=20)

    def empty_queue(self):
        """Throw away whatever a test left."""
        run("postsuper", "-d", "ALL")

    def delivered(self):
        """{address: [message bytes, …]} of all mailboxes of virtual(8)."""
        found = {}
        for path in sorted(self.mail.glob("*/*/new/*")):
            local, domain = path.parts[-3], path.parts[-4]
            found.setdefault(f"{local}@{domain}", []).append(path.read_bytes())
        return found

    def forget_delivered(self):
        for path in self.mail.iterdir():
            shutil.rmtree(path)
