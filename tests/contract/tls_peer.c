#include "config.h"

#include "tls_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DAY_S 86400L
#define DRIP_MS 20
#define TICK_MS 10

/* ---- certificates ---- */

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "tls_peer: %s\n", what);
	abort();
}

struct identity {
	X509 *cert;
	EVP_PKEY *key;
};

static const struct {
	const char *file, *names;
	long from_s, to_s;
	bool self_signed;
} kinds[TLS_PEER_CERTS] = {
	[TLS_PEER_GOOD] = { "good", "DNS:localhost,IP:127.0.0.1", -DAY_S, DAY_S, false },
	[TLS_PEER_WRONG_HOST] = { "wrong", "DNS:other.example,IP:192.0.2.1", -DAY_S, DAY_S, false },
	[TLS_PEER_EXPIRED] = { "expired", "DNS:localhost", -2 * DAY_S, -DAY_S, false },
	[TLS_PEER_FUTURE] = { "future", "DNS:localhost", DAY_S, 2 * DAY_S, false },
	[TLS_PEER_SELF_SIGNED] = { "self", "DNS:localhost,IP:127.0.0.1", -DAY_S, DAY_S, true },
	[TLS_PEER_OLD] = { "old", "DNS:localhost", -DAY_S, DAY_S, false },
	[TLS_PEER_STARTTLS] = { "start", "DNS:localhost", -DAY_S, DAY_S, false },
};

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(extension && X509_add_ext(cert, extension, -1) == 1, value);
	X509_EXTENSION_free(extension);
}

/* ISSUER NULL: signed by itself. */
static struct identity identity_new(const char *name, const struct identity *issuer,
				    const char *names, long from_s, long to_s)
{
	struct identity made = { X509_new(), EVP_EC_gen("P-256") };
	X509_NAME *subject;

	must(made.cert && made.key, "no key");
	must(X509_set_version(made.cert, 2) == 1, "version");
	ASN1_INTEGER_set(X509_get_serialNumber(made.cert), (long)strlen(name) + from_s + to_s);
	X509_gmtime_adj(X509_getm_notBefore(made.cert), from_s);
	X509_gmtime_adj(X509_getm_notAfter(made.cert), to_s);
	X509_set_pubkey(made.cert, made.key);
	subject = X509_get_subject_name(made.cert);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
				   0);
	X509_set_issuer_name(made.cert, issuer ? X509_get_subject_name(issuer->cert) : subject);
	add_extension(made.cert, issuer ? issuer->cert : made.cert, NID_basic_constraints,
		      names ? "CA:FALSE" : "critical,CA:TRUE");
	if (names)
		add_extension(made.cert, made.cert, NID_subject_alt_name, names);
	must(X509_sign(made.cert, issuer ? issuer->key : made.key, EVP_sha256()) > 0, "signature");
	return made;
}

static void identity_free(struct identity *identity)
{
	X509_free(identity->cert);
	EVP_PKEY_free(identity->key);
}

static void identity_write(const struct identity *identity, const char *path, bool with_key)
{
	FILE *file = fopen(path, "w");

	must(file && PEM_write_X509(file, identity->cert) == 1, path);
	if (with_key)
		must(PEM_write_PrivateKey(file, identity->key, NULL, NULL, 0, NULL, NULL) == 1,
		     path);
	must(!fclose(file), path);
}

static int world_end(struct tls_world *world)
{
	for (size_t i = 0; i < TLS_PEER_CERTS; i++)
		if (world->certs[i])
			(void)remove(world->certs[i]);
	(void)remove(world->ca);
	(void)remove(world->other_ca);
	(void)remove(world->dir);
	return 0;
}

struct tls_world *tls_world_new(TALLOC_CTX *mem)
{
	struct tls_world *world = MEM_NEW(mem, struct tls_world);
	const char *tmp = getenv("TMPDIR");
	struct identity ca = identity_new("test CA", NULL, NULL, -9 * DAY_S, 9 * DAY_S);
	struct identity other = identity_new("other CA", NULL, NULL, -9 * DAY_S, 9 * DAY_S);

