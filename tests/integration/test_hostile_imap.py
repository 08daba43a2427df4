# SPDX-License-Identifier: Apache-2.0
"""IMAP servers that lie, stall or break off: a clear line in the log, nothing
injected that is not whole, nothing disposed of that was not injected, nothing
twice, other accounts go on."""

import json
import re

import pytest
from hostile_imap import BAIT, DISPOSAL, Hostile, close, endless, letter, silence
from mails import mail
from scripted_imap import literal
from waiting import wait_for

SIZE = len(BAIT)
LOGIN = ("LOGIN", "AUTHENTICATE")


def body(reply):
    """Bytes or function(session) in place of the reply to a FETCH of bodies."""

    def fetch(session, argument):
        if b"BODY" not in argument.upper():
            session.server.answer_rightly(session, "UID FETCH", argument)
        elif isinstance(reply, bytes):
            session.send(reply.replace(b"TAG", session.tag))
        else:
            reply(session)

    return {"UID FETCH": fetch}


def whole(announced, text=BAIT, before=b"UID 1 ", after=b""):
    """A FETCH reply and its end, with a literal of the size announced."""
    return b"* 1 FETCH (" + before + b"BODY[] {%s}\r\n" % str(announced).encode() + text + after + (
        b")\r\nTAG OK done\r\n")


