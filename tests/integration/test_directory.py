# SPDX-License-Identifier: Apache-2.0
"""Who exists, as `mailhaul query` finds it in a real slapd and in users.txt."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAILHAUL = ROOT / "build" / "release" / "mailhaul"

BASE = "dc=example,dc=org"
BIND_DN = f"cn=mailhaul,ou=services,{BASE}"
PASSWORD = "secret-of-the-directory"
FOUND, ABSENT, UNKNOWN, USAGE, CONFIG = 0, 1, 75, 64, 78

# No schema file of Debian has mailAlternateAddress.
SCHEMA = """\
attributetype ( 2.16.840.1.113730.3.1.13 NAME 'mailAlternateAddress'
  DESC 'further addresses' EQUALITY caseIgnoreIA5Match
  SUBSTR caseIgnoreIA5SubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.26{256} )
attributetype ( 2.16.840.1.113730.3.1.610 NAME 'nsAccountLock'
  EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.3.6.1.4.1.7914.1.2.2.1 NAME 'qmailUser' SUP top AUXILIARY
  MAY ( mail $ mailAlternateAddress $ nsAccountLock ) )
"""
CONF = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
include {folder}/mail.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
argsfile {folder}/slapd.args
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
TLSVerifyClient never
security simple_bind=128
authz-regexp "gidNumber=.*\\+uidNumber=([0-9]+),cn=peercred,cn=external,cn=auth" "cn=local-$1,ou=services,{base}"
database mdb
suffix "{base}"
directory {folder}/db
maxsize 104857600
index objectClass,mail,mailAlternateAddress eq
access to attrs=userPassword by anonymous auth by * none
access to * by dn.children="ou=services,{base}" read by * none
"""
ENTRIES = """\
dn: {base}
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: ou=services,{base}
objectClass: organizationalUnit
ou: services

dn: {bind_dn}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: mailhaul
userPassword: {password}

dn: cn=local-{uid},ou=services,{base}
objectClass: organizationalRole
cn: local-{uid}

dn: ou=people,{base}
objectClass: organizationalUnit
ou: people

dn: uid=anna,ou=people,{base}
objectClass: inetOrgPerson
objectClass: qmailUser
uid: anna
cn: Anna
sn: Berg
mail: anna@example.org
mailAlternateAddress: anna.berg@example.org
mailAlternateAddress: anna@example.net

dn: uid=ben,ou=people,{base}
objectClass: inetOrgPerson
objectClass: qmailUser
uid: ben
cn: Ben
sn: Weber
mail: ben@example.org
mail: ben.weber@example.org
mailAlternateAddress: weber@example.org
mailAlternateAddress: both@example.org

dn: uid=clara,ou=people,{base}
objectClass: inetOrgPerson
objectClass: qmailUser
uid: clara
cn: Clara
sn: Ernst
mailAlternateAddress: clara@example.org

dn: uid=dora,ou=people,{base}
objectClass: inetOrgPerson
objectClass: qmailUser
uid: dora
cn: Dora
sn: Kurz
mail: dora@elsewhere.example
mailAlternateAddress: dora@example.org
mailAlternateAddress: both@example.org

dn: uid=locked,ou=people,{base}
objectClass: inetOrgPerson
objectClass: posixAccount
objectClass: qmailUser
uid: locked
cn: Locked
sn: Out
uidNumber: 1002
gidNumber: 1002
homeDirectory: /home/locked
mail: locked@example.org
nsAccountLock: TRUE

dn: uid=unlocked,ou=people,{base}
objectClass: inetOrgPerson
objectClass: posixAccount
objectClass: qmailUser
uid: unlocked
cn: Unlocked
sn: In
uidNumber: 1003
gidNumber: 1003
homeDirectory: /home/unlocked
mail: unlocked@example.org
nsAccountLock: FALSE

dn: cn=sales,ou=people,{base}
objectClass: groupOfNames
objectClass: qmailUser
cn: sales
mail: sales@example.org
mailAlternateAddress: vertrieb@example.org
member: uid=anna,ou=people,{base}
member: uid=ben,ou=people,{base}

dn: cn=staff,ou=people,{base}
objectClass: posixGroup
objectClass: qmailUser
cn: staff
gidNumber: 1000
mail: staff@example.org
memberUid: anna
"""


