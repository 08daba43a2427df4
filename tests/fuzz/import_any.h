/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_any - any bytes as a file of another program: no crash, no leak, and
 * what comes out is a configuration without other errors than missing files and
 * domains, and a report of printable lines.
 */
#ifndef TESTS_FUZZ_IMPORT_ANY_H
#define TESTS_FUZZ_IMPORT_ANY_H

#include "admin/import_output.h"
#include "config/config.h"
#include "config/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What an administrator has to see to himself. */
static bool
is_expected(const char *finding)
{
	static const char *const expected[] = { "No such file", "File name too",
		"Not a directory", "by others", "must be absolute",
		"client_certificate", "Is a directory", "ymbolic links" };

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (strstr(finding, expected[i]) != NULL)
			return true;
	return strstr(finding, ": error: ") == NULL;
}

static void
check_findings(char *findings)
{
	char *end;

	for (; (end = strchr(findings, '\n')) != NULL; findings = end + 1) {
		*end = '\0';
		if (!is_expected(findings)) {
			fprintf(stderr, "%s\n", findings);
			abort();
		}
	}
}

static void
check_yaml(struct import *import)
{
	char path[64], *findings = NULL;
	struct config *config;
	size_t len = 0;
	FILE *out, *sink;
	int fd = memfd_create("yaml", MFD_CLOEXEC);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	out = fdopen(fd, "w");
	import_write_yaml(import, out);
	fflush(out);
	sink = open_memstream(&findings, &len);
	/* The loader has limits of its own. */
	config = ftell(out) > YAML_SIZE_MAX ? NULL : config_load(path, sink);
	fclose(sink);
	check_findings(findings);
	config_unref(config);
	free(findings);
	fclose(out);
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
	if (status == 65 && strstr(text, ": refused: ") == NULL)
		abort();
	free(text);
}

static void
import_any(import_reader *reader, const uint8_t *data, size_t size)
{
	struct import import;

	import_init(&import);
	import.owner = "owner";
	import.domain = "example.org";
	import_read(&import, reader, (struct slice){ data, size });
	import_secrets(&import, NULL);
	check_yaml(&import);
	check_report(&import);
	import_clear(&import);
}

#endif
