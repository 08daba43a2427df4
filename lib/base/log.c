/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/digest.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

enum { LINE_SIZE = 4096 };

static const int priorities[] = {
	[LOG_LEVEL_ERROR] = LOG_ERR,
	[LOG_LEVEL_WARNING] = LOG_WARNING,
	[LOG_LEVEL_INFO] = LOG_INFO,
	[LOG_LEVEL_DEBUG] = LOG_DEBUG,
};
static const char *const words[] = {
	[LOG_LEVEL_ERROR] = "error: ",
	[LOG_LEVEL_WARNING] = "warning: ",
	[LOG_LEVEL_INFO] = "",
	[LOG_LEVEL_DEBUG] = "debug: ",
};

/* Written once by log_open() before any thread starts. */
static struct {
	const char *program;
	bool to_journal;
	bool to_syslog;
} sink = { .program = "mailhaul" };
static atomic_int threshold = LOG_LEVEL_INFO;

void
log_open(const char *program, bool to_syslog)
{
	sink.program = program;
	sink.to_journal = getenv("JOURNAL_STREAM") != NULL;
	sink.to_syslog = to_syslog && !sink.to_journal;
	if (sink.to_syslog)
		openlog(program, LOG_PID | LOG_NDELAY, LOG_MAIL);
}

void
log_set_level(enum log_level level)
{
	threshold = (int)level;
}

static size_t
escaped_size(uint8_t c, const char *refused)
{
	bool plain = c >= 0x20 && c < 0x7f &&
		     (refused[0] == '\0' || strchr(refused, c) == NULL);

	return plain ? 1 : 4;
}

/* How many bytes of `s` fit into `room` when escaped. */
static size_t
fitting(struct slice s, size_t room, const char *refused)
{
	size_t i = 0;

	while (i < s.len && escaped_size(s.data[i], refused) <= room)
		room -= escaped_size(s.data[i++], refused);
	return i;
}

static char *
escape(char *out, size_t size, struct slice s, const char *refused)
{
	const char *tail = "";
	size_t n = 0;

	assert(size > 0);
	if (fitting(s, size - 1, refused) < s.len) {
		tail = size > 3 ? "..." : "";
		s = slice_first(
		    s, fitting(s, size - 1 - strlen(tail), refused));
	}
	for (size_t i = 0; i < s.len; i++) {
		if (escaped_size(s.data[i], refused) == 1) {
			out[n++] = (char)s.data[i];
			continue;
		}
		out[n++] = '\\';
		out[n++] = 'x';
		hex_write((struct slice){ &s.data[i], 1 }, out + n);
		n += 2;
	}
	memcpy(out + n, tail, strlen(tail) + 1);
	return out;
}

/* The backslash stays as it is here: text that was made safe once may pass
 * again (an error in a log line) and must not change. */
char *
log_safe(char *out, size_t size, struct slice foreign)
{
	return escape(out, size, foreign, "");
}

char *
log_vsafe(char *out, size_t size, const char *fmt, va_list ap)
{
	/* One byte more than a line has, so that a long text is seen to be
	 * cut. */
	char raw[LINE_SIZE + 1];
	int len = vsnprintf(raw, sizeof(raw), fmt, ap);

	if (len < 0)
		len = 0;
	if ((size_t)len >= sizeof(raw))
		len = sizeof(raw) - 1;
	return log_safe(
	    out, size, (struct slice){ (const uint8_t *)raw, (size_t)len });
}

char *
log_quotable(char *out, size_t size, struct slice foreign)
{
	return escape(out, size, foreign, "\"\\");
}

static void __attribute__((format(printf, 2, 0)))
emit(enum log_level level, const char *fmt, va_list ap)
{
	char text[LINE_SIZE], line[LINE_SIZE + 128];
	int len;

	if ((int)level > threshold)
		return;
	log_vsafe(text, sizeof(text), fmt, ap);
	if (sink.to_syslog)
		syslog(priorities[level], "%s%s", words[level], text);
	if (sink.to_journal)
		len = snprintf(line, sizeof(line), "<%d>%s%s\n",
		    priorities[level], words[level], text);
	else
		len = snprintf(line, sizeof(line), "%s[%ld]: %s%s\n",
		    sink.program, (long)getpid(), words[level], text);
	/* One write, so that lines of several threads do not mix.  A reader
	 * that is gone is no reason to stop collecting mail. */
	if (len > 0 && write(STDERR_FILENO, line, (size_t)len) < 0)
		return;
}

#define DEFINE(name, level)                                                    \
	void name(const char *fmt, ...)                                        \
	{                                                                      \
		va_list ap;                                                    \
		va_start(ap, fmt);                                             \
		emit(level, fmt, ap);                                          \
		va_end(ap);                                                    \
	}
DEFINE(log_error, LOG_LEVEL_ERROR)
DEFINE(log_warning, LOG_LEVEL_WARNING)
DEFINE(log_info, LOG_LEVEL_INFO)
DEFINE(log_debug, LOG_LEVEL_DEBUG)
#undef DEFINE
