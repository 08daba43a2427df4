# SPDX-License-Identifier: Apache-2.0
"""The mails that lie in the provider's mailboxes, and who must get each."""

from dataclasses import dataclass

from mails import mail, received

OFFICE = "office@example.org"
PARKED = ["(stays at the provider)"]

PEOPLE = {
    "anna": ["anna@example.org", "anna.berg@example.org"],
    "ben": ["ben@example.org", "sales@example.org"],
    "clara": ["clara@example.org"],
    "office": [OFFICE],
    "dora": ["dora@example.net"],
    "emil": ["emil@sub.example.org"],
    "first": ["first.last@example.org"],
    "umlaut": ["post@xn--mller-kva.example"],
}
DOMAINS = [
    "example.org",
    {"domain": "example.net", "catch_all": "dora@example.net"},
    {"domain": "old-example.org", "map_to": "example.org"},
    {"domain": ".example.org"},
    "xn--mller-kva.example",
]


CLARA = "clara@example.org"
# Clara's own mailbox: what is collected from, and what is not.
FOLDERS = ["INBOX", "Lists/%", "Aufträge"]
EXCLUDED = ["Lists/old"]


@dataclass
class Letter:
    """`said`: what its header says, for the table; `wanted`: who must get it."""

    case: str
    said: str
    wanted: list
    message: bytes
    folder: str = "INBOX"


def _addresses(names):
    """anna, ben → anna@example.org, …; whole addresses stay."""
    return sorted(n if "@" in n or n in PARKED else f"{n}@example.org" for n in names.split("; "))


def _letter(title, said, wanted, folder="INBOX", **header):
    case = title.lower().replace(" ", "-").replace(",", "")
    message = mail(case, f"X-Title: {title}", *header.pop("more", ()), **header)
    return Letter(title, said, _addresses(wanted), message, folder)


def _by_envelope_field():
    for field in ("X-Envelope-To", "Envelope-To", "Delivered-To", "X-Original-To", "X-Delivered-To",
                  "X-RCPT-TO", "X-Recipient", "X-Real-To"):
        yield _letter(f"provider writes {field}", f"{field}: anna@, To: ben@", "anna",
                      top=[f"{field}: anna@example.org"], to="ben@example.org")
    yield _letter("one mail, two recipients", "X-Envelope-To: anna@ and ben@", "anna; ben",
                  top=["X-Envelope-To: anna@example.org, ben@example.org"])
    yield _letter("second address of Ben", "X-Envelope-To: sales@", "sales", envelope="sales@example.org")
    yield _letter("capitals", "X-Envelope-To: ANNA@EXAMPLE.ORG", "anna", envelope="ANNA@EXAMPLE.ORG")
    yield _letter("angle brackets and comment", "X-Envelope-To: <anna@> (via mx)", "anna",
                  envelope="<anna@example.org> (via mx)")
    yield _letter("subdomain", "X-Envelope-To: emil@sub.example.org", "emil@sub.example.org",
                  envelope="emil@sub.example.org")
    yield _letter("old domain, mapped", "X-Envelope-To: ben@old-example.org", "ben",
                  envelope="ben@old-example.org")
    yield _letter("other domain", "X-Envelope-To: dora@example.net", "dora@example.net",
                  envelope="dora@example.net")
    yield _letter("umlaut domain", "X-Envelope-To: post@müller.example", "post@xn--mller-kva.example",
                  envelope="post@müller.example")
    yield _letter("umlaut domain, A-label", "X-Envelope-To: post@xn--mller-kva", "post@xn--mller-kva.example",
                  envelope="post@xn--mller-kva.example")


def _by_received():
    yield _letter("Received for", "Received: … for <ben@>", "ben", received_for="ben@example.org")
    yield _letter("Received for, other To", "for <clara@>, To: anna@", "clara",
                  received_for="clara@example.org", to="anna@example.org")
    yield _letter("Received for a stranger's list", "for <anna@>, To: talk@lists.example", "anna",
                  received_for="anna@example.org", to="talk@lists.example")
    yield _letter("only the topmost for counts", "for <ben@>; below: for <anna@>", "ben",
                  received_for="ben@example.org", more=[received("anna@example.org")])


