#include "config.h"

#include "model/writer.h"

#include <string.h>

#include "base/attr.h"

#define F(field) WRITER_BIT(FIELD_##field)

/* The tick: a program that does not know of it is no task client. */
#define TICK (F(status) | F(completed_at))
/* Who shows attachments lets people remove them. */
#define FILES F(attachments)
/* What nearly every task client shows and edits. */
#define CORE (F(start) | F(due) | F(priority) | F(categories) | F(notes) | F(percent) | TICK)

/* The PRODIDs of 2Do and of Outlook CalDav Synchronizer were not seen in a sample; should they be
 * others, the last rows hold. */
const struct writer writer_table[] = {
	{ "Thunderbird", { "Mozilla" }, .clears = CORE | FILES },
	{ "Nextcloud Tasks",
	  { "Nextcloud" },
	  .clears = CORE,
	  .started = 1,
	  .reopened = 99,
	  .keeps_prodid = true,
	  .rolls_up = true },
	{ "jtx Board", { "techbee.jtx" }, .clears = CORE | FILES, .started = 1, .rolls_up = true },
	{ "OpenTasks", { "OpenTasks", "org.dmfs" }, .clears = CORE, .reopened = 50 },
	{ "Tasks.org", { "tasks.org", "org.tasks" }, .clears = CORE, .rolls_up = true },
	{ "DAVx5", { "DAVx5" }, .clears = CORE },
	{ "Apple Reminders",
	  { "Apple" },
	  .clears = F(due) | F(priority) | F(notes) | TICK,
	  .start_is_due = true },
	{ "Evolution, Endeavour",
	  { "Evolution" },
	  .clears = CORE | F(total_work) | FILES,
	  .started = 50,
	  .reopened = 50 },
	{ "KOrganizer", { "K Desktop", "KOrganizer" }, .clears = CORE | FILES },
	{ "todoman", { "todoman" }, .clears = CORE, .keeps_prodid = true },
	{ "2Do", { "2Do", "Guided Ways" }, .clears = CORE & ~(F(percent) | F(start)) },
	{ "Errands", { "Errands" }, .clears = CORE, .keeps_prodid = true },
	{ "Outlook CalDav Synchronizer",
	  { "CalDavSynchronizer", "CalDav Synchronizer" },
	  .clears = CORE },
	{ "DavMail", { "davmail" }, .clears = CORE },
	{ "Roundcube", { "Roundcube" }, .clears = CORE & ~F(completed_at) },
	{ "eM Client", { "MailClient.VObject" }, .clears = CORE },
	{ "Synology", { "Synology" }, .clears = CORE },
	{ "Vikunja", { "Vikunja" }, .clears = CORE & ~F(percent) },
	/* who leaves our PRODID on an item has edited it in place */
	{ "any other that keeps the PRODID of taskferry",
	  { "taskferry//taskferry" },
	  .clears = CORE | FILES },
	{ "any other that keeps the edition", { NULL }, .clears = CORE | FILES },
	{ "any other", { NULL }, .clears = TICK },
};
const size_t writer_count = COUNT_OF(writer_table);

static bool is_of(const struct writer *writer, const char *prodid)
{
	for (size_t i = 0; i < WRITER_PARTS_MAX && writer->prodid[i]; i++)
		if (strstr(prodid, writer->prodid[i]))
			return true;
	return false;
}

const struct writer *writer_find(const char *prodid, bool edited_in_place)
{
	for (size_t i = 0; prodid && i < writer_count; i++)
		if (is_of(&writer_table[i], prodid))
			return &writer_table[i];
	return &writer_table[writer_count - (edited_in_place ? 2 : 1)];
}

bool writer_clears(const struct writer *writer, enum field field)
{
	return writer->clears & WRITER_BIT(field);
}

bool writer_invents(const struct writer *writer, int64_t percent, bool reopened)
{
	for (size_t i = 0; i < writer_count; i++) {
		const struct writer *row = &writer_table[i];

		if (row != writer && !row->keeps_prodid)
			continue;
		if (row->started && row->started == percent)
			return true;
		if (reopened && row->reopened && row->reopened == percent)
			return true;
	}
	return percent == 0;
}
