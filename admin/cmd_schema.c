/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailhaul schema: the documents that are made from the table of settings.
 */
#include "admin/commands.h"
#include "config/emit.h"

#include <string.h>
#include <sysexits.h>

int
cmd_schema(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*emit)(FILE *);
	} documents[] = {
		{ "man", emit_man },
		{ "json", emit_json },
		{ "sample", emit_sample },
	};

	if (argc != 2)
		return EX_USAGE;
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
		if (strcmp(argv[1], documents[i].name) == 0) {
			documents[i].emit(stdout);
			return EX_OK;
		}
	return EX_USAGE;
}
