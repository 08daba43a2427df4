/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watchdog - tells systemd that the milter still works, when systemd wants to
 * know ($WATCHDOG_USEC).
 *
 * A thread that only counts time would be alive in a process whose locks are
 * stuck.  So it asks what the fetcher asks, READY on the control socket, which
 * goes through the configuration, the ticket key and the directory; any answer
 * counts.  WAIT too: a restart brings no directory back.
 */
#ifndef MILTER_WATCHDOG_H
#define MILTER_WATCHDOG_H

#include <stdbool.h>

/* `control` is the control socket's path.  The thread runs until the process
 * ends.  False: no thread could be had. */
bool watchdog_start(const char *control);

#endif
