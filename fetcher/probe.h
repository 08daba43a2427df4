/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe - logs into an account, looks at what is there, and quits: nothing is
 * collected, changed or remembered.
 *
 * With `survey` the newest messages are read (`messages` of at most
 * PROBE_MESSAGE_MAX bytes): over IMAP without marking them as read; a POP3
 * server may do that by itself.  Of what is read only the header is looked at.
 */
#ifndef FETCHER_PROBE_H
#define FETCHER_PROBE_H

#include "config/config.h"
#include "fetcher/loop.h"
#include "fetcher/probe_report.h"

enum { PROBE_MESSAGE_MAX = 256 * 1024, PROBE_MESSAGES = 10 };

struct probe;

/* `err` NULL: it went well.  The report holds what was found out until then;
 * it is borrowed. */
typedef void
probe_handler(void *arg, const struct probe_report *, const struct error *err);

struct probe_settings {
	struct loop *loop;
	const struct account *account; /* must outlive the probe */
	bool look;        /* only what is to be seen without a login */
	bool survey;      /* the folders, and the newest messages */
	size_t messages;  /* of these at most, and SURVEY_MESSAGES */
	int64_t limit_ms; /* for all of it; 0: none but the dialogue's */
	probe_handler *done;
	void *arg;
};

/* The handler runs once, later; then the probe is gone. */
struct probe *probe_start(const struct probe_settings *);

#endif
