# SPDX-License-Identifier: Apache-2.0
"""A certificate authority for tests, made anew for each run by openssl(1)."""

import pathlib

from commands import run


class Certificates:
    """Keys and certificates in `folder`; `ca` is the file to trust."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ca = self.folder / "ca.pem"
        self._self_signed("ca", "/CN=Test authority", "basicConstraints=critical,CA:TRUE")

    def _openssl(self, *arguments):
        run("openssl", *arguments, cwd=self.folder)

    def _self_signed(self, name, subject, extension):
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "30",
            "-subj", subject, "-addext", extension,
        )
        return self.pair(name)

    def pair(self, name):
        """(certificate file, key file)"""
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"

    def self_signed(self, name, host):
        """A certificate that no authority vouches for."""
        return self._self_signed(name, f"/CN={host}", f"subjectAltName=DNS:{host}")

    def issue(self, name, *hosts, days=30):
        """A certificate of the authority; a negative `days` has expired."""
        self._openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={hosts[0]}",
        )
        names = ",".join(f"DNS:{host}" for host in hosts)
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={names}\n")
        self._openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", days, "-out", f"{name}.pem", "-extfile", f"{name}.ext",
        )
        return self.pair(name)
