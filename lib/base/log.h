/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log - one line per event, to standard error and to syslog (facility mail).
 *
 * A line is "PROGRAM[PID]: text" on standard error; with JOURNAL_STREAM set
 * (systemd) the line starts with "<N>" instead and syslog is left out, since
 * the journal hands it on.  What is printed is printable ASCII only: foreign
 * bytes in the text become \xNN.  Thread-safe; never blocks for a reader that
 * went away.  Nothing secret is ever passed here.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/slice.h"

#include <stdarg.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

/* `program` must outlive the process.  Level LOG_LEVEL_INFO until changed. */
void log_open(const char *program, bool to_syslog);
void log_set_level(enum log_level);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Writes `foreign` into out[size] as printable ASCII, other bytes as \xNN, cut
 * with "..." when it does not fit (without, when size is below 4; it is never
 * 0).  Safe text stays as it is.  Returns out. */
char *log_safe(char *out, size_t size, struct slice foreign);
/* What printf makes of these, which may hold foreign bytes, as log_safe(). */
char *log_vsafe(char *out, size_t size, const char *fmt, va_list)
    __attribute__((format(printf, 3, 0)));
/* As log_safe(), the double quote and the backslash are escaped too:
 * for key="value". */
char *log_quotable(char *out, size_t size, struct slice foreign);

#endif
