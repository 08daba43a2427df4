# SPDX-License-Identifier: Apache-2.0
"""A real Active Directory domain controller: Samba, in the sandbox.

Making the domain takes seconds and gives the same each time, so it is made once
per machine and kept as an archive, whose name changes with what it is made of.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess

from commands import run
from waiting import wait_for_port

KEPT = pathlib.Path("/var/tmp/mailhaul-images")
# The domain's own files hold this path.
FOLDER = pathlib.Path("/run/active-directory")

HOST = "dc1.corp.example.org"
BASE = "DC=corp,DC=example,DC=org"
BIND_UPN = "svc-mailhaul@corp.example.org"
BIND_DOMAIN_USER = "CORP\\svc-mailhaul"
BIND_DN = f"CN=svc-mailhaul,CN=Users,{BASE}"
BIND_PASSWORD = "Secret-of-the-domain-1"
FILLERS = 1000

_ENABLED, _DISABLED = 544, 546  # userAccountControl; no password needed

# name: (objectClass, mail, proxyAddresses, userAccountControl)
ENTRIES = {
    "anna": ("user", "anna@example.org",
             ["SMTP:anna@example.org", "smtp:anna.berg@example.org"], _ENABLED),
    "ben": ("user", None,
            ["X400:c=DE;a= ;p=Corp;s=ben", "SMTP:ben@example.org", "sip:phone@example.org"],
            _ENABLED),
    "clara": ("user", "clara@example.org", [], _ENABLED),
    "gone": ("user", "refused@example.org", ["SMTP:refused@example.org"], _DISABLED),
    "sales": ("group", "sales@example.org", ["smtp:vertrieb@example.org"], None),
}


def _ldif():
    for name, (kind, mail, proxies, control) in ENTRIES.items():
        yield f"dn: CN={name},CN=Users,{BASE}\nobjectClass: {kind}\nsAMAccountName: {name}\n"
        if mail:
            yield f"mail: {mail}\n"
        yield from (f"proxyAddresses: {address}\n" for address in proxies)
        if control:
            yield f"userAccountControl: {control}\n"
        yield "\n"
    for number in range(FILLERS):
        yield (
            f"dn: CN=filler{number},CN=Users,{BASE}\nobjectClass: user\n"
            f"sAMAccountName: filler{number}\nmail: filler{number}@example.org\n"
            f"proxyAddresses: SMTP:filler{number}@example.org\n"
            f"proxyAddresses: smtp:f.{number}@example.org\nuserAccountControl: {_ENABLED}\n\n"
        )


def _image():
    """Where this domain is kept."""
    version = run("samba", "--version") + pathlib.Path(__file__).read_text()
    return KEPT / f"active-directory-{hashlib.sha256(version.encode()).hexdigest()[:16]}.tar"


class ActiveDirectory:
    """`ca` is the file to trust, `ldaps` and `ldap` the URIs."""

    ldaps = f"ldaps://{HOST}"
    ldap = f"ldap://{HOST}"

    def __init__(self):
        self._domain = FOLDER / "domain"
        self.ca = self._domain / "private/tls/ca.pem"
        self._process = None
        with open("/etc/hosts", "a", encoding="ascii") as hosts:
            hosts.write(f"127.0.0.1 {HOST} dc1\n")
        pathlib.Path("/run/samba").mkdir(exist_ok=True)
        FOLDER.mkdir()
        image = _image()
        if image.exists():
            run("tar", "-C", FOLDER, "-xf", image)
        else:
            self._make()
            self._keep(image)

    @property
    def _sam(self):
        return self._domain / "private/sam.ldb"

    def _make(self):
        conf = self._domain / "etc/smb.conf"
        run("samba-tool", "domain", "provision", "--realm=CORP.EXAMPLE.ORG", "--domain=CORP",
            "--server-role=dc", "--dns-backend=SAMBA_INTERNAL", "--adminpass=Not-4-use-here",
            "--host-name=dc1", "--host-ip=127.0.0.1", f"--targetdir={self._domain}",
            "--option=interfaces=lo", "--option=bind interfaces only=yes",
            f"--option=posix:eadb={self._domain}/private/eadb.tdb", timeout=110)
        entries = FOLDER / "entries.ldif"
        entries.write_text("".join(_ldif()))
        # Offline: milliseconds each.
        run("ldbadd", "-H", self._sam, entries)
        run("samba-tool", "user", "create", "svc-mailhaul", BIND_PASSWORD,
            "-H", self._sam, "-s", conf)
        self._certify()

    def _certify(self):
        """Samba makes an RSA key without a usable name, and takes seconds for it."""
        folder = self._domain / "private/tls"
        folder.mkdir(exist_ok=True)
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        run("openssl", "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem",
            "-days", "3650", "-subj", "/CN=Domain authority",
            "-addext", "basicConstraints=critical,CA:TRUE", cwd=folder)
        run("openssl", "req", *key, "-keyout", "key.pem", "-out", "dc.csr",
            "-subj", f"/CN={HOST}", cwd=folder)
        (folder / "names").write_text(f"subjectAltName=DNS:{HOST}\n")
        run("openssl", "x509", "-req", "-in", "dc.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "3650", "-out", "cert.pem", "-extfile", "names",
            cwd=folder)
        (folder / "key.pem").chmod(0o600)
        # The test's programs, which are not root, read the authority's file.
        for path in (self._domain, self._domain / "private", folder):
            path.chmod(0o755)

    def _keep(self, image):
        KEPT.mkdir(mode=0o700, exist_ok=True)
        part = image.with_suffix(f".{os.getpid()}.part")
        run("tar", "-C", FOLDER, "-cf", part, "domain")
        for old in KEPT.glob("active-directory-*.tar"):
            old.unlink()
        part.rename(image)

    def start(self):
        log = (FOLDER / "samba.log").open("ab")
        self._process = subprocess.Popen(
            ["samba", "-F", "--no-process-group", "-s", self._domain / "etc/smb.conf",
             f"--option=pid directory={FOLDER}", "--option=server services=ldap",
             f"--option=log file={FOLDER}/log"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )
        for port in (389, 636):
            wait_for_port("127.0.0.1", port, "the domain controller")

    def stop(self):
        if self._process:
            os.killpg(self._process.pid, 9)
            self._process.wait(20)
            self._process = None

    def remove(self):
        self.stop()
        shutil.rmtree(FOLDER)

    def change(self, name, **values):
        """Replace attributes of an entry."""
        lines = [f"dn: CN={name},CN=Users,{BASE}", "changetype: modify"]
        for attribute, value in values.items():
            lines += [f"replace: {attribute}", f"{attribute}: {value}", "-"]
        changes = FOLDER / "change.ldif"
        changes.write_text("\n".join(lines) + "\n")
        run("ldbmodify", "-H", self._sam, changes)
