# SPDX-License-Identifier: Apache-2.0
"""One suite over all real servers and all ways into them: what is collected
arrives whole, nothing twice, and what was injected is deleted."""

import contextlib
import re

import pytest
from courier import Courier
from cyrus import Cyrus
from mails import mail
from mailutils import Mailutils
from waiting import wait_for

# protocol, tls.mode
WAYS = {
    "pop3s": ("pop3s", "required"),
    "pop3-stls": ("pop3", "required"),
    "pop3-clear": ("pop3", "never"),
    "imaps": ("imaps", "required"),
    "imap-starttls": ("imap", "required"),
    "imap-clear": ("imap", "never"),
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


def use(scene, server, protocol, tls="required"):
    """A new mailbox of the server, which is that of the account."""
    box = server.mailbox(scene.world.unique("every"))
    scene.account.update(protocol=protocol, host=server.host, user=box.user)
    scene.account["password"] = {"file": scene.mailhaul.secret("every.password", box.password)}
    if server.name == "mailutils" and protocol.startswith("imap"):
        # It has no UIDPLUS, and offers SCRAM even for users whose passwords only PAM knows.
        scene.account.update(full_expunge=True, auth="plain")
    scene.account["tls"] = dict(scene.account["tls"], mode=tls) if tls != "never" else {"mode": tls}
    return box


@pytest.fixture
def box(scene, server, way):
    return use(scene, server, *way)


def figures(result):
    """How many messages were (fetched, injected, deleted)."""
    passes = [line for line in result.lines() if line["listed"]]
    return tuple(sum(int(line[name]) for line in passes) for name in ("fetched", "injected", "deleted"))


def test_whole_once_and_deleted(scene, server, box):
    """Kept first, so that another pass must not fetch them again; then not.  Mailutils
    adds fields, so a message has another size then: it is known by its content."""
    messages = dict(MESSAGES)
    # IMAP has no NUL but in BINARY: Dovecot gives 0x80 in its place.
    if server.stores_nul and not (server.name == "dovecot" and "imap" in scene.account["protocol"]):
        messages["nul"] = NUL
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


# Not Courier over POP3: its LOGIN-DELAY of 10 s is obeyed.
@pytest.mark.parametrize("name, protocol", [
    ("dovecot", "pop3s"), ("cyrus", "pop3s"), ("mailutils", "pop3s"), ("dovecot", "imaps"),
    ("cyrus", "imaps"), ("courier", "imaps"), ("mailutils", "imaps"),
])
def test_new_mail_beside_kept_mail(scene, servers, name, protocol):
    box = use(scene, servers(name), protocol)
    scene.account["keep"] = "forever"
    for case in ("first", "second"):
        box.put(letter(case, b"Hello.\n"))
        assert figures(scene.fetch())[1:] == (1, 0)
    assert scene.got() == {case: ["anna@example.org"] for case in ("first", "second")}
    assert len(box.uids()) == 2


@pytest.mark.parametrize("protocol", ["pop3s", "imaps"])
def test_scram_of_another_maker(scene, servers, protocol):
    cyrus = servers("cyrus")
    use(scene, cyrus, protocol).put(letter("scram", b"Hello.\n"))
    scene.account["auth"] = "scram_sha_256"
    assert figures(scene.fetch()) == (1, 1, 1)
    said = re.compile(rf"login: .* {scene.account['user']} SCRAM-SHA-256")
    wait_for(lambda: said.search(cyrus.log()), "it in the server's log", report=cyrus.log)


def test_all_folders_but_one(scene, server):
    box = use(scene, server, "imaps")
    archive, büro, trash = (server.folder_name(name) for name in ("Archive", "Büro & Co", "Trash"))
    for folder in ("INBOX", archive, büro, trash):
        box.put(letter(folder.replace("ü", "ue"), b"Hello.\n"), folder=folder)
    scene.account.update(folders=["*"], exclude_folders=[trash])
    assert figures(scene.fetch()) == (3, 3, 3)
    wanted = {folder.replace("ü", "ue"): ["anna@example.org"] for folder in ("INBOX", archive, büro)}
    assert scene.got() == wanted
    assert len(box.uids(trash)) == 1 and not any(map(box.uids, ("INBOX", archive, büro)))


def test_moved_to_a_folder(scene, server):
    """With MOVE, or by COPY where a server lacks it."""
    box = use(scene, server, "imaps")
    box.put(letter("moved", b"Hello.\n"))
    done = server.folder_name("Done")
    scene.account["dispose"] = {"move": done}
    assert figures(scene.fetch()) == (1, 1, 1)
    assert not box.uids() and len(box.uids(done)) == 1
    assert scene.got() == {"moved": ["anna@example.org"]}


def test_told_of_new_mail(scene, server):
    """By IDLE: the next poll would be in an hour.  Mailutils never tells: what it
    has is seen when IDLE is renewed."""
    box = use(scene, server, "imaps")
    scene.account.update(every="1h", idle_renew="1s" if server.name == "mailutils" else "5m")
    scene.mailhaul.start_fetcher()
    for case in ("first", "second"):
        box.put(letter(case, b"Hello.\n"))
        wait_for(lambda: case in scene.got(), case, 30, lambda: scene.mailhaul.log("fetcher"))
        wait_for(lambda: not box.uids(), "the deletion", 30)
