/* SPDX-License-Identifier: Apache-2.0 */
#include "recipients/explain.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"

enum { SUBJECT_SIZE = 256, SENTENCE_SIZE = 512, LINES_MAX = 4000 };

char *
explain_printable(struct slice s)
{
	char text[SUBJECT_SIZE];

	return mem_string(log_safe(text, sizeof(text), s));
}

static char *
sentence(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

static char *
sentence(const char *fmt, va_list ap)
{
	char text[SENTENCE_SIZE];

	return mem_string(log_vsafe(text, sizeof(text), fmt, ap));
}

void
explain_add(
    struct candidates *c, struct explain_point point, const char *fmt, ...)
{
	struct finding *f;
	va_list ap;

	if (c->n_findings == LINES_MAX)
		return;
	c->findings =
	    mem_resize(c->findings, c->n_findings + 1, sizeof(*c->findings));
	f = &c->findings[c->n_findings++];
	f->step = point.step;
	f->subject = explain_printable(point.subject);
	f->result = point.result;
	va_start(ap, fmt);
	f->text = sentence(fmt, ap);
	va_end(ap);
}

void
explain_warn(struct candidates *c, const char *fmt, ...)
{
	va_list ap;

	c->warnings =
	    mem_resize(c->warnings, c->n_warnings + 1, sizeof(*c->warnings));
	va_start(ap, fmt);
	c->warnings[c->n_warnings++] = sentence(fmt, ap);
	va_end(ap);
}
