/* SPDX-License-Identifier: Apache-2.0 */
/*
 * postfix - what must be known of Postfix's main.cf: its limits, whether
 * non_smtpd_milters names our milter, and what becomes of 8-bit headers.  Asked by postconf(1), never read
 * from files.
 */
#ifndef FETCHER_POSTFIX_H
#define FETCHER_POSTFIX_H

#include "base/error.h"
#include "base/slice.h"
#include "config/config.h"
#include "fetcher/loop.h"

struct postfix_facts {
	uint64_t message_size_limit; /* 0: none */
	uint32_t hopcount_limit;
	bool has_milter;
	/* Mail from sendmail(1) with 8-bit header fields goes only to servers
	 * that offer SMTPUTF8, and bounces at others (measured, 3.7). */
	bool wants_smtputf8;
};
typedef void postfix_handler(
    void *arg, bool known, const struct postfix_facts *, const struct error *);

/* Runs postconf; the handler runs once, later. */
void
postfix_ask(struct loop *, const struct config *, postfix_handler *, void *arg);

/* Pure: postconf's "name = value" lines. */
bool postfix_read(struct slice output, const char *milter_socket,
    struct postfix_facts *, struct error *);

#endif