def run(*command, folder=None):
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"


def free_ports(count):
    """All different."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def make_authority(folder, name):
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "30",
        "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE", folder=folder)


class Slapd:
    """slapd on free ports, trusted by ca.pem, known as 127.0.0.1 only."""

    def __init__(self, folder):
        self.folder = folder
        self.process = None
        ldap, ldaps = free_ports(2)
        self.ldap = f"ldap://127.0.0.1:{ldap}"
        self.ldaps = f"ldaps://127.0.0.1:{ldaps}"
        self.ldapi = "ldapi://" + str(folder / "ldapi").replace("/", "%2F")
        self.listen = f"ldap://:{ldap} ldaps://:{ldaps} {self.ldapi}"
        self.port = ldaps
        (folder / "db").mkdir()
        make_authority(folder, "ca")
        make_authority(folder, "other-ca")
        self._make_certificate()
        names = dict(folder=folder, base=BASE, bind_dn=BIND_DN, password=PASSWORD, uid=os.getuid())
        (folder / "mail.schema").write_text(SCHEMA)
        (folder / "slapd.conf").write_text(CONF.format(**names))
        (folder / "entries.ldif").write_text(ENTRIES.format(**names))
        run("/usr/sbin/slapadd", "-q", "-f", "slapd.conf", "-l", "entries.ldif", folder=folder)

    def _make_certificate(self):
        (self.folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=slapd",
            folder=self.folder)
        run("openssl", "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "30", "-out", "server.pem", "-extfile", "names",
            folder=self.folder)

    def start(self):
        self.process = subprocess.Popen(
            ["/usr/sbin/slapd", "-d", "0", "-f", "slapd.conf", "-h", self.listen],
            cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 15
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert time.monotonic() < deadline and self.process.poll() is None, "no slapd"
                time.sleep(0.02)

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        self.process = None


@pytest.fixture(scope="module")
def running_slapd():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mailhaul-slapd-", dir="/tmp"))
    slapd = Slapd(folder)
    slapd.start()
    yield slapd
    slapd.stop()
    shutil.rmtree(folder)


@pytest.fixture
def slapd(running_slapd):
    """Running, whatever the test before did to it."""
    if running_slapd.process is None:
        running_slapd.start()
    return running_slapd


@pytest.fixture
def query(tmp_path):
    return Query(tmp_path)


class Query:
    """`mailhaul query` with a configuration made for the question."""

    def __init__(self, folder):
        self.folder = folder
        self.stdout = self.stderr = ""
        self.seconds = 0.0

    def ldap(self, address, *uris, timeout="20s", **settings):
        settings = {"schema": "openldap", "base": BASE, **settings}
        lines = [
            f"      {name}: {value}" for name, value in settings.items() if value is not None
        ]
        return self._ask(
            address,
            "  - ldap:",
            f"      uri: [{', '.join(json.dumps(uri) for uri in uris)}]",
            f"      timeout: {timeout}",
            *lines,
        )

    def by_password(self, slapd, address, *uris, password=PASSWORD, **settings):
        secret = self.folder / "ldap.password"
        secret.write_text(password + "\n")
        secret.chmod(0o600)
        settings = {
            "bind_dn": json.dumps(BIND_DN),
            "password": f"{{file: {secret}}}",
            "ca_file": slapd.folder / "ca.pem",
            **settings,
        }
        return self.ldap(address, *uris, **settings)

    def file(self, address):
        return self._ask(address, "  - file: users.txt")

    def _ask(self, address, *sources, arguments=()):
        config = self.folder / "mailhaul.yaml"
        config.write_text("\n".join([
            "postmaster: postmaster@example.org",
            "accepted_domains: [example.org, {domain: old.example, map_to: example.org},"
            " example.net]",
            'recipient_delimiter: "+"',
            "directory:",
            *sources,
            "accounts: []",
            "",
        ]))
        return self.command("-c", config, *arguments, address)

    def command(self, *arguments):
        begun = time.monotonic()
        done = subprocess.run(
            [MAILHAUL, "query", *map(str, arguments)], capture_output=True, text=True, timeout=60
        )
        self.seconds = time.monotonic() - begun
        self.stdout, self.stderr = done.stdout, done.stderr
        print(done.stdout, done.stderr)
        assert PASSWORD not in done.stdout + done.stderr
        return done.returncode


@pytest.mark.parametrize("address, status", [
    ("anna@example.org", FOUND),
    ("ANNA@Example.ORG", FOUND),
    ("anna.berg@example.org", FOUND),
    ("anna@example.net", FOUND),
    ("anna+lists@example.org", FOUND),
    ("anna@old.example", FOUND),
    # A group is an entry with an address like any other.
    ("sales@example.org", FOUND),
    ("vertrieb@example.org", FOUND),
    ("staff@example.org", FOUND),
    ("nobody@example.org", ABSENT),
    ("nobody+lists@example.org", ABSENT),
    # Neither a wildcard nor more filter.
    ("*@example.org", ABSENT),
    ("an*@example.org", ABSENT),
    ('"x)(|(mail=*"@example.org', ABSENT),
    ('"anna\\\\2a"@example.org', ABSENT),
    # Never asked: not ours.
    ("anna@elsewhere.example", ABSENT),
])
def test_ldaps(slapd, query, address, status):
    assert query.by_password(slapd, address, slapd.ldaps) == status


@pytest.mark.parametrize("address, status", [
    ("anna.berg@example.org", FOUND), ("unlocked@example.org", FOUND), ("locked@example.org", ABSENT),
    ("vertrieb@example.org", FOUND), ("staff@example.org", FOUND), ("nobody@example.org", ABSENT),
])
def test_freeipa_leaves_out_who_is_locked(slapd, query, address, status):
    assert query.by_password(slapd, address, slapd.ldaps, schema="freeipa") == status


def test_start_tls(slapd, query):
    for address, status in (("anna@example.org", FOUND), ("nobody@example.org", ABSENT)):
        answer = query.by_password(slapd, address, slapd.ldap, start_tls="required")
        assert answer == status


def test_ldapi_external(slapd, query):
    assert query.ldap("anna.berg@example.org", slapd.ldapi) == FOUND
    assert query.ldap("nobody@example.org", slapd.ldapi) == ABSENT


def test_own_filter(slapd, query):
    own = json.dumps("(&(objectClass=inetOrgPerson)(uid={local}))")
    assert query.by_password(slapd, "anna@example.org", slapd.ldaps, filter=own) == FOUND
    assert query.by_password(slapd, "anna.berg@example.org", slapd.ldaps, filter=own) == ABSENT


def test_no_password_in_clear(slapd, query):
    assert query.by_password(slapd, "anna@example.org", slapd.ldap) == CONFIG


@pytest.mark.parametrize("start_tls", [False, True])
def test_unverified_server(slapd, query, start_tls):
    """Wrong authority, then wrong name."""
    settings = {"start_tls": "required"} if start_tls else {}
    uri = slapd.ldap if start_tls else slapd.ldaps
    wrong_name = uri.replace("127.0.0.1", "127.0.0.2")
    other = slapd.folder / "other-ca.pem"
    address = "anna@example.org"
    assert query.by_password(slapd, address, uri, ca_file=other, **settings) == UNKNOWN
    assert query.by_password(slapd, address, wrong_name, **settings) == UNKNOWN
    assert wrong_name in query.stdout


def test_authorities_of_the_system(slapd, query, monkeypatch):
    """Also where no ldap.conf(5) names them, as without Debian's libldap-common."""
    monkeypatch.setenv("LDAPNOINIT", "1")
    bundle = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
    known = bundle.read_bytes()
    assert query.by_password(slapd, "anna@example.org", slapd.ldaps, ca_file=None) == UNKNOWN
    assert "its certificate" in query.stdout
    bundle.write_bytes(known + (slapd.folder / "ca.pem").read_bytes())
    try:
        assert query.by_password(slapd, "anna@example.org", slapd.ldaps, ca_file=None) == FOUND
    finally:
        bundle.write_bytes(known)