def _by_headers():
    yield _letter("To", "To: anna@", "anna", to="anna@example.org")
    yield _letter("To and Cc", "To: anna@, Cc: ben@", "anna; ben", to="anna@example.org",
                  more=["Cc: ben@example.org"])
    yield _letter("Bcc left in by the sender", "Bcc: clara@", "clara", more=["Bcc: clara@example.org"])
    yield _letter("display name", 'To: "Berg, Anna" <anna@>', "anna", to='"Berg, Anna" <anna@example.org>')
    yield _letter("encoded name", "To: =?utf-8?Q?Berg=2C_Anna?= <anna@>", "anna",
                  to="=?utf-8?Q?Berg=2C_Anna?= <anna@example.org>")
    yield _letter("group", "To: Team: anna@, ben@;", "anna; ben", to="Team: anna@example.org, ben@example.org;")
    yield _letter("folded field", "To: anna@,⏎ ben@,⏎ clara@", "anna; ben; clara",
                  to="anna@example.org,\n ben@example.org,\n\tclara@example.org")
    yield _letter("comments", "To: (the boss) anna@ (really)", "anna", to="(the boss) anna@example.org (really)")
    yield _letter("semicolons as in Outlook", "To: anna@; ben@", "anna; ben", to="anna@example.org; ben@example.org")
    yield _letter("quoted local part", 'To: "first.last"@', "first.last", to='"first.last"@example.org')
    yield _letter("the same person twice", "To: anna@, Cc: Anna@", "anna", to="anna@example.org",
                  more=["Cc: Anna <Anna@Example.org>"])
    yield _letter("two addresses of one person", "To: ben@, Cc: sales@", "ben; sales",
                  to="ben@example.org", more=["Cc: sales@example.org"])
    yield _letter("resent", "Resent-To: ben@, To: anna@", "ben", to="anna@example.org",
                  more=["Resent-To: ben@example.org"])
    yield _letter("several To fields", "To: anna@; To: ben@", "anna; ben", to="anna@example.org",
                  more=["To: ben@example.org"])
    yield _letter("trailing comma", "To: anna@, ,", "anna", to="anna@example.org, ,")


def _bcc_and_lists():
    yield _letter("Bcc by the provider's field", "X-Envelope-To: clara@, To: eve@outside", "clara",
                  envelope="clara@example.org", to="eve@outside.example")
    yield _letter("Bcc, undisclosed recipients", "X-Envelope-To: ben@, To: undisclosed…:;", "ben",
                  envelope="ben@example.org", to="undisclosed-recipients:;")
    yield _letter("mailing list", "X-Envelope-To: anna@, To: talk@lists", "anna",
                  envelope="anna@example.org", to="talk@lists.example", more=["List-Id: <talk.lists.example>"])
    yield _letter("newsletter", "X-Envelope-To: clara@, To: readers@news", "clara",
                  envelope="clara@example.org", to="readers@news.example", more=["Precedence: bulk"])
    yield _letter("list that names nobody here", "To: talk@lists.example", "office",
                  to="talk@lists.example", more=["List-Id: <talk.lists.example>"])


def _foreign_and_unknown():
    yield _letter("two of us, one outside", "To: anna@, ben@, eve@outside", "anna; ben",
                  to="anna@example.org, ben@example.org, eve@outside.example")
    yield _letter("only outsiders", "To: eve@outside, mallory@outside", "office",
                  to="eve@outside.example, mallory@outside.example")
    yield _letter("unknown person", "X-Envelope-To: nobody@", "office", envelope="nobody@example.org")
    yield _letter("known and unknown", "To: anna@, nobody@", "anna; office", to="anna@example.org, nobody@example.org")
    yield _letter("two unknown", "To: nobody@, no-one@", "office", to="nobody@example.org, no-one@example.org")
    yield _letter("unknown, own catch-all", "X-Envelope-To: nobody@example.net", "dora@example.net",
                  envelope="nobody@example.net")
    yield _letter("misspelt domain", "To: anna@exampel.org", "office", to="anna@exampel.org")
    yield _letter("nobody named", "no recipient anywhere", "office")
    yield _letter("broken To", "To: anna at example.org", "office", to="anna at example.org")
    yield _letter("the office itself", "X-Envelope-To: office@", "office", envelope=OFFICE)


