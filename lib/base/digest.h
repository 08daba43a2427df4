/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest - SHA-256, HMAC, PBKDF2, random bytes, hexadecimal and base64, over
 * OpenSSL.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/slice.h"

enum { DIGEST_SIZE = 32, DIGEST_HEX_SIZE = 2 * DIGEST_SIZE + 1 };

void digest_sha256(struct slice, uint8_t out[DIGEST_SIZE]);
/* The same over bytes that come in pieces. */
struct digest *digest_new(void);
void digest_add(struct digest *, struct slice);
/* Frees it; `out` may be NULL. */
void digest_end(struct digest *, uint8_t out[DIGEST_SIZE]);
void digest_hmac_sha256(
    struct slice key, struct slice text, uint8_t out[DIGEST_SIZE]);
/* RFC 8018 5.2: the key that a password and a salt make.  An iteration takes
 * 0.2 us with SHA instructions (measured), some five times that without: cap
 * what a peer asks for. */
void digest_pbkdf2_sha256(struct slice password, struct slice salt,
    uint32_t iterations, uint8_t out[DIGEST_SIZE]);
/* True when equal; takes the same time wherever they differ. */
bool digest_equal(const uint8_t a[DIGEST_SIZE], const uint8_t b[DIGEST_SIZE]);
/* From the system's generator; ends the process when there is none. */
void digest_random(void *out, size_t len);

/* Small letters; `out` holds 2 * s.len + 1 bytes. */
void hex_write(struct slice s, char *out);
/* Exactly 2 * len digits of either case, or false. */
bool hex_read(struct slice digits, uint8_t *out, size_t len);
/* RFC 4648 section 4, padded and with a NUL; size is at least
 * 4 * ((s.len + 2) / 3) + 1. */
void base64_write(struct slice s, char *out, size_t size);
/* What base64_write() writes and nothing else: no blank, no line end, padded.
 * False too when the bytes, with up to two that padding stands for, are more
 * than `size`. */
bool base64_read(struct slice text, uint8_t *out, size_t size, size_t *len);

#endif
