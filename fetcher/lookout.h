/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lookout - hears of new mail in the further folders of an account: a connection
 * tells only of the one folder that is open in it, so each of them has one of
 * its own, which idles and fetches nothing.
 *
 * A server that allows no more connections is a reason for a warning, once;
 * that folder is then looked at whenever the account's idle_renew is over.  So is
 * one whose connection is taken for somebody else (turnstile).
 */
#ifndef FETCHER_LOOKOUT_H
#define FETCHER_LOOKOUT_H

#include "fetcher/folders.h"
#include "fetcher/loop.h"
#include "fetcher/turnstile.h"

struct alerts;
struct lookouts;

struct lookout_settings {
	struct loop *loop;
	const struct account *account; /* must outlive the lookouts */
	const struct turn *turn;       /* of the account; so must this */
	struct alerts *alerts;         /* as in a dialogue */
	/* There may be mail in the folder of this index: it was told, or the
	 * connection is new. */
	void (*heard)(void *arg, size_t folder);
	void *arg;
};

/* Of all folders but the first; the folders are borrowed. */
struct lookouts *
lookouts_start(const struct lookout_settings *, const struct folders *);
void lookouts_free(struct lookouts *); /* takes NULL */

#endif
