# SPDX-License-Identifier: Apache-2.0
"""A move from fetchmail, getmail or mpop: the real old program collects a part of a
real mailbox, the rest is ours, and nobody gets anything twice."""

import shutil
import subprocess
from urllib.parse import unquote

import pytest
from mailhaul import to_yaml
from mails import mail
from provider import HOST, IMAPS, POP3S


class Old:
    """An old program with its configuration and its state, owned by root."""

    def __init__(self, scene, name):
        self.scene = scene
        self.folder = scene.mailhaul.folder / name
        self.folder.mkdir(mode=0o700)
        self.ca = scene.mailhaul._ca

    def write(self, text, name="rc"):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def run(self, *command, status=(0,)):
        done = subprocess.run(
            [str(c) for c in command], capture_output=True, text=True, timeout=60,
            cwd=self.folder, stdin=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "LC_ALL": "C.UTF-8",
                 "USER": "root", "LOGNAME": "root"},
        )
        assert done.returncode in status, done.stdout + done.stderr
        self.scene.postfix.wait_until_idle()


class Fetchmail(Old):
    kind = "fetchmailrc"

    def __init__(self, scene, options="is anna@example.org here", server="proto pop3 port 1995"):
        super().__init__(scene, "fetchmail")
        box = scene.mailbox
        self.rc = self.write(
            f'poll {HOST} {server}\n  user "{box.user}" password \'{box.password}\'\n'
            f"  {options} keep ssl sslcertck sslcertfile {self.ca}\n")
        self.state = self.folder / ".fetchids"

    def collect(self):
        self.run("fetchmail", "-f", self.rc, "-i", self.state, "--pidfile",
                 self.folder / "pid", "--nosyslog", "-N", status=(0, 1))


class Getmail(Old):
    kind = "getmailrc"

    def __init__(self, scene, retriever="SimplePOP3SSLRetriever", port=POP3S, more="",
                 recipient="anna@example.org"):
        super().__init__(scene, "getmail")
        box = scene.mailbox
        self.rc = self.write(f"""\
[retriever]
type = {retriever}
server = {HOST}
port = {port}
username = {box.user}
password = {box.password}
ca_certs = {self.ca}
{more}
[destination]
type = MDA_external
path = /usr/sbin/sendmail
arguments = ("-i", "-f", "%(sender)", "--", "{recipient}")
allow_root_commands = true
[options]
read_all = false
delete = false
received = false
delivered_to = false
""")
        self.state = self.folder

    def collect(self):
        self.run("getmail", f"--getmaildir={self.folder}", "--rcfile=rc")


class Mpop(Old):
    kind = "mpoprc"

    def __init__(self, scene):
        super().__init__(scene, "mpop")
        box = scene.mailbox
        self.rc = self.write(f"""\
defaults
tls on
tls_starttls off
tls_trust_file {self.ca}
keep on
account office
host {HOST}
port {POP3S}
user {box.user}
password {box.password}
delivery mda "/usr/sbin/sendmail -i -f '%F' -- anna@example.org"
account default : office
""")
        self.state = self.folder / ".mpop_uidls"

    def collect(self):
        self.run("mpop", f"--file={self.rc}", "office")


def move(scene, old, state=True):
    """Import it all, and use that: as an administrator would, but for the places
    of sockets, state and directory, which are this installation's."""
    m = scene.mailhaul
    secrets = m.folder / "secrets"
    secrets.mkdir(mode=0o755)
    seen = m.folder / "seen.txt"
    done = subprocess.run(
        [m._programs / "release" / "mailhaul", "import", "--secrets", secrets, "--domain",
         "example.org", *(["--state", old.state, "--seen", seen] if state else []),
         old.kind, old.rc],
        capture_output=True, text=True, timeout=30,
    )
    assert done.returncode in (0, 1), done.stderr
    assert scene.mailbox.password not in done.stdout + done.stderr
    own = {k: v for k, v in m.config.items() if k in ("directory", "milter", "state_dir")}
    lines = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    m.yaml.write_text(to_yaml(own) + "\n".join(["", *lines, ""]))
    shutil.chown(m.yaml, "root", "mailhaul")
    m.yaml.chmod(0o640)
    m.write = lambda: None  # it is written
    m.kill("milter")  # a stop takes it five seconds
    for secret in secrets.iterdir():
        assert secret.stat().st_mode & 0o777 == 0o600
        assert secret.read_text() == scene.mailbox.password + "\n"
        shutil.chown(secret, "mailhaul")
    m.command("check").expect(0)
    return seen, done


