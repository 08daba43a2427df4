/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The types of values.h that mail, network and directory ask for.
 */
#include "config/values.h"

#include "base/digest.h"
#include "mail/domain.h"

#include <arpa/inet.h>
#include <string.h>

static bool
refuse(struct load *load, const struct schema_row *row, const struct node *node)
{
	finding_error(load->findings, node, "expected %s, found \"%s\"",
	    row->type->words, node->text);
	return false;
}

static void
store_pointer(const struct schema_row *row, const void *pointer, void *base)
{
	memcpy(value_field(row, base), &pointer, sizeof(pointer));
}

static bool
cut_address(struct load *load, const struct schema_row *row,
    const struct node *node, struct address *address)
{
	enum address_fault fault;
	struct slice text;

	if (!value_scalar(load, node, row->type->words, &text))
		return false;
	/* The parser also takes "Name <address>"; here that is a slip. */
	fault = slice_find(text, '<') < text.len ? ADDRESS_SYNTAX
						 : address_parse(text, address);
	if (fault == ADDRESS_OK)
		return true;
	finding_error(load->findings, node,
	    "expected an address such as anna@example.org, found \"%s\" (%s)",
	    node->text, address_fault_text(fault));
	return false;
}

static bool
read_address(struct load *load, const struct schema_row *row, struct node *node,
    void *base)
{
	struct address address = { 0 };

	if (!cut_address(load, row, node, &address))
		return false;
	memcpy(value_field(row, base), &address, sizeof(address));
	return true;
}

static bool
read_optional_address(struct load *load, const struct schema_row *row,
    struct node *node, void *base)
{
	struct address *address = arena_new(load->arena, sizeof(*address));

	if (!cut_address(load, row, node, address))
		return false;
	store_pointer(row, address, base);
	return true;
}

/* "@example.org" is what other programs call a domain. */
static bool
refuse_at(struct load *load, const struct node *node, struct slice text)
{
	if (!slice_cut_prefix(&text, SLICE("@")))
		return false;
	finding_error(load->findings, node,
	    "a domain is written without the @: %.*s", SLICE_ARG(text));
	return true;
}

static bool
cut_domain(struct load *load, const struct schema_row *row, struct node *node,
    bool dot_allowed, void *base)
{
	char name[DOMAIN_SIZE];
	struct slice text;
	bool dot;

	if (!value_scalar(load, node, row->type->words, &text))
		return false;
	if (refuse_at(load, node, text))
		return false;
	dot = dot_allowed && slice_cut_prefix(&text, SLICE("."));
	if (!domain_normalise(text, name))
		return refuse(load, row, node);
	store_pointer(
	    row, arena_printf(load->arena, "%s%s", dot ? "." : "", name), base);
	return true;
}

static bool
read_domain(struct load *load, const struct schema_row *row, struct node *node,
    void *base)
{
	return cut_domain(load, row, node, false, base);
}

static bool
read_domain_pattern(struct load *load, const struct schema_row *row,
    struct node *node, void *base)
{
	return cut_domain(load, row, node, true, base);
}

static bool
is_ip_address(const char *text)
{
	struct in6_addr room;

	return inet_pton(AF_INET, text, &room) == 1 ||
	       inet_pton(AF_INET6, text, &room) == 1;
}

static bool
read_host(struct load *load, const struct schema_row *row, struct node *node,
    void *base)
{
	char name[DOMAIN_SIZE];
	struct slice text;

	if (!value_scalar(load, node, row->type->words, &text))
		return false;
	if (is_ip_address(node->text)) {
		store_pointer(row, arena_string(load->arena, text), base);
		return true;
	}
	if (slice_find(text, ':') < text.len) {
		finding_error(load->findings, node,
		    "expected %s without a port, found \"%s\"",
		    row->type->words, node->text);
		return false;
	}
	if (!domain_normalise(text, name))
		return refuse(load, row, node);
	store_pointer(row, arena_string(load->arena, slice_of(name)), base);
	return true;
}

static bool
is_field_name_byte(uint8_t byte)
{
	return byte_is_graphic(byte) && byte != ':';
}

static bool
read_field_name(struct load *load, const struct schema_row *row,
    struct node *node, void *base)
{
	struct slice text;

	if (!value_scalar(load, node, row->type->words, &text))
		return false;
	if (text.len == 0 || text.len > 100 ||
	    !slice_all(text, is_field_name_byte))
		return refuse(load, row, node);
	store_pointer(row, arena_string(load->arena, text), base);
	return true;
}

/* RFC 2919 2: a List-Id is written as a domain, often with other bytes.  It is
 * no pattern. */
static bool
is_list_id_byte(uint8_t byte)
{
	return byte_is_graphic(byte) && byte != '<' && byte != '>' &&
	       byte != '*';
}

