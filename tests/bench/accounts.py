# SPDX-License-Identifier: Apache-2.0
"""See tests/bench/accounts."""

import os
import pathlib
import re
import resource
import signal
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from mails import mail  # noqa: E402
from postfix import LOG, MILTER  # noqa: E402
from provider import HOST, IMAPS, POP3S  # noqa: E402
from scripted_pop3 import ScriptedPop3, stuffed  # noqa: E402
from waiting import wait_for  # noqa: E402
from world import World  # noqa: E402

RECIPIENT = "anna@example.org"
# Debian's Dovecot has a new process for each login, and one for each IMAP
# connection: that would be measured, not the fetcher.  With several connections
# in a process the inotify instances of one user suffice, too.  Without
# SCRAM-SHA-256, which the peers do not speak: it takes 0.8 ms on either side.
TUNED = """
auth_mechanisms = plain login
service pop3-login {
  service_count = 0
  process_min_avail = 2
}
service pop3 {
  service_count = 1000
  process_min_avail = 16
}
service imap-login {
  process_min_avail = 2
}
service imap {
  service_count = 1000
  client_limit = 20
}
mailbox_idle_check_interval = 30 s
"""
PEER_SHARE = 5


def say(text):
    print(f"{text} [load {os.getloadavg()[0]:.1f}]")


def status_kib(pid, name):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+) kB", text, re.M)[1])


