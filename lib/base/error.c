/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool
error_set(struct error *err, enum error_kind kind, const char *fmt, ...)
{
	va_list ap;

	err->kind = kind;
	va_start(ap, fmt);
	log_vsafe(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return false;
}

bool
error_errno(struct error *err, enum error_kind kind, int errno_value,
    const char *fmt, ...)
{
	char words[128], *text;
	va_list ap;
	size_t len;

	/* GNU strerror_r: thread-safe, and the text may not be in words. */
	text = strerror_r(errno_value, words, sizeof(words));
	err->kind = kind;
	va_start(ap, fmt);
	log_vsafe(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	len = strlen(err->text);
	snprintf(err->text + len, sizeof(err->text) - len, ": %s", text);
	return false;
}

bool
error_prefix(struct error *err, const char *fmt, ...)
{
	char old[ERROR_TEXT_MAX];
	va_list ap;
	size_t len;

	memcpy(old, err->text, sizeof(old));
	va_start(ap, fmt);
	log_vsafe(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	len = strlen(err->text);
	snprintf(err->text + len, sizeof(err->text) - len, ": %s", old);
	return false;
}
