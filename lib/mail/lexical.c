/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/lexical.h"

size_t
lexical_quoted_end(struct slice s, size_t at)
{
	for (size_t i = at + 1; i < s.len; i++) {
		if (s.data[i] == '\\')
			i++;
		else if (s.data[i] == '"')
			return i + 1;
	}
	return 0;
}

size_t
lexical_comment_end(struct slice s, size_t at)
{
	size_t depth = 0;

	for (size_t i = at; i < s.len; i++) {
		if (s.data[i] == '\\')
			i++;
		else if (s.data[i] == '(')
			depth++;
		else if (s.data[i] == ')' && --depth == 0)
			return i + 1;
	}
	return 0;
}

size_t
lexical_piece_end(struct slice s, size_t at, struct lexical_unended *unended)
{
	bool quote = s.data[at] == '"', comment = s.data[at] == '(';
	size_t end = 0;

	if (quote && !unended->quote)
		end = lexical_quoted_end(s, at);
	else if (comment && !unended->comment)
		end = lexical_comment_end(s, at);
	if (end > 0)
		return end;
	unended->quote = unended->quote || quote;
	unended->comment = unended->comment || comment;
	return at + 1;
}

size_t
lexical_skip_blanks(struct slice s, size_t at)
{
	while (at < s.len && byte_is_space(s.data[at]))
		at++;
	return at;
}
