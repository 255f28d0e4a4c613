#include "config.h"

#include "liar_drive.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/text.h"

#define MADE_MAX 50 /* names of items that are made: then they come again */

const char drive_a[] = "BEGIN:VCALENDAR\r\nX-NAME:a & <b>\r\nEND:VCALENDAR\r\n";
const char drive_b[] = "BEGIN:VCALENDAR\r\nX-NAME:b\r\nEND:VCALENDAR\r\n";

struct drive drive_new(void)
{
	struct liar *liar = liar_new(NULL);
	struct drive drive = { .liar = liar };

	liar_set(liar, "a.ics", drive_a);
	liar_set(liar, "b.ics", drive_b);
	liar_set(liar, "c.ics", "C");
	drive.lab = lab_new(liar_reply, liar);
	drive.endpoint = lab_account(drive.lab, "/");
	return drive;
}

/* ---- reading ---- */

static void expect_true(const struct drive *drive, const struct endpoint_notice *notice)
{
	size_t there = 0;

	for (size_t i = 0; i < notice->count; i++) {
		const struct endpoint_change *change = &notice->changes[i];
		const char *name = change->address + strlen(LIAR_FOLDER);
		char *etag = liar_etag(drive->liar, drive->lab, name);

		cr_assert(text_starts(change->address, LIAR_FOLDER), "%s", change->address);
		cr_assert_eq(change->removed, etag == NULL, "%s", name);
		cr_assert(!etag || !strcmp(etag, change->version), "%s: %s, told as %s", name, etag,
			  change->version);
		there += etag != NULL;
	}
	cr_assert(!notice->full || there == liar_count(drive->liar), "%zu of %zu told", there,
		  liar_count(drive->liar));
}

static struct fault *look(struct drive *drive, const char *token)
{
	struct endpoint_notice *notice = NULL;

	FAULT_TRY(endpoint_notice(drive->endpoint, drive->lab, LIAR_FOLDER, token, &notice));
	cr_assert_not_null(notice);
	expect_true(drive, notice);
	drive->token = notice->token;
	return NULL;
}

static struct fault *fetch(struct drive *drive, const char *const *names, size_t count)
{
	const char **addresses = MEM_ARRAY(drive->lab, const char *, count);
	struct endpoint_item *items = NULL;

	for (size_t i = 0; i < count; i++)
		addresses[i] = mem_printf(drive->lab, LIAR_FOLDER "%s", names[i]);
	FAULT_TRY(
		endpoint_fetch(drive->endpoint, drive->lab, LIAR_FOLDER, addresses, count, &items));
	for (size_t i = 0; i < count; i++) {
		char *text = liar_text(drive->liar, drive->lab, names[i]);

		if (items[i].fault)
			return items[i].fault;
		cr_assert(text && !strcmp(text, items[i].text), "%s: holds %s, told %s", names[i],
			  text ? text : "nothing", items[i].text);
		cr_assert_str_eq(items[i].version, liar_etag(drive->liar, drive->lab, names[i]));
	}
	return NULL;
}

/* ---- writing ---- */

static struct fault *put(struct drive *drive, const char *name, const char *if_version)
{
	struct endpoint_put put = { .address = mem_printf(drive->lab, LIAR_FOLDER "%s", name),
				    .text = drive_b,
				    .len = strlen(drive_b),
				    .if_version = if_version };

	FAULT_TRY(endpoint_put(drive->endpoint, drive->lab, LIAR_FOLDER, &put, 1));
	cr_assert_null(put.version, "vouched for");
	return put.fault;
}

static struct fault *take_away(struct drive *drive, const char *name)
{
	struct endpoint_remove one = { .address = mem_printf(drive->lab, LIAR_FOLDER "%s", name),
				       .if_version = liar_etag(drive->liar, drive->lab, name) };

	FAULT_TRY(endpoint_remove(drive->endpoint, drive->lab, LIAR_FOLDER, &one, 1));
	return one.fault;
}

static struct fault *ensure(struct drive *drive)
{
	struct endpoint_folder folder = { .path = "p", .display = "P" };
	struct endpoint *endpoint = lab_account(drive->lab, "/"); /* names are tried once by each */
	char *address = NULL;
	bool created = false;

	FAULT_TRY(endpoint_ensure(endpoint, drive->lab, &folder, NULL, &address, &created));
	cr_assert_str_eq(address, LIAR_FOLDER);
	return NULL;
}

static struct fault *make_folder(struct drive *drive)
{
	liar_folder(drive->liar, false);
	return ensure(drive);
}

static struct fault *name_folder(struct drive *drive)
{
	liar_folder(drive->liar, true);
	liar_unname(drive->liar);
	return ensure(drive);
}

bool drive_can(enum caldav_op op)
{
	return op != CALDAV_OP_OPTIONS && op != CALDAV_OP_ATTACH && op != CALDAV_OP_OTHER;
}

struct fault *drive_once(struct drive *drive, enum caldav_op op)
{
	static const char *const both[] = { "a.ics", "b.ics" }, *const none[] = { "none.ics" };
	char *made = mem_printf(drive->lab, "n%d.ics", drive->serial++ % MADE_MAX);

	switch (op) {
	case CALDAV_OP_LOOK:
	case CALDAV_OP_LIST:
		return look(drive, "c:of-old");
	case CALDAV_OP_START:
		return look(drive, NULL);
	case CALDAV_OP_CHANGES:
		return look(drive, "s:t1");
	case CALDAV_OP_MULTIGET:
		return fetch(drive, both, COUNT_OF(both));
	case CALDAV_OP_GET:
		return fetch(drive, none, COUNT_OF(none));
	case CALDAV_OP_CREATE:
		liar_set(drive->liar, made, NULL);
		return put(drive, made, NULL);
	case CALDAV_OP_REPLACE:
		return put(drive, "b.ics", liar_etag(drive->liar, drive->lab, "b.ics"));
	case CALDAV_OP_REMOVE:
		liar_set(drive->liar, made, drive_a);
		return take_away(drive, made);
	case CALDAV_OP_MKCALENDAR:
	case CALDAV_OP_MKCOL:
		return make_folder(drive);
	case CALDAV_OP_NAME:
		return name_folder(drive);
	default:
		cr_assert_fail("%s is not driven", caldav_op_words(op));
	}
	return NULL;
}
