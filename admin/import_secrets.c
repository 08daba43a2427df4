/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/import_output.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool
is_sendable(const char *secret)
{
	return secret[0] != '\0' && strpbrk(secret, "\r\n") == NULL;
}

static bool
write_all(int fd, struct slice bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.data, bytes.len);

		if (n < 0 && errno != EINTR)
			return false;
		bytes = slice_from(bytes, n < 0 ? 0 : (size_t)n);
	}
	return true;
}

/* Half a file is worse than none. */
static bool
write_secret(const char *path, const char *secret, bool *existed)
{
	int fd =
	    open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		S_IRUSR | S_IWUSR);
	bool ok;

	*existed = fd < 0 && errno == EEXIST;
	if (fd < 0)
		return false;
	ok = write_all(fd, slice_of(secret)) && write_all(fd, SLICE("\n"));
	ok = close(fd) == 0 && ok;
	if (!ok)
		unlink(path);
	return ok;
}

static void
keep_secret(struct import_account *a, const char *folder)
{
	bool existed;

	if (a->refused)
		import_say_of(a, a->password_line, IMPORT_REFUSED,
		    "the password of an account that is left out");
	else if (!is_sendable(a->password))
		import_say_of(a, a->password_line, IMPORT_REFUSED,
		    "the password of account %s is empty or holds a line end; "
		    "write the right one to %s",
		    a->name, a->password_file);
	else if (folder == NULL)
		import_say_of(a, a->password_line, IMPORT_CHANGED,
		    "the password of account %s is not copied; write it to %s "
		    "(mode 0400, owner mailhaul), or use --secrets",
		    a->name, a->password_file);
	else if (write_secret(a->password_file, a->password, &existed))
		import_say_of(a, a->password_line, IMPORT_CHANGED,
		    "the password of account %s is in %s; run: chown mailhaul "
		    "%s",
		    a->name, a->password_file, a->password_file);
	else if (existed)
		import_say_of(a, a->password_line, IMPORT_DROPPED,
		    "the password of account %s: %s is there already and was "
		    "left as it is",
		    a->name, a->password_file);
	else
		import_say_of(a, a->password_line, IMPORT_REFUSED,
		    "the password of account %s cannot be written to %s: %s",
		    a->name, a->password_file, strerrordesc_np(errno));
}

static void
place_secret(
    struct import *import, struct import_account *a, const char *folder)
{
	const char *kind = a->token ? "token" : "password";

	if (a->command.n > 0 || a->password_file != NULL ||
	    (a->auth != NULL && strcmp(a->auth, "external") == 0))
		return;
	a->password_file =
	    folder == NULL
		? arena_printf(&import->arena, "%s.%s", a->name, kind)
		: arena_printf(
		      &import->arena, "%s/%s.%s", folder, a->name, kind);
	if (a->password != NULL)
		keep_secret(a, folder);
	else if (!a->refused)
		import_say_of(a, a->line, IMPORT_CHANGED,
		    "account %s: the %s is not in this file; write it to %s "
		    "(mode 0400, owner mailhaul)",
		    a->name, kind, a->password_file);
}

void
import_secrets(struct import *import, const char *folder)
{
	for (size_t i = 0; i < import->n_accounts; i++)
		place_secret(import, import->accounts[i], folder);
}
