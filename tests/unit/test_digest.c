/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
assert_digest(const uint8_t digest[DIGEST_SIZE], const char *hex)
{
	char text[DIGEST_HEX_SIZE];

	hex_write((struct slice){ digest, DIGEST_SIZE }, text);
	assert_string_equal(text, hex);
}

/* FIPS 180-4's examples, and nothing at all. */
static void
sha256_of_known_texts(void **state)
{
	uint8_t digest[DIGEST_SIZE];

	(void)state;
	digest_sha256(SLICE("abc"), digest);
	assert_digest(digest, "ba7816bf8f01cfea414140de5dae2223"
			      "b00361a396177a9cb410ff61f20015ad");
	digest_sha256((struct slice){ NULL, 0 }, digest);
	assert_digest(digest, "e3b0c44298fc1c149afbf4c8996fb924"
			      "27ae41e4649b934ca495991b7852b855");
	digest_sha256(SLICE("a\0b"), digest);
	assert_digest(digest, "59b271ae1bbcb1d31d41929817f4b16f"
			      "b439eb4f31520b5ad1d5ce98920a7138");
}

/* RFC 4231, test cases 2 and 6 (a key longer than the block). */
static void
hmac_of_known_texts(void **state)
{
	uint8_t digest[DIGEST_SIZE], key[131];

	(void)state;
	digest_hmac_sha256(
	    SLICE("Jefe"), SLICE("what do ya want for nothing?"), digest);
	assert_digest(digest, "5bdcc146bf60754e6a042426089575c7"
			      "5a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	digest_hmac_sha256((struct slice){ key, sizeof(key) },
	    SLICE("Test Using Larger Than Block-Size Key - Hash Key First"),
	    digest);
	assert_digest(digest, "60e431591ee0b67f0d8a26aacbf5b77f"
			      "8e0bc6213728c5140546040f0ee37f54");
	digest_hmac_sha256(
	    (struct slice){ NULL, 0 }, (struct slice){ NULL, 0 }, digest);
	assert_digest(digest, "b613679a0814d9ec772f95d778c35fc5"
			      "ff1697c493715653c6c712144292c5ad");
}

static void
one_bit_makes_digests_differ(void **state)
{
	uint8_t a[DIGEST_SIZE], b[DIGEST_SIZE];

	(void)state;
	digest_random(a, sizeof(a));
	for (int i = 0; i < DIGEST_SIZE; i++)
		b[i] = a[i];
	assert_true(digest_equal(a, b));
	b[0] ^= 0x80;
	assert_false(digest_equal(a, b));
	b[0] ^= 0x80;
	b[DIGEST_SIZE - 1] ^= 1;
	assert_false(digest_equal(a, b));
}

static void
random_bytes_are_not_the_same_twice(void **state)
{
	uint8_t a[DIGEST_SIZE] = { 0 }, b[DIGEST_SIZE] = { 0 };

	(void)state;
	digest_random(a, sizeof(a));
	digest_random(b, sizeof(b));
	assert_false(digest_equal(a, b));
}

static void
hex_goes_there_and_back(void **state)
{
	uint8_t bytes[256], back[256];
	char text[513];

	(void)state;
	for (int i = 0; i < 256; i++)
		bytes[i] = (uint8_t)i;
	hex_write((struct slice){ bytes, 256 }, text);
	assert_int_equal(strlen(text), 512);
	assert_true(hex_read(slice_of(text), back, 256));
	assert_memory_equal(bytes, back, 256);
	hex_write((struct slice){ NULL, 0 }, text);
	assert_string_equal(text, "");
}

