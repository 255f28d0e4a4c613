/* tls_peer.h - servers on loopback, plain or with certificates of every kind, that behave as told. */
#ifndef TASKFERRY_TLS_PEER_H
#define TASKFERRY_TLS_PEER_H

#include <stddef.h>

#include "base/mem.h"

enum tls_peer_cert {
	TLS_PEER_PLAIN,      /* no TLS at all */
	TLS_PEER_GOOD,       /* for localhost and 127.0.0.1, by the CA */
	TLS_PEER_WRONG_HOST, /* for other.example */
	TLS_PEER_EXPIRED,
	TLS_PEER_FUTURE,
	TLS_PEER_SELF_SIGNED,
	TLS_PEER_OLD,      /* a good certificate, TLS 1.1 at most */
	TLS_PEER_STARTTLS, /* good; plain until a line has come */
	TLS_PEER_CERTS
};

enum tls_peer_manner {
	TLS_PEER_ECHO,
	TLS_PEER_SILENT, /* takes the connection and nothing else, no handshake either */
	TLS_PEER_DEAF,   /* the handshake, and then nothing */
	TLS_PEER_DRIP,   /* a byte every 20 ms */
	TLS_PEER_FLOOD,  /* writes TLS_PEER_FLOOD_BYTES, then reads as many */
	TLS_PEER_CLOSE,  /* takes the connection, or ends the handshake, and closes */
};

#define TLS_PEER_FLOOD_BYTES ((size_t)8 << 20) /* more than all buffers on the way */

/* A directory with certificates; removed when freed. */
struct tls_world {
	char *dir;
	char *ca, *other_ca;         /* files */
	char *certs[TLS_PEER_CERTS]; /* files, each with its key */
};

struct tls_world *tls_world_new(TALLOC_CTX *mem);

struct tls_peer;

/* One thread, one client at a time. Freeing ends it. WORLD outlives it. */
struct tls_peer *tls_peer_new(TALLOC_CTX *mem, const struct tls_world *world,
			      enum tls_peer_cert cert, enum tls_peer_manner manner);
int tls_peer_port(const struct tls_peer *peer);

#endif
