/* delivery.h - who has an account where, and how it is reached. */
#ifndef TASKFERRY_DELIVERY_H
#define TASKFERRY_DELIVERY_H

#include "conf/conf.h"
#include "gateway/endpoint.h"
#include "gateway/net/http.h"
#include "gateway/net/stream.h"
#include "store/link.h"
#include "store/project.h"

/* The servers that a person's items go to, in file order: the first that has them, and every one
 * with `deliver = all` (N2). Pure. At most as many as CONF has; returns the number. */
size_t delivery_servers(const struct conf *conf, const struct resource *resource,
			const struct conf_server **servers_r);

/* True when the server of that name is one of them. */
bool delivery_has(const struct conf *conf, const struct resource *resource, const char *server);

/* Ids of a person's accounts on these servers, made where they are not known yet; in the caller's
 * write transaction. *COUNT_R 0: nowhere. */
struct fault *delivery_accounts(TALLOC_CTX *mem, const struct conf *conf, struct store *store,
				const struct resource *resource, int64_t **accounts_r,
				size_t *count_r) ATTR_MUST_CHECK;

/* The endpoint of a person's account on a server. Runs the password command. LOGIN or CONFIG fault
 * when no password or login can be made; nothing is sent yet. */
struct delivery {
	struct http *http;
	struct clock *clock;
	struct points *points;
	const struct conf *conf;
	struct trusts *trusts;
	const struct endpoint_place *place; /* what is remembered of this account, or NULL */
	int stop_fd;  /* readable: network waits end with TRY_LATER; -1: none */
	bool replies; /* set by delivery_replies() */
};
struct fault *delivery_endpoint(TALLOC_CTX *mem, const struct delivery *delivery,
				const struct conf_server *server, const struct resource *resource,
				struct endpoint **endpoint_r) ATTR_MUST_CHECK;

/* The endpoint of the mailbox with replies, and the secret of their addresses ([replies], which there is);
 * the same faults. */
struct fault *delivery_replies(TALLOC_CTX *mem, const struct delivery *delivery,
			       struct endpoint **endpoint_r) ATTR_MUST_CHECK;
struct fault *delivery_reply_secret(TALLOC_CTX *mem, const struct conf *conf,
				    struct secret **secret_r) ATTR_MUST_CHECK;

#endif
