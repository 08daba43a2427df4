# SPDX-License-Identifier: Apache-2.0
"""No secret goes to a server that is not verified."""

import hashlib
import re
import ssl

import pytest
from mails import mail
from provider import POP3, POP3S
from scripted_pop3 import ScriptedPop3

BAD = {
    "expired": "expired",
    "wrong-name": "name|match",
    "self-signed": "self.signed",
}


@pytest.mark.parametrize("protocol, port", [("pop3s", POP3S), ("pop3", POP3)])
def test_verified_tls(scene, protocol, port):
    scene.account.update(protocol=protocol, port=port)
    scene.put(mail("one", envelope="anna@example.org"))
    scene.fetch()
    assert scene.got() == {"one": ["anna@example.org"]}
    assert "TLS" in scene.provider_log()


@pytest.mark.parametrize("protocol, port", [("pop3s", POP3S), ("pop3", POP3)])
@pytest.mark.parametrize("host", BAD)
def test_bad_certificate(scene, host, protocol, port):
    """Dovecot saw no log-in."""
    scene.account.update(host=f"{host}.isp.example", protocol=protocol, port=port)
    uids = scene.put(mail("waits", envelope="anna@example.org"))
    result = scene.mailhaul.fetch_once().expect(75)
    (line, *_) = [line for line in result.lines() if "office" in line.text and "certificate" in line.text.lower()]
    assert re.search(BAD[host], line.text, re.I), line.text
    scene.postfix.wait_until_idle()
    assert scene.mailbox.uids() == uids and scene.got() == {}
    log = scene.provider_log()
    assert scene.mailbox.user not in log and "auth failed" not in log, log


@pytest.mark.parametrize("host", BAD)
@pytest.mark.parametrize("implicit", [True, False], ids=["pop3s", "stls"])
def test_no_command_after_a_bad_certificate(scene, host, implicit):
    """A server of our own saw every byte: only CAPA and STLS, before TLS."""
    server = ScriptedPop3(certificate=scene.world.certificates.pair(host), implicit=implicit)
    scene.account.update(
        host="127.0.0.1", port=server.port, protocol="pop3s" if implicit else "pop3",
        tls={"mode": "required", "ca_file": str(scene.world.certificates.ca),
             "server_name": f"{host}.isp.example"},
    )
    try:
        scene.mailhaul.fetch_once().expect(75)
        assert server.verbs() == ([] if implicit else ["CAPA", "STLS"])
    finally:
        server.stop()


def test_pinned_fingerprint(scene):
    certificate, _ = scene.world.certificates.pair("self-signed")
    der = ssl.PEM_cert_to_DER_cert(certificate.read_text())
    scene.account.update(host="self-signed.isp.example", tls={
        "mode": "required", "fingerprint_sha256": hashlib.sha256(der).hexdigest()})
    scene.put(mail("pinned", envelope="anna@example.org"))
    scene.fetch()
    assert scene.got() == {"pinned": ["anna@example.org"]}


def test_wrong_fingerprint(scene):
    scene.account.update(tls={"mode": "required", "fingerprint_sha256": "00" * 32})
    uids = scene.put(mail("waits", envelope="anna@example.org"))
    scene.mailhaul.fetch_once().expect(75)
    assert scene.mailbox.uids() == uids
    assert scene.mailbox.user not in scene.provider_log()


def test_clear_text_only_when_asked_for(scene):
    scene.account.update(protocol="pop3", port=POP3, tls={"mode": "never"})
    scene.put(mail("clear", envelope="anna@example.org"))
    scene.fetch()
    assert scene.got() == {"clear": ["anna@example.org"]}
    assert "TLS" not in scene.provider_log()


def test_no_password_in_any_log_or_argument(scene):
    scene.put(mail("one", envelope="anna@example.org"))
    result = scene.fetch()
    assert scene.mailbox.password not in result.err + result.out
    for path in scene.mailhaul.state.rglob("*"):
        if path.is_file():
            assert scene.mailbox.password.encode() not in path.read_bytes(), path
