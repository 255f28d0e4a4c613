#include "config.h"

#include "gateway/caldav/caldav_traits.h"

#include <string.h>

#include "base/buf.h"

/* What traits mean to those who read `doctor` and the log. */

#define ASKED_LATER "Not known yet; the careful way is taken."

static const struct caldav_trait_words words[] = {
	[CALDAV_TRAIT_CREATE_GUARD] = { "creating on a condition",
					"What exists already is never overwritten by a new item.",
					"The server overwrites what exists; each place is looked "
					"at before an item is made there.",
					"Each place is looked at before an item is made there.",
					true },
	[CALDAV_TRAIT_REPLACE_GUARD] = { "replacing on a condition",
					 "What a person changed meanwhile is never overwritten.",
					 "The server replaces whatever the condition; each item is "
					 "looked at before it is written, "
					 "and its text kept; an edit in that very moment can be "
					 "lost.",
					 "Each item is looked at before it is written.", true },
	[CALDAV_TRAIT_REMOVE_GUARD] = { "removing on a condition",
					"What a person changed meanwhile is never removed.",
					"The server removes whatever the condition; each item is "
					"looked at before it is removed; an "
					"edit in that very moment can be lost.",
					"Each item is looked at before it is removed.", true },
	[CALDAV_TRAIT_STRONG_ETAG] = { "strong versions",
				       "The answer to a write names the version that is then read.",
				       "What is written is read back to learn its version.",
				       "What is written is read back to learn its version.",
				       false },
	[CALDAV_TRAIT_FINE_ETAG] = { "versions of one second",
				     "Two writes within a second have different versions.",
				     "Two writes within a second look the same: an edit in the "
				     "very second of a write of ours is "
				     "seen at the daily comparison only.",
				     ASKED_LATER, true },
	[CALDAV_TRAIT_KEEPS_BYTES] = { "keeps text",
				       "Items are kept as they were written, to the letter.",
				       "The server writes items anew in its own way, so what is "
				       "written is read back.",
				       "What is written is read back.", false },
	[CALDAV_TRAIT_SYNC] = { "sync-collection", "Only what changed is listed.",
				"The whole folder is listed whenever something in it may have "
				"changed.",
				"It is tried with the first folder.", false },
	[CALDAV_TRAIT_SYNC_DATA] = { "items in lists of changes",
				     "Changed items come along with the list of changes.",
				     "Changed items are fetched by a request of their own.",
				     "Changed items are fetched by a request of their own.",
				     false },
	[CALDAV_TRAIT_TOKEN_REFUSED] = { "forgotten tokens are refused",
					 "A server that was restored from a backup says so, and "
					 "everything is compared.",
					 "A server that has forgotten its past lists everything "
					 "without saying so; what vanished is "
					 "found by the daily comparison.",
					 ASKED_LATER, false },
	[CALDAV_TRAIT_PAGES] = { "lists in pages", "Long lists come in pages.",
				 "Long lists come in one piece.", "Long lists may come in pages.",
				 false },
	[CALDAV_TRAIT_CTAG] = { "ctag", "An unchanged folder costs one small request.",
				"The mark of a folder does not move with each change, so it is not "
				"relied upon.",
				"The mark of a folder is not relied upon.", false },
	[CALDAV_TRAIT_MULTIGET] = { "items by multiget", "Many items are fetched by one request.",
				    "Each item is fetched by a request of its own.",
				    "It is tried with the first items.", false },
	[CALDAV_TRAIT_COMPONENTS] = { "folders for tasks only",
				      "Calendar programs see that a folder takes tasks only.",
				      "Calendar programs may show a folder among the calendars for "
				      "events.",
				      "It is not known whether a folder is marked as one for "
				      "tasks.",
				      false },
	[CALDAV_TRAIT_ONE_UID] = { "one item of a UID in a folder",
				   "A second item of the same UID is refused.",
				   "A copy that keeps its UID is possible; it is found by its "
				   "edition.",
				   "It is not known whether a copy that keeps its UID is possible.",
				   false },
	[CALDAV_TRAIT_ONE_UID_HOME] = { "one item of a UID in an account",
					"The same item cannot stand in two of a person's folders.",
					"A copy in another folder is possible.",
					"It is not known whether a copy in another folder is "
					"possible.",
					false },
	[CALDAV_TRAIT_MOVE] = { "moving", "Items can be moved in one step.",
				"Items cannot be moved in one step.",
				"Items are not moved in one step.", false },
	[CALDAV_TRAIT_MANAGED] = { "managed attachments",
				   "Files are kept by the server and not sent with every change.",
				   "Files stand in the items themselves, up to the configured "
				   "size.",
				   "Files stand in the items themselves, up to the configured "
				   "size.",
				   false },
	[CALDAV_TRAIT_WHOLE_PUT] = { "a folder in one request",
				     "A new folder is filled by one request.",
				     "A new folder is filled item by item.",
				     "A new folder is filled item by item.", false },
	[CALDAV_TRAIT_PRIVILEGES] = { "tells privileges", "The server says what an account may do.",
				      "The server does not say what an account may do; a refused "
				      "request shows it.",
				      "A refused request shows what an account may not do.",
				      false },
	[CALDAV_TRAIT_KEEPS_OPEN] = { "connections stay open",
				      "One connection serves many requests.",
				      "Every request needs a connection of its own, which takes "
				      "time.",
				      "It is not known how long connections last.", false },
	[CALDAV_TRAIT_TIMES] = { "times of changes", "It is known when a person changed an item.",
				 "When an item was changed is asked item by item.",
				 "When an item was changed is asked item by item.", false },
	[CALDAV_TRAIT_KEEPS_LINES] = { "keeps content",
				       "Items are kept as they were written, but for order and "
				       "line breaks.",
				       "The server adds to items, or leaves something out.",
				       "What is written is read back.", false },
};
_Static_assert(COUNT_OF(words) == CALDAV_TRAITS, "words for every trait");

const struct caldav_trait_words *caldav_trait_words(enum caldav_trait trait)
{
	return &words[trait];
}

char *caldav_traits_difference(TALLOC_CTX *mem, const struct caldav_traits *before,
			       const struct caldav_traits *after)
{
	struct buf *out = buf_new(mem);

	for (size_t i = 0; i < CALDAV_TRAITS; i++) {
		enum caldav_answer was = before->answer[i], is = after->answer[i];

		if (was == is || was == CALDAV_UNKNOWN || is == CALDAV_UNKNOWN)
			continue;
		buf_printf(out, "%s%s: %s (was %s)", out->len ? "; " : "", words[i].label,
			   caldav_answer_name(is), caldav_answer_name(was));
	}
	if (*before->product && *after->product && strcmp(before->product, after->product))
		buf_printf(out, "%sit calls itself %s (was %s)", out->len ? "; " : "",
			   after->product, before->product);
	if (out->len)
		return buf_steal(&out, mem, NULL);
	talloc_free(out);
	return NULL;
}
