/* homes.h - where accounts have their folders, remembered; and that no two share one.
 *
 * Two accounts with the same home would put two people's items into one folder, and each would find
 * the other's there as foreign. That happens by the same login for both, by a `home` without names
 * in it, by two addresses of one person, by two [server] sections for one server. The second is
 * held. A name that a server has beside the one that was used is not known as the same.
 */
#ifndef TASKFERRY_HOMES_H
#define TASKFERRY_HOMES_H

#include "conf/conf.h"
#include "gateway/endpoint.h"
#include "store/store.h"

/* What is remembered for an account; *PLACE_R NULL: nothing. */
struct fault *homes_load(struct store *store, TALLOC_CTX *mem, int64_t account,
			 struct endpoint_place **place_r) ATTR_MUST_CHECK;

/* "SERVER/RESOURCE" of an account that still gets items; *NAME_R NULL: the configuration has it no
 * more. */
struct fault *homes_account(struct store *store, TALLOC_CTX *mem, const struct conf *conf,
			    int64_t account, const char **name_r) ATTR_MUST_CHECK;

/* Remembers it, in a transaction of its own; nothing is written when nothing changes. CONFIG fault of
 * the account, held: another account of the configuration has this home; then nothing is
 * remembered. */
struct fault *homes_keep(struct store *store, TALLOC_CTX *mem, const struct conf *conf,
			 int64_t account, const struct endpoint_place *place) ATTR_MUST_CHECK;

/* The same in the caller's write transaction, and without the question: it is the account's already. */
struct fault *homes_renew(struct store *store, int64_t account,
			  const struct endpoint_place *place) ATTR_MUST_CHECK;

#endif
