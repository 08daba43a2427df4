/* SPDX-License-Identifier: Apache-2.0 */
#include "base/siphash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

enum { MOST = 64 };

/* What libcrypto makes of it. */
static uint64_t
expected(const uint8_t *key, const uint8_t *text, size_t len)
{
	size_t size = 8, written = 0;
	const OSSL_PARAM settings[] = {
		OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
		OSSL_PARAM_construct_end(),
	};
	uint8_t out[8];
	uint64_t hash = 0;

	assert_non_null(EVP_Q_mac(NULL, "SIPHASH", NULL, NULL, settings, key,
	    SIPHASH_KEY_SIZE, text, len, out, sizeof(out), &written));
	assert_int_equal(written, sizeof(out));
	for (size_t i = 0; i < sizeof(out); i++)
		hash |= (uint64_t)out[i] << (8 * i);
	return hash;
}

static void
agrees_with_libcrypto(void **state)
{
	uint8_t key[SIPHASH_KEY_SIZE], text[MOST];

	(void)state;
	for (size_t i = 0; i < MOST; i++)
		text[i] = (uint8_t)(37 * i + 200);
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(255 - 11 * i);
	for (size_t len = 0; len <= MOST; len++)
		assert_true(siphash(key, (struct slice){ text, len }) ==
			    expected(key, text, len));
}

/* Appendix A of the paper. */
static void
agrees_with_the_paper(void **state)
{
	uint8_t key[SIPHASH_KEY_SIZE], text[15];

	(void)state;
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)i;
	assert_true(siphash(key, (struct slice){ text, sizeof(text) }) ==
		    UINT64_C(0xa129ca6149be45e5));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_paper),
		cmocka_unit_test(agrees_with_libcrypto),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
