/* SPDX-License-Identifier: Apache-2.0 */
/*
 * folder_key - the name under which the state knows the messages of one folder:
 * the account's key, and with IMAP a slash and the folder.
 */
#ifndef FETCHER_FOLDER_KEY_H
#define FETCHER_FOLDER_KEY_H

#include "config/config.h"

/* Room for folder_words(): longer names are cut. */
enum { FOLDER_WORDS_SIZE = 320 };

/* `folder`: UTF-8; NULL with POP3.  The caller frees it. */
char *folder_key(const struct account *, const char *folder);
/* folder="NAME" for a line of log, quoted and printable; "" with POP3.  Returns
 * out. */
char *folder_words(const struct account *, const char *key,
    char out[static FOLDER_WORDS_SIZE]);

#endif
