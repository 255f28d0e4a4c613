/* imap_done_kit.h - a folder with its mailbox for tasks that are done, for tests of the IMAP endpoint. */
#ifndef TASKFERRY_TESTS_IMAP_DONE_KIT_H
#define TASKFERRY_TESTS_IMAP_DONE_KIT_H

#include "imap_kit.h"

struct done_lab {
	struct lab *lab;
	char *folder, *done; /* mailboxes */
};

static inline struct done_lab done_lab_new(int kind, uint64_t without, const char *name)
{
	struct done_lab it = { .lab = lab_new(kind, 0, "%s %d %d", name, kind, without != 0) };

	it.lab->done_folder = "Done";
	it.lab->world.endpoint = account(it.lab, it.lab->url, "secret", without);
	it.folder = new_folder(it.lab);
	it.done = mem_printf(it.lab, "%s%sDone", it.folder, kinds[kind].separator);
	return it;
}

/* With another connection each time, as another process would. */
static inline struct endpoint_notice *look_anew(struct done_lab *it, uint64_t without,
						const char *token)
{
	it->lab->world.endpoint = account(it->lab, it->lab->url, "secret", without);
	return notice(it->lab, it->folder, token);
}

static inline void move_there(struct done_lab *it, const char *from, const char *to,
			      const char *address)
{
	const char *uid = strrchr(address, '.') + 1;
	struct imap_line *line = imap_line_new(it->lab, "UID COPY ", true);

	select_there(it->lab, from);
	imap_line_add(line, "%s ", uid + strspn(uid, "0"));
	imap_line_mailbox(line, to);
	cr_assert_eq((int)say_line(it->lab, line, NULL, NULL).status, IMAP_OK);
	line = imap_line_new(it->lab, "UID STORE ", true);
	imap_line_add(line, "%s +FLAGS (\\Deleted)", uid + strspn(uid, "0"));
	cr_assert_eq((int)say_line(it->lab, line, NULL, NULL).status, IMAP_OK);
}

static inline const struct endpoint_change *find(const struct endpoint_notice *notice, bool done)
{
	for (size_t i = 0; i < notice->count; i++)
		if ((*notice->changes[i].address == 'd') == done)
			return &notice->changes[i];
	return NULL;
}

static inline struct endpoint_item *fetch_one(struct done_lab *it, const char *address)
{
	struct endpoint_item *items = NULL;

	fine(endpoint_fetch(it->lab->world.endpoint, it->lab, it->folder, &address, 1, &items),
	     address);
	return items;
}

/* Where the message of that id stands now, and the version that a notice lists for it; the one that it
 * replaces is still there. */
static inline struct endpoint_put put_beside(struct done_lab *it, const char *id,
					     const struct endpoint_put *old, const char *marks_add,
					     const char *marks_drop)
{
	struct endpoint_put one = { .text = message(it->lab, id),
				    .marks_add = marks_add,
				    .marks_drop = marks_drop };

	if (old) {
		one.address = old->placed;
		one.if_version = old->version;
	}
	one.len = strlen(one.text);
	fine(endpoint_put(it->lab->world.endpoint, it->lab, it->folder, &one, 1), id);
	fine(one.fault, id);
	return one;
}

/* The same, and that one is removed. */
static inline struct endpoint_put put_marked(struct done_lab *it, const char *id,
					     const struct endpoint_put *old, const char *marks_add,
					     const char *marks_drop)
{
	struct endpoint_put one = put_beside(it, id, old, marks_add, marks_drop);

	if (old)
		fine(drop(it->lab, it->folder, old->placed, one.replaced, one.placed), id);
	return one;
}

#endif