/* In lower case, as all of them are compared. */
static bool
read_list_name(struct load *load, const struct schema_row *row,
    struct node *node, void *base)
{
	char name[ADDRESS_TEXT_SIZE];
	struct address address;
	struct slice text;

	if (!value_scalar(load, node, row->type->words, &text))
		return false;
	if (slice_starts(text, SLICE("<")) &&
	    slice_ends_nocase(text, SLICE(">")))
		text = slice_first(slice_from(text, 1), text.len - 2);
	if (text.len == 0 || text.len >= sizeof(name) ||
	    !slice_all(text, is_list_id_byte))
		return refuse(load, row, node);
	snprintf(name, sizeof(name), "%.*s", SLICE_ARG(text));
	if (slice_find(text, '@') == text.len) {
		for (char *c = name; *c != '\0'; c++)
			*c = (char)byte_lower((uint8_t)*c);
	} else if (address_parse(text, &address) == ADDRESS_OK) {
		address_key(&address, name);
	} else {
		return refuse(load, row, node);
	}
	store_pointer(row, arena_string(load->arena, slice_of(name)), base);
	return true;
}

static bool
read_uri(struct load *load, const struct schema_row *row, struct node *node,
    void *base)
{
	const struct schema_word *scheme;
	struct slice text;

	if (!value_scalar(load, node, row->type->words, &text))
		return false;
	for (scheme = row->words; scheme->word != NULL; scheme++)
		if (slice_starts_nocase(text, slice_of(scheme->word)))
			break;
	if (scheme->word == NULL || !slice_all(text, byte_is_graphic) ||
	    (scheme->value != 0 && text.len == strlen(scheme->word)))
		return refuse(load, row, node);
	store_pointer(row, arena_string(load->arena, text), base);
	return true;
}

/* RFC 4512 1.4: a name or an object identifier. */
static bool
is_attribute_byte(uint8_t byte)
{
	return byte_is_alnum(byte) || byte == '-' || byte == '.';
}

static bool
read_attribute(struct load *load, const struct schema_row *row,
    struct node *node, void *base)
{
	struct slice text;

	if (!value_scalar(load, node, row->type->words, &text))
		return false;
	if (text.len == 0 || text.len > 63 || !byte_is_alnum(text.data[0]) ||
	    !slice_all(text, is_attribute_byte))
		return refuse(load, row, node);
	store_pointer(row, arena_string(load->arena, text), base);
	return true;
}

static bool
is_table_type_byte(uint8_t byte)
{
	return (byte >= 'a' && byte <= 'z') || byte == '_' ||
	       (byte >= '0' && byte <= '9');
}

static bool
read_table(struct load *load, const struct schema_row *row, struct node *node,
    void *base)
{
	struct slice text, rest, type;

	if (!value_scalar(load, node, row->type->words, &text))
		return false;
	rest = text;
	if (!slice_cut_until(&rest, ':', &type) || rest.len == 0 ||
	    type.len == 0 || !slice_all(type, is_table_type_byte))
		return refuse(load, row, node);
	if (slice_equal(type, SLICE("proxy"))) {
		finding_error(load->findings, node,
		    "only Postfix itself can use proxy:, write %.*s",
		    SLICE_ARG(rest));
		return false;
	}
	store_pointer(row, arena_string(load->arena, text), base);
	return true;
}

/* Takes "{name}" off, or says what is wrong with it. */
static bool
cut_placeholder(struct load *load, const struct schema_row *row,
    const struct node *node, struct slice *rest, bool *names_person)
{
	const struct schema_word *word;
	struct slice name;

	if (!slice_cut_until(rest, '}', &name)) {
		finding_error(load->findings, node, "a { without its }");
		return false;
	}
	for (word = row->words; word->word != NULL; word++)
		if (slice_equal(name, slice_of(word->word)))
			break;
	if (word->word == NULL) {
		finding_error(load->findings, node,
		    "unknown placeholder {%.*s}; known are {address}, {local} "
		    "and {domain}",
		    SLICE_ARG(name));
		return false;
	}
	*names_person = *names_person || word->value != 0;
	return true;
}

/* One filter in parentheses, as RFC 4515 writes it; a parenthesis inside a
 * value would be \28 or \29. */
static bool
is_balanced(struct slice text)
{
	size_t depth = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '(')
			depth++;
		else if (depth == 0)
			return false;
		else if (text.data[i] == ')' && --depth == 0)
			return i + 1 == text.len;
	}
	return false;
}

static bool
filter_is_sound(
    struct load *load, const struct schema_row *row, const struct node *node)
{
	struct slice rest = slice_of(node->text), before;
	bool names_person = false;

