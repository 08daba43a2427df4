/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe_host - tries the ways in which a host may be reached, without any
 * configuration: IMAPS, POP3S, IMAP with STARTTLS and POP3 with STLS, all at the
 * same time.  Then it logs in on the best of those that are secure, once:
 * providers lock accounts.
 */
#ifndef FETCHER_PROBE_HOST_H
#define FETCHER_PROBE_HOST_H

#include "config/config.h"
#include "fetcher/probe_report.h"

struct probe_host {
	const char *host, *user; /* user NULL: no login */
	struct secret_source password, token;
	struct tls_settings tls; /* mode TLS_REQUIRED */
};

/* ERROR_CONFIG: host or user cannot be such. */
bool probe_host_check(const struct probe_host *, struct error *);
/* Prints what was found.  Returns the exit status (sysexits): 0; 69 no server
 * there; 76 none that can be trusted; 77 the login was refused; 78 the password
 * could not be read, or no way to log in suits it. */
int probe_host_run(const struct probe_host *, enum probe_format);

#endif