ANNA, BEN = "anna@example.org", "ben@example.org"
PROGRAMS = {
    "fetchmail": Fetchmail,
    "getmail": Getmail,
    "getmail-imap": lambda scene: Getmail(
        scene, "SimpleIMAPSSLRetriever", IMAPS, 'mailboxes = ("INBOX", "Lists/one")'),
    "mpop": Mpop,
}


@pytest.mark.parametrize("program", ["fetchmail", "getmail", "mpop"])
def test_the_state_names_what_was_collected(scene, program):
    scene.mailhaul.start_milter()
    old = PROGRAMS[program](scene)
    uids = scene.put(mail("one"), mail("two"))
    old.collect()
    scene.put(mail("three"))
    seen, done = move(scene, old)
    rows = [line.split("\t") for line in seen.read_text().splitlines() if line[0] != "#"]
    assert {(unquote(uid), state) for _, uid, state, _ in rows} >= {
        (uid, "injected") for uid in uids}
    assert len({account for account, *_ in rows}) == 1
    assert "2 messages are not collected again" in done.stderr


@pytest.mark.parametrize("program", PROGRAMS)
def test_nothing_is_collected_twice(scene, program):
    scene.mailhaul.start_milter()
    old = PROGRAMS[program](scene)
    if program == "getmail-imap":
        scene.mailbox.make_folder("Lists/one")
        scene.mailbox.put(mail("in-a-list"), folder="Lists/one")
    scene.put(mail("one"), mail("two"))
    old.collect()
    collected = {"one", "two"} | ({"in-a-list"} if program == "getmail-imap" else set())
    assert set(scene.got()) == collected
    scene.put(mail("three"), mail("four"))
    seen, _ = move(scene, old)
    scene.mailhaul.command("seen", "import", seen).expect(0)
    result = scene.mailhaul.fetch_once().expect(0)
    scene.postfix.wait_until_idle()
    assert scene.got() == {case: [ANNA] for case in {"three", "four"} | collected}
    assert len(result.lines(status="injected")) == 2
    assert len(scene.mailbox.uids()) == 4  # both keep


def test_fetchmail_knows_no_uids_of_imap(scene):
    scene.mailhaul.start_milter()
    old = Fetchmail(scene, server="proto imap port 1993")
    scene.put(mail("one"), mail("two"))
    old.collect()
    assert set(scene.got()) == {"one", "two"}
    _, done = move(scene, old, state=False)
    advice = f"mailhaul seen baseline {HOST}"
    assert advice in done.stderr
    scene.mailhaul.command(*advice.split()[1:]).expect(0)
    scene.mailhaul.fetch_once().expect(0)
    scene.put(mail("three"))
    scene.mailhaul.fetch_once().expect(0)
    scene.postfix.wait_until_idle()
    assert scene.got() == {case: [ANNA] for case in ("one", "two", "three")}


