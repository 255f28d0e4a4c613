/* kind.h - the kinds of server that a world can stand on, and how each of them is reached.
 *
 * A world has one kind, of its server a; a second server (`servers 2`) is always in memory. In
 * memory an item's time is the world's; a real server has a clock of its own, so what it tells of a
 * time is held against the moment of the write and then told in the world's time (kind_real.c). */
#ifndef TASKFERRY_TESTS_KIND_H
#define TASKFERRY_TESTS_KIND_H

#include "base/buf.h"
#include "conf/conf.h"
#include "gateway/endpoint.h"
#include "store/project.h"

struct world;
struct client_item;

/* Where a client of a person works. */
struct kind_account {
	struct endpoint *endpoint;
	const char *folder; /* NULL: there was none yet */
};

struct kind {
	const char *name;
	const char *script;    /* tests/servers/NAME.sh starts one; NULL: none is needed */
	const char *command;   /* by this; NULL: start */
	bool messages;         /* its items are messages (in memory: as the world says) */
	const char *root;      /* of its DAV tree, behind the server's URL; NULL: the URL itself */
	bool adds_users;       /* NAME.sh has the command `add` */
	bool one_of_a_uid;     /* refuses a second item of one UID beside the first */
	const char *const *chosen; /* the scenarios that are played, NULL-terminated; NULL: all */
	size_t required_plays; /* fewer scenarios than that: something is wrong with the list */

	/* Type, address and login of a server, as lines of the ini file. */
	void (*section)(struct world *world, const char *server, struct buf *ini);

	/* What a round works on; good until the next rest(). */
	struct endpoint *(*account)(struct world *world, const struct conf_server *server,
				    const struct resource *person);

	/* What a client works on, beside the rounds. NAME: of the project's folder. */
	struct kind_account (*client)(struct world *world, const char *server,
				      const struct resource *person,
				      const struct endpoint_folder *name);

	/* The folder goes as a whole: what an administrator of the server does. */
	void (*drop_folder)(struct world *world, const char *server, const struct resource *person,
			    const char *folder);

	/* Flags of messages: what a mail client gives and takes away; and moving one into the
	 * sub-folder for what is done (or back), or copying. NULL: it has none. */
	void (*flag)(struct world *world, const struct resource *person,
		     const struct client_item *item, const char *flags, bool set);
	const char *(*flags)(struct world *world, const struct resource *person,
			     const struct client_item *item);
	void (*file)(struct world *world, const struct resource *person, const char *folder,
		     const struct client_item *item, bool done, bool keep);

	/* A fault happens to the N-th item of that operation from now (gateway/memory/memory.h); on
	 * a real server, of rounds. */
	void (*order)(struct world *world, const char *operation, int64_t from_now,
		      const char *word);

	/* How many items rounds have written or removed there, and folders made. */
	int64_t (*writes)(struct world *world, const char *server);

	/* A `sync` has ended; what its rounds were connected with goes. Returns how many requests
	 * that write its rounds have sent; 0 where nobody counts them. */
	int64_t (*rest)(struct world *world);
};

extern const struct kind kind_memory, kind_radicale, kind_dovecot, kind_cyrus, kind_davical,
	kind_xandikos, kind_sogo, kind_cyrus_imap, kind_courier;

/* Of a server of the world. */
const struct kind *kind_of(const struct world *world, const char *server);

/* Puts a world, before it is opened, on a real server: the one at URL, as one of its accounts
 * (below KIND_REAL_WORLDS) for each person. */
void kind_real_use(struct world *world, const struct kind *kind, const char *url, size_t number);

#define KIND_REAL_WORLDS 200

/* Adds the logins of all these worlds to the server that was started in DIR; before the first of
 * them logs in. */
bool kind_real_add_users(const struct kind *kind, const char *dir);

/* Of those who have an account, the ones that TEXT names, as logins of world NUMBER: a line each. */
void kind_real_name_users(const char *text, size_t number, struct buf *lines);

/* Ends what the world is connected with; NULL is allowed. */
void kind_real_end(struct world *world);

#endif
