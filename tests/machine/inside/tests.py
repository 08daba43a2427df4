# SPDX-License-Identifier: Apache-2.0
"""tests.py first|second: the life of the package on a machine, between two boots.

Each function is a test; they run in their order and build on one another.
Prints "passed: NAME" or "FAILED: NAME" for each.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
import traceback

from world import (HERE, SETTINGS, collects, delivered, expect_letter, fails,
                   is_active, journal, main_pid, put_letter, run, start_postfix, start_provider,
                   start_slapd, state_of, wait_for, waiting_at_provider)

UNITS = ("mailhaul-milter", "mailhaul-fetcher")
PACKAGE, LATER = "/root/mailhaul.deb", "/root/later.deb"
STATE = pathlib.Path("/var/lib/mailhaul")
EXPOSURE_MAX = 2.0
# A message that was with Postfix when the fetcher was killed comes again.
IN_FLIGHT_MAX = 4


def apt(*arguments):
    # One of the system's own timers may have the lock.
    return run("apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=100", *arguments)


def no_unit_failed():
    listed = run("systemctl", "--failed", "--no-legend", "--plain")
    assert not listed.strip(), listed


def restart_of(unit, harm, seconds=30):
    """Do harm to a daemon; systemd must bring it back."""
    wait_for(lambda: is_active(unit), f"{unit} to run")
    before = main_pid(unit)
    harm(before)
    wait_for(lambda: main_pid(unit) not in (0, before) and is_active(unit),
             f"{unit} to be restarted", seconds)


def load(names, pause):
    for name in names:
        put_letter(name)
        time.sleep(pause)


class Load(threading.Thread):
    """Letters that arrive at the provider while something happens."""

    def __init__(self, name, count, seconds):
        self.names = [f"{name}-{i}" for i in range(count)]
        super().__init__(target=load, args=(self.names, seconds / count))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.join()

    def arrived(self):
        """How many of them were doubled; none may be lost."""
        wait_for(lambda: not waiting_at_provider(), "the mailbox to be empty", 60)
        wait_for(lambda: not set(self.names) - {name for name, _ in delivered()},
                 "every letter", 60)
        found = delivered()
        assert not any(found[name, "postmaster"] for name in self.names)
        return sum(found[name, "anna"] - 1 for name in self.names)


def write_settings(change=lambda text: text):
    file = SETTINGS / "mailhaul.yaml"
    file.write_text(change((HERE / "mailhaul.yaml").read_text()))
    os.chmod(file, 0o640)
    shutil.chown(file, "root", "mailhaul")


# first boot


def test_install():
    start_provider()
    start_postfix()
    run("systemctl", "reset-failed")
    apt("install", PACKAGE)
    for unit in UNITS:
        # There is no configuration yet; that is not a fault.
        assert state_of(unit, "UnitFileState") == "enabled"
        assert not is_active(unit)
    no_unit_failed()


def test_users_and_folders():
    for user in ("mailhaul", "mailhaul-milter"):
        assert run("id", "-gn", user).strip() == "mailhaul"
        assert run("getent", "passwd", user).strip().endswith("nologin")
    for path, mode, owner in (
            (SETTINGS, 0o750, "root:mailhaul"),
            (STATE, 0o2770, "mailhaul:mailhaul"),
            ("/run/mailhaul", 0o2770, "mailhaul:mailhaul"),
            ("/var/spool/postfix/mailhaul", 0o2710, "mailhaul-milter:postfix")):
        found = pathlib.Path(path)
        assert stat.S_IMODE(found.stat().st_mode) == mode, path
        assert f"{found.owner()}:{found.group()}" == owner, path
    # Postfix has nothing to say about a folder of ours in its queue.
    assert "mailhaul" not in run("postfix", "check")


def test_exposure():
    for unit in UNITS:
        run("systemd-analyze", "verify", "--man=no", f"{unit}.service")
        told = run("systemd-analyze", "security", "--no-pager", f"{unit}.service")
        score = float(re.search(r"exposure level.*: ([0-9.]+)", told)[1])
        print(f"exposure of {unit}: {score}")
        assert score <= EXPOSURE_MAX


def test_start():
    write_settings()
    (SETTINGS / "users.txt").write_text("anna@example.org\nbert@example.org\n")
    # A password of root's as a credential, and one of the fetcher's own.
    credentials = SETTINGS / "credentials"
    credentials.mkdir(mode=0o700)
    (credentials / "office").write_text("first secret\n")
    (credentials / "office").chmod(0o600)
    (SETTINGS / "kept.password").write_text("second secret\n")
    (SETTINGS / "kept.password").chmod(0o400)
    shutil.chown(SETTINGS / "kept.password", "mailhaul", "mailhaul")
    drop_in = pathlib.Path("/etc/systemd/system/mailhaul-fetcher.service.d")
    drop_in.mkdir()
    (drop_in / "credential.conf").write_text(
        f"[Service]\nLoadCredential=office:{credentials}/office\n")
    run("systemctl", "daemon-reload")
    run("mailhaul", "check")
    run("mailhaul", "setup", "postfix")
    # Not `reload`: that is over before all of Postfix's daemons have heard of it.
    run("systemctl", "restart", "postfix")
    run("systemctl", "start", *UNITS)
    for unit in UNITS:
        assert is_active(unit)
    # Root's command finds what systemd gives the service.
    assert "logged in as office" in run("mailhaul", "probe", "office")


def test_mail():
    for number in range(3):
        put_letter(f"kept-{number}", to="bert@example.org", mailbox="kept")
    put_letter("to-nobody", to="nobody@example.org")
    collects("to-anna")
    expect_letter("to-nobody", "postmaster")
    for number in range(3):
        expect_letter(f"kept-{number}", "bert")
    wait_for(lambda: not waiting_at_provider(), "the mailbox to be empty")
    assert len(waiting_at_provider("kept")) == 3


def test_directory():
    """libldap with the TLS library of this Debian."""
    folder = pathlib.Path("/srv/directory")
    slapd = start_slapd(folder)
    try:
        for authority, address, status, words in (
                ("certificate.pem", "anna", 0, "found"),
                ("certificate.pem", "nobody", 1, "no entry"),
                ("other.pem", "anna", 75, "certificate")):
            if authority == "other.pem":
                shutil.copy("/etc/provider/certificate.pem", folder / authority)
            (folder / "settings.yaml").write_text(
                "postmaster: postmaster@example.org\naccepted_domains: [example.org]\n"
                "directory:\n  - ldap: {uri: ['ldaps://ldap.example.org:6636'],"
                f" base: 'dc=example,dc=org', ca_file: {authority}}}\n")
            told = subprocess.run(
                ["mailhaul", "query", "-c", folder / "settings.yaml", f"{address}@example.org"],
                capture_output=True, text=True, timeout=60)
            assert told.returncode == status, told
            assert words in told.stdout + told.stderr, told
    finally:
        slapd.terminate()
        slapd.wait(30)


def test_tables_of_postfix():
    """The milter runs postmap in what its unit leaves it of the system."""
    known = pathlib.Path("/etc/postfix/people")
    known.write_text("anna@example.org x\n")
    kind = run("postconf", "-hx", "default_database_type").strip()
    run("postmap", f"{kind}:{known}")
    (known.parent / "people.regexp").write_text("/^anna@example\\.org$/ x\n")
    run("useradd", "anna")
    tables = (f"{kind}:{known}", f"texthash:{known}", f"regexp:{known}.regexp", "unix:passwd.byname, key: local")
    for number, table in enumerate(tables):
        write_settings(lambda text, table=table: text.replace(
            "file: users.txt", f"postfix: {{table: {table}}}"))
        run("systemctl", "reload", "mailhaul-milter")
        wait_for(lambda n=number: journal("mailhaul-milter").count("reloaded") > n, "the reload")
        put_letter(f"stranger-{number}", to="stranger@example.org")
        collects(f"table-{number}")
        expect_letter(f"stranger-{number}", "postmaster")
    write_settings()
    run("systemctl", "reload", "mailhaul-milter")
    wait_for(lambda: journal("mailhaul-milter").count("reloaded") > len(tables), "the reload")


def test_journal():
    assert re.search(r"account=office .*status=injected", journal("mailhaul-fetcher"))
    assert re.search(r"to=<anna@example\.org> status=routed", journal("mailhaul-milter"))
    # Facility mail, so that it stands beside Postfix's lines in mail.log.
    told = run("journalctl", "--no-pager", "-o", "json", "SYSLOG_FACILITY=2",
               "-t", "mailhaul-fetcher")
    priorities = {json.loads(line)["PRIORITY"] for line in told.splitlines()}
    assert "6" in priorities and "3" not in priorities, told
    assert "secret" not in run("journalctl", "--no-pager")


def test_explain_by_queue_id():
    """Gone from the queue; the milter's line in the journal tells which it was."""
    queue_id, collected = re.findall(
        r"\b(\w+): id=(\w+) account=office .*to=<anna@example\.org> status=routed",
        journal("mailhaul-milter"))[-1]
    wait_for(lambda: queue_id not in run("postqueue", "-p"), "the queue to be empty")
    told = json.loads(run("mailhaul", "explain", "--json", queue_id))
    assert told["id"] == collected and told["recipients"] == ["anna@example.org"], told
    assert f"{queue_id}, in the journal" in run("mailhaul", "explain", queue_id)