MULTIDROP = "proto pop3 port 1995 localdomains example.org"
ENVELOPES = [
    mail("one", envelope=ANNA),
    mail("bcc", envelope=BEN, to="list@elsewhere.example"),
    mail("to-says-another", envelope=ANNA, to=BEN),
]
ENVELOPES_REACH = {"one": [ANNA], "bcc": [BEN], "to-says-another": [ANNA]}
PAIRS = [mail("one", envelope=[BEN, ANNA]), mail("two", envelope=[ANNA, BEN])]
PAIRS_REACH = {"one": [ANNA], "two": [BEN]}
PERSONS = [mail("one", to=BEN), mail("two", envelope="someone@elsewhere.example")]
PERSONS_REACH = {"one": [ANNA], "two": [ANNA]}

# The old program; the mailbox; who gets what.
SAMPLES = {
    "fetchmail-envelope": (
        lambda scene: Fetchmail(scene, "is * here", f'{MULTIDROP} envelope "X-Envelope-To:"'),
        ENVELOPES, ENVELOPES_REACH),
    "fetchmail-second-envelope": (
        lambda scene: Fetchmail(scene, "is * here", f"{MULTIDROP} envelope 1 X-Envelope-To"),
        PAIRS, PAIRS_REACH),
    "fetchmail-prefix": (
        lambda scene: Fetchmail(
            scene, "is * here", f"{MULTIDROP} envelope X-Envelope-To qvirtual mbox-"),
        [mail("one", envelope=f"mbox-{ANNA}")], {"one": [ANNA]}),
    "fetchmail-headers": (
        lambda scene: Fetchmail(scene, "is * here", f"{MULTIDROP} no envelope no dns"),
        [mail("one", to=f"{ANNA}, Ben <{BEN}>, out@elsewhere.example"),
         mail("two", f"Cc: {BEN}", to="list@elsewhere.example")],
        {"one": [ANNA, BEN], "two": [BEN]}),
    "fetchmail-person": (Fetchmail, PERSONS, PERSONS_REACH),
    "fetchmail-imap": (
        lambda scene: Fetchmail(scene, server="proto imap port 1993"), PERSONS, PERSONS_REACH),
    "getmail-envelope": (
        lambda scene: Getmail(scene, "MultidropPOP3SSLRetriever", POP3S,
                              "envelope_recipient = X-Envelope-To:1", "%(recipient)"),
        ENVELOPES, ENVELOPES_REACH),
    "getmail-second-envelope": (
        lambda scene: Getmail(scene, "MultidropPOP3SSLRetriever", POP3S,
                              "envelope_recipient = x-envelope-to:2", "%(recipient)"),
        PAIRS, PAIRS_REACH),
    "getmail-person": (Getmail, PERSONS, PERSONS_REACH),
    "mpop-person": (Mpop, PERSONS, PERSONS_REACH),
}


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_same_people_get_the_same_mail(scene, sample):
    """The old program and we on the same mailbox, without a state."""
    make, mails, reach = SAMPLES[sample]
    scene.mailhaul.start_milter()
    old = make(scene)
    scene.put(*mails)
    old.collect()
    assert scene.got() == reach
    scene.postfix.forget_delivered()
    _, done = move(scene, old, state=False)
    assert "refused" not in done.stderr
    scene.mailhaul.fetch_once().expect(0)
    scene.postfix.wait_until_idle()
    assert scene.got() == reach
    assert len(scene.mailbox.uids()) == len(mails)  # both keep


def test_statuses(scene):
    program = scene.mailhaul._programs / "release" / "mailhaul"
    folder = scene.mailhaul.folder

    def status(*arguments):
        return subprocess.run([program, "import", *arguments], capture_output=True).returncode

    good, bad = folder / "good.csv", folder / "bad.csv"
    good.write_text("host,user\npop.isp.example,anna\n")
    bad.write_text("host,user\npop.isp.example,\n")
    assert status("csv", good) == 0
    assert status("csv", bad) == 65
    assert status("csv", folder / "none") == 66
    assert status("xml", good) == 64
    assert status("--secrets", folder / "none", "csv", good) == 73
    assert status("--state", good, "csv", good) == 64
    assert status("--state", good, "--seen", folder / "no" / "where", "mpoprc", good) == 73
