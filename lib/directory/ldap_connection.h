/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ldap_connection - one connection to one LDAP server (RFC 4511), logged in.
 *
 * No password and no question goes over a connection whose certificate has
 * not been verified; clear text only through ldapi://, or ldap:// without a
 * password.  Referrals are not chased, and search continuations (Active
 * Directory adds three to each answer) are no entries.
 *
 * Used by one thread at a time.  Nothing blocks beyond its deadline
 * (monotonic) but the name service.  Error texts begin with the URI and hold
 * what the server said.  ERROR_LOGIN: name or password refused; ERROR_CONFIG:
 * no other server would help; otherwise ERROR_RETRY.
 */
#ifndef DIRECTORY_LDAP_CONNECTION_H
#define DIRECTORY_LDAP_CONNECTION_H

#include "base/slice.h"
#include "config/config.h"

struct ldap_connection;

/* libldap sets itself up at its first use, in a way that other threads need
 * not see (ThreadSanitizer, 2.5): whoever makes what threads will share calls
 * this first. */
void ldap_connection_prepare(void);

/* NULL with the error.  Settings and URI are borrowed until close. */
struct ldap_connection *ldap_connection_open(const struct ldap_source *,
    const char *uri, int64_t deadline_ms, struct error *);
void ldap_connection_close(struct ldap_connection *);

struct ldap_search {
	const char *filter;
	int64_t deadline_ms;
	/* Whose values are wanted, NULL at the end; NULL: none are. */
	const char *const *attributes;
	int entries_max; /* 0: one or several is all that matters */
	/* For each value of these attributes in each entry; borrowed. */
	void (*on_value)(
	    void *context, const char *attribute, struct slice value);
	void (*on_entry)(void *context); /* after its values; may be NULL */
	void *context;
	int entries; /* how many there are, up to the maximum */
	bool cut;    /* there may be more */
};

/* Searches the whole base.  True only for a complete, certain answer, and for
 * more entries than the maximum. */
bool ldap_connection_search(
    struct ldap_connection *, struct ldap_search *, struct error *);
/* After a failed search: because the server had closed the connection, so
 * that a new one may help? */
bool ldap_connection_is_lost(const struct ldap_connection *);

#endif
