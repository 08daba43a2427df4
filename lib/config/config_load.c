/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/check.h"
#include "config/load.h"
#include "config/yaml.h"

#include <stdlib.h>

/* "/etc/mailhaul" of "/etc/mailhaul/mailhaul.yaml".  Absolute, since the
 * daemons' working folder is not the administrator's. */
static const char *
folder_of(struct arena *arena, const char *path)
{
	char *absolute = realpath(path, NULL);
	struct slice whole = slice_of(absolute == NULL ? path : absolute);
	size_t slash = slice_find_last(whole, '/');
	const char *folder;

	if (slash == whole.len)
		folder = ".";
	else
		folder = arena_string(arena, slice_first(whole, slash));
	free(absolute);
	return folder;
}

static bool
read_file(const char *path, struct buf *text, struct findings *findings)
{
	struct error err;
	struct slice why;

	if (file_read(path, text, &err))
		return true;
	/* The finding begins with the path anyway. */
	why = slice_of(err.text);
	if (slice_cut_prefix(&why, slice_of(path)))
		slice_cut_prefix(&why, SLICE(": "));
	finding_error_at(findings, 1, 1, "%.*s", SLICE_ARG(why));
	return false;
}

static void
load_tree(struct load *load, struct settings *settings, struct node *root)
{
	table_defaults(load, &schema_root, settings);
	table_read(load, &schema_root, root, NULL, settings);
	check_settings(load, settings, root);
}

static void
load_text(struct load *load, struct settings *settings, struct slice text)
{
	size_t nul = slice_find(text, 0);
	struct node *root = NULL;

	if (nul < text.len)
		finding_error_at(load->findings, 1, 1,
		    "holds a NUL byte at offset %zu; this is not a text file",
		    nul);
	else if (text.len > 0)
		root = yaml_parse(text, load->findings);
	if (root == NULL && load->findings->errors == 0)
		finding_error_at(load->findings, 1, 1, "the file is empty");
	else if (root != NULL)
		load_tree(load, settings, root);
}

static struct settings *
settings_new(const char *path)
{
	struct settings *settings = mem_new(sizeof(*settings));

	settings->config.path = arena_string(&settings->arena, slice_of(path));
	atomic_init(&settings->references, 1);
	return settings;
}

struct config *
config_load(const char *path, FILE *out)
{
	struct settings *settings = settings_new(path);
	struct arena scratch = { 0 };
	struct findings findings;
	struct load load = { .arena = &settings->arena,
		.findings = &findings,
		.folder = folder_of(&settings->arena, path) };
	struct buf text;
	bool good;

	findings_init(&findings, &scratch);
	buf_init(&text, YAML_SIZE_MAX);
	if (read_file(path, &text, &findings))
		load_text(&load, settings, buf_slice(&text));
	if (out != NULL)
		findings_write(&findings, path, out);
	good = findings.errors == 0;
	/* Somebody may have written a password into it. */
	buf_wipe(&text);
	findings_clear(&findings);
	arena_clear(&scratch);
	if (good)
		return &settings->config;
	config_unref(&settings->config);
	return NULL;
}

struct config *
config_load_errors(const char *path)
{
	struct config *config = config_load(path, NULL);

	return config != NULL ? config : config_load(path, stderr);
}

/* "FILE:LINE:COL: error|warning: …" */
static void
log_finding(struct slice line)
{
	bool bad = slice_search_nocase(line, SLICE(": error: ")) < line.len;
	void (*write_log)(const char *, ...)
	    __attribute__((format(printf, 1, 2))) =
		bad ? log_error : log_warning;

	write_log("%.*s", SLICE_ARG(line));
}

struct config *
config_load_logged(const char *path)
{
	char *text = NULL;
	size_t len = 0;
	FILE *findings = open_memstream(&text, &len);
	struct config *config = config_load(path, findings);
	struct slice rest, line;

	if (findings == NULL || fclose(findings) != 0)
		return config;
	rest = (struct slice){ (uint8_t *)text, len };
	while (slice_cut_line(&rest, &line))
		log_finding(line);
	free(text);
	return config;
}
