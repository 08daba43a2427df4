/* SPDX-License-Identifier: Apache-2.0 */
/*
 * as_user - would another user be let?  Tried, not computed: a child becomes
 * that user with its groups, in its folder or chroot, and the kernel answers,
 * so that folders on the way, ACLs and chroots count.
 *
 * Not to be called while other threads run.
 */
#ifndef ADMIN_AS_USER_H
#define ADMIN_AS_USER_H

#include <stdbool.h>

enum as_user_wish {
	AS_USER_READ,
	AS_USER_WRITE,
	AS_USER_EXECUTE,
	AS_USER_CONNECT, /* to a unix socket */
};

struct as_user {
	const char *user;
	const char *group;  /* one more than it has; NULL: none */
	const char *folder; /* that paths are relative to; NULL: "/" */
	bool chroot;        /* and that it cannot leave */
};

/* False: we are somebody else, and not root. */
bool as_user_can(const char *user);
/* 0, or the errno value; ESRCH: there is no such user. */
int as_user_try(const struct as_user *, enum as_user_wish, const char *path);
/* The words for it. */
const char *as_user_reason(int failed);

#endif
