/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_output - what is made of a struct import: the configuration, the files
 * with the passwords, and the messages that were collected already.
 *
 * Passwords never go into the configuration.
 */
#ifndef ADMIN_IMPORT_OUTPUT_H
#define ADMIN_IMPORT_OUTPUT_H

#include "admin/import.h"

/* Decides where the password of each account is, and reports it.  With a
 * `folder` (or NULL) those that the source holds are written there, mode 0600,
 * one file for each account; a file that is there is left as it is.  Comes
 * before import_write_yaml(). */
void import_secrets(struct import *, const char *folder);
void import_write_yaml(struct import *, FILE *out);

/* The state file or folder of the other program into lines for `mailhaul seen
 * import`: ACCOUNT, UID, "injected" and the time (or "-"), with tabs between
 * them.  Reports what it found.  False: the output could not be written. */
enum import_state {
	IMPORT_STATE_NONE,
	IMPORT_STATE_FETCHIDS,
	IMPORT_STATE_OLDMAIL,
	IMPORT_STATE_UIDLS,
};
void
import_seen(struct import *, enum import_state, const char *path, FILE *out);

#endif