def test_local_mail_is_left_alone():
    with open("/root/local", "w") as letter:
        letter.write("Subject: of-this-machine\n\nx\n")
    run("sh", "-c", "sendmail bert@example.org </root/local")
    expect_letter("of-this-machine", "bert")


def settings_of_units(text):
    for unit in UNITS:
        drop_in = pathlib.Path(f"/run/systemd/system/{unit}.service.d")
        drop_in.mkdir(parents=True, exist_ok=True)
        (drop_in / "quick.conf").write_text(f"[Service]\nRestartSec=100ms\n{text}")
    run("systemctl", "daemon-reload")
    run("systemctl", "restart", *UNITS)


def watched(seconds):
    """Whether the daemons are left in peace by a watchdog of so many seconds."""
    settings_of_units(f"WatchdogSec={seconds}s\n")
    pids = [main_pid(unit) for unit in UNITS]
    time.sleep(2.5 * seconds)
    return pids == [main_pid(unit) for unit in UNITS]


def test_watchdog():
    # Quicker than the units say, unless it is this machine that stalls.
    assert watched(2) or watched(20), "\n".join(map(journal, UNITS))
    for unit in UNITS:
        restart_of(unit, lambda pid: os.kill(pid, signal.SIGSTOP), 90)
        wait_for(lambda unit=unit: "Watchdog timeout" in journal(unit), "the journal")
    settings_of_units("")
    collects("after-watchdog")


