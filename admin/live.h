/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live - "mailhaul check --live": is this machine ready to collect mail?
 *
 * Each check looks at one thing and says a line about it, what is well too:
 *
 *	ok|warning|error: WHAT: TEXT with what to do
 *
 * No check depends on another's outcome, so that all is told in one run; only
 * a configuration with errors ends it.
 */
#ifndef ADMIN_LIVE_H
#define ADMIN_LIVE_H

#include "admin/postconf.h"
#include "config/config.h"
#include "postfix/milters.h"

/* As the units, the package and README.md have them. */
#define FETCHER_USER "mailhaul"
#define MILTER_USER "mailhaul-milter"

struct json_t;

enum live_level { LIVE_OK, LIVE_WARNING, LIVE_ERROR, N_LIVE_LEVELS };

struct live {
	const char *config_path;
	struct config *config;
	struct json_t *findings; /* NULL: lines are printed at once */
	size_t count[N_LIVE_LEVELS];
	/* What postconf told; none of it when Postfix is not there. */
	bool has_postfix;
	struct postconf_value *postfix;
	size_t n_postfix;
	char *credentials; /* the folder that we were started with */
};

void live_say(struct live *, enum live_level, const char *what, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));
/* A setting of main.cf with $names replaced; "" when unknown. */
const char *live_postfix(const struct live *, const char *name);
/* Our place in Postfix's lists; borrowed. */
struct milter_place live_place(const struct live *);

/* The whole command, after its arguments: the exit status. */
int live_run(const char *config_path, bool json);

/* The checks, one module each. */
void live_check_files(struct live *);
void live_check_milter(struct live *);
void live_check_main_cf(struct live *);
void live_check_milters(struct live *);
void live_check_domains(struct live *);
void live_check_copies(struct live *);
void live_check_injection(struct live *);
void live_check_addresses(struct live *);
void live_check_servers(struct live *);
void live_check_fetcher(struct live *);
void live_check_accounts(struct live *);

#endif
