/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon - all accounts in one loop: start, reload, stop.
 *
 * Signals: HUP reloads the configuration (a bad one is refused and the old one
 * stays), USR1 polls every account now, those on demand too, TERM and INT stop:
 * no new message is begun, those in Postfix's hands are waited for.
 */
#ifndef FETCHER_DAEMON_H
#define FETCHER_DAEMON_H

#include "config/config.h"
#include "fetcher/probe_report.h"

enum daemon_mode {
	DAEMON_FOREVER,
	DAEMON_ONCE,  /* passes until nothing new is listed, then end */
	DAEMON_PROBE, /* log in, report on standard output, end */
};

struct daemon_settings {
	const char *config_path;
	struct config *config; /* a reference is taken over */
	const char *only;      /* one account's name, or NULL */
	enum daemon_mode mode;
	enum probe_format probe; /* of DAEMON_PROBE */
};

/* Call it first: a reload or poll that is asked for while the daemon starts
 * waits until it has started, and does not end it. */
void daemon_hold_signals(void);
/* Runs until told to stop; returns the exit status (sysexits): 0; 75 an account
 * failed, a message waits for its next try or another fetcher holds the lock
 * (DAEMON_ONCE); 71 this machine does not let it; 78 the state cannot be used;
 * DAEMON_PROBE: 69, 76, 77. */
int daemon_run(const struct daemon_settings *);

#endif
