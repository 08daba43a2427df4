/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/incoming.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "fetcher/message.h"
#include "mail/header.h"
#include "recipients/fingerprint.h"
#include "recipients/trace.h"
#include "state/content.h"

enum {
	PIECE = 16 * 1024,
	/* A piece of nothing but "Delivered-To:" lines grows by less than
	 * this. */
	CHANGED_MAX = 4 * PIECE,
};

struct incoming {
	const struct incoming_settings *settings;
	struct buf header; /* until it is complete */
	bool header_done;
	struct candidates candidates;
	struct address sender;
	bool hopeless, too_large; /* then the rest is dropped */
	struct content identity;
	uint8_t content[SEEN_CONTENT_SIZE]; /* after its end */
	struct digest *body; /* for the fingerprint; NULL: it has none */
	uint8_t fingerprint[DIGEST_SIZE]; /* after its end */
	bool has_fingerprint;
	struct message_filter filter;
	struct buf changed;
	char id[SPOOL_ID_SIZE];
	struct spool_file spool;
	bool kept;
};

struct incoming *
incoming_new(const struct incoming_settings *settings)
{
	struct incoming *in = mem_new(sizeof(*in));

	in->settings = settings;
	in->spool.fd = -1;
	buf_init(&in->header, HEADER_HELD_MAX);
	buf_init(&in->changed, CHANGED_MAX);
	content_init(&in->identity);
	message_filter_init(&in->filter);
	spool_make_id(in->id);
	return in;
}

void
incoming_free(struct incoming *in)
{
	if (in == NULL)
		return;
	spool_close(&in->spool, !in->kept);
	content_clear(&in->identity);
	if (in->body != NULL)
		digest_end(in->body, NULL);
	buf_clear(&in->header);
	buf_clear(&in->changed);
	candidates_clear(&in->candidates);
	free(in);
}

void
incoming_keep(struct incoming *in)
{
	in->kept = true;
}

/* Never an address here: this stays in the mail, and Bcc is secret. */
static void
add_trace(const struct incoming *in, struct buf *prefix)
{
	const struct config *config = in->settings->config;

	buf_printf(prefix,
	    TRACE_FIELD ": account=%s; at=%s; id=%s; source=%s\n",
	    in->settings->account->name, config->domains[0].name, in->id,
	    tier_name(in->candidates.tier));
	if (!intake_may_be_answered(in->candidates.tier))
		buf_add(prefix, SLICE("X-Auto-Response-Suppress: All\n"));
}

/* For spam filters that read headers: by sendmail(1), no client is known. */
static void
add_origin(const struct origin *origin, struct buf *prefix)
{
	if (origin->ip[0] == '\0')
		return;
	buf_printf(prefix, "X-Mailhaul-Origin: ip=%s", origin->ip);
	if (origin->name[0] != '\0')
		buf_printf(prefix, ";\n\tname=%s", origin->name);
	if (origin->helo[0] != '\0')
		buf_printf(prefix, ";\n\thelo=%s", origin->helo);
	buf_add_byte(prefix, '\n');
}

static bool
write_prefix(struct incoming *in, struct error *err)
{
	const struct account *account = in->settings->account;
	struct ticket ticket;
	struct buf prefix;
	bool done;

	buf_init(&prefix, TICKET_MAX + 1024);
	candidates_ticket(&in->candidates, account, in->id, &ticket);
	if (!ticket_write(&ticket, in->settings->key, &prefix)) {
		in->candidates.tier = TIER_FALLBACK;
		ticket_clear(&ticket);
		candidates_ticket(&in->candidates, account, in->id, &ticket);
		buf_reset(&prefix);
		ticket_write(&ticket, in->settings->key, &prefix);
	}
	ticket_clear(&ticket);
	add_trace(in, &prefix);
	add_origin(&in->candidates.origin, &prefix);
	done = spool_write(&in->spool, buf_slice(&prefix), err);
	buf_clear(&prefix);
	return done;
}

