/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encoded_text - a header field's text as a person may read it: unfolded,
 * encoded words (RFC 2047) decoded, UTF-8, one line, safe on a terminal.
 *
 * Pure but for iconv(3).  What cannot be decoded stays as it was; bytes that are
 * no UTF-8, controls, and marks that turn the direction of writing become "?".
 */
#ifndef MAIL_ENCODED_TEXT_H
#define MAIL_ENCODED_TEXT_H

#include "base/buf.h"

/* Appends the text; what does not fit `out` is left out. */
void encoded_text_read(struct slice body, struct buf *out);

#endif
