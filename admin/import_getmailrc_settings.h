/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_getmailrc_settings - what the settings of [retriever] and [options] in
 * a getmailrc do to an account.
 */
#ifndef ADMIN_IMPORT_GETMAILRC_SETTINGS_H
#define ADMIN_IMPORT_GETMAILRC_SETTINGS_H

#include "admin/import_ini.h"

struct getmail {
	struct import *import;
	struct import_account *account;
	struct ini ini;
	bool multidrop, clear_text, no_uids;
};

/* The type of the retriever, which decides what other settings mean. */
void getmail_apply_type(struct getmail *, struct ini_entry *);
/* Applies and reports; false when there is no such setting. */
bool getmail_apply(struct getmail *, struct ini_entry *);

#endif
