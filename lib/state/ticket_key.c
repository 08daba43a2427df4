/* SPDX-License-Identifier: Apache-2.0 */
#include "state/ticket_key.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"

enum { KEY_MODE = 0640, PATH_SIZE = 4096 };

static bool
make_path(const char *state_dir, const char *name, char path[PATH_SIZE],
    struct error *err)
{
	int len = snprintf(path, PATH_SIZE, "%s/%s", state_dir, name);

	if (len < 0 || len >= PATH_SIZE)
		return error_set(err, ERROR_CONFIG, "state_dir: path too long");
	return true;
}

static bool
is_missing(const char *path)
{
	return access(path, F_OK) != 0 && errno == ENOENT;
}

/* Fetcher and milter run as different users and share the folder's group; a
 * folder without the setgid bit does not hand it down. */
static bool
give_to_group_of(const char *folder, const char *path, struct error *err)
{
	struct stat want, have;

	if (stat(folder, &want) != 0 || lstat(path, &have) != 0)
		return error_errno(err, ERROR_LOCAL, errno, "%s", path);
	if (have.st_gid != want.st_gid &&
	    lchown(path, (uid_t)-1, want.st_gid) != 0)
		return error_errno(err, ERROR_LOCAL, errno,
		    "%s: cannot give it to the group of its folder", path);
	return true;
}

static bool
make_key(const char *state_dir, const char *path, struct error *err)
{
	uint8_t bytes[TICKET_KEY_SIZE];
	bool existed, ok;

	/* A secret is read without one line end, so no key ends in one. */
	do
		digest_random(bytes, sizeof(bytes));
	while (bytes[TICKET_KEY_SIZE - 1] == '\n');
	ok = file_create(path, (struct slice){ bytes, sizeof(bytes) }, KEY_MODE,
	    &existed, err);
	explicit_bzero(bytes, sizeof(bytes));
	return ok && (existed || give_to_group_of(state_dir, path, err));
}

static bool
read_key(const char *path, struct ticket_keys *keys, struct error *err)
{
	struct buf content;
	bool ok;

	buf_init(&content, 2 * TICKET_KEY_SIZE);
	ok = file_read_secret(path, &content, err);
	if (ok && content.len != TICKET_KEY_SIZE)
		ok = error_set(err, ERROR_CONFIG,
		    "%s: %zu bytes instead of %d; remove it, the next start "
		    "makes a new one",
		    path, content.len, TICKET_KEY_SIZE);
	if (ok)
		ticket_key_init(&keys->key[keys->n++], content.data);
	buf_wipe(&content);
	return ok;
}

bool
ticket_keys_load(
    const char *state_dir, struct ticket_keys *keys, struct error *err)
{
	char present[PATH_SIZE], previous[PATH_SIZE];

	keys->n = 0;
	if (!make_path(state_dir, "ticket.key", present, err) ||
	    !make_path(state_dir, "ticket.key.old", previous, err))
		return false;
	if (is_missing(present) && !make_key(state_dir, present, err))
		return false;
	return read_key(present, keys, err) &&
	       (is_missing(previous) || read_key(previous, keys, err));
}
