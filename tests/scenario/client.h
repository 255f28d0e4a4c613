/* client.h - a task client of a person: knows items by their titles, and nothing of taskferry. */
#ifndef TASKFERRY_TESTS_CLIENT_H
#define TASKFERRY_TESTS_CLIENT_H

#include "world.h"

struct client_item {
	const char *address, *version;
	char *text;       /* of its to-do: unfolded, LF */
	const char *raw;  /* as the server holds it */
	const char *card; /* of a message, or NULL */
	const char *marks; /* of a message */
};

/* WHO is "ana" (on server a) or "ana@b". The item of that title, or NULL. */
struct client_item *client_find(struct world *world, const char *who, const char *title);
size_t client_count(struct world *world, const char *who);

/* Edits the item of that title: `|` between properties; `NAME:value` or `NAME;PARAM:value` replaces
 * all lines of the name, `NAME` alone removes them, `NOTES:text` writes above whatever the
 * description holds, `+NAME:value` adds a line, or several (`\n` is a line end). */
void client_edit(struct world *world, const char *who, const char *title, const char *properties);

/* Reads an item and keeps it; later edits what was kept and writes the whole of it, whatever stands
 * there meanwhile (`-` as PROPERTIES: without an edit). */
void client_keep(struct world *world, const char *who, const char *title);
void client_edit_kept(struct world *world, const char *who, const char *properties);
/* The same by a client that builds the to-do from nothing: of what it does not know (X- properties,
 * alarms, categories, relations, the estimate) nothing is left. */
void client_rebuild(struct world *world, const char *who, const char *title,
		    const char *properties);

/* A client that keeps a copy (CLIENT is its name) and, when it writes, puts the whole of it over
 * whatever stands there, without a condition. client_stale() edits its copy; false: it has none. */
struct client_copy {
	const char *client, *who, *title;
	char *text; /* unfolded, LF */
	const char *address;
};
void client_remember(struct world *world, const char *client, const char *who, const char *title);
bool client_stale(struct world *world, const char *client, const char *who, const char *title,
		  const char *properties);

/* All items of an account's folder of the project; none where there is no folder. */
size_t client_list(struct world *world, const char *who, struct client_item **items_r);

/* Edits the card of the message of that title in place, as a mail client does: `|` between lines;
 * `Key: value` replaces the line of that key, `-Key` removes it, `+text` is a new line above the
 * trailer. The edited message is a new one, and the old one is removed. */
void client_card(struct world *world, const char *who, const char *title, const char *lines);

/* Writes ITEM's to-do anew as TEXT (unfolded, LF). */
void client_write(struct world *world, const char *who, const struct client_item *item,
		  const char *text);

/* Adds a part (header and body, CR LF) to the message of that title, or removes the one of the file
 * of that name, in place as above. */
void client_add_part(struct world *world, const char *who, const char *title, const char *part);
void client_remove_part(struct world *world, const char *who, const char *title, const char *name);

/* The same as client_card(), but the old message stays (its client was not done). */
void client_card_beside(struct world *world, const char *who, const char *title, const char *lines);

/* Puts a text (`\n` is a line end) under a name, new or over what is there. */
void client_put(struct world *world, const char *who, const char *name, const char *text);

/* A new task below the item of that title, under its own name, with these properties as above. */
void client_child(struct world *world, const char *who, const char *title, const char *name,
		  const char *properties);

/* Overwrites an item's text; removes an item, or all. */
void client_overwrite(struct world *world, const char *who, const char *title, const char *text);

/* The whole content of one item over another, which keeps its UID only. */
void client_copy_over(struct world *world, const char *who, const char *title, const char *source);
void client_delete(struct world *world, const char *who, const char *title);
void client_delete_all(struct world *world, const char *who);
void client_delete_folder(struct world *world, const char *who);

/* Puts the item that was deleted last back to where it stood. */
void client_undelete(struct world *world, const char *who);

/* The same text under another name; the old one stays, or is removed afterwards. */
void client_copy(struct world *world, const char *who, const char *title, const char *name);
void client_move(struct world *world, const char *who, const char *title, const char *name);

/* Makes a new item of the same content with another UID, with or without what is ours on it, and
 * removes the old one. */
void client_recreate(struct world *world, const char *who, const char *title, const char *uid,
		     bool unmarked);

/* Moves an item between the folders of the two projects: into the other one, or back. */
void client_move_away(struct world *world, const char *who, const char *title, bool back);

/* A mail client: gives flags (blank-separated) to the message of that title or takes them away; moves it into the sub-folder for what is done or back, or copies it there (KEEP). */
void client_flag(struct world *world, const char *who, const char *title, const char *flags,
		 bool set);
bool client_has_read(struct world *world, const char *who, const struct client_item *item);
void client_file(struct world *world, const char *who, const char *title, bool done, bool keep);

/* The address of the person's folder of the project. */
const char *client_folder(struct world *world, const char *who);

/* True when the item has that line (`NAME:value`), a line beginning with it (`NAME~value`:
 * containing), or none of the name (`!NAME`). */
bool client_has(const struct client_item *item, const char *property);

#endif
