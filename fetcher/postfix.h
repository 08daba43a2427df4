/* SPDX-License-Identifier: Apache-2.0 */
/*
 * postfix - what must be known of Postfix's configuration: its limits, what
 * becomes of 8-bit headers, and whether our milter sees what we hand over:
 * non_smtpd_milters names it, or, by SMTP, the smtpd_milters of the listener,
 * which its entry in master.cf may have of its own.  Asked by postconf(1), never
 * read from files.
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
	bool smtputf8; /* takes internationalised mail */
	/* Mail from sendmail(1) with 8-bit header fields goes only to servers
	 * that offer SMTPUTF8, and bounces at others (measured, 3.7). */
	bool wants_smtputf8;
};
typedef void postfix_handler(
    void *arg, bool known, const struct postfix_facts *, const struct error *);

/* Runs postconf; the handler runs once, later. */
void
postfix_ask(struct loop *, const struct config *, postfix_handler *, void *arg);

struct postfix_question { /* borrowed */
	const char *milter_socket;
	enum injection method;
	const char *listener; /* path of its socket; NULL: the port */
	uint16_t port;
};
/* Pure: postconf's "name = value" and "service/type/name = value" lines.
 * ERROR_CONFIG: something is missing, or is no number. */
bool postfix_read(struct slice output, const struct postfix_question *,
    struct postfix_facts *, struct error *);

#endif
