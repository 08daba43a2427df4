/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a secret from where the configuration says it is; see config.h.
 */
#include "config/config.h"

#include "base/file.h"
#include "base/proc.h"

#include <stdlib.h>

enum { COMMAND_TIMEOUT_MS = 10 * 1000, PATH_ROOM = 4096 };

static bool
read_credential(const char *name, struct buf *out, struct error *err)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	struct buf path;
	bool good;

	if (folder == NULL)
		return error_set(err, ERROR_CONFIG,
		    "credential %s: systemd has not given it; it does so with "
		    "LoadCredential=, and root's commands find it while that "
		    "service runs",
		    name);
	buf_init(&path, PATH_ROOM);
	buf_printf(&path, "%s/%s", folder, name);
	good = file_read_secret(buf_string(&path), out, err);
	buf_clear(&path);
	return good;
}

static bool
read_command(const char *const *argv, struct buf *out, struct error *err)
{
	struct buf printed;
	bool ok;

	buf_init(&printed, out->max);
	ok = proc_run(argv, COMMAND_TIMEOUT_MS, &printed, err)
		 ? secret_take(buf_slice(&printed), out, err)
		 : error_prefix(err, "password command");
	buf_wipe(&printed);
	return ok;
}

static bool
read_source(
    const struct secret_source *source, struct buf *out, struct error *err)
{
	switch (source->kind) {
	case SECRET_FILE:
		if (source->held.data != NULL)
			return secret_take(source->held, out, err);
		return file_read_secret(source->name, out, err);
	case SECRET_CREDENTIAL:
		return read_credential(source->name, out, err);
	case SECRET_COMMAND:
		return read_command(source->argv, out, err);
	case SECRET_NONE:
		break;
	}
	return error_set(err, ERROR_CONFIG, "no password is configured");
}

static bool
is_usable(struct slice secret, struct error *err)
{
	if (secret.len == 0)
		return error_set(err, ERROR_CONFIG, "the password is empty");
	/* It goes into a protocol line. */
	if (slice_find(secret, '\n') < secret.len ||
	    slice_find(secret, '\r') < secret.len ||
	    slice_find(secret, 0) < secret.len)
		return error_set(err, ERROR_CONFIG,
		    "the password has more than one line or holds NUL");
	return true;
}

bool
secret_take(struct slice printed, struct buf *out, struct error *err)
{
	if (printed.len > 0 && printed.data[printed.len - 1] == '\n')
		printed.len--;
	if (printed.len > 0 && printed.data[printed.len - 1] == '\r')
		printed.len--;
	return is_usable(printed, err) &&
	       (buf_add(out, printed) ||
		   error_set(err, ERROR_CONFIG,
		       "the password is longer than %zu bytes", out->max));
}

bool
secret_read(
    const struct secret_source *source, struct buf *out, struct error *err)
{
	size_t start = out->len;

	return read_source(source, out, err) &&
	       is_usable(slice_from(buf_slice(out), start), err);
}
