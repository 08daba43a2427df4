/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/certificate.h"

#include "base/buf.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

static void
read_digest(X509 *cert, uint8_t out[DIGEST_SIZE])
{
	if (X509_digest(cert, EVP_sha256(), out, NULL) != 1)
		abort();
}

static void
write_fingerprint(X509 *cert, char out[static DIGEST_HEX_SIZE])
{
	uint8_t digest[DIGEST_SIZE];

	read_digest(cert, digest);
	hex_write((struct slice){ digest, DIGEST_SIZE }, out);
}

static void
write_day(const ASN1_TIME *when, char out[static 32])
{
	struct tm tm;

	if (ASN1_TIME_to_tm(when, &tm) == 1)
		snprintf(out, 32, "%04d-%02d-%02d", tm.tm_year + 1900,
		    tm.tm_mon + 1, tm.tm_mday);
	else
		snprintf(out, 32, "(unreadable date)");
}

static void
add_name(struct buf *names, const GENERAL_NAME *name)
{
	char address[INET6_ADDRSTRLEN];
	const ASN1_STRING *bytes;
	int type, len;

	bytes = GENERAL_NAME_get0_value(name, &type);
	if (type != GEN_DNS && type != GEN_IPADD)
		return;
	if (names->len > 0)
		buf_add_string(names, ", ");
	len = ASN1_STRING_length(bytes);
	if (type == GEN_DNS)
		buf_add(names, (struct slice){
				   ASN1_STRING_get0_data(bytes), (size_t)len });
	else if (len == 4 || len == 16)
		buf_add_string(names, inet_ntop(len == 4 ? AF_INET : AF_INET6,
					  ASN1_STRING_get0_data(bytes), address,
					  sizeof(address)));
}

/* Whom a certificate is for: its alternative names, else its common name. */
static void
list_names(X509 *cert, struct buf *names)
{
	GENERAL_NAMES *all =
	    X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	char common[128];

	buf_init(names, 200);
	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++)
		add_name(names, sk_GENERAL_NAME_value(all, i));
	GENERAL_NAMES_free(all);
	if (names->len == 0 &&
	    X509_NAME_get_text_by_NID(X509_get_subject_name(cert),
		NID_commonName, common, sizeof(common)) > 0)
		buf_add_string(names, common);
	if (names->len == 0)
		buf_add_string(names, "nobody");
}

static void
explain_names(
    X509 *cert, const char *host, const char *wanted, struct error *err)
{
	struct buf names;

	list_names(cert, &names);
	error_set(err, ERROR_TLS,
	    "certificate of %s is for %s, not for %s; if that is the "
	    "provider, set tls.server_name",
	    host, buf_string(&names), wanted);
	buf_clear(&names);
}

static void
explain_issuer(
    X509 *leaf, const char *host, const char *what, struct error *err)
{
	char fingerprint[DIGEST_HEX_SIZE];

	write_fingerprint(leaf, fingerprint);
	error_set(err, ERROR_TLS,
	    "certificate of %s is %s; set tls.ca_file, or "
	    "tls.fingerprint_sha256 (SHA-256 %s)",
	    host, what, fingerprint);
}

static void
explain_dates(
    X509 *cert, const char *host, bool leaf, bool expired, struct error *err)
{
	char day[32];

	write_day(
	    expired ? X509_get0_notAfter(cert) : X509_get0_notBefore(cert),
	    day);
	error_set(err, ERROR_TLS, "%s of %s %s (%s %s)",
	    leaf ? "certificate" : "the authority's certificate behind that",
	    host, expired ? "has expired" : "is not valid yet",
	    expired ? "not after" : "not before", day);
}

void
certificate_explain(X509_STORE_CTX *chain, const char *host, const char *wanted,
    struct error *err)
{
	X509 *leaf = X509_STORE_CTX_get0_cert(chain);
	X509 *cert = X509_STORE_CTX_get_current_cert(chain);
	bool is_leaf = X509_STORE_CTX_get_error_depth(chain) == 0;
	int why = X509_STORE_CTX_get_error(chain);

	switch (why) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		explain_dates(cert, host, is_leaf,
		    why == X509_V_ERR_CERT_HAS_EXPIRED, err);
		break;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		explain_names(leaf, host, wanted, err);
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		explain_issuer(leaf, host, "self-signed", err);
		break;
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		explain_issuer(leaf, host, "from an unknown authority", err);
		break;
	default:
		error_set(err, ERROR_TLS, "certificate of %s: %s", host,
		    X509_verify_cert_error_string(why));
		break;
	}
}

bool
certificate_is_pinned(X509 *leaf, const uint8_t wanted[DIGEST_SIZE],
    const char *host, struct error *err)
{
	uint8_t digest[DIGEST_SIZE];
	char hex[DIGEST_HEX_SIZE];

	read_digest(leaf, digest);
	if (digest_equal(digest, wanted))
		return true;
	hex_write((struct slice){ digest, DIGEST_SIZE }, hex);
	return error_set(err, ERROR_TLS,
	    "certificate of %s has SHA-256 %s, which is not "
	    "tls.fingerprint_sha256; ask the provider whether it is new",
	    host, hex);
}

bool
certificate_is_current(
    X509 *cert, const char *setting, const char *path, struct error *err)
{
	bool expired = X509_cmp_current_time(X509_get0_notAfter(cert)) <= 0;
	char day[32];

	if (!expired && X509_cmp_current_time(X509_get0_notBefore(cert)) < 0)
		return true;
	write_day(
	    expired ? X509_get0_notAfter(cert) : X509_get0_notBefore(cert),
	    day);
	return error_set(err, ERROR_CONFIG,
	    "%s: the certificate in %s %s (%s %s)", setting, path,
	    expired ? "has expired" : "is not valid yet",
	    expired ? "not after" : "not before", day);
}

time_t
certificate_end(const X509 *cert)
{
	struct tm tm;

	return ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) == 1 ? timegm(&tm)
								   : 0;
}

/* The organisation that signed, or the name of its certificate. */
static void
name_issuer(X509 *cert, char *out, int size)
{
	X509_NAME *issuer = X509_get_issuer_name(cert);

	if (X509_NAME_get_text_by_NID(
		issuer, NID_organizationName, out, size) <= 0 &&
	    X509_NAME_get_text_by_NID(issuer, NID_commonName, out, size) <= 0)
		snprintf(out, (size_t)size, "nobody");
}

void
certificate_describe(X509 *cert, struct certificate_facts *facts)
{
	char issuer[sizeof(facts->issuer)];
	struct buf names;

	list_names(cert, &names);
	log_safe(facts->subject, sizeof(facts->subject), buf_slice(&names));
	buf_clear(&names);
	name_issuer(cert, issuer, sizeof(issuer));
	log_safe(facts->issuer, sizeof(facts->issuer), slice_of(issuer));
	write_day(X509_get0_notAfter(cert), facts->until);
	write_fingerprint(cert, facts->fingerprint);
}
