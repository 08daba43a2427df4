# SPDX-License-Identifier: Apache-2.0
"""Running a command that must succeed."""

import subprocess
import tempfile


def run(*command, timeout=60, **options):
    """Run it to its end; AssertionError with its output if it fails.

    Its output goes to a file: daemons that it leaves behind may keep that open.
    """
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            list(map(str, command)), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            timeout=timeout, **options,
        )
        output.seek(0)
        text = output.read()
    assert done.returncode == 0, f"{command}: exit {done.returncode}\n{text}"
    return text