def test_ca_file_without_certificates(slapd, query):
    other = slapd.folder / "entries.ldif"
    assert query.by_password(slapd, "anna@example.org", slapd.ldaps, ca_file=other) == UNKNOWN


def test_wrong_password(slapd, query):
    answer = query.by_password(slapd, "anna@example.org", slapd.ldaps, password="wrong")
    assert answer == UNKNOWN
    assert "Invalid credentials: look at bind_dn and password" in query.stdout


def test_base_gone(slapd, query):
    for base in ("ou=gone,dc=example,dc=org", "dc=other"):
        assert query.by_password(slapd, "anna@example.org", slapd.ldaps, base=base) == UNKNOWN
        assert "No such object" in query.stdout or "referral" in query.stdout.lower()


def test_no_rights(slapd, query):
    """Anonymous sees nothing: that must not look like an empty directory."""
    ca = slapd.folder / "ca.pem"
    assert query.ldap("anna@example.org", slapd.ldaps, ca_file=ca) == UNKNOWN


@pytest.mark.parametrize("kind", ["ldaps", "start_tls", "ldapi"])
def test_stopped_server(slapd, query, kind):
    """Connections are accepted and then nothing comes, at each layer."""
    slapd.process.send_signal(signal.SIGSTOP)
    try:
        if kind == "ldapi":
            answer = query.ldap("anna@example.org", slapd.ldapi, timeout="1s")
        elif kind == "ldaps":
            answer = query.by_password(slapd, "anna@example.org", slapd.ldaps, timeout="1s")
        else:
            answer = query.by_password(
                slapd, "anna@example.org", slapd.ldap, timeout="1s", start_tls="required"
            )
    finally:
        slapd.process.send_signal(signal.SIGCONT)
    assert answer == UNKNOWN
    assert query.seconds < 10