static void
hex_is_exactly_so_many_digits(void **state)
{
	uint8_t out[4];

	(void)state;
	assert_true(hex_read(SLICE("00fFaB09"), out, 4));
	assert_memory_equal(out, "\x00\xff\xab\x09", 4);
	assert_false(hex_read(SLICE("00ffab0"), out, 4));
	assert_false(hex_read(SLICE("00ffab099"), out, 4));
	assert_false(hex_read(SLICE("00ffab0g"), out, 4));
	assert_false(hex_read(SLICE("00ffab0/"), out, 4));
	assert_false(hex_read(SLICE("00ffab0:"), out, 4));
	assert_false(hex_read(SLICE("00ffab0@"), out, 4));
	assert_false(hex_read(SLICE("00ffab0`"), out, 4));
	assert_false(hex_read(SLICE("00:ab:09"), out, 4));
	assert_true(hex_read((struct slice){ NULL, 0 }, out, 0));
}

/* RFC 4648 section 10. */
static void
base64_of_known_texts(void **state)
{
	static const struct {
		const char *plain, *encoded;
	} known[] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
	};
	char out[13];

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t exact = strlen(known[i].encoded) + 1;

		base64_write(slice_of(known[i].plain), out, exact);
		assert_string_equal(out, known[i].encoded);
	}
	base64_write(SLICE("\0anna\0pw"), out, sizeof(out));
	assert_string_equal(out, "AGFubmEAcHc=");
}

/* RFC 7914 section 11, its first 32 bytes; and RFC 7677's salt. */
static void
pbkdf2_of_known_texts(void **state)
{
	uint8_t key[DIGEST_SIZE];

	(void)state;
	digest_pbkdf2_sha256(SLICE("passwd"), SLICE("salt"), 1, key);
	assert_digest(key, "55ac046e56e3089fec1691c22544b605"
			   "f94185216dde0465e68b9d57c20dacbc");
	digest_pbkdf2_sha256(SLICE("Password"), SLICE("NaCl"), 80000, key);
	assert_digest(key, "4ddcd8f60b98be21830cee5ef22701f9"
			   "641a4418d04c0414aeff08876b34ab56");
	digest_pbkdf2_sha256((struct slice){ NULL, 0 }, SLICE("salt"), 1, key);
	assert_digest(key, "f135c27993baf98773c5cdb40a5706ce"
			   "6a345cde61b000a67858650cd6a324d7");
}

static void
base64_goes_there_and_back(void **state)
{
	char text[13];
	uint8_t out[9];
	size_t len;

	(void)state;
	for (size_t i = 0; i <= 8; i++) {
		struct slice bytes =
		    slice_first(SLICE("\xff\0\xfb~\x80?>A"), i);

		base64_write(bytes, text, sizeof(text));
		assert_true(
		    base64_read(slice_of(text), out, sizeof(out), &len));
		assert_int_equal(len, i);
		assert_memory_equal(out, bytes.data, i);
	}
}

static void
base64_is_read_strictly(void **state)
{
	static const char *const bad[] = { "Z", "Zg", "Zg=", "Zg==\n", " Zg==",
		"Zg== ", "Z===", "====", "Zh==", "Zm9=", "Zg==Zg==", "Zm-_",
		"Z=g=", "Zm\n9", "=m9v", "Zm9v=" };
	uint8_t out[12];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(
		    base64_read(slice_of(bad[i]), out, sizeof(out), &len));
	assert_false(base64_read(SLICE("Zm9\0"), out, sizeof(out), &len));
	assert_true(base64_read(SLICE("Zm9vZm9v"), out, 6, &len));
	assert_false(base64_read(SLICE("Zm9vZm9v"), out, 5, &len));
	assert_true(base64_read((struct slice){ NULL, 0 }, out, 0, &len));
	assert_int_equal(len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_of_known_texts),
		cmocka_unit_test(hmac_of_known_texts),
		cmocka_unit_test(one_bit_makes_digests_differ),
		cmocka_unit_test(random_bytes_are_not_the_same_twice),
		cmocka_unit_test(hex_goes_there_and_back),
		cmocka_unit_test(hex_is_exactly_so_many_digits),
		cmocka_unit_test(base64_of_known_texts),
		cmocka_unit_test(pbkdf2_of_known_texts),
		cmocka_unit_test(base64_goes_there_and_back),
		cmocka_unit_test(base64_is_read_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
