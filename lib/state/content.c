/* SPDX-License-Identifier: Apache-2.0 */
#include "state/content.h"

#include "base/digest.h"

_Static_assert((int)SEEN_CONTENT_SIZE == (int)DIGEST_SIZE, "the digest is it");

static const char *const changing[] = { "Status", "X-Status", "X-UID", "X-UIDL",
	"X-Keywords", "X-IMAP", "X-IMAPbase" };

void
content_init(struct content *c)
{
	*c = (struct content){ .digest = digest_new(),
		.state = CONTENT_LINE_START };
}

void
content_clear(struct content *c)
{
	if (c->digest != NULL)
		digest_end(c->digest, NULL);
	c->digest = NULL;
}

static struct slice
held(const struct content *c)
{
	return (struct slice){ c->name, c->name_len };
}

/* The name is complete, or too long for any that counts. */
static void
judge(struct content *c)
{
	struct slice line = held(c), name;

	c->skipping = false;
	if (slice_cut_until(&line, ':', &name)) {
		name = slice_trim(name);
		for (size_t i = 0; i < sizeof(changing) / sizeof(*changing);
		     i++)
			c->skipping |=
			    slice_equal_nocase(name, slice_of(changing[i]));
	}
	if (!c->skipping)
		digest_add(c->digest, held(c));
	c->state = c->skipping ? CONTENT_SKIP : CONTENT_TAKE;
}

static void
begin_line(struct content *c, struct slice byte)
{
	if (byte.data[0] == '\n') {
		c->state = CONTENT_BODY;
		digest_add(c->digest, byte);
	} else if (byte.data[0] == ' ' || byte.data[0] == '\t') {
		c->state = c->skipping ? CONTENT_SKIP : CONTENT_TAKE;
		if (!c->skipping)
			digest_add(c->digest, byte);
	} else {
		c->state = CONTENT_NAME;
		c->name[0] = byte.data[0];
		c->name_len = 1;
	}
}

static void
hold_name(struct content *c, uint8_t byte)
{
	c->name[c->name_len++] = byte;
	if (byte == '\n' || byte == ':' || c->name_len == sizeof(c->name))
		judge(c);
	if (byte == '\n')
		c->state = CONTENT_LINE_START;
}

/* The rest of a line, or as much of it as is there. */
static size_t
rest_of_line(struct content *c, struct slice s)
{
	size_t len = slice_find(s, '\n');
	bool ends = len < s.len;

	s = slice_first(s, len + 1);
	if (c->state == CONTENT_TAKE)
		digest_add(c->digest, s);
	if (ends)
		c->state = CONTENT_LINE_START;
	return s.len;
}

void
content_feed(struct content *c, struct slice s)
{
	while (s.len > 0) {
		size_t used = 1;

		switch (c->state) {
		case CONTENT_LINE_START:
			begin_line(c, slice_first(s, 1));
			break;
		case CONTENT_NAME:
			hold_name(c, s.data[0]);
			break;
		case CONTENT_TAKE:
		case CONTENT_SKIP:
			used = rest_of_line(c, s);
			break;
		case CONTENT_BODY:
			digest_add(c->digest, s);
			return;
		}
		s = slice_from(s, used);
	}
}

void
content_end(struct content *c, uint8_t out[SEEN_CONTENT_SIZE])
{
	if (c->state == CONTENT_NAME)
		judge(c);
	digest_end(c->digest, out);
	c->digest = NULL;
}