def test_crash():
    for unit in UNITS:
        with Load(f"crash-{unit}", 20, 2) as letters:
            time.sleep(1)
            restart_of(unit, lambda pid: os.kill(pid, signal.SIGKILL))
        doubled = letters.arrived()
        print(f"killed {unit}: 0 of 20 lost, {doubled} doubled")
        assert doubled <= IN_FLIGHT_MAX


def test_reload():
    pids = [main_pid(unit) for unit in UNITS]
    write_settings(lambda text: text.replace("#catch_all", "catch_all"))
    for unit in UNITS:
        before = journal(unit).count("reloaded")
        run("systemctl", "reload", unit)
        wait_for(lambda unit=unit, n=before: journal(unit).count("reloaded") > n, f"{unit} to reload")
    put_letter("to-catch-all", to="nobody@example.org")
    expect_letter("to-catch-all", "bert")
    assert pids == [main_pid(unit) for unit in UNITS]


def test_reload_of_a_bad_configuration():
    pids = [main_pid(unit) for unit in UNITS]
    write_settings(lambda text: text + "no_such_key: 1\n")
    for unit in UNITS:
        fails("systemctl", "reload", unit)
        wait_for(lambda unit=unit: "no_such_key" in journal(unit), "the journal")
        assert is_active(unit)
    collects("with-the-old-configuration")
    assert pids == [main_pid(unit) for unit in UNITS]
    write_settings()
    run("systemctl", "reload", *UNITS)


