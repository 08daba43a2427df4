/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/login_secret.h"

#include <stdlib.h>

#include "base/mem.h"
#include "fetcher/child.h"

enum {
	SECRET_MAX = 8192, /* Microsoft's tokens are 2 to 4 KB */
	COMMAND_MS = 10 * 1000,
};

struct login_secret {
	struct loop *loop;
	const struct secret_source *source;
	bool token;
	login_secret_handler *handler;
	void *arg;
	struct buf text, refused;
	struct error error; /* why it was refused, or cannot be had */
	bool ok;
	bool again;  /* the one time */
	bool asking; /* a child reads it */
	bool freed;  /* while it does */
	struct timer *soon;
};

static void
release(struct login_secret *s)
{
	buf_wipe(&s->text);
	buf_wipe(&s->refused);
	timer_free(s->soon);
	free(s);
}

static void
on_soon(void *arg)
{
	struct login_secret *s = arg;

	s->handler(s->arg, s->ok, &s->error);
}

/* The same token again is of no use. */
static void
finish(struct login_secret *s, bool ok, const struct error *err)
{
	s->ok = ok;
	if (!ok)
		s->error = *err;
	else if (s->again &&
		 slice_equal(buf_slice(&s->text), buf_slice(&s->refused)))
		s->ok = false;
	timer_start(s->soon, 0);
}

static bool
take(struct login_secret *s, const struct child_result *result,
    struct error *err)
{
	bool ran =
	    result->started && !result->timed_out && result->wait_status == 0;

	if (ran && secret_take(result->out, &s->text, err))
		return true;
	if (!ran)
		child_describe(result, err);
	err->kind = ERROR_CONFIG;
	error_prefix(err, s->token ? "token command" : "password command");
	return false;
}

static void
on_child(void *arg, const struct child_result *result)
{
	struct login_secret *s = arg;
	struct error err;
	bool ok;

	s->asking = false;
	if (s->freed) {
		release(s);
		return;
	}
	ok = take(s, result, &err);
	finish(s, ok, &err);
}

void
login_secret_fetch(struct login_secret *s)
{
	struct error err;
	bool ok;

	buf_wipe(&s->text);
	if (s->source->kind == SECRET_COMMAND) {
		s->asking = true;
		child_run(s->loop,
		    &(struct child_job){ .argv = s->source->argv,
			.in = -1,
			.told = buf_slice(&s->refused),
			.want_out = true,
			.timeout_ms = COMMAND_MS },
		    on_child, s);
		return;
	}
	ok = s->source->kind == SECRET_NONE ||
	     secret_read(s->source, &s->text, &err);
	finish(s, ok, &err);
}

bool
login_secret_refused(struct login_secret *s, const struct error *why)
{
	if (!s->token || s->again)
		return false;
	s->again = true;
	s->error = *why;
	buf_add(&s->refused, buf_slice(&s->text));
	login_secret_fetch(s);
	return true;
}

struct slice
login_secret_text(const struct login_secret *s)
{
	return buf_slice(&s->text);
}

bool
login_secret_is_token(const struct login_secret *s)
{
	return s->token;
}

void
login_secret_wipe(struct login_secret *s)
{
	buf_wipe(&s->text);
	buf_wipe(&s->refused);
}

struct login_secret *
login_secret_new(struct loop *loop, const struct account *account,
    login_secret_handler *handler, void *arg)
{
	struct login_secret *s = mem_new(sizeof(*s));

	s->loop = loop;
	s->token = account->token.kind != SECRET_NONE;
	s->source = s->token ? &account->token : &account->password;
	s->handler = handler;
	s->arg = arg;
	buf_init(&s->text, SECRET_MAX);
	buf_init(&s->refused, SECRET_MAX);
	s->soon = timer_new(loop, on_soon, s);
	return s;
}

void
login_secret_free(struct login_secret *s)
{
	s->freed = true;
	timer_stop(s->soon);
	if (!s->asking)
		release(s);
}
