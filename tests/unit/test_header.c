/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "mail/header.h"

#define ASSERT_SLICE(part, text)                                               \
	do {                                                                   \
		struct slice is = (part);                                      \
		assert_int_equal(is.len, strlen(text));                        \
		if (is.len > 0)                                                \
			assert_memory_equal(is.data, text, is.len);            \
	} while (0)

static void
WalksFoldedFields(void **state)
{
	struct header h;
	struct header_field f;

	(void)state;
	header_init(&h,
	    SLICE(
		"To: a@x.org,\r\n\tb@x.org\r\nSubject :\n  folded\n  \n more\n"
		"X:\nLast: 1"));
	assert_true(header_next(&h, &f));
	ASSERT_SLICE(f.name, "To");
	ASSERT_SLICE(f.body, " a@x.org,\r\n\tb@x.org");
	ASSERT_SLICE(f.whole, "To: a@x.org,\r\n\tb@x.org\r\n");
	assert_true(header_next(&h, &f));
	ASSERT_SLICE(f.name, "Subject");
	assert_true(header_is(&f, "sUBJECT"));
	assert_false(header_is(&f, "sUBJEC"));
	ASSERT_SLICE(f.body, "\n  folded\n  \n more");
	assert_true(header_next(&h, &f));
	ASSERT_SLICE(f.body, "");
	assert_true(header_next(&h, &f));
	ASSERT_SLICE(f.whole, "Last: 1");
	ASSERT_SLICE(f.body, " 1");
	assert_false(header_next(&h, &f));
	assert_false(header_next(&h, &f));
}

static void
SkipsWhatIsNoField(void **state)
{
	struct header_field f;
	struct header h;

	(void)state;
	header_init(&h,
	    SLICE(
		"From anna@x.org Mon Jan  1 00:00:00 2024\n \n: no name\n"
		"no colon\n \tof: that\nb\xfcse: 1\nTo: a@x.org\n\nIn: body"));
	assert_true(header_next(&h, &f));
	ASSERT_SLICE(f.name, "To");
	assert_false(header_next(&h, &f));
}

static void
AnEmptyLineEndsTheHeader(void **state)
{
	struct header_field f;

	(void)state;
	assert_true(header_find(SLICE("A: 1\r\nB: 2\r\n"), "b", &f));
	assert_false(header_find(SLICE("A: 1\r\n\r\nB: 2\r\n"), "b", &f));
	assert_false(header_find(SLICE("A: 1\n\nB: 2\n"), "b", &f));
	assert_false(header_find(SLICE("\nB: 2\n"), "b", &f));
	assert_false(header_find(SLICE(""), "b", &f));
	/* A blank line that is not empty goes on with the field. */
	assert_true(header_find(SLICE("A: 1\n \nB: 2\n"), "b", &f));
}

struct received_case {
	const char *body, *helo, *client, *client_ip, *by, *with, *recipient;
};