def half_then(end):
    def send(session):
        session.send(whole(SIZE)[: SIZE // 2])
        end(session, None)

    return body(send)


def listing(reply):
    """Bytes or function(session, argument) in place of the list of messages."""

    def fetch(session, argument):
        if b"BODY" in argument.upper():
            session.server.answer_rightly(session, "UID FETCH", argument)
        elif isinstance(reply, bytes):
            session.send(reply.replace(b"TAG", session.tag))
        else:
            reply(session, argument)

    return {"UID FETCH": fetch, "UID SEARCH": reply, "SEARCH": reply, "FETCH": reply}


def listed(data):
    return listing(b"* 1 FETCH (" + data + b")\r\nTAG OK done\r\n")


def endless_listing(session, _):
    uid = 0
    while not session.server.stopping.is_set():
        lines = (b"* %d FETCH (UID %d RFC822.SIZE 9)\r\n" % (n, n) for n in range(uid + 1, uid + 5001))
        session.send(b"".join(lines))
        uid += 5000


def selected(*lines, exists=b"1", end=b"TAG OK [READ-WRITE] selected"):
    texts = (b"FLAGS ()", exists + b" EXISTS", *lines)
    return {"SELECT": b"".join(b"* " + text + b"\r\n" for text in texts) + end + b"\r\n"}


def inject_after_starttls(session, _):
    session.send(session.tag + b" OK go on\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nx OK in\r\n")
    session.start_tls()


def inject_before_starttls(session, _):
    session.send(b"* PREAUTH you are in\r\n* 1 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n")
    session.ok(b"go on")
    session.start_tls()


def challenges_for_ever(session, _):
    while session.line() is not None or not session.server.stopping.is_set():
        session.send(b"+ \r\n")


FROM_LOGIN_ON = (*LOGIN, "SELECT", *DISPOSAL)
FROM_FETCH_ON = ("UID FETCH", *DISPOSAL)
OLD = "IMAP4rev1"

BEFORE_TLS = {
    "preauth": Hostile(
        r"(?i)TLS|PREAUTH", {"": b"* PREAUTH welcome\r\n"}, implicit=False, never_sent=FROM_LOGIN_ON),
    "not-offered": Hostile(
        r"STARTTLS", {"": b"* OK hello\r\n", "CAPABILITY": b"* CAPABILITY IMAP4rev1\r\nTAG OK x\r\n",
                      "STARTTLS": b"TAG BAD what\r\n"},
        implicit=False, never_sent=FROM_LOGIN_ON),
    "refused": Hostile(
        r"STARTTLS", {"STARTTLS": b"TAG NO not today\r\n"}, implicit=False, never_sent=FROM_LOGIN_ON),
    "injection": Hostile(
        r"TLS", {"STARTTLS": inject_after_starttls}, implicit=False, never_sent=FROM_LOGIN_ON),
    "bye": Hostile(
        r"(?i)TLS|clos|bye", {"STARTTLS": b"* BYE leave\r\nTAG OK go on\r\n"}, implicit=False,
        never_sent=FROM_LOGIN_ON),
    "clear-text": Hostile(
        r"(?i)TLS|handshake", {"STARTTLS": b"TAG OK go on\r\n* OK no TLS here\r\n"}, implicit=False,
        never_sent=FROM_LOGIN_ON),
}

BEFORE_MESSAGES = {
    "greeting-of-a-mail-server": Hostile(
        r"greeting", {"": b"220 mx.isp.example ESMTP\r\n"}, never_sent=FROM_LOGIN_ON),
    "greeting-of-pop3": Hostile(r"a POP3 server answers here", {"": b"+OK ready\r\n"}, never_sent=FROM_LOGIN_ON),
    "greeting-bye": Hostile(
        r"too many", {"": b"* BYE too many connections\r\n"}, never_sent=FROM_LOGIN_ON),
    "closed-at-once": Hostile(r"clos", {"": close}),
    "silence-at-greeting": Hostile(r"(?i)silen|time|answer", {"": silence}, account={"timeout": "2s"}),
    "endless-greeting": Hostile(r"without a line end", {"": endless(b"x" * 65536)}),
    "endless-untagged": Hostile(
        r"without end", {"": b"* OK hello\r\n", "CAPABILITY": endless(b"* OK still thinking\r\n" * 3000)},
        never_sent=FROM_LOGIN_ON),
    "log-in-disabled": Hostile(
        r"(?i)log.?in|auth", capabilities="IMAP4rev1 LOGINDISABLED", never_sent=FROM_LOGIN_ON),
    "weak-log-in-only": Hostile(
        r"(?i)log.?in|auth", capabilities="IMAP4rev1 LOGINDISABLED AUTH=CRAM-MD5 AUTH=NTLM",
        never_sent=FROM_LOGIN_ON),
    "log-in-refused": Hostile(
        r"no such user", dict.fromkeys(LOGIN, b"TAG NO [AUTHENTICATIONFAILED] no such user\r\n")),
    "log-in-bye": Hostile(r"maintenance", dict.fromkeys(LOGIN, b"* BYE maintenance\r\n")),
    "log-in-challenges": Hostile(
        r".", dict.fromkeys(LOGIN, challenges_for_ever), account={"timeout": "2s"}),
    "closed-at-log-in": Hostile(r"clos", dict.fromkeys(LOGIN, close)),
    "select-no": Hostile(r"no such folder", {"SELECT": b"TAG NO no such folder\r\n"}, never_sent=FROM_FETCH_ON),
    "select-bad": Hostile(r"what", {"SELECT": b"TAG BAD what\r\n"}, never_sent=FROM_FETCH_ON),
    "select-bye": Hostile(r"leave", {"SELECT": b"* BYE leave\r\n"}, never_sent=FROM_FETCH_ON),
    "select-silence": Hostile(
        r"(?i)silen|time|answer", {"SELECT": silence}, account={"timeout": "2s"}, never_sent=FROM_FETCH_ON),
    "uidvalidity-missing": Hostile(r"UIDVALIDITY", selected(), never_sent=FROM_FETCH_ON),
    "uidvalidity-0": Hostile(r"UIDVALIDITY", selected(b"OK [UIDVALIDITY 0] x"), never_sent=FROM_FETCH_ON),
    "uidvalidity-2^64": Hostile(
        r"UIDVALIDITY", selected(b"OK [UIDVALIDITY 18446744073709551617] x"), never_sent=FROM_FETCH_ON),
    "listing-no": Hostile(r"no list", listing(b"TAG NO no list\r\n")),
    "listing-bye": Hostile(r"leave", listing(b"* BYE leave\r\n")),
    "listing-closed": Hostile(r"clos", listing(close)),
    "listing-endless": Hostile(r"EXISTS", listing(endless_listing)),
    "listing-endless-line": Hostile(
        r"without a line end", listing(endless(b"* SEARCH" + b" 1" * 30000))),
    "listing-uid-0": Hostile(r"UID", listed(b"UID 0 RFC822.SIZE 9")),
    "listing-uid-2^32": Hostile(r"UID", listed(b"UID 4294967296 RFC822.SIZE 9")),
    "listing-uid-2^64": Hostile(r"UID", listed(b"UID 18446744073709551617 RFC822.SIZE 9")),
    "listing-many-parentheses": Hostile(r".", listed(b"UID 1 X " + b"(" * 15000)),
    "listing-literal": Hostile(r".", listing(b"* 1 FETCH (UID 1 X {99999999999}\r\n")),
}

MESSAGES = {
    "literal-cut": Hostile(r"clos", half_then(close)),
    "literal-stalls": Hostile(r"(?i)silen|time|answer", half_then(silence), account={"timeout": "2s"}),
    "literal-too-small": Hostile(r".", body(whole(SIZE - 20))),
    "literal-much-too-small": Hostile(r".", body(whole(0))),
    "literal-too-large": Hostile(
        r"(?i)silen|time|answer", body(whole(SIZE + 1000)), account={"timeout": "2s"}),
    "literal-4-gb": Hostile(
        r".", body(whole(2**32 + SIZE)), account={"timeout": "2s"}, status=None),
    "literal-2^63": Hostile(r".", body(whole(2**63)), account={"timeout": "2s"}, status=None),
    "literal-2^64": Hostile(r".", body(whole(2**64 + SIZE)), account={"timeout": "2s"}),
    "literal-negative": Hostile(r".", body(whole(-SIZE)), account={"timeout": "2s"}),
    "literal-without-digits": Hostile(r".", body(whole("")), account={"timeout": "2s"}),
    "body-nil": Hostile(r".", body(b"* 1 FETCH (UID 1 BODY[] NIL)\r\nTAG OK done\r\n")),
    "body-empty": Hostile(r".", body(b'* 1 FETCH (UID 1 BODY[] "")\r\nTAG OK done\r\n')),
    "body-empty-literal": Hostile(r".", body(b"* 1 FETCH (UID 1 BODY[] {0}\r\n)\r\nTAG OK done\r\n")),
    "body-of-another-section": Hostile(
        r".", body(whole(SIZE).replace(b"BODY[]", b"BODY[TEXT]"))),
    "body-from-an-offset": Hostile(r".", body(whole(SIZE).replace(b"BODY[]", b"BODY[]<0>"))),
    "wrong-uid": Hostile(r".", body(whole(SIZE, before=b"UID 2 "))),
    "missing-uid": Hostile(r".", body(whole(SIZE, before=b""))),
    "uid-behind-is-wrong": Hostile(r".", body(whole(SIZE, before=b"", after=b" UID 2"))),
    "nothing": Hostile(r".", body(b"TAG OK done\r\n")),
    "no": Hostile(r"damaged", body(b"TAG NO message is damaged\r\n")),
    "bad": Hostile(r"what", body(b"TAG BAD what\r\n")),
    "bye": Hostile(r"(?i)clos|leave", body(b"* BYE leave\r\n")),
    "endless-line": Hostile(
        r"without a line end", body(lambda session: endless(b"* 1 FETCH (UID 1 X" * 4000)(session, None))),
}
CASES = {
    f"{group}-{name}": case
    for group, cases in (("tls", BEFORE_TLS), ("start", BEFORE_MESSAGES), ("fetch", MESSAGES))
    for name, case in cases.items()
}


@pytest.mark.parametrize("name", CASES)
def test_hostile_server(scene, hostile, name):
    case = CASES[name]
    server = hostile(case)
    good = scene.world.mailbox("good")
    good.put(mail("good", envelope="ben@example.org"))
    scene.mailhaul.add_account(good, "good")
    result = scene.mailhaul.fetch_once(timeout=90)
    assert result.status == case.status or case.status is None, result.err
    scene.postfix.wait_until_idle()
    about = [line.text for line in result.lines() if "office" in line.text]
    assert any(re.search(case.says, text) for text in about), f"no line says {case.says}:\n{result.err}"
    assert scene.got() == {"good": ["ben@example.org"]}
    assert list(server.messages) == [1] and server.flags[1] == set()
    assert not set(case.never_sent) & set(server.verbs()), server.commands
    assert scene.mailhaul.spool() == []
    assert all(len(line) < 4200 and line.isprintable() for line in result.err.splitlines())
    assert scene.mailbox.password not in result.err


NOISE = {
    "exists": b"* 2 EXISTS\r\n* 0 RECENT\r\n",
    "flags": b"* 1 FETCH (FLAGS (\\Seen \\Recent))\r\n",
    "flags-with-uid": b"* 2 FETCH (UID 2 FLAGS (\\Seen))\r\n",
    "unknown-uid": b"* 9 FETCH (UID 999 FLAGS ())\r\n",
    "ok": b"* OK [ALERT] 90 % full (really)\r\n",
    "unknown": b'* X-NEWS ("a" {3}\r\n)\r\n) NIL)\r\n',
    "search": b"* SEARCH 77 78\r\n",
    "capability": b"* CAPABILITY IMAP4rev1\r\n",
}


@pytest.mark.parametrize("name", NOISE)
def test_what_nobody_asked_for_disturbs_nothing(scene, hostile, name):
    """RFC 3501 7: a client must take any data at any time."""
    server = hostile(Hostile(""), (BAIT, letter("second")), between=NOISE[name])
    scene.fetch()
    assert scene.got() == {"bait": ["anna@example.org"], "second": ["anna@example.org"]}
    assert server.messages == {} or all(flags == {r"\Deleted"} for flags in server.flags.values())


def test_message_that_another_client_deletes_meanwhile(scene, hostile):
    """What has the number 1 then is another one; the UIDs stay."""

    def fetch(session, argument):
        if b"BODY" in argument.upper() and 1 in session.folder.messages:
            session.take(1)
        session.server.answer_rightly(session, "UID FETCH", argument)

    server = hostile(Hostile("", {"UID FETCH": fetch}), (BAIT, letter("second"), letter("third")))
    scene.mailhaul.fetch_once()
    scene.mailhaul.fetch_once().expect(0)
    scene.postfix.wait_until_idle()
    assert scene.got() == {case: ["anna@example.org"] for case in ("second", "third")}
    assert server.messages == {}


def test_body_that_nobody_asked_for_is_no_message(scene, hostile):
    """Not even when it comes before the one that was asked for."""
    other = letter("other")
    noise = b"* 2 FETCH (UID 2 BODY[]" + literal(other) + b")\r\n"
    scene.account["keep"] = "forever"
    hostile(Hostile(""), (BAIT,), between=noise)
    scene.mailhaul.fetch_once()
    scene.mailhaul.fetch_once()
    scene.postfix.wait_until_idle()
    assert "other" not in scene.got() and len(scene.got().get("bait", [])) <= 1


ONCE = b"* 1 FETCH (UID 1 BODY[]" + literal(BAIT) + b")\r\n"


@pytest.mark.parametrize("reply", [
    ONCE + ONCE + b"TAG OK done\r\n", ONCE + b"TAG NO not after all\r\n", ONCE + b"zzz OK done\r\n",
    ONCE + b"* BYE leave\r\n",
])
def test_whole_message_with_an_odd_end_is_injected_once(scene, hostile, reply):
    """Its size was announced: it is all there, whatever comes then."""
    hostile(Hostile("", body(reply)))
    scene.mailhaul.fetch_once()
    scene.mailhaul.fetch_once()
    scene.postfix.wait_until_idle()
    assert scene.got() == {"bait": ["anna@example.org"]}


def test_log_in_that_was_before_is_taken_inside_tls(scene, hostile):
    """PREAUTH, as with a client's certificate; no password is sent."""
    server = hostile(Hostile("", {"": b"* PREAUTH welcome\r\n"}))
    scene.fetch()
    assert scene.got() == {"bait": ["anna@example.org"]} and not set(LOGIN) & set(server.verbs())


def test_message_that_is_refused_does_not_stop_the_next(scene, hostile):
    def fetch(session, argument):
        if b"BODY" in argument.upper() and argument.startswith(b"1 "):
            session.no(b"[SERVERBUG] message is damaged")
        else:
            session.server.answer_rightly(session, "UID FETCH", argument)

    server = hostile(Hostile("", {"UID FETCH": fetch}), (BAIT, letter("second")))
    scene.mailhaul.fetch_once().expect(75)
    scene.postfix.wait_until_idle()
    assert scene.got() == {"second": ["anna@example.org"]} and list(server.messages) == [1]


@pytest.mark.parametrize("code, least, most", [("SERVERBUG", 0, 25), ("NOPERM", 25, 130)])
def test_no_folder_can_be_opened(scene, hostile, code, least, most):
    """For a while, or until somebody changes something: the pause is 5 s, or a minute."""
    hostile(Hostile("", {"SELECT": lambda session, _: session.no(f"[{code}] not now".encode())},
                    account={"folders": ["INBOX", "Lists"]}))
    scene.mailhaul.start_fetcher()

    def pause():
        told = scene.mailhaul.command("status", "--json")
        return json.loads(told.out)["accounts"][0].get("next_ms") if told.out else None

    wait_for(lambda: "none of the 2 folders" in scene.mailhaul.log("fetcher"), "the failure")
    assert least < wait_for(pause, "the pause") / 1000 <= most


def test_slow_server_that_goes_on_is_waited_for(scene, hostile):
    """Silence has a limit, slowness does not."""

    def drip(session):
        wire = whole(SIZE).replace(b"TAG", session.tag)
        session.send(wire[:-40])
        session.drip(wire[-40:], 0.2, session.server.stopping)

    hostile(Hostile("", body(drip), account={"timeout": "6s"}))
    scene.fetch()
    assert scene.got() == {"bait": ["anna@example.org"]}


def test_what_was_said_before_tls_is_forgotten(scene, hostile):
    server = hostile(Hostile("", {"STARTTLS": inject_before_starttls}, implicit=False))
    result = scene.mailhaul.fetch_once()
    scene.postfix.wait_until_idle()
    assert set(LOGIN) & set(server.verbs()) or result.status == 75
    assert scene.got() in ({}, {"bait": ["anna@example.org"]})


def bodies(server):
    """How many messages were asked for."""
    return sum(b"BODY" in command.upper() for command in server.commands)


DISPOSAL_REFUSED = {
    "store": {"UID STORE": b"TAG NO read-only\r\n"},
    "store-bye": {"UID STORE": b"* BYE leave\r\n"},
    "store-closed": {"UID STORE": close},
    "store-silence": {"UID STORE": silence},
    "uid-expunge": {"UID EXPUNGE": b"TAG BAD what\r\n"},
    "uid-expunge-closed": {"UID EXPUNGE": close},
}


@pytest.mark.parametrize("name", DISPOSAL_REFUSED)
def test_disposal_refused_does_not_fetch_twice(scene, hostile, name):
    server = hostile(Hostile("", DISPOSAL_REFUSED[name], account={"timeout": "6s"}))
    scene.mailhaul.fetch_once()
    scene.mailhaul.fetch_once()
    scene.postfix.wait_until_idle()
    assert scene.got() == {"bait": ["anna@example.org"]} and list(server.messages) == [1]
    assert bodies(server) == 1


def test_without_uidplus_messages_are_only_marked(scene, hostile):
    """EXPUNGE would take what others marked, too."""
    server = hostile(Hostile("", capabilities="IMAP4rev1 AUTH=PLAIN"), (BAIT, letter("second")))
    scene.fetch()
    scene.fetch()
    assert scene.got() == {"bait": ["anna@example.org"], "second": ["anna@example.org"]}
    assert list(server.messages) == [1, 2] and bodies(server) == 2
    assert all(r"\Deleted" in flags for flags in server.flags.values())


def test_full_expunge_where_the_account_allows_it(scene, hostile):
    scene.account["full_expunge"] = True
    server = hostile(Hostile("", capabilities="IMAP4rev1 AUTH=PLAIN"), (BAIT, letter("second")))
    scene.fetch()
    assert scene.got() == {"bait": ["anna@example.org"], "second": ["anna@example.org"]}
    assert server.messages == {}


def test_mark_of_another_client_is_not_expunged(scene, hostile):
    scene.account["max_messages_per_pass"] = 1
    server = hostile(Hostile("", {"UID FETCH": refuse_second}), (BAIT, letter("second")))
    server.flags[2].add(r"\Deleted")
    scene.mailhaul.fetch_once()
    scene.postfix.wait_until_idle()
    assert scene.got() == {"bait": ["anna@example.org"]} and list(server.messages) == [2]


def refuse_second(session, argument):
    if b"BODY" in argument.upper() and argument.startswith(b"2 "):
        session.no(b"not this one")
    else:
        session.server.answer_rightly(session, "UID FETCH", argument)


def test_read_only_folder_is_collected_once(scene, hostile):
    server = hostile(Hostile("", {"SELECT": lambda session, argument: session.server._do_select(
        session, argument, b"READ-ONLY"), "UID STORE": b"TAG NO [READ-ONLY] no\r\n"}))
    scene.mailhaul.fetch_once()
    scene.mailhaul.fetch_once()
    scene.postfix.wait_until_idle()
    assert len(scene.got().get("bait", [])) <= 1 and list(server.messages) == [1]
    assert "read-only" in scene.mailhaul.log("fetcher").lower()


def test_uidvalidity_that_changes_in_mid_session(scene, hostile):
    """Nothing is disposed of by UIDs of before, nothing comes twice."""

    def fetch(session, argument):
        if b"BODY" in argument.upper() and session.server.folders["INBOX"].uidvalidity == 1234:
            session.server.folders["INBOX"].uidvalidity = 5678
            session.send(b"* OK [UIDVALIDITY 5678] new\r\n")
        session.server.answer_rightly(session, "UID FETCH", argument)

    server = hostile(Hostile("", {"UID FETCH": fetch}), (BAIT, letter("second")))
    scene.mailhaul.fetch_once()
    assert list(server.messages) == [1, 2] or len(server.commands) > 20
    scene.mailhaul.fetch_once()
    scene.mailhaul.fetch_once()
    scene.postfix.wait_until_idle()
    assert scene.got() == {"bait": ["anna@example.org"], "second": ["anna@example.org"]}


def test_uidvalidity_that_changes_between_sessions(scene, hostile):
    scene.account["keep"] = "forever"
    server = hostile(Hostile(""), (BAIT, letter("second")))
    scene.fetch()
    inbox = server.folders["INBOX"]
    inbox.uidvalidity, inbox.messages = 99, {3: BAIT, 4: letter("second"), 5: letter("third")}
    inbox.flags = {uid: set() for uid in inbox.messages}
    scene.fetch()
    assert scene.got() == {case: ["anna@example.org"] for case in ("bait", "second", "third")}


def test_listing_that_lacks_messages_makes_none_new(scene, hostile):
    """Announced are two, listed is one; then both again."""
    server = hostile(Hostile(""), (BAIT, letter("second")))
    scene.account["keep"] = "forever"
    scene.fetch()
    server.answers.update(listing(b"* 2 FETCH (UID 2 RFC822.SIZE 9)\r\nTAG OK done\r\n"))
    server.answers["UID SEARCH"] = b"* SEARCH 2\r\nTAG OK done\r\n"
    scene.mailhaul.fetch_once()
    server.answers.clear()
    scene.fetch()
    assert scene.got() == {"bait": ["anna@example.org"], "second": ["anna@example.org"]}


def test_listing_of_many_messages(scene, hostile):
    """They are not all in memory as text."""
    count = 100_000
    lines = b"".join(b"* %d FETCH (UID %d RFC822.SIZE 999999999)\r\n" % (n, n) for n in range(1, count + 1))
    reply = listing(lines + b"TAG OK done\r\n")
    numbers = b"".join(b" %d" % n for n in range(1, count + 1))
    reply["UID SEARCH"] = b"* SEARCH" + numbers + b"\r\nTAG OK done\r\n"
    hostile(Hostile("", {**selected(b"OK [UIDVALIDITY 1] x", exists=b"%d" % count), **reply}))
    scene.mailhaul.start_fetcher()
    wait_for(lambda: len(scene.mailhaul.lines(status="oversize")) > 100, "some reports", 60)
    assert scene.mailhaul.peak_memory("fetcher") < 64 * 1024 * 1024


def test_message_larger_than_the_server_said(scene, hostile):
    """Found out on the way: neither in memory nor on the disk, and reported once."""
    head = BAIT[: BAIT.index(b"\r\n\r\n") + 4]

    def fetch(session):
        session.send(b"* 1 FETCH (UID 1 BODY[] {%d}\r\n" % (len(head) + 50_000_000) + head)
        for _ in range(50):
            session.send(b"x" * 998 * 1000 + b"\r\n" * 1000)
        session.send(b")\r\n")
        session.ok()

    server = hostile(Hostile("", body(fetch), account={"idle": False}))
    scene.mailhaul.start_fetcher()
    wait_for(lambda: scene.mailhaul.lines(status="oversize"), "the report", 60,
             lambda: scene.mailhaul.log("fetcher"))
    wait_for(lambda: server.logins > 2, "further passes")
    assert scene.mailhaul.peak_memory("fetcher") < 32 * 1024 * 1024
    assert bodies(server) == 1 and len(scene.mailhaul.lines(status="oversize")) == 1
    wait_for(lambda: scene.mailhaul.spool() == [], "an empty spool")
    assert list(server.messages) == [1]
