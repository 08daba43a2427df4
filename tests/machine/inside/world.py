# SPDX-License-Identifier: Apache-2.0
"""What stands around the package on the machine: a provider, Postfix, people."""

import collections
import os
import pathlib
import shutil
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
PROVIDER = pathlib.Path("/srv/provider")
COMPANY = pathlib.Path("/srv/company")
SETTINGS = pathlib.Path("/etc/mailhaul")
PEOPLE = ("anna", "bert", "postmaster")
COMPANY_UID = 5000
LETTER = """\
X-Envelope-To: {to}
Received: from mail.sender.example (mail.sender.example [192.0.2.9])
\tby mx.isp.example (Postfix) with ESMTP id 4F2; Sat, 21 Nov 2026 12:00:00 +0000
From: Somebody <somebody@sender.example>
To: {to}
Subject: {name}
Message-ID: <{name}@sender.example>
Date: Sat, 21 Nov 2026 12:00:00 +0000

A letter.
"""


SLAPD = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile {folder}/certificate.pem
TLSCertificateKeyFile {folder}/key.pem
database mdb
suffix dc=example,dc=org
directory {folder}/db
"""
PEOPLE_LDIF = """\
dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: uid=anna,dc=example,dc=org
objectClass: inetOrgPerson
uid: anna
cn: Anna
sn: A
mail: anna@example.org
"""


def run(*argv, check=True):
    """Standard output and error of a command that must end well."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", timeout=300)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(argv)}: status {done.returncode}\n{done.stdout}")
    return done.stdout


def fails(*argv):
    """Output of a command that must fail."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=120)
    assert done.returncode != 0, f"{' '.join(argv)} did not fail: {done.stdout}"
    return done.stdout


def wait_for(condition, what, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.1)


def state_of(unit, *properties):
    shown = run("systemctl", "show", "--value", *(f"-p{p}" for p in properties), unit)
    return shown.split("\n")[0] if len(properties) == 1 else shown.split()


def main_pid(unit):
    return int(state_of(unit, "MainPID"))


def is_active(unit):
    return state_of(unit, "ActiveState") == "active"


def journal(unit):
    return run("journalctl", "--no-pager", "-o", "cat", "-u", unit)


def start_provider():
    """A POP3 server with two mailboxes that catch all mail of example.org."""
    config = pathlib.Path("/etc/provider")
    config.mkdir()
    run("useradd", "--system", "--home", str(PROVIDER), "provider")
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes", "-keyout", f"{config}/key.pem", "-out", f"{config}/certificate.pem",
        "-days", "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    for name in ("office", "kept"):
        for folder in ("new", "cur", "tmp"):
            (PROVIDER / name / folder).mkdir(parents=True)
        run("chown", "-R", "provider:", str(PROVIDER / name))
    (config / "users").write_text("office:{PLAIN}first secret\nkept:{PLAIN}second secret\n")
    version = "2.4" if run("dovecot", "--version").startswith("2.4") else "2.3"
    shutil.copy(HERE / f"dovecot-{version}.conf", "/etc/dovecot/dovecot.conf")
    run("systemctl", "restart", "dovecot")


def start_postfix():
    mailboxes = " ".join(f"{{ {name}@example.org = {name}/ }}" for name in PEOPLE)
    COMPANY.mkdir()
    os.chown(COMPANY, COMPANY_UID, COMPANY_UID)
    run("postconf", "-e", "myhostname=mx.example.org", "inet_interfaces=loopback-only",
        "mydestination=localhost", "virtual_mailbox_domains=example.org",
        f"virtual_mailbox_maps=inline:{{ {mailboxes} }}", f"virtual_mailbox_base={COMPANY}",
        f"virtual_uid_maps=static:{COMPANY_UID}", f"virtual_gid_maps=static:{COMPANY_UID}")
    run("systemctl", "restart", "postfix")


def start_slapd(folder):
    """A directory that knows Anna, over LDAPS; returns its process."""
    folder.mkdir()
    (folder / "db").mkdir()
    with open("/etc/hosts", "a") as hosts:
        hosts.write("127.0.0.1 ldap.example.org\n")
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/certificate.pem",
        "-days", "30", "-subj", "/CN=ldap.example.org",
        "-addext", "subjectAltName=DNS:ldap.example.org")
    config = folder / "slapd.conf"
    config.write_text(SLAPD.format(folder=folder))
    people = folder / "people.ldif"
    people.write_text(PEOPLE_LDIF)
    run("slapadd", "-q", "-f", str(config), "-l", str(people))
    slapd = subprocess.Popen(["slapd", "-d", "0", "-f", config, "-h", "ldaps://127.0.0.1:6636"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: "127.0.0.1:6636" in run("ss", "-Htln"), "slapd")
    return slapd


def put_letter(name, to="anna@example.org", mailbox="office"):
    """A letter arrives at the provider."""
    folder = PROVIDER / mailbox
    written = folder / "tmp" / f"{time.time_ns()}.{name}.provider"
    written.write_text(LETTER.format(name=name, to=to))
    shutil.chown(written, "provider", "provider")
    written.rename(folder / "new" / written.name)


def waiting_at_provider(mailbox="office"):
    return [f for part in ("new", "cur") for f in (PROVIDER / mailbox / part).iterdir()]


def delivered():
    """Counter of (subject, person)."""
    found = collections.Counter()
    for letter in COMPANY.glob("*/new/*"):
        for line in letter.read_text(errors="replace").splitlines():
            if line.startswith("Subject: "):
                found[line[9:], letter.parts[-3]] += 1
                break
    return found


def expect_letter(name, person="anna", seconds=30):
    wait_for(lambda: delivered()[name, person], f"{name} to {person}", seconds)


def collects(name):
    """Mail goes all the way."""
    put_letter(name)
    expect_letter(name)
