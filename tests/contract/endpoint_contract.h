/* endpoint_contract.h - what every kind of endpoint must do, as test bodies that run over any of
 * them.
 *
 * A program makes a world and calls the bodies, each in a test of its own:
 *
 *     #define X(name) Test(memory_contract, name) { struct contract_world *w = make(#name);
 * endpoint_contract_##name(w); } ENDPOINT_CONTRACT(X) #undef X
 */
#ifndef TASKFERRY_ENDPOINT_CONTRACT_H
#define TASKFERRY_ENDPOINT_CONTRACT_H

#include <stdint.h>

#include "gateway/endpoint.h"

struct contract_world {
	TALLOC_CTX *mem;
	struct endpoint *endpoint;
	const char *path; /* of the folder that this test may use: nothing else has ever used it */
	const char *unknown_token; /* one that the endpoint has never given, in its own form */
	/* How many requests or steps that write the server has seen so far. */
	int64_t (*writes)(struct contract_world *world);
	/* Takes the folder away behind the endpoint's back. */
	void (*drop_folder)(struct contract_world *world, const char *folder);
	/* Whether GOT is what a server may make of PUT (order of properties, folding). NULL: to the
	 * letter. */
	/* A token may stand for a moment: what was told already may be told again, as it was. */
	bool repeats;
	/* An unknown token brings a full listing, which says so. */
	bool lists_for_unknown;
	/* A failing put into a folder that is not there makes the folder. */
	bool makes_folders;
	bool (*same_text)(const char *put, const char *got);
	void *own; /* the program's */
};

#define ENDPOINT_CONTRACT(X)                                                                       \
	X(ensure_creates_once)                                                                     \
	X(ensure_repeated_writes_nothing)                                                          \
	X(ensure_renames_and_keeps_items)                                                          \
	X(empty_folder_is_a_full_listing)                                                          \
	X(create_twice_is_refused)                                                                 \
	X(replace_on_its_version)                                                                  \
	X(replace_stale_is_refused)                                                                \
	X(replace_of_missing_is_refused)                                                           \
	X(fetch_keeps_order_and_tells_gone)                                                        \
	X(fetch_nothing)                                                                           \
	X(delta_shows_exactly_the_changes)                                                         \
	X(deltas_follow_each_other)                                                                \
	X(token_again_shows_nothing)                                                               \
	X(advanced_token_forgets_nobody)                                                           \
	X(doubted_token_tells_what_came_and_went)                                                  \
	X(unknown_token_is_told)                                                                   \
	X(folder_gone_is_not_empty)                                                                \
	X(remove_on_its_version)                                                                   \
	X(remove_stale_is_refused)                                                                 \
	X(one_bad_item_stops_no_other)                                                             \
	X(many_items)                                                                              \
	X(many_are_replaced_and_removed)                                                           \
	X(awkward_text_survives)                                                                   \
	X(whole_folder_only_where_nothing_stands)

#define X(name) void endpoint_contract_##name(struct contract_world *world);
ENDPOINT_CONTRACT(X)
#undef X

#endif
