/* history_model_private.h - what the model remembers. */
#ifndef TASKFERRY_TESTS_HISTORY_MODEL_PRIVATE_H
#define TASKFERRY_TESTS_HISTORY_MODEL_PRIVATE_H

#include "base/buf.h"
#include "history_model.h"

/* What is decided as one, and predicted as one. */
enum part { PART_REPORT, PART_NOTES, PART_DUE, PART_PRIORITY, PART_TITLE, PARTS };

enum hand { NOBODY, PERSON, MANAGER };

/* What the project is to say of a part after the next quiet sync. */
struct forecast {
	bool known;
	enum hand by;
	bool theirs;  /* the person wrote, too, since */
	bool settled; /* a quiet sync has passed since */
	int64_t at_us;
	bool done;        /* of a report */
	const char *text; /* a report's percentage, or NULL: open, not known how far */
};

enum claim_kind { CLAIM_VALUE, CLAIM_DONE, CLAIM_OPEN };

struct claim {
	enum claim_kind kind;
	enum said what;
	const char *text;
	int64_t change, revision; /* what it must be newer than */
	bool proposal;            /* a revision may be older: it is not written twice */
	const char *when;
	struct claim *next;
};

struct row {
	const char *who, *title;
	struct forecast forecast[PARTS];
	struct { /* what both sides said after the last quiet sync */
		bool known, done;
		const char *text;
	} agreed[PARTS];
	struct claim *claims;
	struct buf *written[SAIDS]; /* "\n" VALUE "\n" ...: all that anybody wrote */
	const char *invented;       /* such a number, the last */
	char **foreign;             /* before the sync */
	size_t foreign_count;
	int64_t person_us;  /* when its person last wrote to the item, any part */
	int64_t deleted_us; /* by its person, since a sync last met it; 0: it is there */
	bool declined;      /* after the last sync */
	bool stood;
	enum { HALF_NONE, HALF_TODO, HALF_CARD } half; /* of a message, not read yet */
	bool touched[PARTS];                           /* by the person, since a quiet sync */
	bool copied; /* the item stands there twice, or under another UID */
	char **work; /* lines of it that the person wrote into the notes */
	size_t work_count;
	bool adopting; /* until a quiet sync the item's report may count as the person's (M6) */
	const char *planned[PARTS]; /* as last imported */
};

/* A person's items as they stand while the model looks. */
struct shelf {
	const char *who;
	struct client_item *items;
	size_t count;
};

struct history_model {
	TALLOC_CTX *mem;
	struct shelf shelves[4];
	int64_t shelved; /* the server's newest version then */
	struct world *world;
	struct row *rows;
	size_t count;
	int64_t latest_us; /* the latest time that the clock ever showed */
};

#endif
