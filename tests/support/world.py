# SPDX-License-Identifier: Apache-2.0
"""Everything around Mailhaul: provider, Postfix, directory, the outside world."""

import contextlib
import os
import pathlib
import shutil

import postfix as postfix_module
from certificates import Certificates
from mailhaul import RUN, Mailhaul
from postfix import Postfix
from provider import Provider
from sink import Sink
from slapd import PEOPLE, Slapd

# Mailboxes of Postfix that the directory does not know.
OFFICE = ("office@example.org", "second@example.org", "postmaster@example.org")
CHECKOUT = pathlib.Path(__file__).resolve().parents[2]


class World:
    """All servers of the sandbox, started and stopped together."""

    def __init__(self, people=PEOPLE):
        scratch = os.environ.get("MAILHAUL_SANDBOX")
        if not scratch:
            raise SystemExit("this must run in tests/support/sandbox; use tests/run")
        self.folder = pathlib.Path(scratch)
        self._count = 0
        self.certificates = Certificates(self.folder / "certificates")
        self.sink = Sink(postfix_module.SINK_PORT)
        self.refusing = Sink(postfix_module.REFUSING_PORT, refuses=True)
        addresses = [address for listed in people.values() for address in listed]
        self.postfix = Postfix(self.folder, [
            address for address in [*addresses, *OFFICE]
            if not address.endswith(("@lan.example.org", "@outside.example"))
        ])
        self.provider = Provider(self.folder, self.certificates)
        self.slapd = Slapd(self.folder, self.certificates, people)
        self._install()

    def _install(self):
        """Copy the programs to where their users can reach them."""
        for build in sorted((CHECKOUT / "build").iterdir()):
            target = self.folder / "programs" / build.name
            for program in ("mailhaul-fetcher", "mailhaul-milter", "mailhaul"):
                if (build / program).exists():
                    target.mkdir(parents=True, exist_ok=True)
                    shutil.copy(build / program, target)
        RUN.mkdir()
        shutil.chown(RUN, "mailhaul", "mailhaul")
        RUN.chmod(0o2770)
        home = self.folder / "home" / "clara"
        home.mkdir(parents=True)
        shutil.chown(home, "clara", "clara")
        passwd = pathlib.Path("/etc/passwd")
        passwd.write_text(passwd.read_text().replace(
            "clara:x:60804:60804::/nonexistent:", f"clara:x:60804:60804::{home}:"))
        self.home = home

    def start(self):
        self.postfix.start_first()
        self.provider.start()
        self.slapd.start()

    def stop(self):
        self.slapd.stop()
        self.provider.stop()
        self.postfix.stop()
        self.sink.stop()
        self.refusing.stop()

    @contextlib.contextmanager
    def listener(self):
        """Postfix is set up for inject.method: smtp inside this block."""
        administrator = self.installation()
        administrator.command("setup", "postfix", "--method", "smtp").expect(0)
        self.postfix.stop()
        self.postfix.start()
        try:
            yield
        finally:
            administrator.command("setup", "postfix", "--undo").expect(0)
            for copy in pathlib.Path("/etc/postfix").glob("*.mailhaul-*"):
                copy.unlink()
            self.postfix.stop()
            self.postfix.start()

    def unique(self, name):
        """`name` with a number that was not used before."""
        self._count += 1
        return f"{name}{self._count}"

    def mailbox(self, name="box"):
        """A new mailbox at the provider."""
        return self.provider.mailbox(self.unique(name))

    def installation(self):
        """A new installation of Mailhaul, without accounts."""
        return Mailhaul(
            self.folder / self.unique("installation"), self.folder / "programs", self.certificates
        )