def cpu_seconds(pid):
    """Its own, and of the sendmail(1) that it has waited for."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own, children = (sum(map(int, fields[i : i + 2])) for i in (11, 13))
    return own / os.sysconf("SC_CLK_TCK"), children / os.sysconf("SC_CLK_TCK")


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def spread(values):
    return (f"median {statistics.median(values) * 1000:.0f} ms, "
            f"p99 {percentile(values, 0.99) * 1000:.0f} ms, longest {max(values) * 1000:.0f} ms")


class Fetcher:
    """One that runs with these mailboxes, an account each."""

    def __init__(self, world, boxes, limits=None, **settings):
        self.installation = world.installation()
        self.installation.groups = ["postdrop"]
        if limits:
            self.installation.config["fetcher"] = limits
        for number, box in enumerate(boxes):
            self.installation.add_account(box, f"account{number}", **settings)

    def start(self):
        self.installation.start_milter()
        self.began = time.monotonic()
        self.pid = self.installation.start_fetcher().pid
        return self

    def wait(self, pattern, count, what, timeout=250):
        """Until so many lines of the status are so.  It is not asked often: that
        is work for the fetcher, too."""

        def there():
            time.sleep(0.2)
            return len(re.findall(rf"(?m)^(?:{pattern})$", self.installation.control("STATUS"))) >= count

        wait_for(there, what, timeout)
        return time.monotonic() - self.began

    def wait_for_passes(self, least, count):
        return self.wait(rf"passes (?:[{least}-9]|\d\d+)", count, f"pass {least} of all")

    def poll(self):
        self.began = time.monotonic()
        self.spent = cpu_seconds(self.pid)
        self.installation.send_signal("fetcher", signal.SIGUSR1)

    def cpu(self):
        own, children = (now - before for now, before in zip(cpu_seconds(self.pid), self.spent))
        return f"{own:.2f} s CPU (sendmail {children:.2f})"

    def memory(self, name="VmHWM"):
        return status_kib(self.pid, name) / 1024

    def stop(self):
        self.installation.stop_all()


def fill(boxes):
    for box in boxes[::2]:
        box.put(mail(f"{box.user}-{time.monotonic()}", envelope=RECIPIENT))


def poll(world, count):
    """Rounds over all mailboxes: half of them hold a message, or none."""
    boxes = [world.mailbox("poll") for _ in range(count)]
    for limits in ({}, {"connections_per_host": 64}, {"connections_per_host": 250}):
        fetcher = Fetcher(world, boxes, limits, every="7d").start()
        started = fetcher.wait_for_passes(1, count)
        times = []
        for least in (2, 3):
            if least == 2:
                fill(boxes)
            fetcher.poll()
            times.append(f"{fetcher.wait_for_passes(least, count):.1f} s, {fetcher.cpu()}")
        say(f"{count} POP3S mailboxes, {limits or 'default limits'}: first round {started:.1f} s, with "
            f"mail in each second one {times[0]}, without mail {times[1]}; peak {fetcher.memory():.1f} MiB")
        fetcher.stop()
        world.postfix.wait_until_idle(300)
    poll_with_peers(world, boxes[: count // PEER_SHARE])


def poll_with_peers(world, boxes):
    """One process each; the clock stops when the program is done with all."""
    for way, function in (("fetchmail", fetchmail), ("getmail6", getmail)):
        command = function(world, boxes)
        for what in ("with mail in each second one", "without mail"):
            if what != "without mail":
                fill(boxes)
            before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
            subprocess.run(
                ["setpriv", "--reuid=mailhaul", "--regid=mailhaul", "--clear-groups", "env",
                 f"HOME={world.folder / way}", *map(str, command)],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", timeout=250, check=False,
            )
            seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
            spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            say(f"{way}, {len(boxes)} mailboxes, {what}: {seconds:.1f} s, {spent:.2f} s CPU in all")
    fetcher = Fetcher(world, boxes, every="7d").start()
    fetcher.wait_for_passes(1, len(boxes))
    for least, what in ((2, "with mail in each second one"), (3, "without mail")):
        if least == 2:
            fill(boxes)
        fetcher.poll()
        seconds = fetcher.wait_for_passes(least, len(boxes))
        say(f"mailhaul, {len(boxes)} mailboxes, {what}: {seconds:.1f} s, {fetcher.cpu()}")
    fetcher.stop()
    world.postfix.wait_until_idle(300)


def owned_file(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    subprocess.run(["chown", "-R", "mailhaul", path.parent], check=True)
    return path


def fetchmail(world, boxes):
    users = "".join(
        f'  user "{box.user}" password "{box.password}" ssl sslcertck sslcertfile {world.certificates.ca}\n'
        f'    fetchall no keep mda "/usr/sbin/sendmail -i -f %F -- {RECIPIENT}"\n'
        for box in boxes
    )
    folder = world.folder / "fetchmail"
    rc = owned_file(folder / "rc", f"poll {HOST} service {POP3S} proto pop3\n{users}")
    return ["fetchmail", "-s", "-f", rc, "--pidfile", folder / "pid", "--idfile", folder / "ids", "--nosyslog"]


def getmail(world, boxes):
    folder = world.folder / "getmail6"
    files = [
        owned_file(
            folder / f"rc{number}",
            f"[retriever]\ntype = SimplePOP3SSLRetriever\nserver = {HOST}\nport = {POP3S}\n"
            f"username = {box.user}\npassword = {box.password}\nca_certs = {world.certificates.ca}\n"
            f"[destination]\ntype = MDA_external\npath = /usr/sbin/sendmail\n"
            f'arguments = ("-i", "-f", "%(sender)", "--", "{RECIPIENT}")\n'
            "[options]\nread_all = true\ndelete = true\nverbose = 0\n",
        )
        for number, box in enumerate(boxes)
    ]
    return ["getmail", "--getmaildir", folder, *(word for file in files for word in ("-r", file))]


class QueueWatch:
    """When each message came into Postfix's active queue: {case: time.time()}."""

    def __init__(self):
        self.times = {}
        self._names = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self):
        with LOG.open() as log:
            log.seek(0, os.SEEK_END)
            while not self._over.wait(0.005):
                while line := log.readline():
                    self._take(line, time.time())

    def _take(self, line, now):
        if match := re.search(r"cleanup\[\d+\]: (\w+): message-id=<(\S+)@", line):
            self._names[match[1]] = match[2]
        elif match := re.search(r"qmgr\[\d+\]: (\w+): .*queue active", line):
            self.times.setdefault(self._names.get(match[1]), now)

    def stop(self):
        self._over.set()
        self._thread.join()


def deliver(boxes, count, pause):
    """One mail after the other at a steady pace, whatever became of those before:
    {case: (mailbox, when it lay there)}."""
    put = {}
    begun = time.monotonic()
    for number in range(count):
        time.sleep(max(0, begun + number * pause - time.monotonic()))
        box = boxes[number * 7 % len(boxes)]
        case = f"{box.user}-{number}-{begun}"
        put[case] = (box, time.time())
        box.put(mail(case, envelope=RECIPIENT))
    return put


def delays(boxes, count, pause):
    """Of mail from the provider's Maildir to Postfix's queue, and what it was told
    of: {case: (mailbox, put, queued)}."""
    watch = QueueWatch()
    put = deliver(boxes, count, pause)
    wait_for(lambda: not put.keys() - watch.times.keys(), "all in the queue", 120,
             lambda: str(put.keys() - watch.times.keys()))
    watch.stop()
    return {case: (box, at, watch.times[case]) for case, (box, at) in put.items()}


