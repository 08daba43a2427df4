# SPDX-License-Identifier: Apache-2.0
"""What IMAP servers do that lie, stall or break off."""

from dataclasses import dataclass, field

from mails import mail
from scripted_imap import CAPABILITIES


def letter(case):
    return mail(case, envelope="anna@example.org", body=b"line\n" * 200).replace(b"\n", b"\r\n")


BAIT = letter("bait")
DISPOSAL = ("UID STORE", "UID EXPUNGE", "UID MOVE", "UID COPY", "STORE", "EXPUNGE", "CLOSE")


@dataclass
class Hostile:
    """What the server does, and what Mailhaul must say of it.

    `says`: a regular expression that the account's log line must match.
    """

    says: str
    answers: dict = field(default_factory=dict)
    implicit: bool = True
    never_sent: tuple = DISPOSAL
    account: dict = field(default_factory=dict)
    capabilities: str = CAPABILITIES
    status: int = 75


def close(session, _):
    session.drop()


def silence(session, _):
    session.server.stopping.wait(60)


def endless(chunk):
    def send(session, _):
        while not session.server.stopping.is_set():
            session.send(chunk)

    return send
