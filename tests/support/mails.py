# SPDX-License-Identifier: Apache-2.0
"""Messages as a provider stores them, and a look at what was delivered.

Every message names its case in X-Case and ends with a line that holds the
SHA-256 of all body lines before it: a message that was cut shows.
"""

import email
import email.policy
import hashlib

RECEIVED = (
    "Received: from mail.sender.example (mail.sender.example [192.0.2.7])\n"
    "\tby mx.isp.example (Postfix) with ESMTPS id 4AB{clause};\n"
    "\tSat, 21 Nov 2026 10:00:00 +0000 (UTC)"
)


def received(recipient=None):
    """The boundary's Received field, with or without `for`."""
    return RECEIVED.format(clause=f"\n\tfor <{recipient}>" if recipient else "")


def seal(body):
    """The body with its closing line."""
    if not body.endswith(b"\n"):
        body += b"\n"
    return body + b"end sha256=" + hashlib.sha256(body).hexdigest().encode() + b"\n"


def mail(case, *fields, envelope=None, received_for=None, to=None, body=b"Hello.\n",
         sender="someone@sender.example", top=()):
    """One message with LF line ends.

    `envelope`: X-Envelope-To above the boundary (a string or several), `top`:
    whole lines there.  `received_for`: the boundary's for clause.  `fields`:
    further header lines.
    """
    top = [f"Return-Path: <{sender}>", *top]
    for address in [envelope] if isinstance(envelope, str) else envelope or []:
        top.append(f"X-Envelope-To: {address}")
    top.append(received(received_for))
    rest = [
        f"X-Case: {case}",
        f"From: Some One <{sender or 'mailer-daemon@sender.example'}>",
        f"Message-ID: <{case}@sender.example>",
        "Date: Sat, 21 Nov 2026 10:00:00 +0000",
        f"Subject: {case}",
    ]
    if to:
        rest.append(f"To: {to}")
    return "\n".join([*top, *rest, *fields]).encode() + b"\n\n" + seal(body)


def header_end(message):
    end = message.find(b"\n\n")
    assert end >= 0, f"no empty line in {message[:300]!r}"
    return end


def fields(message, name):
    """All bodies of a header field, unfolded."""
    parsed = email.message_from_bytes(message[: header_end(message) + 2], policy=email.policy.compat32)
    return [" ".join(str(value).split()) for value in parsed.get_all(name, [])]


def case_of(message):
    """The X-Case of a delivered message, or None for mail that is not ours."""
    return next(iter(fields(message, "X-Case")), None)


def is_whole(message):
    """True when the closing line is there and right."""
    body = message[header_end(message) + 2 :].replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n"
    start = body.rfind(b"end sha256=")
    wanted = hashlib.sha256(body[:start]).hexdigest().encode()
    return start >= 0 and body[start:] == b"end sha256=" + wanted + b"\n"


def who_got(delivered):
    """{case: sorted addresses, one for each copy}; of the messages with a case.

    Fails on a message that is not whole, or still has our ticket.
    """
    found = {}
    for address, messages in delivered.items():
        for message in messages:
            if (case := case_of(message)) is None:
                continue
            assert is_whole(message), f"{case} was cut or changed for {address}: {message[-400:]!r}"
            assert not fields(message, "X-Mailhaul-Ticket"), f"{case} for {address} has the ticket"
            found.setdefault(case, []).append(address)
    return {case: sorted(addresses) for case, addresses in found.items()}
