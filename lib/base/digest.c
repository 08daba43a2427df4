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

struct digest *
digest_new(void)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (context == NULL ||
	    EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
		abort();
	return (struct digest *)context;
}

void
digest_add(struct digest *d, struct slice s)
{
	if (EVP_DigestUpdate((EVP_MD_CTX *)d, s.data, s.len) != 1)
		abort();
}

void
digest_end(struct digest *d, uint8_t out[DIGEST_SIZE])
{
	if (out != NULL && EVP_DigestFinal_ex((EVP_MD_CTX *)d, out, NULL) != 1)
		abort();
	EVP_MD_CTX_free((EVP_MD_CTX *)d);
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

void
digest_pbkdf2_sha256(struct slice password, struct slice salt,
    uint32_t iterations, uint8_t out[DIGEST_SIZE])
{
	/* As with HMAC(), NULL is not an empty string to OpenSSL. */
	if (password.len == 0)
		password = SLICE("");
	if (PKCS5_PBKDF2_HMAC((const char *)password.data, (int)password.len,
		salt.data, (int)salt.len, (int)iterations, EVP_sha256(),
		DIGEST_SIZE, out) != 1)
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

static bool
base64_value(uint8_t c, uint32_t *value)
{
	static const struct slice digits = {
		(const uint8_t *)"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "abcdefghijklmnopqrstuvwxyz0123456789+/",
		64,
	};

	*value = (uint32_t)slice_find(digits, c);
	return *value < digits.len;
}

/* Four digits, of which the last `padding` are "=". */
static bool
base64_read_group(const uint8_t *in, size_t padding, uint8_t out[3])
{
	uint32_t bits = 0, value;

	for (size_t i = 0; i < 4; i++) {
		if (i >= 4 - padding)
			value = 0;
		else if (!base64_value(in[i], &value))
			return false;
		bits = bits << 6 | value;
	}
	out[0] = (uint8_t)(bits >> 16);
	out[1] = (uint8_t)(bits >> 8);
	out[2] = (uint8_t)bits;
	/* RFC 4648 3.5: the bits that padding leaves over are zero. */
	return (bits & ((1U << 8 * padding) - 1)) == 0;
}

bool
base64_read(struct slice text, uint8_t *out, size_t size, size_t *len)
{
	size_t padding = 0;

	if (text.len % 4 != 0 || text.len / 4 > size / 3)
		return false;
	while (padding < 2 && padding < text.len &&
	       text.data[text.len - 1 - padding] == '=')
		padding++;
	for (size_t i = 0; i < text.len / 4; i++) {
		bool last = i == text.len / 4 - 1;

		if (!base64_read_group(
			text.data + 4 * i, last ? padding : 0, out + 3 * i))
			return false;
	}
	*len = text.len / 4 * 3 - padding;
	return true;
}