def test_killed_server(slapd, query):
    slapd.stop()
    for address in ("anna@example.org", "nobody@example.org"):
        assert query.by_password(slapd, address, slapd.ldaps) == UNKNOWN
    assert "Can't contact LDAP server" in query.stdout
    slapd.start()
    assert query.by_password(slapd, "anna@example.org", slapd.ldaps) == FOUND


def test_first_server_dead(slapd, query):
    dead = "ldaps://127.0.0.1:1"
    assert query.by_password(slapd, "anna@example.org", dead, slapd.ldaps) == FOUND
    assert query.by_password(slapd, "nobody@example.org", dead, slapd.ldaps) == ABSENT


def test_first_server_silent(slapd, query):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"ldaps://127.0.0.1:{silent.getsockname()[1]}"
        assert query.by_password(slapd, "anna@example.org", uri, slapd.ldaps, timeout="16s") == FOUND
    assert query.seconds < 16


@pytest.mark.parametrize("asked, why, to", [
    ("anna@example.org", "1 entry, mail: anna@example.org", None),
    ("anna.berg@example.org", "1 entry, mail: anna@example.org", "anna@example.org"),
    ("anna.berg+news@example.org", "1 entry, mail: anna@example.org", "anna+news@example.org"),
    ("anna@old.example", "1 entry, mail: anna@example.org", "anna@example.org"),
    ("vertrieb@example.org", "1 entry, mail: sales@example.org", "sales@example.org"),
    ("weber@example.org", "1 entry, several addresses to rewrite to in mail", None),
    ("clara@example.org", "1 entry, no address to rewrite to in mail", None),
    ("dora@example.org", "1 entry, mail: dora@elsewhere.example", None),
    ("both@example.org", "several entries, several addresses to rewrite to in mail", None),
])
def test_rewrite_to(slapd, query, asked, why, to):
    assert query.by_password(slapd, asked, slapd.ldaps, rewrite_to="mail") == FOUND
    assert f": found: {slapd.ldaps}: {why}\n" in query.stdout
    last = query.stdout.splitlines()[-1]
    assert last == f"{asked}: found" + (f" -> {to}" if to else "")


