# SPDX-License-Identifier: Apache-2.0
"""One suite over all real servers and all ways into them: what is collected
arrives whole, nothing twice, and what was injected is deleted."""

import contextlib

import pytest
from courier import Courier
from cyrus import Cyrus
from mails import mail
from mailutils import Mailutils

# protocol, tls.mode
WAYS = {
    "pop3s": ("pop3s", "required"),
    "pop3-stls": ("pop3", "required"),
    "pop3-clear": ("pop3", "never"),
}
SERVERS = ("dovecot", "cyrus", "courier", "mailutils")


def letter(case, body, **options):
    return mail(case, envelope="anna@example.org", body=body, **options)


MESSAGES = {
    "plain": letter("plain", b"Hello.\n"),
    "large": letter("large", b"".join(b"line %06d of a large message\n" % n for n in range(36_000))),
    "8-bit": letter("8-bit", "Grüße aus Köln\n".encode() + bytes(range(0xA0, 0x100)) + b"\n"),
    "dots": letter("dots", b".\n..\n.a\n\n...\n.\n\n"),
    "long-line": letter("long-line", b"x" * 20_000 + b"\n"),
    "no-last-newline": letter("no-last-newline", b"Hello.\n").rstrip(b"\n"),
    "empty-lines": letter("empty-lines", b"\n" * 50),
}
NUL = letter("nul", b"before\0after\n\0\n")


@pytest.fixture(scope="module")
def servers(world):
    """The provider is there; the others are started when first asked for."""
    started = {"dovecot": world.provider}
    with contextlib.ExitStack() as stack:

        def get(name):
            if name not in started:
                kind = {"cyrus": Cyrus, "courier": Courier, "mailutils": Mailutils}[name]
                started[name] = kind(world.folder, world.certificates)
                stack.callback(started[name].stop)
                started[name].start()
            return started[name]

        yield get


@pytest.fixture(params=SERVERS)
def server(request, servers):
    return servers(request.param)


@pytest.fixture(params=WAYS)
def way(request):
    return WAYS[request.param]


@pytest.fixture
def box(scene, server, way):
    """A mailbox of the server, which is that of the account."""
    box = server.mailbox(scene.world.unique("every"))
    protocol, tls = way
    scene.account.update(protocol=protocol, host=server.host, user=box.user)
    scene.account["password"] = {"file": scene.mailhaul.secret("every.password", box.password)}
    scene.account["tls"] = dict(scene.account["tls"], mode=tls) if tls != "never" else {"mode": tls}
    return box


def figures(result):
    """How many messages were (fetched, injected, deleted)."""
    passes = [line for line in result.lines() if line["listed"]]
    return tuple(sum(int(line[name]) for line in passes) for name in ("fetched", "injected", "deleted"))


def test_whole_once_and_deleted(scene, server, box):
    """Kept first, so that another pass must not fetch them again; then not.  Mailutils
    adds fields, so a message has another size then: it is known by its content."""
    messages = dict(MESSAGES, nul=NUL) if server.stores_nul else MESSAGES
    for message in messages.values():
        box.put(message)
    everything = {case: ["anna@example.org"] for case in messages}
    count = len(messages)
    scene.account["keep"] = "forever"
    assert figures(scene.fetch()) == (count, count, 0)
    assert scene.got() == everything
    assert figures(scene.fetch()) == (0, 0, 0)
    assert len(box.uids()) == count
    scene.account["keep"] = "none"
    _, injected, deleted = figures(scene.fetch())
    assert (injected, deleted) == (0, count)
    assert scene.got() == everything and not box.uids()


def test_new_mail_beside_kept_mail(scene, server, box):
    scene.account["keep"] = "forever"
    for case in ("first", "second"):
        box.put(letter(case, b"Hello.\n"))
        assert figures(scene.fetch()) == (1, 1, 0)
    assert scene.got() == {case: ["anna@example.org"] for case in ("first", "second")}
    assert len(box.uids()) == 2
