# SPDX-License-Identifier: Apache-2.0
"""See tests/bench/accounts."""

import os
import pathlib
import re
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from mails import mail  # noqa: E402
from postfix import MILTER  # noqa: E402
from provider import IMAPS  # noqa: E402
from waiting import wait_for  # noqa: E402
from world import World  # noqa: E402

RECIPIENT = "anna@example.org"


def status_kib(pid, name):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+) kB", text, re.M)[1])


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def passes(installation, after=0):
    """How many passes every account has made, at least."""
    report = installation.command("status", timeout=60)
    return [int(n) for n in re.findall(r"passes (\d+)", report.out)]


def start(world, boxes, **settings):
    installation = world.installation()
    installation.groups = ["postdrop"]
    for number, box in enumerate(boxes):
        installation.add_account(box, f"account{number}", **settings)
    installation.start_fetcher()
    return installation, installation._processes["fetcher"].pid


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def poll(world, count):
    """A round over all mailboxes, of which half hold a message; then an empty one."""
    boxes = [world.mailbox("poll") for _ in range(count)]
    for box in boxes[::2]:
        box.put(mail(box.user, envelope=RECIPIENT))
    begun = time.monotonic()
    installation, pid = start(world, boxes, every="7d")

    def done(round_number):
        text = installation.control("STATUS")
        return len(re.findall(rf"^passes ([{round_number}-9]|\d\d)", text, re.M)) == count

    wait_for(lambda: done(1), "the first round", 900)
    first, spent = time.monotonic() - begun, cpu_seconds(pid)
    begun = time.monotonic()
    installation.send_signal("fetcher", 10)
    wait_for(lambda: done(2), "the second round", 900)
    second = time.monotonic() - begun
    print(f"{count} POP3S mailboxes, a message in each second one: {first:.1f} s, "
          f"{spent:.1f} s CPU; a round without mail: {second:.1f} s, "
          f"{cpu_seconds(pid) - spent:.1f} s CPU; "
          f"fetcher's peak memory {status_kib(pid, 'VmHWM') / 1024:.1f} MiB")
    installation.stop_all()
    world.postfix.wait_until_idle(300)


def idle(world, count):
    base_box = world.mailbox("base")
    installation, pid = start(world, [base_box], protocol="imaps", port=IMAPS)
    wait_for(lambda: "state listening" in installation.control("STATUS"), "the one connection", 60)
    base = status_kib(pid, "VmRSS")
    installation.stop_all()

    boxes = [world.mailbox("idle") for _ in range(count)]
    begun = time.monotonic()
    installation, pid = start(world, boxes, protocol="imaps", port=IMAPS)
    wait_for(lambda: installation.control("STATUS").count("state listening") == count,
             "all connections", 900)
    connected = time.monotonic() - begun
    resting, peak = status_kib(pid, "VmRSS"), status_kib(pid, "VmHWM")
    cpu = cpu_seconds(pid)
    time.sleep(10)
    print(f"{count} IMAPS connections in IDLE: all there after {connected:.1f} s; memory "
          f"{resting / 1024:.1f} MiB (peak {peak / 1024:.1f}), of one {base / 1024:.1f}: "
          f"{(resting - base) / (count - 1):.1f} KiB each; {cpu_seconds(pid) - cpu:.2f} s CPU in 10 s")
    delays = []
    for number in range(200):
        box = boxes[number * 7 % count]
        begun = time.time()
        box.put(mail(f"late{number}", envelope=RECIPIENT))
        wait_for(lambda n=number: f"message-id=<late{n}@" in world.postfix.log(), "the mail in the queue", 60,
                 )
        delays.append(time.time() - begun)
    print(f"from the provider's Maildir to Postfix's queue, {len(delays)} mails one after the other: "
          f"median {statistics.median(delays) * 1000:.0f} ms, p99 {percentile(delays, 0.99) * 1000:.0f} ms, "
          f"longest {max(delays) * 1000:.0f} ms")
    installation.stop_all()


def listing(world, count):
    for protocol in ("pop3s", "imaps"):
        box = world.mailbox("large")
        for number in range(count):
            box.put(mail(f"n{number}", envelope=RECIPIENT))
        installation = world.installation()
        installation.add_account(box, keep="forever", protocol=protocol,
                                 port={"pop3s": 1995, "imaps": IMAPS}[protocol], idle=False,
                                 timeout="10m", every="7d") if protocol == "imaps" else \
            installation.add_account(box, keep="forever", timeout="10m", every="7d")
        installation.command("seen", "baseline", "office").expect(0)
        for which in ("first", "second"):
            begun = time.monotonic()
            installation.start_fetcher()
            pid = installation._processes["fetcher"].pid
            wait_for(lambda: f"listed {count}" in installation.control("STATUS")
                     and "passes 1" in installation.control("STATUS"), "the listing", 900)
            print(f"{count} messages by {protocol}, {which} time: listed and compared in "
                  f"{time.monotonic() - begun:.1f} s, {cpu_seconds(pid):.1f} s CPU, peak memory "
                  f"{status_kib(pid, 'VmHWM') / 1024:.1f} MiB")
            installation.stop("fetcher")
        installation.stop_all()


def main():
    what = sys.argv[1] if len(sys.argv) > 1 else ""
    kinds = {"poll": (poll, 1000), "idle": (idle, 1000), "listing": (listing, 100000)}
    if what not in kinds:
        raise SystemExit("usage: accounts poll|idle|listing [NUMBER]")
    measure, number = kinds[what]
    world = World()
    world.start()
    with world.postfix.settings(non_smtpd_milters=MILTER):
        measure(world, int(sys.argv[2]) if len(sys.argv) > 2 else number)
    world.stop()


main()
