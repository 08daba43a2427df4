# SPDX-License-Identifier: Apache-2.0
"""What ThreadSanitizer (make FLAVOUR=tsan) reports in a program's log.

A suppression would match anywhere in a stack, and every call of ours in the
milter comes from libmilter, whose static functions have no names.  So it is
told here whose report it is: whose code did the last step.
"""

import re

_FRAME = re.compile(r"^    #\d+ .*\(([^()]*)\)$", re.M)
# libmilter destroys its mutexes while its threads still run, as it stops.
_FOREIGN = "libmilter.so"


def own_reports(log):
    """The reports that are not of libmilter alone."""
    reports = [part for part in log.split("=" * 18) if "WARNING: ThreadSanitizer" in part]
    return [report for report in reports if not _is_foreign(report)]


def _is_foreign(report):
    # Below these lines follows where things were made, not what was done.
    head = re.split(r"^  (?:Location is|Mutex M|As if synchronized)", report, flags=re.M)[0]
    stacks = [stack for stack in head.split("\n\n") if _FRAME.search(stack)]
    return bool(stacks) and all(_last_step(stack).startswith(_FOREIGN) for stack in stacks)


def _last_step(stack):
    places = [place for place in _FRAME.findall(stack) if not place.startswith("libtsan.so")]
    return places[0] if places else ""
