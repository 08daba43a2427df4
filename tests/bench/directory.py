# SPDX-License-Identifier: Apache-2.0
"""See `directory`; this runs in the sandbox and prints a table."""

import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import active_directory  # noqa: E402
from mails import mail, who_got  # noqa: E402
from relay import Relay  # noqa: E402
from slapd import LDAPS  # noqa: E402
from waiting import wait_for  # noqa: E402
from world import World  # noqa: E402

NOTHING = {"found": "0s", "absent": "0s", "stale": "0s"}
MAILS = 200


class Case:
    """One installation with its mailbox."""

    def __init__(self, world):
        self.world = world
        self.mailbox = world.mailbox()
        self.mailhaul = world.installation()
        self.account = self.mailhaul.add_account(self.mailbox, recipients={"occurrence": "all"})
        self.mailhaul.config["cache"] = dict(NOTHING)

    @property
    def ldap(self):
        return self.mailhaul.config["directory"][0]["ldap"]

    def source(self):
        return self.mailhaul.milter_statistics()["sources"][0]

    def collect(self, *messages):
        for message in messages:
            self.mailbox.put(message)
        self.mailhaul.fetch_once().expect(0)
        self.world.postfix.wait_until_idle()

    def end(self):
        self.mailhaul.stop_all()
        self.world.postfix.empty_queue()
        self.world.postfix.forget_delivered()


def look_up_times(case, name):
    """Cold: connect, TLS, login, one search.  Warm: on a kept connection."""
    case.mailhaul.start_milter()
    cold = float(case.source()["last_ms"])
    before = case.source()
    case.collect(*(
        mail(f"{name}{n}", envelope=("anna" if n % 2 else f"no{n}") + "@example.org")
        for n in range(MAILS)
    ))
    after = case.source()
    total = after["questions"] * float(after["mean_ms"]) - before["questions"] * float(before["mean_ms"])
    warm = total / (after["questions"] - before["questions"])
    case.collect(mail(f"{name}-many", envelope=[
        "anna@example.org", "ben@example.org", *(f"no{n}@example.org" for n in range(48))]))
    many = float(case.source()["last_ms"])
    print(f"{name:18} cold {cold:6.2f} ms   warm {warm:6.3f} ms   fifty at once {many:6.2f} ms")
    case.end()


def cron_mail(world, name):
    begun = time.monotonic()
    subprocess.run(["sendmail", "-i", "-f", "root@example.org", "--", "second@example.org"],
                   input=mail(name), check=True)
    wait_for(lambda: name in who_got(world.postfix.delivered()), "the cron mail", 300)
    return time.monotonic() - begun


def directory_away(world, silent):
    how = "silent" if silent else "refusing"
    relay = Relay(LDAPS)
    case = Case(world)
    case.ldap["uri"] = [f"ldaps://ldap.example.org:{relay.port}"]
    case.collect(mail(f"{how}-before", envelope="anna@example.org"))
    print(f"{how}: cron mail before   {cron_mail(world, how + '-cron0'):6.2f} s")
    (relay.fall_silent if silent else relay.shut)()
    time.sleep(1.1)
    case.mailbox.put(mail(f"{how}-late", envelope="ben@example.org"))
    case.mailhaul.start_fetcher()
    begun = time.monotonic()
    case.mailhaul.ask_milter()
    print(f"{how}: first READY        {time.monotonic() - begun:6.2f} s")
    times = [cron_mail(world, f"{how}-cron{n}") for n in range(1, 6)]
    print(f"{how}: cron mail meanwhile {max(times):5.2f} s at most of {len(times)}")
    relay.open()
    begun = time.monotonic()
    wait_for(lambda: f"{how}-late" in who_got(world.postfix.delivered()), "the late mail", 300)
    print(f"{how}: the message came   {time.monotonic() - begun:6.2f} s after the directory")
    case.end()
    relay.shut()


def stuck_in_maildrop(world):
    """The case that READY prevents: ticketed mail is in maildrop already."""
    relay = Relay(LDAPS)
    case = Case(world)
    case.ldap["uri"] = [f"ldaps://ldap.example.org:{relay.port}"]
    case.mailhaul.config["inject"] = {"require_milter": False}
    case.mailhaul.start_milter()
    relay.fall_silent()
    for number in range(20):
        case.mailbox.put(mail(f"stuck{number}", envelope="ben@example.org"))
    case.mailhaul.fetch_once()
    times = [cron_mail(world, f"stuck-cron{n}") for n in range(5)]
    print("20 in maildrop, silent: cron mail " + " ".join(f"{t:.2f}" for t in times) + " s")
    relay.open()
    case.end()
    relay.shut()


def main():
    world = World()
    world.start()
    domain = active_directory.ActiveDirectory()
    domain.start()
    try:
        look_up_times(Case(world), "slapd")
        case = Case(world)
        case.mailhaul.config["directory"] = [{"ldap": {
            "uri": [domain.ldaps],
            "schema": "active_directory",
            "base": active_directory.BASE,
            "bind_dn": active_directory.BIND_UPN,
            "password": {"file": case.mailhaul.secret(
                "ad.password", active_directory.BIND_PASSWORD, "mailhaul-milter")},
            "ca_file": str(domain.ca),
        }}]
        look_up_times(case, "active-directory")
        directory_away(world, silent=False)
        directory_away(world, silent=True)
        stuck_in_maildrop(world)
    finally:
        domain.remove()
        world.stop()


main()