def test_rewrite_to_an_attribute_that_is_not_there(slapd, query):
    assert query.by_password(slapd, "anna@example.org", slapd.ldaps, rewrite_to="x-none") == FOUND
    assert "no address to rewrite to in x-none" in query.stdout
    assert query.by_password(slapd, "anna@example.org", slapd.ldaps, rewrite_to="a*") == CONFIG


def test_users_file(query):
    assert query.file("anna@example.org") == UNKNOWN
    (query.folder / "users.txt").write_text("# staff\nAnna@Example.org\n")
    assert query.file("anna@example.org") == FOUND
    assert query.file("anna+lists@example.org") == FOUND
    assert query.file("bert@example.org") == ABSENT


def test_chain(slapd, query):
    """A yes counts; without one, somebody who cannot tell keeps it open."""
    (query.folder / "users.txt").write_text("bert@example.org\n")
    ldap = [
        "  - ldap:",
        '      uri: ["ldaps://127.0.0.1:1"]',
        "      schema: openldap",
        f"      base: {BASE}",
    ]
    both = [*ldap, "  - file: users.txt"]
    assert query._ask("bert@example.org", *both) == FOUND
    assert query._ask("nobody@example.org", *both) == UNKNOWN


def test_domains(query):
    """Each source is asked for its own; nobody is turned away where there is none."""
    (query.folder / "users.txt").write_text("anna@example.org\nanna@example.net\n")
    one = ["  - file: users.txt", "    domains: [example.org]"]
    assert query._ask("anna@example.org", *one) == FOUND
    assert query._ask("bert@example.org", *one) == ABSENT
    assert query._ask("bert@old.example", *one) == ABSENT
    assert query._ask("bert@example.net", *one) == FOUND
    assert "directory: bert@example.net: found: no source" in query.stdout
    both = [*one, "  - file: none.txt", "    domains: [example.net]"]
    assert query._ask("anna@example.org", *both) == FOUND
    assert query._ask("bert@example.org", *both) == ABSENT
    assert query._ask("anna@example.net", *both) == UNKNOWN


def test_json(query):
    (query.folder / "users.txt").write_text("anna@example.org\n")
    answer = query._ask("anna+x@example.org", "  - file: users.txt", arguments=["--json"])
    assert answer == FOUND
    result = json.loads(query.stdout)
    assert result["version"] == 1
    assert result["address"] == "anna+x@example.org"
    assert result["result"] == "found"
    assert result["to"] == ["anna+x@example.org"]
    assert [(s["step"], s["subject"], s["result"]) for s in result["steps"]] == [
        ("file", "anna+x@example.org", "absent"),
        ("file", "anna@example.org", "found"),
    ]


def test_bad_command_line_and_configuration(query):
    assert query.command("-c", "/nonexistent") == USAGE
    assert query.command("-c", "/nonexistent", "a@b.example", "c@d.example") == USAGE
    assert query.command("-c", "/nonexistent", "no-address") == USAGE
    assert query.command("--nonsense", "a@b.example") == USAGE
    assert query.command("-c", "/nonexistent", "a@b.example") == CONFIG
