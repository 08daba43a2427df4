/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/import.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

enum { SAFE_SIZE = 2048 };

static int
by_place(const void *a, const void *b)
{
	const struct import_finding *x = a, *y = b;

	if ((x->file == NULL) != (y->file == NULL))
		return x->file == NULL ? -1 : 1;
	/* What has no line is about the whole, and comes last. */
	if (x->line != y->line && x->file == NULL)
		return x->line - 1 < y->line - 1 ? -1 : 1;
	return x->number < y->number ? -1 : 1;
}

static void
print_finding(const struct import_finding *f, const char *file, FILE *out)
{
	static const char *const names[] = { "taken", "changed", "dropped",
		"refused" };
	char name[SAFE_SIZE], text[SAFE_SIZE];

	log_safe(
	    name, sizeof(name), slice_of(f->file == NULL ? file : f->file));
	log_safe(text, sizeof(text), slice_of(f->text));
	if (f->line > 0)
		fprintf(out, "%s:%zu: %s: %s\n", name, f->line,
		    names[f->verdict], text);
	else
		fprintf(out, "%s: %s: %s\n", name, names[f->verdict], text);
}

int
import_report(struct import *import, const char *file, FILE *out)
{
	enum import_verdict worst = IMPORT_TAKEN;

	if (import->n_findings > 1)
		qsort(import->findings, import->n_findings,
		    sizeof(*import->findings), by_place);
	for (size_t i = 0; i < import->n_findings; i++) {
		struct import_finding *f = &import->findings[i];

		if (f->account != NULL && f->account->refused)
			f->verdict = IMPORT_REFUSED;
		if (f->verdict > worst)
			worst = f->verdict;
		print_finding(f, file, out);
	}
	if (worst == IMPORT_REFUSED)
		return EX_DATAERR;
	return worst == IMPORT_DROPPED ? 1 : EX_OK;
}
