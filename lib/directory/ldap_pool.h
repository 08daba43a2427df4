/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ldap_pool - LDAP servers with the same content, as if they were one.
 *
 * Thread-safe.  Each search goes to the first server of the list that works.
 * One that failed is left out for LDAP_AWAY_MS; then one search tries it
 * again, for at most LDAP_RETRY_MS, and when it answers it is the first again.
 * While others are left, none gets more than its share of the time.
 *
 * Connections are kept for the next search, each used by one thread at a time.
 * One that was closed meanwhile, as servers do with idle ones, is replaced
 * once without anybody noticing.
 *
 * A refused password is tried neither elsewhere nor again within
 * LDAP_LOGIN_MS: each attempt counts towards locking the login.
 */
#ifndef DIRECTORY_LDAP_POOL_H
#define DIRECTORY_LDAP_POOL_H

#include "directory/ldap_connection.h"

enum {
	LDAP_AWAY_MS = 10000,
	LDAP_RETRY_MS = 1000,
	LDAP_LOGIN_MS = 300000,
};

struct ldap_pool;

/* The settings are borrowed.  Opens no connection yet. */
struct ldap_pool *ldap_pool_new(const struct ldap_source *);
void ldap_pool_free(struct ldap_pool *);

/* As ldap_connection_search(), within the source's time-out or the search's
 * deadline, whichever comes first.  *uri: who answered; the settings'. */
bool ldap_pool_search(
    struct ldap_pool *, struct ldap_search *, const char **uri, struct error *);

#endif
