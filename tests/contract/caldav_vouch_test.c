/* caldav_vouch_test.c - which versions are believed without reading back: of a server that keeps texts
 * to the byte, of one that changes them, of one that begins to, of one that changes some. */
#include "config.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/text.h"
#include "liar_drive.h"

#define BATCH 20
#define TRAITS "create-guard=yes replace-guard=yes multiget=yes strong-etag=yes times=yes"

/* The same length, so that the answer is a whole one. */
static char *twist(TALLOC_CTX *mem, const char *answer, const char *from, const char *to)
{
	char *told = mem_strdup(mem, answer);

	for (char *at = told; (at = strstr(at, from)); at += strlen(to))
		memcpy(at, to, strlen(to));
	return told;
}

static char *change_all(TALLOC_CTX *mem, const char *answer)
{
	return twist(mem, answer, "SUMMARY", "SUMMARX");
}

static char *change_lists(TALLOC_CTX *mem, const char *answer)
{
	return twist(mem, answer, "CATEGORIES:a,b", "CATEGORIES:b,a");
}

struct story {
	struct drive drive;
	int serial;
};

static struct story story_new(const char *traits)
{
	struct story story = { .drive = drive_new() };

	endpoint_know(story.drive.endpoint, traits);
	liar_tags(story.drive.liar);
	return story;
}

static void story_end(struct story *story)
{
	talloc_free(story->drive.lab);
	talloc_free(story->drive.liar);
}

static void lie(struct story *story, char *(*how)(TALLOC_CTX *mem, const char *answer))
{
	struct liar_lie told = { .op = CALDAV_OP_MULTIGET, .manner = SCRIPTED_KEEP, .twist = how };

	liar_tell(story->drive.liar, how ? &told : NULL);
}

/* New items, every other one with a list in it. *ASKED_R: requests that read back. Returns how many are
 * believed of those without (0) and with (1) a list. */
static void put_new(struct story *story, size_t believed_r[2], int *asked_r)
{
	struct lab *lab = story->drive.lab;
	struct endpoint_put puts[BATCH] = { 0 };
	int before = liar_asked(story->drive.liar, CALDAV_OP_MULTIGET);

	for (size_t i = 0; i < BATCH; i++) {
		char *uid = mem_printf(lab, "new-%d", story->serial++);

		puts[i].address = endpoint_address(story->drive.endpoint, lab, LIAR_FOLDER, uid);
		puts[i].text = mem_printf(
			lab,
			"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:VTODO\r\n"
			"UID:%s\r\nDTSTAMP:20261121T090000Z\r\nSUMMARY:%s\r\n%s"
			"END:VTODO\r\nEND:VCALENDAR\r\n",
			uid, uid, i % 2 ? "CATEGORIES:a,b\r\n" : "");
		puts[i].len = strlen(puts[i].text);
	}
	cr_assert_null(endpoint_put(story->drive.endpoint, lab, LIAR_FOLDER, puts, BATCH));
	believed_r[0] = believed_r[1] = 0;
	for (size_t i = 0; i < BATCH; i++) {
		cr_assert_null(puts[i].fault, "%s",
			       puts[i].fault ? puts[i].fault->text : "no fault");
		cr_assert_not_null(puts[i].answered);
		believed_r[i % 2] += puts[i].version != NULL;
	}
	*asked_r = liar_asked(story->drive.liar, CALDAV_OP_MULTIGET) - before;
}

static void expect(struct story *story, size_t plain, size_t lists, int asked, const char *what)
{
	size_t believed[2];
	int requests;

	put_new(story, believed, &requests);
	cr_assert_eq(believed[0], plain, "%s: %zu plain ones are believed, expected %zu", what,
		     believed[0], plain);
	cr_assert_eq(believed[1], lists, "%s: %zu with lists are believed, expected %zu", what,
		     believed[1], lists);
	cr_assert_eq(requests, asked, "%s: %d requests that read back, expected %d", what, requests,
		     asked);
}

Test(caldav_vouch, a_server_that_keeps_texts_is_believed_by_samples)
{
	struct story story = story_new(TRAITS);

	expect(&story, BATCH / 2, BATCH / 2, 1, "the first");
	expect(&story, BATCH / 2, BATCH / 2, 1, "the second");
	story_end(&story);
}

Test(caldav_vouch, a_server_that_changes_texts_is_not_believed_nor_asked_again)
{
	struct story story = story_new(TRAITS);

	lie(&story, change_all);
	expect(&story, 0, 0, 1, "the first");
	lie(&story, NULL);
	expect(&story, 0, 0, 0, "the second");
	story_end(&story);
}

Test(caldav_vouch, a_server_that_begins_to_change_texts_is_found_out)
{
	struct story story = story_new(TRAITS);

	expect(&story, BATCH / 2, BATCH / 2, 1, "before");
	lie(&story, change_all);
	expect(&story, 0, 0, 1, "then");
	lie(&story, NULL);
	expect(&story, 0, 0, 0, "afterwards");
	story_end(&story);
}

Test(caldav_vouch, what_a_server_changes_in_some_texts_is_believed_of_the_others)
{
	struct story story = story_new(TRAITS);

	lie(&story, change_lists);
	expect(&story, BATCH / 2, 0, 1, "the first");
	expect(&story, BATCH / 2, 0, 1, "the second");
	story_end(&story);
}

Test(caldav_vouch, versions_that_need_not_stand_for_bytes_are_not_believed)
{
	struct story story = story_new("create-guard=yes multiget=yes times=yes");

	expect(&story, 0, 0, 0, "it is not known whether they are strong");
	story_end(&story);
}

/* Half of its text is somebody else's. */
Test(caldav_vouch, what_was_replaced_is_read_back)
{
	struct story story = story_new(TRAITS);
	struct lab *lab = story.drive.lab;
	struct endpoint_put put = { .address = LIAR_FOLDER "a.ics", .text = drive_b };

	expect(&story, BATCH / 2, BATCH / 2, 1, "new ones");
	put.len = strlen(put.text);
	put.if_version = liar_etag(story.drive.liar, lab, "a.ics");
	cr_assert_null(endpoint_put(story.drive.endpoint, lab, LIAR_FOLDER, &put, 1));
	cr_assert_null(put.fault, "%s", put.fault ? put.fault->text : "");
	cr_assert_null(put.version);
	cr_assert_not_null(put.answered);
	story_end(&story);
}
