/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_files - Postfix's log and what was rotated of it, compressed or not, the
 * newest first.
 */
#ifndef ADMIN_LOG_FILES_H
#define ADMIN_LOG_FILES_H

#include "admin/log_search.h"
#include "config/config.h"

struct log_files {
	char **all; /* paths */
	size_t n;
};

/* How far back a log is of use: as long as the archive keeps what it names. */
int64_t log_files_span(const struct config *);

/* `maillog_file`: Postfix's setting, perhaps "".  Those that were written to
 * within `span_ms`. */
void
log_files_find(const char *maillog_file, int64_t span_ms, struct log_files *);
void log_files_clear(struct log_files *);

/* As log_search_fd(). */
bool
log_files_search(const char *path, const struct log_search *, struct error *);

#endif
