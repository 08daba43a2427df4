/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/status.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "admin/json_text.h"
#include "base/control_socket.h"
#include "recipients/candidates.h"
#include "state/archive.h"
#include "state/seen_revise.h"

enum { ANSWER_MS = 15 * 1000 };

/* "12", or "0.759": with three decimals. */
static json_t *
value_of(struct slice text)
{
	struct slice rest = text;
	uint64_t number, thousandths;

	if (!slice_cut_number(&rest, INT64_MAX, &number))
		return json_text_of(text);
	if (rest.len == 0)
		return json_integer((json_int_t)number);
	if (slice_cut_prefix(&rest, SLICE(".")) && rest.len == 3 &&
	    slice_cut_number(&rest, 999, &thousandths) && rest.len == 0)
		return json_real((double)number + (double)thousandths / 1000);
	return json_text_of(text);
}

/* "key value" into `top`; each `kind` begins an object of the array. */
static void
add_report(json_t *top, struct slice report, const char *kind, json_t *array)
{
	json_t *at = top;
	struct slice key, value;

	while (control_cut_pair(&report, &key, &value)) {
		char name[64];

		if (key.len >= sizeof(name))
			continue;
		memcpy(name, key.data, key.len);
		name[key.len] = '\0';
		if (strcmp(name, kind) == 0) {
			at = json_object();
			json_array_append_new(array, at);
			/* A name, even if it is a number. */
			json_object_set_new(at, name, json_text_of(value));
		} else {
			json_object_set_new(at, name, value_of(value));
		}
	}
}

/* False, and why in `into`, unless there is an answer. */
static bool
ask(const char *path, const char *question, json_t *into, struct buf *answer)
{
	struct error err;
	bool ok;

	buf_init(answer, CONTROL_ANSWER_MAX);
	ok = control_socket_ask(path, question, ANSWER_MS, answer, &err);
	json_object_set_new(
	    into, "running", json_boolean(ok || err.kind != ERROR_REFUSED));
	if (!ok)
		json_object_set_new(into, "error", json_text(err.text));
	return ok;
}

static json_t *
find_account(json_t *accounts, const char *name)
{
	for (size_t i = 0; i < json_array_size(accounts); i++) {
		json_t *one = json_array_get(accounts, i);
		const char *its =
		    json_string_value(json_object_get(one, "account"));

		if (its != NULL && strcmp(its, name) == 0)
			return one;
	}
	return NULL;
}

/* In the order of the configuration; what the fetcher has besides comes last. */
static void
add_accounts(const struct config *config, json_t *reported, json_t *accounts)
{
	for (size_t i = 0; i < config->n_accounts; i++) {
		const struct account *a = &config->accounts[i];
		json_t *one = find_account(reported, a->name);

		if (one != NULL)
			json_array_append(accounts, one);
		else
			json_array_append_new(accounts,
			    json_pack("{s:o, s:s}", "account",
				json_text(a->name), "state",
				a->enabled ? "not collected" : "disabled"));
	}
	for (size_t i = 0; i < json_array_size(reported); i++) {
		json_t *one = json_array_get(reported, i);
		const char *name =
		    json_string_value(json_object_get(one, "account"));

		if (name == NULL || config_account(config, name) == NULL)
			json_array_append(accounts, one);
	}
}

static json_t *
gather_fetcher(const struct config *config, json_t *accounts)
{
	json_t *fetcher = json_object(), *reported = json_array();
	struct buf answer;

	if (ask(config->fetcher.control, "STATUS", fetcher, &answer))
		add_report(fetcher, buf_slice(&answer), "account", reported);
	buf_clear(&answer);
	add_accounts(config, reported, accounts);
	json_decref(reported);
	return fetcher;
}

