/* imap_sweep_kit.h - many folders at once, on any server that has LIST-STATUS. */
#ifndef IMAP_SWEEP_KIT_H
#define IMAP_SWEEP_KIT_H

#include "imap_done_kit.h"

#define SWEPT_MANY 200

/* How many have moved, by how many commands. */
static inline size_t sweep_many(struct lab *lab, struct endpoint_sweep *folders,
				int64_t *commands_r)
{
	int64_t before = endpoint_stats(lab->world.endpoint).requests;
	size_t n = 0;

	for (size_t i = 0; i < SWEPT_MANY; i++)
		folders[i].moved = folders[i].asked = false;
	fine(endpoint_sweep(lab->world.endpoint, lab, folders, SWEPT_MANY), "sweep");
	for (size_t i = 0; i < SWEPT_MANY; i++) {
		cr_assert(folders[i].asked, "%s", folders[i].folder);
		n += folders[i].moved;
	}
	*commands_r = endpoint_stats(lab->world.endpoint).requests - before;
	return n;
}

/* Names as long as people give them, each with its mailbox for done tasks: 19 kB in one command. */
static inline void try_many_folders(int kind)
{
	struct done_lab it = done_lab_new(kind, 0, "many folders");
	struct endpoint_sweep *folders = MEM_ARRAY(it.lab, struct endpoint_sweep, SWEPT_MANY);
	int64_t commands = 0;

	for (size_t i = 0; i < SWEPT_MANY; i++) {
		folders[i].folder = mem_printf(it.lab,
					       "Umbau S\xc3\xbc"
					       "d - Abschnitt %03zu - Los 7 - Bauleitung",
					       i);
		say(it.lab, "CREATE ", folders[i].folder);
		say(it.lab, "CREATE ",
		    mem_printf(it.lab, "%s%sDone", folders[i].folder, kinds[kind].separator));
		folders[i].token = notice(it.lab, folders[i].folder, NULL)->token;
	}
	cr_assert_eq(sweep_many(it.lab, folders, &commands), 0);
	cr_assert_eq(commands, 1, "%lld commands", (long long)commands);
	append_there(it.lab, folders[137].folder, "", NULL, message(it.lab, "uid-1"));
	append_there(it.lab,
		     mem_printf(it.lab, "%s%sDone", folders[199].folder, kinds[kind].separator), "",
		     NULL, message(it.lab, "uid-2"));
	cr_assert_eq(sweep_many(it.lab, folders, &commands), 2);
	cr_assert_eq(commands, 1, "%lld commands", (long long)commands);
	cr_assert(folders[137].moved && folders[199].moved);
	lab_end(it.lab);
}

#endif