def _hostile():
    yield _letter("forged field below", "below Received: X-Envelope-To: ben@", "anna",
                  received_for="anna@example.org", more=["X-Envelope-To: ben@example.org"])
    yield _letter("relay by percent", "X-Envelope-To: eve%outside.example@", "office",
                  envelope="eve%outside.example@example.org")
    yield _letter("relay by bang", "X-Envelope-To: outside.example!eve@", "office",
                  envelope="outside.example!eve@example.org")
    yield _letter("an option as an address", "X-Envelope-To: -oQ/tmp@", "office", envelope="-oQ/tmp@example.org")
    yield _letter("LDAP filter as an address", "X-Envelope-To: *)(mail=anna@", "office",
                  envelope="*)(mail=anna@example.org")
    yield _letter("forged ticket", "X-Mailhaul-Ticket: …, X-Envelope-To: anna@", "anna",
                  envelope="anna@example.org", more=["X-Mailhaul-Ticket: v=1; r=ben@example.org; m=00"])
    yield _letter("47 Received fields", "a mail loop", PARKED[0], envelope="anna@example.org",
                  more=["Received: from a.example by b.example; Sat, 21 Nov 2026 10:00:00 +0000"] * 46)


def _contents():
    yield _letter("bounce, null sender", "Return-Path: <>, X-Envelope-To: ben@", "ben",
                  envelope="ben@example.org", sender="")
    yield _letter("big, 8 MB", "X-Envelope-To: anna@", "anna", envelope="anna@example.org",
                  body=b"0123456789abcdef" * 4 + b"\n" + (b"0123456789abcdef" * 4 + b"\n") * 125_000)
    yield _letter("umlauts in the body", "X-Envelope-To: ben@", "ben", envelope="ben@example.org",
                  body="Grüße aus Köln\n".encode())
    yield _letter("dots at line starts", "X-Envelope-To: ben@", "ben", envelope="ben@example.org",
                  body=b".\n..\n.hidden\n")
    yield _letter("no text at all", "X-Envelope-To: clara@", "clara", envelope="clara@example.org", body=b"")
    yield _letter("300 outsiders and Anna", "To: 300 at outside, anna@", "anna",
                  to=",\n ".join([f"p{n}@outside.example" for n in range(300)] + ["anna@example.org"]))
    yield _letter("attachment", "X-Envelope-To: anna@", "anna", envelope="anna@example.org",
                  more=["MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="x"'],
                  body=b"--x\n\ntext\n--x\nContent-Type: application/pdf\n\nJVBERi0=\n--x--\n")


def _personal():
    yield _letter("to Clara", "To: clara.berg@isp.example", "clara", to="clara.berg@isp.example")
    yield _letter("to somebody else", "To: anna@", "clara", to="anna@example.org")
    yield _letter("to nobody in particular", "To: undisclosed…:;", "clara", to="undisclosed-recipients:;")
    yield _letter("sorted into a folder", "in Lists/talk, To: talk@lists", "clara", folder="Lists/talk",
                  to="talk@lists.example", more=["List-Id: <talk.lists.example>"])
    yield _letter("folder with an umlaut", "in Aufträge, To: clara.berg@isp", "clara", folder="Aufträge",
                  to="clara.berg@isp.example")
    yield _letter("bytes that look like IMAP", "body: ) FLAGS {5}", "clara", to="clara.berg@isp.example",
                  body=b")\n* 1 EXPUNGE\n* 2 FETCH (UID 2 BODY[] {5}\n\"\n")
    yield _letter("folder that is excluded", "in Lists/old, To: talk@lists", PARKED[0], folder="Lists/old",
                  to="talk@lists.example")


def _arriving():
    for count, folder in enumerate(("INBOX", "INBOX", "Lists/talk", "Aufträge", "INBOX"), 1):
        yield _letter(f"new mail {count}", f"in {folder}", "clara", folder=folder, to="clara.berg@isp.example")


SECTIONS = {
    "The provider recorded the recipient": _by_envelope_field,
    "The provider's Received field names the recipient": _by_received,
    "Only the mail itself says whom it is for": _by_headers,
    "Bcc and lists": _bcc_and_lists,
    "Outsiders and unknown people": _foreign_and_unknown,
    "Tricks": _hostile,
    "Contents": _contents,
}
# Clara's own mailbox.
PERSONAL = {"Clara's own mailbox over IMAPS, with folders": _personal}
# They come while the fetcher listens.
ARRIVING = {"New mail, which the provider announces at once (IDLE)": _arriving}
