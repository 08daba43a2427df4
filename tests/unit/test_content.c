/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/digest.h"
#include "state/content.h"

#include <string.h>

/* In pieces of `piece` bytes. */
static void
content_of(const char *message, size_t piece, uint8_t *out)
{
	struct slice rest = slice_of(message);
	struct content c;

	content_init(&c);
	while (rest.len > 0) {
		content_feed(&c, slice_first(rest, piece));
		rest = slice_from(rest, piece);
	}
	content_end(&c, out);
	content_clear(&c);
}

/* Both are the same message, however they come. */
static void
expect_same(const char *a, const char *b)
{
	uint8_t first[SEEN_CONTENT_SIZE], other[SEEN_CONTENT_SIZE];

	content_of(a, SIZE_MAX, first);
	for (size_t piece = 1; piece < 40; piece++) {
		content_of(b, piece, other);
		assert_memory_equal(first, other, sizeof(other));
		content_of(a, piece, other);
		assert_memory_equal(first, other, sizeof(other));
	}
}

static void
expect_different(const char *a, const char *b)
{
	uint8_t first[SEEN_CONTENT_SIZE], other[SEEN_CONTENT_SIZE];

	content_of(a, SIZE_MAX, first);
	content_of(b, SIZE_MAX, other);
	assert_memory_not_equal(first, other, sizeof(other));
}

static void
is_the_digest_of_the_whole_message(void **state)
{
	static const char message[] =
	    "From: a@b\nSubject: x\n y\n\nStatus: R\n";
	uint8_t digest[DIGEST_SIZE], content[SEEN_CONTENT_SIZE];

	(void)state;
	digest_sha256(slice_of(message), digest);
	for (size_t piece = 1; piece < sizeof(message); piece++) {
		content_of(message, piece, content);
		assert_memory_equal(content, digest, sizeof(digest));
	}
}

static void
leaves_out_what_servers_change(void **state)
{
	static const char bare[] = "From: a@b\nTo: c@d\n\nbody\n";

	(void)state;
	expect_same(bare, "Status: RO\nFrom: a@b\nTo: c@d\n\nbody\n");
	expect_same(bare, "From: a@b\nX-STATUS: A\nTo: c@d\n\nbody\n");
	expect_same(bare, "From: a@b\nX-UID : 17\n more\n\tyet\nTo: c@d\n"
			  "\nbody\n");
	expect_same(bare, "From: a@b\nTo: c@d\nx-uidl:\nX-Keywords: a b\n"
			  "X-IMAP: 1 2\nX-IMAPbase: 1 2\n\nbody\n");
}

static void
leaves_out_nothing_else(void **state)
{
	static const char bare[] = "From: a@b\n\nbody\n";

	(void)state;
	expect_different(bare, "From: a@b\nStatusbar: x\n\nbody\n");
	expect_different(bare, "From: a@b\nX-UIDLs: x\n\nbody\n");
	expect_different(bare, "From: a@b\n Status: R\n\nbody\n");
	expect_different(bare, "From: a@b\nStatus\n\nbody\n");
	expect_different(bare, "From: a@b\n\nStatus: R\nbody\n");
	expect_different(bare, "From: a@b\n\nbody\n\n");
	expect_different("", "Stat");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_the_digest_of_the_whole_message),
		cmocka_unit_test(leaves_out_what_servers_change),
		cmocka_unit_test(leaves_out_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
