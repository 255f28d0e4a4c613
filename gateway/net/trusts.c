#include "config.h"

#include "gateway/net/stream_private.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* One SSL_CTX per CA file, made when the first stream asks for it and again when the file has
 * changed. An SSL holds its context, so an old one lives as long as its last stream.
 *
 * Many threads ask: all is under the lock, and what is made here is malloc's and OpenSSL's, because
 * a talloc tree belongs to one thread.
 */

struct trust {
	struct trust *next;
	char *ca; /* NULL: the system's */
	struct stat file;
	SSL_CTX *ctx;
};

struct trusts {
	pthread_mutex_t lock;
	BIO_METHOD *method;
	struct trust *first;
};

/* ---- bytes through send() with MSG_NOSIGNAL: OpenSSL's own BIO would raise SIGPIPE ---- */

static int bio_result(BIO *bio, ssize_t n, int again)
{
	BIO_clear_retry_flags(bio);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		BIO_set_flags(bio, again | BIO_FLAGS_SHOULD_RETRY);
	return (int)n;
}

static int bio_read(BIO *bio, char *bytes, int cap)
{
	return bio_result(bio, stream_receive(BIO_get_data(bio), bytes, (size_t)cap),
			  BIO_FLAGS_READ);
}

static int bio_write(BIO *bio, const char *bytes, int n)
{
	return bio_result(bio, stream_send(BIO_get_data(bio), bytes, (size_t)n), BIO_FLAGS_WRITE);
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *bio)
{
	BIO_set_init(bio, 1);
	return 1;
}

static BIO_METHOD *method_new(void)
{
	BIO_METHOD *method = mem_must(
		BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "taskferry stream"));

	(void)BIO_meth_set_read(method, bio_read);
	(void)BIO_meth_set_write(method, bio_write);
	(void)BIO_meth_set_ctrl(method, bio_ctrl);
	(void)BIO_meth_set_create(method, bio_create);
	return method;
}

BIO *trusts_bio(struct trusts *trusts, struct stream *context)
{
	BIO *bio = mem_must(BIO_new(trusts->method));

	BIO_set_data(bio, context);
	return bio;
}

/* ---- contexts ---- */

static int trusts_free(struct trusts *trusts)
{
	struct trust *trust, *next;

	for (trust = trusts->first; trust; trust = next) {
		next = trust->next;
		SSL_CTX_free(trust->ctx);
		free(trust->ca);
		free(trust);
	}
	BIO_meth_free(trusts->method);
	pthread_mutex_destroy(&trusts->lock);
	return 0;
}

struct trusts *trusts_new(TALLOC_CTX *mem)
{
	struct trusts *trusts = MEM_NEW(mem, struct trusts);

	pthread_mutex_init(&trusts->lock, NULL);
	trusts->method = method_new();
	talloc_set_destructor(trusts, trusts_free);
	return trusts;
}

/* Small where thousands are parked: no buffers while nothing is under way, no sessions kept. */
static SSL_CTX *ctx_new(void)
{
	SSL_CTX *ctx = mem_must(SSL_CTX_new(TLS_client_method()));

	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	(void)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	(void)SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
					       SSL_OP_IGNORE_UNEXPECTED_EOF);
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
					    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	return ctx;
}

/* A file that is named may hold a server's own certificate, or an authority below the root. */
static bool ctx_load(SSL_CTX *ctx, const char *ca)
{
	if (!ca)
		return SSL_CTX_set_default_verify_paths(ctx) == 1;
	(void)X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
	return SSL_CTX_load_verify_file(ctx, ca) == 1;
}

static struct trust *trust_find(struct trusts *trusts, const char *ca)
{
	struct trust *trust;

	for (trust = trusts->first; trust; trust = trust->next)
		if (ca ? trust->ca && !strcmp(trust->ca, ca) : !trust->ca)
			return trust;
	trust = mem_must(calloc(1, sizeof *trust));
	trust->ca = ca ? mem_must(strdup(ca)) : NULL;
	trust->next = trusts->first;
	trusts->first = trust;
	return trust;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static struct fault *not_loaded(TALLOC_CTX *mem, const char *ca)
{
	if (!ca)
		return fault_new(mem, FAULT_TLS, "the system's certificates cannot be read");
	return fault_reaches(fault_new(mem, FAULT_CONFIG,
				       "tls_ca %s: not a file of certificates in PEM form", ca),
			     FAULT_SCOPE_SERVER, FAULT_NEXT_RETRY);
}

/* Looks at the file before it is read: what changes meanwhile is seen the next time. */
static struct fault *trust_refresh(TALLOC_CTX *mem, struct trust *trust)
{
	struct stat file = { 0 };
	SSL_CTX *ctx;

	if (trust->ca)
		FAULT_TRY(stream_cert_readable(mem, "tls_ca", trust->ca));
	if (trust->ca)
		(void)!stat(trust->ca, &file);
	if (trust->ctx && same_file(&file, &trust->file))
		return NULL;
	ctx = ctx_new();
	ERR_clear_error();
	if (!ctx_load(ctx, trust->ca)) {
		SSL_CTX_free(ctx);
		ERR_clear_error();
		return not_loaded(mem, trust->ca);
	}
	SSL_CTX_free(trust->ctx);
	trust->ctx = ctx;
	trust->file = file;
	return NULL;
}

struct fault *trusts_look(TALLOC_CTX *mem, struct trusts *trusts, const char *ca)
{
	struct fault *fault;

	pthread_mutex_lock(&trusts->lock);
	fault = trust_refresh(mem, trust_find(trusts, ca));
	pthread_mutex_unlock(&trusts->lock);
	return fault;
}

struct fault *trusts_client(TALLOC_CTX *mem, struct trusts *trusts, const char *ca, SSL **ssl_r)
{
	struct trust *trust;
	struct fault *fault;
	SSL *ssl = NULL;

	pthread_mutex_lock(&trusts->lock);
	trust = trust_find(trusts, ca);
	fault = trust_refresh(mem, trust);
	if (!fault)
		ssl = mem_must(SSL_new(trust->ctx));
	pthread_mutex_unlock(&trusts->lock);
	if (fault)
		return fault;
	*ssl_r = ssl;
	return NULL;
}
