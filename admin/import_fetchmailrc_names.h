/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_fetchmailrc_names - what becomes of the local names of multidrop
 * mailboxes (`to anna sales=bert *`): users, and aliases.
 *
 * fetchmail maps a whole address wherever it reads it; a bare name only in the
 * domains of the mail server itself, never in localdomains; and only once.  The
 * first of two pairs counts.  Our aliases are for all accounts: with more than
 * one such mailbox none is made.
 */
#ifndef ADMIN_IMPORT_FETCHMAILRC_NAMES_H
#define ADMIN_IMPORT_FETCHMAILRC_NAMES_H

#include "admin/import.h"

struct rc_names { /* of one mailbox */
	const struct import_account *account;
	size_t line;
	struct import_list remotes, locals; /* pairs, often the same name */
	bool star, local_domains;           /* other names pass as they are */
	struct rc_names *next;
};
void rc_finish_names(struct import *, const struct rc_names *first);

#endif
