/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_any - any bytes as a file of another program: no crash, no leak, and
 * what comes out is a configuration that parses, and a report of printable
 * lines.
 */
#ifndef TESTS_FUZZ_IMPORT_ANY_H
#define TESTS_FUZZ_IMPORT_ANY_H

#include "admin/import_output.h"
#include "config/yaml.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_yaml(struct import *import)
{
	struct arena arena = { 0 };
	struct findings findings;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	import_write_yaml(import, out);
	fclose(out);
	findings_init(&findings, &arena);
	/* The parser has limits of its own. */
	if (len <= YAML_SIZE_MAX &&
	    yaml_parse((struct slice){ (const uint8_t *)text, len },
		&findings) == NULL)
		abort();
	findings_clear(&findings);
	arena_clear(&arena);
	free(text);
}

static void
check_report(struct import *import)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int status = import_report(import, "file", out);

	fclose(out);
	for (size_t i = 0; i < len; i++)
		if (text[i] != '\n' && (text[i] < 0x20 || text[i] > 0x7e))
			abort();
	if ((status == 65) != (strstr(text, ": refused: ") != NULL))
		abort();
	free(text);
}

static void
import_any(import_reader *reader, const uint8_t *data, size_t size)
{
	struct import import;

	import_init(&import);
	import.owner = "owner";
	import_read(&import, reader, (struct slice){ data, size });
	import_secrets(&import, NULL);
	check_yaml(&import);
	check_report(&import);
	import_clear(&import);
}

#endif
