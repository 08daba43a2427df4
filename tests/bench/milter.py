# SPDX-License-Identifier: Apache-2.0
"""See tests/bench/milter; this runs in the sandbox and prints two tables."""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from mailhaul import SOCKET  # noqa: E402
from postfix import MILTER  # noqa: E402
from waiting import wait_for  # noqa: E402
from world import CHECKOUT, World  # noqa: E402

PEOPLE = {f"person{n}": [f"person{n}@example.org"] for n in range(100)}
CASES = [(candidates, fields) for candidates in (1, 100) for fields in (1, 20)]
# What mailhaul-milter is compared with: how it negotiates, and how many
# recipients it puts in the place of one.
NOOPS = {"lean": ("lean", 1), "naive": ("naive", 1), "lean, 100 recipients": ("lean", 100)}
OURS = "mailhaul-milter"
FOLDER = pathlib.Path(SOCKET.removeprefix("unix:")).parent
SESSIONS = 4


def noop_socket(name):
    kind, recipients = NOOPS[name]
    return FOLDER / f"{kind}-{recipients}.sock"


def start_noops(world):
    """The filters, in the folder of Mailhaul's socket and as its user."""
    program = world.folder / "programs" / "noop_milter"
    shutil.copy(CHECKOUT / "build/release/tests/bench/noop_milter", program)
    for name, (kind, recipients) in NOOPS.items():
        subprocess.Popen(
            ["setpriv", "--reuid=mailhaul-milter", "--regid=mailhaul", "--clear-groups",
             program, f"unix:{noop_socket(name)}", kind, str(recipients)], umask=0o007)
        wait_for(noop_socket(name).exists, f"the filter {name}")


def client(mailhaul, candidates, fields, rounds):
    """What milter_client prints."""
    return subprocess.run(
        [CHECKOUT / "build/release/tests/bench/milter_client", mailhaul.state, str(candidates),
         str(fields), str(rounds), SOCKET.removeprefix("unix:"),
         *map(noop_socket, NOOPS)],
        check=True, capture_output=True, text=True).stdout


def load():
    return f"load {os.getloadavg()[0]:.1f}"


def by_protocol(mailhaul, rounds):
    print(f"{rounds} messages each, in turn: median (99th percentile) in us; {load()}")
    for candidates, fields in CASES:
        lines = client(mailhaul, candidates, fields, rounds).splitlines()
        medians, tails = zip(*(map(float, line.split()) for line in lines))
        print(f"{candidates:3} candidates, {fields:2} fields: {OURS} {medians[0]:.0f} ({tails[0]:.0f})")
        for name, median, tail in zip(NOOPS, medians[1:], tails[1:]):
            print(f"    no-op, {name}: {median:.0f} ({tail:.0f}), ratio {medians[0] / median:.2f}")


def by_smtp(message, count):
    subprocess.run(
        ["smtp-source", "-s", str(SESSIONS), "-m", str(count), "-F", message,
         "-f", "someone@sender.example", "-t", "office@example.org", "127.0.0.1:25"], check=True)


def by_sendmail(message, count):
    subprocess.run(
        ["xargs", "-P", str(SESSIONS), "-I{}", "sh", "-c",
         f"sendmail -G -i -N never -f someone@sender.example -- office@example.org <{message}"],
        input="\n".join(map(str, range(count))), text=True, check=True)


WAYS = (by_smtp, by_sendmail)


def one_run(world, way, message, count):
    """Milliseconds per message until Postfix's queue is empty."""
    begun = time.monotonic()
    way(message, count)
    wait_for(lambda: not world.postfix.waiting(), "an empty queue", 600)
    return (time.monotonic() - begun) / count * 1000


def with_postfix(world, mailhaul, count):
    filters = {"no filter": "", OURS: MILTER}
    for name in NOOPS:
        filters["no-op, " + name] = MILTER.replace("milter.sock", noop_socket(name).name)
    for candidates in (1, 100):
        text = client(mailhaul, candidates, 20, "-")
        (world.folder / f"message{candidates}").write_text(text)
    results = {}
    for _ in range(3):
        for name, milter in filters.items():
            with world.postfix.settings(
                    non_smtpd_milters=milter, smtpd_milters=milter, transport_maps="static:discard:"):
                for way in WAYS:
                    one_run(world, way, world.folder / "message1", SESSIONS)  # starts the daemons
                for candidates in (1, 100):
                    message = world.folder / f"message{candidates}"
                    for way in WAYS:
                        results.setdefault((way, candidates), {}).setdefault(name, []).append(
                            one_run(world, way, message, count))
    print(f"\n{count} messages of 20 fields, {SESSIONS} at a time, thrown away by Postfix: "
          f"median (min-max) of 3 in ms per message; {load()}")
    for (way, candidates), filters in results.items():
        print(f"{way.__name__.replace('_', ' ')}, {candidates} candidates:")
        for name, runs in filters.items():
            print(f"    {name}: {statistics.median(runs):.2f} ({min(runs):.2f}-{max(runs):.2f})")


def main():
    rounds, count = (int(given) for given in [*sys.argv[1:], *("2000", "300")[len(sys.argv) - 1 :]])
    world = World({**PEOPLE})
    world.start()
    mailhaul = world.installation()
    mailhaul.config["cache"] = {"found": "1h", "stale": "1h"}
    mailhaul.add_account(world.mailbox())
    mailhaul.start_milter()
    start_noops(world)
    by_protocol(mailhaul, rounds)
    if count:
        with_postfix(world, mailhaul, count)
    routed = mailhaul.milter_statistics()["routed"]
    print(f"mailhaul-milter routed {routed} messages, the directory was asked "
          f"{mailhaul.milter_statistics()['sources'][0]['questions']} times")
    mailhaul.stop_all()
    world.stop()


main()
