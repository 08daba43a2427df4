# SPDX-License-Identifier: Apache-2.0
"""See tests/bench/peers.

Each program collects the same messages over verified TLS, hands each to
sendmail(1) (Mailhaul to the listener, too) and deletes it at the provider; the clock stops when Postfix's queue
is empty.  fetchmail and mpop deliver to one fixed recipient; Mailhaul also
finds the recipients, and asks the directory through its milter.
"""

import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from mails import mail  # noqa: E402
from postfix import MILTER  # noqa: E402
from provider import HOST, IMAPS, POP3S  # noqa: E402
from relay import Relay  # noqa: E402
from world import World  # noqa: E402

RECIPIENT = "anna@example.org"
SENDMAIL = f"/usr/sbin/sendmail -i -f %F -- {RECIPIENT}"


class Peer:
    """One program; `collect` takes all of a mailbox."""

    milter = ""
    protocol = "pop3"

    def __init__(self, world, ports):
        self.world = world
        self.port = ports[self.protocol]
        self.ca = str(world.certificates.ca)
        self.folder = world.folder / self.name
        self.folder.mkdir()
        self.folder.chmod(0o777)

    def config(self, text):
        path = self.folder / "rc"
        path.write_text(text)
        path.chmod(0o600)
        subprocess.run(["chown", "mailhaul", path], check=True)
        return path

    def run(self, *command):
        """As the user mailhaul."""
        subprocess.run(
            ["setpriv", "--reuid=mailhaul", "--regid=mailhaul", "--clear-groups", *command],
            check=True, stdout=subprocess.DEVNULL, cwd="/",
        )

    def before(self, mailbox):
        """What is not timed."""

    def after(self):
        pass


class Mailhaul(Peer):
    name = "mailhaul"
    milter = MILTER

    def before(self, mailbox):
        self.installation = self.world.installation()
        self.installation.add_account(
            mailbox, protocol=self.protocol + "s", port=self.port, max_messages_per_pass=100000)
        self.installation.start_milter()

    def collect(self, mailbox):
        self.installation.fetch_once(timeout=600).expect(0)

    def after(self):
        self.installation.stop_all()


class MailhaulSmtp(Mailhaul):
    name = "mailhaul, smtp"

    def before(self, mailbox):
        super().before(mailbox)
        self.installation.groups = ["postdrop"]
        self.installation.config["inject"] = {
            "method": "smtp", "smtp": {"socket": "/var/spool/postfix/public/mailhaul"}}


class MailhaulImap(Mailhaul):
    name = "mailhaul, imap"
    protocol = "imap"


class MailhaulImapSmtp(MailhaulSmtp):
    name = "mailhaul, imap, smtp"
    protocol = "imap"


class Fetchmail(Peer):
    name = "fetchmail"

    def collect(self, mailbox):
        rc = self.config(
            f'poll {HOST} service {self.port} proto {self.protocol} user "{mailbox.user}"\n'
            f'  password "{mailbox.password}" ssl sslcertck sslcertfile {self.ca}\n'
            f'  fetchall no keep mda "{SENDMAIL}"\n'
        )
        self.run(
            "env", f"HOME={self.folder}", "fetchmail", "-s", "-f", rc, "--pidfile",
            self.folder / "pid", "--idfile", self.folder / "ids", "--nosyslog",
        )


class FetchmailImap(Fetchmail):
    name = "fetchmail, imap"
    protocol = "imap"


class GetmailImap(Peer):
    name = "getmail6, imap"
    protocol = "imap"

    def collect(self, mailbox):
        rc = self.config(
            f"[retriever]\ntype = SimpleIMAPSSLRetriever\nserver = {HOST}\nport = {self.port}\n"
            f"username = {mailbox.user}\npassword = {mailbox.password}\nca_certs = {self.ca}\n"
            f"[destination]\ntype = MDA_external\npath = /usr/sbin/sendmail\n"
            f'arguments = ("-i", "-f", "%(sender)", "--", "{RECIPIENT}")\n'
            "[options]\nread_all = true\ndelete = true\nverbose = 0\n"
        )
        self.run("env", f"HOME={self.folder}", "getmail", "--getmaildir", self.folder, "-r", rc)


class Mpop(Peer):
    name = "mpop"

    def collect(self, mailbox):
        rc = self.config(
            f"account a\nhost {HOST}\nport {self.port}\ntls on\ntls_starttls off\n"
            f"tls_trust_file {self.ca}\nuser {mailbox.user}\npassword {mailbox.password}\n"
            f"keep off\nuidls_file {self.folder}/uidls\nreceived_header off\n"
            f'delivery mda "{SENDMAIL}"\n'
        )
        self.run("mpop", "-q", "-C", rc, "a")


def cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def one_run(world, peer, count):
    """Messages per second, and CPU milliseconds of the program per message."""
    mailbox = world.mailbox()
    for number in range(count):
        mailbox.put(mail(f"n{number}", to=RECIPIENT, body=b"x" * 69 * 100))
    world.postfix.forget_delivered()
    with world.postfix.settings(non_smtpd_milters=peer.milter):
        peer.before(mailbox)
        spent, start = cpu(), time.monotonic()
        peer.collect(mailbox)
        spent = cpu() - spent
        world.postfix.wait_until_idle(timeout=600)
        seconds = time.monotonic() - start
        peer.after()
    assert not mailbox.uids(), f"{peer.name} left messages"
    return count / seconds, spent * 1000 / count


def main():
    count, rounds, round_trip_ms = (
        int(given) for given in [*sys.argv[1:], *("1000", "3", "0")[len(sys.argv) - 1 :]])
    world = World()
    world.start()
    ports = {"pop3": POP3S, "imap": IMAPS}
    if round_trip_ms:
        ports = {name: Relay(port, delay=round_trip_ms / 2000).port for name, port in ports.items()}
    kinds = (Mailhaul, MailhaulSmtp, Fetchmail, Mpop, MailhaulImap, MailhaulImapSmtp, FetchmailImap,
             GetmailImap)
    peers = [kind(world, ports) for kind in kinds]
    results = {peer.name: [] for peer in peers}
    with world.listener():
        for _ in range(rounds):
            for peer in peers:
                results[peer.name].append(one_run(world, peer, count))
    world.stop()
    print(f"{count} messages of 7 KB, {round_trip_ms} ms of round trip, {rounds} rounds: median (min-max), "
          f"load {os.getloadavg()[0]:.1f}")
    for name, runs in results.items():
        rates = [rate for rate, _ in runs]
        print(
            f"{name:21}{statistics.median(rates):6.0f}/s ({min(rates):.0f}-{max(rates):.0f}), "
            f"{statistics.median(spent for _, spent in runs):.1f} ms CPU per message, sendmail(1) included"
        )


main()