	world->dir = mem_printf(world, "%s/taskferry-tls.XXXXXX", tmp ? tmp : "/tmp");
	must(mkdtemp(world->dir), world->dir);
	world->ca = mem_printf(world, "%s/ca.pem", world->dir);
	world->other_ca = mem_printf(world, "%s/other.pem", world->dir);
	identity_write(&ca, world->ca, false);
	identity_write(&other, world->other_ca, false);
	for (size_t i = 0; i < TLS_PEER_CERTS; i++) {
		struct identity one;

		if (!kinds[i].file)
			continue;
		one = identity_new(kinds[i].file, kinds[i].self_signed ? NULL : &ca, kinds[i].names,
				   kinds[i].from_s, kinds[i].to_s);
		world->certs[i] = mem_printf(world, "%s/%s.pem", world->dir, kinds[i].file);
		identity_write(&one, world->certs[i], true);
		identity_free(&one);
	}
	identity_free(&ca);
	identity_free(&other);
	talloc_set_destructor(world, world_end);
	return world;
}

/* ---- a peer ---- */

struct tls_peer {
	int fd, port;
	enum tls_peer_cert cert;
	enum tls_peer_manner manner;
	SSL_CTX *ctx;
	pthread_t thread;
	pthread_mutex_t lock;
	bool stopping;
	int client; /* -1: none */
};

struct talk {
	struct tls_peer *peer;
	int fd;
	SSL *ssl;
};

static bool is_stopping(struct tls_peer *peer)
{
	bool stopping;

	pthread_mutex_lock(&peer->lock);
	stopping = peer->stopping;
	pthread_mutex_unlock(&peer->lock);
	return stopping;
}

static void nap(int ms)
{
	struct timespec t = { 0, (long)ms * 1000000 };

	nanosleep(&t, NULL);
}

static int get(struct talk *talk, char *bytes, size_t n)
{
	if (talk->ssl)
		return SSL_read(talk->ssl, bytes, (int)n);
	return (int)recv(talk->fd, bytes, n, 0);
}

static bool put(struct talk *talk, const char *bytes, size_t n)
{
	if (talk->ssl)
		return SSL_write(talk->ssl, bytes, (int)n) == (int)n;
	while (n) {
		ssize_t sent = send(talk->fd, bytes, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		bytes += sent;
		n -= (size_t)sent;
	}
	return true;
}

static void echo(struct talk *talk)
{
	char bytes[16384];
	int n;

	while ((n = get(talk, bytes, sizeof bytes)) > 0 && put(talk, bytes, (size_t)n))
		;
}

static void flood(struct talk *talk)
{
	static const char block[16384] = "flood";
	char bytes[16384];
	size_t left = TLS_PEER_FLOOD_BYTES;
	int n;

	for (; left; left -= sizeof block)
		if (!put(talk, block, sizeof block))
			return;
	for (left = TLS_PEER_FLOOD_BYTES; left; left -= (size_t)n)
		if ((n = get(talk, bytes, sizeof bytes < left ? sizeof bytes : left)) <= 0)
			return;
	(void)put(talk, "thanks", 6);
}

static void wait_for_end(struct talk *talk)
{
	struct pollfd fd = { .fd = talk->fd };

	while (!is_stopping(talk->peer) && poll(&fd, 1, TICK_MS) == 0)
		;
}

static void behave(struct talk *talk)
{
	switch (talk->peer->manner) {
	case TLS_PEER_ECHO:
		echo(talk);
		break;
	case TLS_PEER_SILENT:
	case TLS_PEER_DEAF:
		wait_for_end(talk);
		break;
	case TLS_PEER_DRIP:
		while (!is_stopping(talk->peer) && put(talk, "x", 1))
			nap(DRIP_MS);
		break;
	case TLS_PEER_FLOOD:
		flood(talk);
		break;
	case TLS_PEER_CLOSE:
		break;
	}
}

static bool handshake(struct talk *talk)
{
	char line[64];

	if (talk->peer->cert == TLS_PEER_PLAIN || talk->peer->manner == TLS_PEER_SILENT)
		return true;
	if (talk->peer->cert == TLS_PEER_STARTTLS && (recv(talk->fd, line, sizeof line, 0) <= 0 ||
						      send(talk->fd, "go\n", 3, MSG_NOSIGNAL) != 3))
		return false;
	talk->ssl = SSL_new(talk->peer->ctx);
	must(talk->ssl && SSL_set_fd(talk->ssl, talk->fd) == 1, "SSL");
	return SSL_accept(talk->ssl) == 1;
}

static void *peer_loop(void *context)
{
	struct tls_peer *peer = context;
	sigset_t pipe_signal;
	int fd;

	/* OpenSSL's own descriptors raise it; only here, and not in the thread under test */
	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL);
	while ((fd = accept(peer->fd, NULL, NULL)) >= 0) {
		struct talk talk = { .peer = peer, .fd = fd };

		pthread_mutex_lock(&peer->lock);
		peer->client = fd;
		pthread_mutex_unlock(&peer->lock);
		if (!is_stopping(peer) && handshake(&talk))
			behave(&talk);
		pthread_mutex_lock(&peer->lock);
		peer->client = -1;
		pthread_mutex_unlock(&peer->lock);
		SSL_free(talk.ssl);
		close(fd);
	}
	return NULL;
}