static const struct received_case received_cases[] = {
	/* Postfix */
	{ "from mail.a.org (mx.a.org [192.0.2.1])\r\n"
	  "\t(using TLSv1.3 with cipher X (256/256 bits)\r\n"
	  "\t key-exchange X25519)\r\n\t(No client certificate requested)\r\n"
	  "\tby mx.isp.example (Postfix) with ESMTPS id 4F1\r\n"
	  "\tfor <anna@example.org>; Mon, 1 Jan 2024 00:00:00 +0100 (CET)",
	    "mail.a.org", "mx.a.org", "192.0.2.1", "mx.isp.example", "ESMTPS",
	    "anna@example.org" },
	{ "from mx.isp.example (unknown [IPv6:2001:db8::1]) by b.org (Postfix) "
	  "with ESMTP id 1",
	    "mx.isp.example", "", "IPv6:2001:db8::1", "b.org", "ESMTP", "" },
	{ "by web.isp.example (Postfix, from userid 33) id 12; Mon, 1 Jan", "",
	    "", "", "web.isp.example", "", "" },
	/* Exim */
	{ "from mx.a.org ([192.0.2.1] helo=x.isp.example)\n\tby mail.isp.de "
	  "with esmtps (TLS1.3) tls TLS_AES_256 (Exim 4.96)\n\t(envelope-from "
	  "<bob@a.org>) id 1rK-0001\n\tfor anna@example.org; Mon, 1 Jan",
	    "x.isp.example", "mx.a.org", "192.0.2.1", "mail.isp.de", "esmtps",
	    "anna@example.org" },
	{ "from [192.0.2.1] (port=1234 helo=x.isp.example) by m.de with esmtp",
	    "x.isp.example", "", "192.0.2.1", "m.de", "esmtp", "" },
	/* A verified name or a mere HELO: cannot be told. */
	{ "from mx.a.org ([192.0.2.1]:2525) by m.de with esmtp", "mx.a.org", "",
	    "192.0.2.1", "m.de", "esmtp", "" },
	/* Sendmail */
	{ "from helo.org (IDENT:bob@mx.a.org [192.0.2.1]) by m.de "
	  "(8.17.1/8.17.1) with ESMTP id 2A for <anna@example.org>; x",
	    "helo.org", "mx.a.org", "192.0.2.1", "m.de", "ESMTP",
	    "anna@example.org" },
	{ "from h (mx.isp.de [192.0.2.1] (may be forged)) by m.de with SMTP",
	    "h", "", "192.0.2.1", "m.de", "SMTP", "" },
	{ "from h (mx.isp.de [1.1.1.1] x@evil.org [192.0.2.1]) by m.de", "h",
	    "", "", "m.de", "", "" },
	{ "from mx.isp.de (helo=x@evil.org [192.0.2.1]) by m.de", "mx.isp.de",
	    "evil.org", "192.0.2.1", "m.de", "", "" },
	/* qmail */
	{ "from unknown (HELO mx.isp.de) (192.0.2.1)\n  by m.de with SMTP; 1 "
	  "Jan 2024",
	    "mx.isp.de", "", "", "m.de", "SMTP", "" },
	{ "from unknown (HELO x) (a@192.0.2.1) by m.de with SMTP", "x", "", "",
	    "m.de", "SMTP", "" },
	{ "from localhost (HELO queue) (127.0.0.1) by m.de with SMTP", "queue",
	    "", "", "m.de", "SMTP", "" },
	{ "(qmail 123 invoked by uid 89); 1 Jan 2024 00:00:00 -0000", "", "",
	    "", "", "", "" },
	/* Dovecot LMTP */
	{ "from mx.isp.de\n\tby store.isp.de with LMTP\n\tid 4Abc\n\t"
	  "(envelope-from <bob@a.org>)\n\tfor <box17@isp.de>; Mon",
	    "mx.isp.de", "", "", "store.isp.de", "LMTP", "box17@isp.de" },
	/* Microsoft */
	{ "from A.eurprd.prod.outlook.com (2603:10a6:8::1) by\r\n B.outlook.com"
	  " (2603:10a6:10::2) with Microsoft SMTP Server\r\n "
	  "(version=TLS1_2, cipher=X) id 15.20.1; Mon",
	    "A.eurprd.prod.outlook.com", "", "", "B.outlook.com", "Microsoft",
	    "" },
	/* Google */
	{ "by 2002:a05:6a00:1::1 with SMTP id x1csp2; Mon", "", "", "",
	    "2002:a05:6a00:1::1", "SMTP", "" },
	{ "from mail.a.org (mail.a.org. [192.0.2.1])\n by mx.google.com with "
	  "ESMTPS id x1\n for <anna@example.org>\n (version=TLS1_3 bits=1)",
	    "mail.a.org", "mail.a.org.", "192.0.2.1", "mx.google.com", "ESMTPS",
	    "anna@example.org" },
	/* 1&1 */
	{ "from mout.isp.de ([192.0.2.1]) by mx.kundenserver.de (mxeue012 "
	  "[192.0.2.9]) with ESMTPS (Nemesis) id 1M for <anna@example.org>; x",
	    "mout.isp.de", "", "192.0.2.1", "mx.kundenserver.de", "ESMTPS",
	    "anna@example.org" },
	/* Courier */
	{ "from h.org (mx.a.org [::ffff:192.0.2.1]:4711) (TLS: TLSv1.3) by m.de"
	  " with ESMTPS id 0000.1; x",
	    "h.org", "mx.a.org", "::ffff:192.0.2.1", "m.de", "ESMTPS", "" },
	/* Hostile */
	{ "from by (for [192.0.2.1]) by m.de for <\"a > b\"@example.org>; by x",
	    "by", "for", "192.0.2.1", "m.de", "", "\"a > b\"@example.org" },
	{ "from h (a.org (by x.org) [192.0.2.1]) (for <x@y.org>) by m.de "
	  "(by (nested) z.org) by late.org",
	    "h", "", "", "m.de", "", "" },
	{ "from h (mx.isp.de [1.2.3.4] by m.de for <a@x.org>", "h", "", "", "",
	    "", "" },
	{ "", "", "", "", "", "", "" },
	{ "from", "", "", "", "", "", "" },
};

static void
ReadsReceivedAsServersWriteThem(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(received_cases) / sizeof(*received_cases);
	     i++) {
		const struct received_case *c = &received_cases[i];
		struct received r;

		print_message("%s\n", c->body);
		received_parse(slice_of(c->body), &r);
		ASSERT_SLICE(r.helo, c->helo);
		ASSERT_SLICE(r.client, c->client);
		ASSERT_SLICE(r.client_ip, c->client_ip);
		ASSERT_SLICE(r.by, c->by);
		ASSERT_SLICE(r.with, c->with);
		ASSERT_SLICE(r.recipient, c->recipient);
	}
}

static void
TimeIsLinearInTheBlock(void **state)
{
	static const char *const units[] = { "(", "a", "a:\n", "\n ", " \n",
		"<", "<\"", "for ", "from (", "a (b) ", "a:", "\"", "()", "[",
		" " };
	enum { SIZE = HEADER_HELD_MAX };
	uint8_t *block = mem_new(SIZE);

	(void)state;
	for (size_t u = 0; u < sizeof(units) / sizeof(*units); u++) {
		clock_t start = clock();
		size_t len = strlen(units[u]);
		struct header_field f;
		struct received r;

		for (size_t i = 0; i < SIZE; i++)
			block[i] = (uint8_t)units[u][i % len];
		received_parse((struct slice){ block, SIZE }, &r);
		block[0] = 'x';
		header_find((struct slice){ block, SIZE }, "none", &f);
		if (clock() - start > CLOCKS_PER_SEC / 2)
			fail_msg("\"%s\" repeated", units[u]);
	}
	free(block);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(WalksFoldedFields),
		cmocka_unit_test(SkipsWhatIsNoField),
		cmocka_unit_test(AnEmptyLineEndsTheHeader),
		cmocka_unit_test(ReadsReceivedAsServersWriteThem),
		cmocka_unit_test(TimeIsLinearInTheBlock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