/* Through the filter, into the spool. */
static bool
pass_on(struct incoming *in, struct slice s, struct error *err)
{
	uint64_t limit = in->settings->size_limit;

	while (s.len > 0) {
		struct slice piece = slice_first(s, PIECE);

		buf_reset(&in->changed);
		message_filter_feed(&in->filter, piece, &in->changed);
		if (!spool_write(&in->spool, buf_slice(&in->changed), err))
			return false;
		s = slice_from(s, piece.len);
		if (limit > 0 && in->spool.size > limit) {
			in->too_large = true;
			spool_close(&in->spool, true);
			break;
		}
	}
	return true;
}

static void
add_body(struct incoming *in, struct slice s)
{
	if (in->body != NULL)
		fingerprint_add(in->body, s);
}

/* All of the header that is looked at is here: what follows is streamed. */
static bool
complete_header(struct incoming *in, struct slice block, struct error *err)
{
	char reason[INTAKE_REASON_SIZE];

	in->header_done = true;
	candidates_find(in->settings->config, in->settings->account, block,
	    &in->candidates);
	in->sender = intake_sender(
	    in->settings->config, in->settings->account, &in->candidates);
	in->hopeless = incoming_must_park(in, true, reason);
	if (in->hopeless)
		return true;
	in->body = fingerprint_begin(in->settings->config,
	    in->settings->account, block, &in->candidates);
	add_body(in, slice_from(buf_slice(&in->header), block.len));
	return spool_create(
		   &in->spool, in->settings->config->state_dir, in->id, err) &&
	       write_prefix(in, err) &&
	       pass_on(in, buf_slice(&in->header), err);
}

static bool
feed_header(struct incoming *in, struct slice *s, struct error *err)
{
	size_t room = in->header.max - in->header.len, end;
	struct slice taken = slice_first(*s, room);

	buf_add(&in->header, taken);
	*s = slice_from(*s, taken.len);
	end = message_header_end(buf_slice(&in->header));
	if (end == 0 && in->header.len < in->header.max)
		return true;
	if (end == 0)
		end = in->header.len;
	return complete_header(
	    in, slice_first(buf_slice(&in->header), end), err);
}

bool
incoming_feed(struct incoming *in, struct slice s, struct error *err)
{
	content_feed(&in->identity, s);
	if (!in->header_done && !feed_header(in, &s, err))
		return false;
	if (in->hopeless || in->too_large)
		return true;
	add_body(in, s);
	return pass_on(in, s, err);
}

bool
incoming_finish(struct incoming *in, struct error *err)
{
	content_end(&in->identity, in->content);
	if (!in->header_done &&
	    !complete_header(in, buf_slice(&in->header), err))
		return false;
	if (in->hopeless || in->too_large)
		return true;
	if (in->body != NULL)
		digest_end(in->body, in->fingerprint);
	in->has_fingerprint = in->body != NULL;
	in->body = NULL;
	buf_reset(&in->changed);
	message_filter_end(&in->filter, &in->changed);
	return spool_write(&in->spool, buf_slice(&in->changed), err) &&
	       spool_finish(&in->spool, err);
}

void
incoming_describe(const struct incoming *in, struct delivery_message *out)
{
	snprintf(out->id, sizeof(out->id), "%s", in->id);
	out->sender = in->sender;
	out->origin = in->candidates.origin;
	out->tier = in->candidates.tier;
	out->n_candidates = in->candidates.n;
	out->spool_path = in->hopeless || in->too_large ? NULL : in->spool.path;
	out->spool_size = in->spool.size;
	out->content = in->content;
	out->fingerprint = in->has_fingerprint ? in->fingerprint : NULL;
}

bool
incoming_must_park(
    const struct incoming *in, bool released, char reason[INTAKE_REASON_SIZE])
{
	return intake_loops(
	    &in->candidates, released, in->settings->hopcount_limit, reason);
}

bool
incoming_is_too_large(const struct incoming *in)
{
	return in->too_large;
}
