# SPDX-License-Identifier: Apache-2.0
"""A mail server that tests/support/unpacked-root unpacked, run in a root of its own.

Each has an address and a host name of its own (see tests/support/sandbox), a good
certificate for that name, and the provider's ports.
"""

import contextlib
import pathlib
import socket
import subprocess
import threading

from commands import run
from provider import PORTS
from waiting import wait_for_port

SUPPORT = pathlib.Path(__file__).resolve().parent


class UnpackedServer:
    """What Cyrus, Courier and Mailutils have in common.

    They give `name`, `address`, configure(): write below self.etc, the server's
    /etc; `script`: starts the daemons; and mailbox(user), whose
    put(message, folder) and uids(folder) are like those of the provider.
    """

    name = address = script = None
    ports = PORTS
    stores_nul = True

    def __init__(self, folder, certificates):
        self.folder = pathlib.Path(folder) / self.name
        self.folder.mkdir()
        self.etc = self.folder / "etc"
        self.mail = self.folder / "mail"
        self.mail.mkdir()
        self.host = f"{self.name}.isp.example"
        self.certificate, self.key = certificates.issue(self.name, self.host)
        self._root = run(SUPPORT / "unpacked-root", self.name).strip().splitlines()[-1]
        self._process = None
        self._syslog = None

    def start(self):
        run("cp", "-a", "/etc", self.etc)
        if (pathlib.Path(self._root) / "etc").exists():
            run("cp", "-a", f"{self._root}/etc/.", self.etc)
        self.configure()
        (self.folder / "start").write_text(self.script.format(server=self, ports=self.ports))
        self._listen_to_syslog()
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._inside("bash", "-eu", self.folder / "start"),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )
        try:
            for port in self.ports.values():
                wait_for_port(self.address, port, self.name)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.log()}") from None

    def stop(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
            self._process = None
            self._syslog.close()

    def folder_name(self, name):
        """What the server calls a further folder of that name."""
        return name

    def log(self):
        return (self.folder / "log").read_text("utf-8", "replace")

    def _inside(self, *command):
        return [SUPPORT / "in-root", self._root, self.etc, *map(str, command)]

    def run_inside(self, *command, **options):
        """Run a command of the server's package."""
        return subprocess.run(
            self._inside(*command), check=True, timeout=30, capture_output=True, **options
        ).stdout

    def _listen_to_syslog(self):
        """Only syslog says what went wrong."""
        self._syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._syslog.bind(str(self.etc / "log"))
        (self.etc / "log").chmod(0o666)
        threading.Thread(target=self._write_syslog, args=(self._syslog,), daemon=True).start()

    def _write_syslog(self, source):
        with (self.folder / "log").open("ab", buffering=0) as log, contextlib.suppress(OSError):
            while line := source.recv(8192):
                log.write(line.rstrip(b"\0\n") + b"\n")

    def add_user(self, name, uid, home="/nonexistent", password="!"):
        """A system user of the server's own."""
        with (self.etc / "passwd").open("a") as file:
            file.write(f"{name}:x:{uid}:{uid}::{home}:/bin/sh\n")
        with (self.etc / "group").open("a") as file:
            file.write(f"{name}:x:{uid}:\n")
        with (self.etc / "shadow").open("a") as file:
            file.write(f"{name}:{password}:19000:0:99999:7:::\n")