static int peer_end(struct tls_peer *peer)
{
	pthread_mutex_lock(&peer->lock);
	peer->stopping = true;
	if (peer->client >= 0)
		shutdown(peer->client, SHUT_RDWR);
	pthread_mutex_unlock(&peer->lock);
	shutdown(peer->fd, SHUT_RDWR);
	pthread_join(peer->thread, NULL);
	close(peer->fd);
	SSL_CTX_free(peer->ctx);
	pthread_mutex_destroy(&peer->lock);
	return 0;
}

static SSL_CTX *ctx_new(const struct tls_world *world, enum tls_peer_cert cert)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	must(ctx && SSL_CTX_use_certificate_file(ctx, world->certs[cert], SSL_FILETYPE_PEM) == 1 &&
		     SSL_CTX_use_PrivateKey_file(ctx, world->certs[cert], SSL_FILETYPE_PEM) == 1,
	     "certificate");
	if (cert == TLS_PEER_OLD) {
		SSL_CTX_set_security_level(ctx, 0);
		must(SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION) == 1 &&
			     SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION) == 1,
		     "TLS 1.1");
	}
	return ctx;
}

struct tls_peer *tls_peer_new(TALLOC_CTX *mem, const struct tls_world *world,
			      enum tls_peer_cert cert, enum tls_peer_manner manner)
{
	struct tls_peer *peer = MEM_NEW(mem, struct tls_peer);
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof at;

	peer->cert = cert;
	peer->manner = manner;
	peer->client = -1;
	if (cert != TLS_PEER_PLAIN)
		peer->ctx = ctx_new(world, cert);
	pthread_mutex_init(&peer->lock, NULL);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	peer->fd = socket(AF_INET, SOCK_STREAM, 0);
	must(peer->fd >= 0 && !bind(peer->fd, (struct sockaddr *)&at, sizeof at) &&
		     !listen(peer->fd, 16) &&
		     !getsockname(peer->fd, (struct sockaddr *)&at, &len) &&
		     !pthread_create(&peer->thread, NULL, peer_loop, peer),
	     "no server");
	peer->port = ntohs(at.sin_port);
	talloc_set_destructor(peer, peer_end);
	return peer;
}

int tls_peer_port(const struct tls_peer *peer)
{
	return peer->port;
}