static json_t *
gather_milter(const struct config *config)
{
	json_t *milter = json_object(), *sources = json_array();
	struct slice words;
	struct buf answer;

	json_object_set_new(
	    milter, "required", json_boolean(config->inject.require_milter));
	if (ask(config->milter.control, "READY", milter, &answer)) {
		words = slice_trim(buf_slice(&answer));
		json_object_set_new(milter, "ready",
		    json_boolean(slice_equal(words, SLICE("OK"))));
		if (slice_cut_prefix(&words, SLICE("WAIT ")))
			json_object_set_new(
			    milter, "reason", json_text_of(words));
		buf_clear(&answer);
		if (ask(config->milter.control, "STATS", milter, &answer))
			add_report(
			    milter, buf_slice(&answer), "source", sources);
	}
	buf_clear(&answer);
	json_object_set_new(milter, "sources", sources);
	return milter;
}

static void
add_counts(struct seen *seen, json_t *account, struct error *err)
{
	const char *name =
	    json_string_value(json_object_get(account, "account"));
	uint64_t count[SEEN_STATUSES];
	char key[ACCOUNT_KEY_SIZE];

	account_key(&(struct account){ .name = name == NULL ? "" : name }, key,
	    sizeof(key));
	if (!seen_count(seen, key, count, err))
		return;
	for (int s = SEEN_RETRY; s < SEEN_STATUSES; s++)
		json_object_set_new(account,
		    seen_status_name((enum seen_status)s),
		    json_integer((json_int_t)count[s]));
}

static bool
gather_state(const struct config *config, json_t *accounts, struct error *err)
{
	struct seen *seen = seen_open_readonly(config->state_dir, err);

	if (seen == NULL)
		return false;
	for (size_t i = 0; i < json_array_size(accounts); i++)
		add_counts(seen, json_array_get(accounts, i), err);
	seen_close(seen);
	return true;
}

static bool
gather_archive(const struct config *config, json_t *root, struct error *err)
{
	struct archive_list list;
	uint64_t bytes = 0;

	if (!archive_read(config->state_dir, &list, err))
		return false;
	for (size_t i = 0; i < list.n; i++)
		bytes += list.all[i].size;
	json_object_set_new(root, "archive",
	    json_pack("{s:I, s:I, s:I}", "messages", (json_int_t)list.n,
		"bytes", (json_int_t)bytes, "oldest_ms",
		(json_int_t)(list.n > 0 ? list.all[0].taken_ms : 0)));
	archive_list_clear(&list);
	return true;
}

json_t *
status_gather(const struct config *config)
{
	json_t *root = json_pack("{s:i}", "version", 1);
	json_t *accounts = json_array();
	struct error err;

	json_object_set_new(root, "fetcher", gather_fetcher(config, accounts));
	json_object_set_new(root, "accounts", accounts);
	json_object_set_new(root, "milter", gather_milter(config));
	if (!gather_state(config, accounts, &err) ||
	    !gather_archive(config, root, &err))
		json_object_set_new(root, "state_error", json_text(err.text));
	return root;
}

static bool
runs(const json_t *root, const char *daemon)
{
	return json_is_true(
	    json_object_get(json_object_get(root, daemon), "running"));
}

static bool
account_waits(const json_t *account)
{
	static const char *const bad[] = { "waiting", "failed",
		"not collected" };
	const char *state =
	    json_string_value(json_object_get(account, "state"));

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (state != NULL && strcmp(state, bad[i]) == 0)
			return true;
	return json_integer_value(json_object_get(account, "retry")) > 0;
}

int
status_code(const json_t *root)
{
	const json_t *milter = json_object_get(root, "milter");
	const json_t *accounts = json_object_get(root, "accounts");
	bool required = json_is_true(json_object_get(milter, "required"));

	if (!runs(root, "fetcher") || (required && !runs(root, "milter")))
		return EX_UNAVAILABLE;
	if (json_object_get(root, "state_error") != NULL ||
	    (required && !json_is_true(json_object_get(milter, "ready"))))
		return EX_TEMPFAIL;
	for (size_t i = 0; i < json_array_size(accounts); i++)
		if (account_waits(json_array_get(accounts, i)))
			return EX_TEMPFAIL;
	return EX_OK;
}
