#include "config.h"

#include "gateway/net/stream_private.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/text.h"

#define PIN_MARK "sha256//"

/* Files are exchanged while the service runs: what is wrong now may be right in a moment. */
static struct fault *of(struct fault *fault, enum fault_scope scope)
{
	return fault_reaches(fault, scope, FAULT_NEXT_RETRY);
}

struct fault *stream_cert_readable(TALLOC_CTX *mem, const char *key, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return of(fault_new(mem, FAULT_CONFIG, "%s %s: %s", key, path, strerror(errno)),
			  FAULT_SCOPE_SERVER);
	close(fd);
	return NULL;
}

/* ---- who we are ---- */

/* Nobody is there who could type it. */
static int no_passphrase(char *text, int size, int writing, void *context)
{
	(void)text;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

static struct fault *wrong_file(TALLOC_CTX *mem, const char *key, const char *path,
				const char *words)
{
	ERR_clear_error();
	return fault_new(mem, FAULT_CONFIG, "%s %s: %s", key, path, words);
}

static struct fault *load(TALLOC_CTX *mem, SSL *ssl, const char *cert, const char *key)
{
	const char *named = key ? "tls_key" : "tls_cert", *file = key ? key : cert;

	FAULT_TRY(stream_cert_readable(mem, "tls_cert", cert));
	if (key)
		FAULT_TRY(stream_cert_readable(mem, "tls_key", key));
	if (SSL_use_certificate_chain_file(ssl, cert) != 1)
		return wrong_file(mem, "tls_cert", cert, "not a certificate in PEM form");
	SSL_set_default_passwd_cb(ssl, no_passphrase);
	if (SSL_use_PrivateKey_file(ssl, file, SSL_FILETYPE_PEM) != 1)
		return wrong_file(mem, named, file,
				  key ? "no key in PEM form without a passphrase that belongs to "
					"the certificate"
				      : "no key in PEM form without a passphrase that belongs to "
					"the certificate (a file of its own is named by tls_key)");
	if (SSL_check_private_key(ssl) != 1)
		return wrong_file(mem, named, file, "not the key of the certificate");
	return NULL;
}

struct fault *stream_cert_show(TALLOC_CTX *mem, SSL *ssl, const char *cert, const char *key)
{
	struct fault *fault;

	ERR_clear_error();
	fault = load(mem, ssl, cert, key);
	return fault ? of(fault, FAULT_SCOPE_ACCOUNT) : NULL;
}

/* ---- who the server must be ---- */

/* The public key with its kind (SubjectPublicKeyInfo, as in RFC 7469), "sha256//BASE64"; NULL: none. */
static char *pin_of(TALLOC_CTX *mem, SSL *ssl)
{
	X509 *cert = SSL_get0_peer_certificate(ssl);
	unsigned char digest[SHA256_DIGEST_LENGTH], *der = NULL;
	int n = cert ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der) : -1;
	struct buf *text;

	if (n <= 0)
		return NULL;
	SHA256(der, (size_t)n, digest);
	OPENSSL_free(der);
	text = buf_new(mem);
	buf_puts(text, PIN_MARK);
	base64_encode(text, (const char *)digest, sizeof digest);
	return buf_steal(&text, mem, NULL);
}

static bool is_among(const char *pin, const char *pins)
{
	for (const char *at = pins; *at; at += strspn(at, ";")) {
		size_t n = strcspn(at, ";");

		if (n == strlen(pin) && !memcmp(at, pin, n))
			return true;
		at += n;
	}
	return false;
}

struct fault *stream_cert_pinned(TALLOC_CTX *mem, SSL *ssl, const char *pins)
{
	char *pin = pin_of(mem, ssl);

	if (pin && is_among(pin, pins))
		return NULL;
	return fault_new(mem, FAULT_TLS,
			 "the server's public key is none of those in tls_pin; it has %s; if its "
			 "administrator says that this is right, put it there",
			 pin ? pin : "another one");
}