	if (!is_balanced(rest)) {
		finding_error(load->findings, node,
		    "the parentheses do not match; a filter looks like "
		    "(mail={address})");
		return false;
	}
	while (slice_cut_until(&rest, '{', &before))
		if (!cut_placeholder(load, row, node, &rest, &names_person))
			return false;
	if (!names_person)
		finding_error(load->findings, node,
		    "the filter must contain {address} or {local}, else it "
		    "finds the same entries for everybody");
	return names_person;
}

static bool
read_filter(struct load *load, const struct schema_row *row, struct node *node,
    void *base)
{
	struct slice text;

	if (!value_scalar(load, node, row->type->words, &text))
		return false;
	if (!filter_is_sound(load, row, node))
		return false;
	store_pointer(row, arena_string(load->arena, text), base);
	return true;
}

/* Hexadecimal with or without the colons that openssl(1) prints. */
static bool
read_fingerprint(struct load *load, const struct schema_row *row,
    struct node *node, void *base)
{
	char digits[DIGEST_HEX_SIZE];
	uint8_t bytes[DIGEST_SIZE];
	struct slice text;
	size_t len = 0;
	bool pinned = true;

	if (!value_scalar(load, node, row->type->words, &text))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] != ':' && len < sizeof(digits))
			digits[len++] = (char)text.data[i];
	if (len != sizeof(digits) - 1 ||
	    !hex_read((struct slice){ (const uint8_t *)digits, len }, bytes,
		sizeof(bytes)))
		return refuse(load, row, node);
	memcpy(value_field(row, base), bytes, sizeof(bytes));
	memcpy((char *)base + row->second, &pinned, sizeof(pinned));
	return true;
}

static bool
read_socket(struct load *load, const struct schema_row *row, struct node *node,
    void *base)
{
	struct slice text, rest, port;
	uint64_t number;
	bool good;

	if (!value_scalar(load, node, row->type->words, &text))
		return false;
	rest = text;
	if (slice_cut_prefix(&rest, SLICE("unix:")))
		good = rest.len > 1 && rest.data[0] == '/';
	else
		good = (slice_cut_prefix(&rest, SLICE("inet:")) ||
			   slice_cut_prefix(&rest, SLICE("inet6:"))) &&
		       slice_cut_until(&rest, '@', &port) && rest.len > 0 &&
		       slice_cut_number(&port, UINT16_MAX, &number) &&
		       number > 0 && port.len == 0;
	if (!good || !slice_all(text, byte_is_graphic))
		return refuse(load, row, node);
	store_pointer(row, arena_string(load->arena, text), base);
	return true;
}

#define ADDRESS_PATTERN "^[^@<> ]+@[^@<> ]+$"

const struct value_type value_address = { "an address", read_address,
	sizeof(struct address), "string", ADDRESS_PATTERN };
const struct value_type value_optional_address = { "an address",
	read_optional_address, sizeof(const struct address *), "string",
	ADDRESS_PATTERN };
const struct value_type value_domain = { "a domain such as example.org",
	read_domain, sizeof(const char *), "string", "^[^@.][^@ ]*$" };
const struct value_type value_domain_pattern = {
	"a domain such as example.org, or .example.org for every name below it",
	read_domain_pattern, sizeof(const char *), "string", "^[^@][^@ ]*$"
};
const struct value_type value_host = { "a host name or IP address", read_host,
	sizeof(const char *), "string", NULL };
const struct value_type value_field_name = {
	"the name of a header field, without the colon", read_field_name,
	sizeof(const char *), "string", "^[!-9;-~]+$"
};
const struct value_type value_list_name = {
	"a List-Id such as announce.lists.example.com, or an address",
	read_list_name, sizeof(const char *), "string", "^[!-~]+$"
};
const struct value_type value_uri = {
	"a URI: ldaps://HOST, ldap://HOST or ldapi://", read_uri,
	sizeof(const char *), "string", "^(ldaps?://.+|ldapi://.*)$"
};
const struct value_type value_attribute = {
	"the name of an attribute such as mail", read_attribute,
	sizeof(const char *), "string", "^[A-Za-z0-9][A-Za-z0-9.-]*$"
};
const struct value_type value_table = {
	"a table of Postfix such as hash:/etc/postfix/virtual", read_table,
	sizeof(const char *), "string", "^[a-z][a-z0-9_]*:.+$"
};
const struct value_type value_filter = {
	"an LDAP filter such as (mail={address})", read_filter,
	sizeof(const char *), "string", "\\{(address|local)\\}"
};
const struct value_type value_fingerprint = {
	"64 hexadecimal digits, with or without colons", read_fingerprint, 0,
	"string", "^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$"
};
const struct value_type value_socket = {
	"unix:/PATH, inet:PORT@HOST or inet6:PORT@HOST", read_socket,
	sizeof(const char *), "string", "^(unix:/.+|inet6?:[0-9]+@.+)$"
};
