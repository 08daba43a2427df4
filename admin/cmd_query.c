/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query - "does this address exist?", as the milter would ask: accepted
 * domain, map_to, aliases, the directory's sources in turn, and once more
 * without the extension.
 */
#include "admin/commands.h"
#include "admin/credentials.h"
#include "admin/options.h"

#include "base/buf.h"
#include "config/config.h"
#include "directory/directory.h"
#include "policy/route.h"
#include "policy/target.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { EXIT_ABSENT = 1 };

static const int exit_codes[] = {
	[ROUTE_FOUND] = EXIT_SUCCESS,
	[ROUTE_ABSENT] = EXIT_ABSENT,
	[ROUTE_FOREIGN] = EXIT_ABSENT,
	[ROUTE_UNKNOWN] = EX_TEMPFAIL,
};

struct query {
	const char *config_path;
	bool json;
	struct address address;
	struct directory *directory;
	char subject[ADDRESS_TEXT_SIZE]; /* of the look-up under way */
	json_t *steps;
};

static bool
refuse(const char *reason)
{
	fprintf(stderr, "mailhaul query: %s\n", reason);
	return false;
}

static bool
read_arguments(int argc, char **argv, struct query *q)
{
	const struct command_option options[] = {
		{ "config", 'c', &q->config_path, NULL },
		{ "json", 0, NULL, &q->json },
		{ NULL, 0, NULL, NULL },
	};
	char **arguments = options_read(argc, argv, options);
	enum address_fault fault;

	if (arguments == NULL)
		return false;
	if (arguments[0] == NULL || arguments[1] != NULL)
		return refuse("needs one address");
	fault = address_parse(slice_of(arguments[0]), &q->address);
	return fault == ADDRESS_OK || refuse(address_fault_text(fault));
}

static void
add_step(
    struct query *q, const char *step, const char *result, const char *text)
{
	json_array_append_new(
	    q->steps, json_pack("{s:s, s:s, s:s, s:s}", "step", step, "subject",
			  q->subject, "result", result, "text", text));
}

static void
on_source(
    void *context, const char *source, const struct directory_answer *answer)
{
	add_step(
	    context, source, existence_name(answer->existence), answer->reason);
}

static void
look_up(void *context, const struct address *address,
    struct directory_answer *answer)
{
	struct query *q = context;

	address_write(address, q->subject);
	directory_lookup_steps(q->directory, address, answer, on_source, q);
}

/* What is said in the end. */
struct outcome {
	char address[ADDRESS_TEXT_SIZE];
	const char *result;
	json_t *to; /* the addresses where somebody was found */
};

static void
print_json(const struct query *q, const struct outcome *end)
{
	json_t *all = json_pack("{s:i, s:s, s:s, s:O, s:O}", "version", 1,
	    "address", end->address, "result", end->result, "to", end->to,
	    "steps", q->steps);

	json_dumpf(all, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(all);
}

static void
print_text(const struct query *q, const struct outcome *end)
{
	static const char *const keys[] = { "step", "subject", "result",
		"text" };
	enum { N_KEYS = sizeof(keys) / sizeof(keys[0]) };

	for (size_t i = 0; i < json_array_size(q->steps); i++) {
		const json_t *step = json_array_get(q->steps, i);

		for (size_t k = 0; k < N_KEYS; k++)
			printf("%s%s",
			    json_string_value(json_object_get(step, keys[k])),
			    k + 1 < N_KEYS ? ": " : "\n");
	}
	printf("%s: %s", end->address, end->result);
	for (size_t i = 0; i < json_array_size(end->to); i++) {
		const char *to = json_string_value(json_array_get(end->to, i));

		if (i > 0 || strcmp(to, end->address) != 0)
			printf("%s%s", i == 0 ? " -> " : ", ", to);
	}
	putchar('\n');
}

/* Whom an alias names, before the directory is asked about them. */
static void
tell_aliases(struct query *q, const struct config *config)
{
	char person[ADDRESS_TEXT_SIZE];
	size_t n;
	struct target *targets = targets_of(config, &q->address, 1, &n);

	for (size_t i = 0; i < n; i++) {
		if (targets[i].alias == NULL)
			continue;
		address_write(&targets[i].alias->address, q->subject);
		add_step(q, "alias", "names",
		    address_write(&targets[i].address, person));
	}
	free(targets);
}

static void
print(struct query *q, const struct route *route, enum route_result result)
{
	struct outcome end = { .result = route_result_name(result),
		.to = json_array() };
	char to[ADDRESS_TEXT_SIZE];

	address_write(&q->address, end.address);
	for (size_t i = 0; i < route->n_steps; i++)
		if (route->steps[i].result == ROUTE_FOUND)
			json_array_append_new(end.to,
			    json_string(
				address_write(&route->steps[i].to, to)));
	if (result == ROUTE_FOREIGN) {
		address_write(&q->address, q->subject);
		add_step(q, "domain", end.result, route->steps[0].text);
	}
	(q->json ? print_json : print_text)(q, &end);
	json_decref(end.to);
}

static int
run(struct query *q, struct config *config)
{
	struct ticket ticket = {
		.fallback = config->postmaster,
		.tier = TIER_ENVELOPE,
		.candidates = &q->address,
		.n_candidates = 1,
	};
	const struct route_question question = {
		.config = config,
		.ticket = &ticket,
		.lookup = look_up,
		.context = q,
	};
	struct route route;
	enum route_result result;
	int status;

	credentials_use(MILTER_UNIT);
	q->directory = directory_new(config);
	q->steps = json_array();
	tell_aliases(q, config);
	route_decide(&question, &route);
	if (route_result_of(&route, &q->address, &result)) {
		print(q, &route, result);
		status = exit_codes[result];
	} else {
		fprintf(stderr, "mailhaul query: %s\n", route.defer_reason);
		status = EX_CONFIG;
	}
	route_clear(&route);
	json_decref(q->steps);
	directory_free(q->directory);
	return status;
}

int
cmd_query(int argc, char **argv)
{
	struct query q = { .config_path = CONFIG_DEFAULT_PATH };
	struct config *config;
	int status;

	/* A server that hangs up is a reply, not a reason to die. */
	signal(SIGPIPE, SIG_IGN);
	if (!read_arguments(argc, argv, &q))
		return EX_USAGE;
	config = config_load_errors(q.config_path);
	if (config == NULL)
		return EX_CONFIG;
	status = run(&q, config);
	config_unref(config);
	return status;
}