def told(box, after):
    """When Dovecot next said that there is a message."""
    return next(at for at, line in box.replies() if at >= after and line.endswith(" EXISTS"))


def idle(world, count):
    alone = Fetcher(world, [world.mailbox("base")], protocol="imaps", port=IMAPS).start()
    alone.wait("state listening", 1, "the one connection", 60)
    time.sleep(5)
    base = alone.memory("RssAnon")
    alone.stop()

    boxes = [world.mailbox("idle") for _ in range(count)]
    for box in boxes:
        box.record()
    fetcher = Fetcher(world, boxes, protocol="imaps", port=IMAPS, timeout="60s").start()
    connected = fetcher.wait("state listening", count, "all connections")
    fetcher.spent = cpu_seconds(fetcher.pid)
    time.sleep(10)
    resting = fetcher.memory("RssAnon")
    say(f"{count} IMAPS connections in IDLE: all there after {connected:.1f} s; memory {resting:.1f} MiB of "
        f"its own, of one {base:.1f}: {(resting - base) * 1024 / (count - 1):.1f} KiB each; with the programs' "
        f"pages {fetcher.memory('VmRSS'):.1f} (peak {fetcher.memory():.1f}); {fetcher.cpu()} in 10 s")
    found = delays(boxes, 300, 0.15)
    say(f"provider's Maildir to Postfix's queue, {len(found)} mails in 45 s: "
        + spread([queued - at for _, at, queued in found.values()]))
    said = {case: told(box, at) for case, (box, at, _) in found.items()}
    print("  till Dovecot tells of it: " + spread([said[case] - at for case, (_, at, _) in found.items()]))
    print("  from there: " + spread([queued - said[case] for case, (_, _, queued) in found.items()]))
    print(f"  memory then {fetcher.memory('VmRSS'):.1f} MiB (peak {fetcher.memory():.1f})")
    fetcher.stop()


def listing(world, count):
    for protocol, port in (("pop3s", POP3S), ("imaps", IMAPS)):
        box = world.mailbox("large")
        box.put_many(mail("large", envelope=RECIPIENT), count)
        fetcher = Fetcher(world, [box], keep="forever", protocol=protocol, port=port, idle=False,
                          timeout="4m", every="7d")
        fetcher.installation.command("seen", "baseline", "account0").expect(0)
        # The first time is Dovecot's, which makes its index.
        for which in ("first", "second", "third"):
            fetcher.start().spent = (0, 0)
            fetcher.wait(f"listed {count}", 1, "the listing")
            seconds = fetcher.wait_for_passes(1, 1)
            say(f"{count} messages by {protocol}, {which} time: listed and compared in {seconds:.1f} s, "
                f"{fetcher.cpu()}, peak {fetcher.memory():.1f} MiB")
            fetcher.installation.stop("fetcher")
        fetcher.stop()


def drip(world, count):
    """One mailbox each, with and without an account whose message never ends."""

    def dripping(session, _):
        session.send(b"+OK\r\n")
        session.drip(stuffed(slow.messages[0][1]), 1, session.server.stopping)

    slow = ScriptedPop3(
        [("slow", b"From: a@b.example\r\n\r\n" + b"x\r\n" * 5000)], {"RETR": dripping},
        world.certificates.issue("drip", HOST))
    boxes = [world.mailbox("good") for _ in range(count)]
    for which in ("without it", "beside a server that sends one byte a second", "without it again"):
        fetcher = Fetcher(world, boxes)
        if which.startswith("beside"):
            fetcher.installation.add_account(boxes[0], "slow", port=slow.port)
        fetcher.start().wait_for_passes(2, count)
        found = delays(boxes, 4 * count, 0.2)
        say(f"{count} good accounts, every: 1s, {which}: " + spread(
            [queued - at for _, at, queued in found.values()]))
        if which.startswith("beside"):
            assert "state fetching" in fetcher.installation.control("STATUS"), "nothing dripped"
        fetcher.stop()
    slow.stop()


def main():
    kinds = {"poll": (poll, 1000), "idle": (idle, 1000), "listing": (listing, 100000), "drip": (drip, 49)}
    if len(sys.argv) < 2 or sys.argv[1] not in kinds:
        raise SystemExit("usage: accounts poll|idle|listing|drip [NUMBER]")
    measure, number = kinds[sys.argv[1]]
    world = World()
    world.provider.configure(TUNED)
    world.start()
    with world.postfix.settings(non_smtpd_milters=MILTER):
        measure(world, int(sys.argv[2]) if len(sys.argv) > 2 else number)
    world.stop()


main()