def test_restart_waits_for_postfix():
    # Postfix has the mail, but its sendmail(1) has not said so yet.
    slow = pathlib.Path("/usr/local/sbin/slow-sendmail")
    slow.write_text("#!/bin/sh\n/usr/sbin/sendmail \"$@\" && sleep 3\n")
    slow.chmod(0o755)
    write_settings(lambda text: text + f"inject: {{sendmail: {slow}}}\n")
    run("systemctl", "restart", "mailhaul-fetcher")
    collects("in-flight")
    write_settings()
    run("systemctl", "restart", "mailhaul-fetcher")
    wait_for(lambda: not waiting_at_provider(), "the mailbox to be empty")
    assert delivered()["in-flight", "anna"] == 1


def test_upgrade_under_load():
    pids = [main_pid(unit) for unit in UNITS]
    begun = time.monotonic()
    with Load("upgrade", 150, 10) as letters:
        time.sleep(2)
        apt("install", LATER)
        taken = time.monotonic() - begun - 2
    doubled = letters.arrived()
    print(f"upgrade in {taken:.1f} s, with 15 mails a second: "
          f"0 of 150 lost, {doubled} doubled")
    assert doubled == 0
    assert "+later" in run("dpkg-query", "-W", "mailhaul")
    for unit, before in zip(UNITS, pids):
        assert is_active(unit) and main_pid(unit) != before


def test_stop():
    run("systemctl", "stop", "mailhaul-fetcher")
    assert state_of("mailhaul-fetcher", "Result") == "success"
    no_unit_failed()
    put_letter("over-night")


# second boot


def test_boot():
    for unit in UNITS:
        wait_for(lambda unit=unit: is_active(unit), unit)
    expect_letter("over-night")
    no_unit_failed()


def test_remove():
    told = apt("remove", "mailhaul")
    assert "main.cf still names the milter" in told
    for unit in UNITS:
        assert not is_active(unit)
    assert (SETTINGS / "mailhaul.yaml").exists() and (STATE / "state.db").exists()
    no_unit_failed()


def test_installed_again():
    apt("install", LATER)
    for unit in UNITS:
        wait_for(lambda unit=unit: is_active(unit), unit)
    collects("after-all")
    # It knew what it had collected, through everything.
    for number in range(3):
        assert delivered()[f"kept-{number}", "bert"] == 1


def test_purge():
    run("mailhaul", "setup", "postfix", "--undo")
    run("systemctl", "restart", "postfix")
    told = apt("purge", "mailhaul")
    assert "main.cf still names" not in told, told
    # What an administrator put beside the units.
    shutil.rmtree("/etc/systemd/system/mailhaul-fetcher.service.d")
    run("systemctl", "daemon-reload")
    found = run("find", "/", "-xdev", "(", "-path", "/root", "-o", "-path", "/var/log", "-o",
                "-path", "/proc", "-o", "-name", "main.cf.mailhaul-*", ")", "-prune", "-o", "-name", "*mailhaul*", "-print")
    found += run("find", "/run", "-name", "*mailhaul*", "-not", "-path", "/run/udev/*")
    assert not found.strip(), found
    run("getent", "passwd", "mailhaul")
    no_unit_failed()
    run("sh", "-c", "sendmail bert@example.org </root/local")
    wait_for(lambda: delivered()["of-this-machine", "bert"] == 2, "mail of this machine")


PHASES = {
    "first": (test_install, test_users_and_folders, test_exposure, test_start, test_mail,
              test_directory, test_tables_of_postfix, test_journal, test_explain_by_queue_id,
              test_local_mail_is_left_alone, test_watchdog, test_crash, test_reload,
              test_reload_of_a_bad_configuration, test_restart_waits_for_postfix,
              test_upgrade_under_load, test_stop),
    "second": (test_boot, test_remove, test_installed_again, test_purge),
}


def main(phase):
    for test in PHASES[phase]:
        name = test.__name__.removeprefix("test_").replace("_", " ")
        begun = time.monotonic()
        try:
            test()
        except Exception:  # whatever it was, the rest makes no sense after it
            print(run("journalctl", "--no-pager", "-n", "60", check=False))
            traceback.print_exc(file=sys.stdout)
            print(f"FAILED: {name}", flush=True)
            return 1
        print(f"passed: {name} ({time.monotonic() - begun:.1f} s)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
