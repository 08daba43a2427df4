/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/folder_key.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "recipients/candidates.h"

char *
folder_key(const struct account *account, const char *folder)
{
	char own[ACCOUNT_KEY_SIZE], *key;

	account_key(account, own, sizeof(own));
	if (folder == NULL)
		return mem_string(own);
	if (asprintf(&key, "%s/%s", own, folder) < 0)
		abort();
	return key;
}

char *
folder_words(const struct account *account, const char *key,
    char out[static FOLDER_WORDS_SIZE])
{
	char own[ACCOUNT_KEY_SIZE], quoted[FOLDER_WORDS_SIZE - 16];
	struct slice folder = slice_of(key);

	account_key(account, own, sizeof(own));
	out[0] = '\0';
	if (account_is_imap(account) &&
	    slice_cut_prefix(&folder, slice_of(own)) &&
	    slice_cut_prefix(&folder, SLICE("/")))
		snprintf(out, FOLDER_WORDS_SIZE, "folder=\"%s\"",
		    log_quotable(quoted, sizeof(quoted), folder));
	return out;
}
