# SPDX-License-Identifier: Apache-2.0
"""The company's directory: a real slapd over ldaps, StartTLS and ldapi."""

import pathlib
import shutil
import subprocess

from commands import run
from waiting import wait_for_port

LDAP = 3389
LDAPS = 6636
BASE = "dc=example,dc=org"
BIND_DN = f"cn=mailhaul,ou=services,{BASE}"
BIND_PASSWORD = "secret-of-the-directory"

# uid: mail addresses; the first is `mail`, the others mailAlternateAddress.
PEOPLE = {
    "anna": ["anna@example.org", "anna.berg@example.org"],
    "ben": ["ben@example.org", "sales@example.org"],
    "clara": ["clara@example.org", "clara@lan.example.org"],
    "dora": ["dora@example.net"],
    "emil": ["emil@sub.example.org"],
    "refused": ["refused@example.org"],
    "quoted": ["first.last@example.org"],
    "umlaut": ["post@xn--mller-kva.example"],
    "mapped": ["mapped@example.org"],
    "alias": ["alias@example.org"],
    "moved": ["moved@outside.example", "moved@example.org"],
}

# No schema file of Debian has mailAlternateAddress.
_SCHEMA = """\
attributetype ( 2.16.840.1.113730.3.1.13 NAME 'mailAlternateAddress'
  DESC 'further addresses' EQUALITY caseIgnoreIA5Match
  SUBSTR caseIgnoreIA5SubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.26{256} )
objectclass ( 1.3.6.1.4.1.7914.1.2.2.1 NAME 'qmailUser' SUP top AUXILIARY
  MAY ( mailAlternateAddress ) )
"""
_CONF = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include {folder}/mail.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
argsfile {folder}/slapd.args
TLSCACertificateFile {ca}
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
_ENTRIES = """\
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

dn: cn=local-60802,ou=services,{base}
objectClass: organizationalRole
cn: local-60802

dn: ou=people,{base}
objectClass: organizationalUnit
ou: people
"""


def _person(uid, addresses):
    lines = [
        "",
        f"dn: uid={uid},ou=people,{BASE}",
        "objectClass: inetOrgPerson",
        "objectClass: qmailUser",
        f"uid: {uid}",
        f"cn: {uid}",
        f"sn: {uid}",
        f"mail: {addresses[0]}",
        *(f"mailAlternateAddress: {address}" for address in addresses[1:]),
    ]
    return "\n".join(lines) + "\n"


class Slapd:
    """slapd as nobody, with the people above."""

    def __init__(self, folder, certificates, people):
        self.folder = pathlib.Path(folder) / "slapd"
        (self.folder / "db").mkdir(parents=True)
        self.uri = f"ldaps://ldap.example.org:{LDAPS}"
        self.ldapi = "ldapi://" + str(self.folder / "ldapi").replace("/", "%2F")
        self._process = None
        certificate, key = certificates.issue("ldap", "ldap.example.org")
        shutil.copy(certificate, self.folder / "server.pem")
        shutil.copy(key, self.folder / "server.key")
        (self.folder / "mail.schema").write_text(_SCHEMA)
        (self.folder / "slapd.conf").write_text(
            _CONF.format(folder=self.folder, base=BASE, ca=certificates.ca)
        )
        entries = _ENTRIES.format(base=BASE, bind_dn=BIND_DN, password=BIND_PASSWORD)
        entries += "".join(_person(u, a) for u, a in people.items())
        (self.folder / "entries.ldif").write_text(entries)
        for path in (self.folder, *self.folder.iterdir()):
            shutil.chown(path, "nobody", "nogroup")
        self._as_nobody("slapadd", "-q", "-f", "slapd.conf", "-l", "entries.ldif")

    def _command(self, *command):
        return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *command]

    def _as_nobody(self, program, *arguments):
        run(*self._command("/usr/sbin/" + program, *arguments), cwd=self.folder)

    def start(self):
        urls = f"ldap://:{LDAP} ldaps://:{LDAPS} {self.ldapi}"
        log = (self.folder / "slapd.log").open("ab")
        self._process = subprocess.Popen(
            self._command("/usr/sbin/slapd", "-d", "0", "-f", "slapd.conf", "-h", urls),
            cwd=self.folder, stdout=log, stderr=log,
        )
        wait_for_port("127.0.0.1", LDAPS, "slapd")

    def stop(self):
        if self._process:
            self._process.terminate()
            self._process.wait(20)
            self._process = None
