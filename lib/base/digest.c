/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>

void
digest_sha256(struct slice s, uint8_t out[DIGEST_SIZE])
{
	if (EVP_Digest(s.data, s.len, out, NULL, EVP_sha256(), NULL) != 1)
		abort();
}

void
digest_hmac_sha256(
    struct slice key, struct slice text, uint8_t out[DIGEST_SIZE])
{
	unsigned int len = 0;

	/* OpenSSL 3.0 refuses a key that is NULL, even an empty one. */
	if (key.len == 0)
		key = SLICE("");
	if (HMAC(EVP_sha256(), key.data, (int)key.len, text.data, text.len, out,
		&len) == NULL ||
	    len != DIGEST_SIZE)
		abort();
}

bool
digest_equal(const uint8_t a[DIGEST_SIZE], const uint8_t b[DIGEST_SIZE])
{
	return CRYPTO_memcmp(a, b, DIGEST_SIZE) == 0;
}

void
digest_random(void *out, size_t len)
{
	if (RAND_bytes(out, (int)len) != 1)
		abort();
}

void
hex_write(struct slice s, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < s.len; i++) {
		*out++ = digits[s.data[i] >> 4];
		*out++ = digits[s.data[i] & 15];
	}
	*out = '\0';
}

static bool
hex_value(uint8_t c, uint8_t *value)
{
	c = byte_lower(c);
	if (byte_is_digit(c))
		*value = (uint8_t)(c - '0');
	else if (c >= 'a' && c <= 'f')
		*value = (uint8_t)(c - 'a' + 10);
	else
		return false;
	return true;
}

bool
hex_read(struct slice digits, uint8_t *out, size_t len)
{
	uint8_t high, low;

	if (digits.len != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!hex_value(digits.data[2 * i], &high) ||
		    !hex_value(digits.data[2 * i + 1], &low))
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void
base64_write(struct slice s, char *out, size_t size)
{
	assert(size > 4 * ((s.len + 2) / 3));
	EVP_EncodeBlock((uint8_t *)out, s.data, (int)s.len);
}
