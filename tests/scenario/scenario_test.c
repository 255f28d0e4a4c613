/* scenario_test.c - runs the *.scenario files beside it: what people do, and what must be true afterwards;
 * over servers in memory, and (radicale_test, dovecot_test) over real ones.
 *
 * takes: 20
 * timeout: 400
 *
 *     # messages: ...; # servers: ...                where it is not played, and why (plays.h)
 *     # a comment                                    words with blanks stand in "..."; WHO is ana, or ana@b on server b
 *     conf site|server|rights|gestures KEY = VALUE            a line of the ini file, before anything else
 *     conf rule NAME / conf rule KEY = VALUE         likewise
 *     replies                                        server a has a mailbox that messages are answered to
 *     servers managed                                server a keeps files beside items (in memory only)
 *     servers 2                                      servers a and b instead of a alone
 *     whole                                          they make a folder with all its items by one request
 *     task TITLE of ana [bob] [FIELD=VALUE ...]      a row of the plan, or a change of one
 *     drop TITLE                                     takes a row out of the plan
 *     import [withdraw]; publish; archive; sync [full]  as the commands
 *     set TITLE of WHO FIELD=VALUE ...               as `task set`
 *     attach TITLE of WHO NAME SIZE [LETTER]         as `task attach`, a file of so many of that letter (x)
 *     detach TITLE of WHO NAME                       as `task detach`
 *     enclose WHO TITLE NAME SIZE [LETTER]           a client puts such a file into the item, or gives it to the server
 *     strip WHO TITLE NAME                           a client removes such a file from the item
 *     accept|reject|restore|dismiss N [COMMENT]      as `revision accept` ..., on the N-th of all revisions
 *     refused accept|reject|restore|dismiss N TEXT   the same is refused, TEXT is part of the reason
 *     mailbox WHO TITLE PROPERTIES                   an edit by a client (client.h)
 *     before write mailbox WHO TITLE PROPERTIES        the same, while the next sync is about to write
 *     before remove ...                              likewise, while it is about to remove an item
 *     put WHO NAME TEXT; overwrite WHO TITLE TEXT; delete WHO TITLE; delete all WHO; delete folder WHO
 *     keep WHO TITLE; kept WHO PROPERTIES            a client that reads an item, keeps it, and later writes the whole of it
 *                                                    with an edit of its own, whatever stands there now (`-`: without one)
 *     reply HOW WHO TITLE TEXT                       a mail in answer to the item (reply.h)
 *     child WHO TITLE NAME PROPERTIES                a new task below the item
 *     undelete WHO                                   puts back what was deleted last
 *     move WHO TITLE NAME; copy WHO TITLE NAME       the item under another name
 *     flag|unflag WHO TITLE FLAGS                    a mail client sets flags on a message, or takes them away
 *     file WHO TITLE done|back|copied                it moves it into the sub-folder for what is done, back, or copies it there
 *     sleep DURATION                                 turns the clock
 *     fault OPERATION +N FAULT                       the N-th from now fails (gateway/memory/memory.h, orders.h)
 *     lose database                                  a new one for the same site and servers
 *     recreate WHO TITLE UID [unmarked]              a new item of the same content under another UID, the old one removed
 *     copy-over WHO TITLE SOURCE                     the content of another of our items written over it
 *     other project; move-away WHO TITLE; move-back  a second project (Quay, one task of ana's), and its folder
 *     rename folder WHO NAME; renumber; tamper A B   what happens to servers (mishap.h)
 *     backup|bring-back server|database; takeover       likewise; `run --takeover`
 *     faults over                                    what was scripted and did not happen yet will not
 *     restart; kill POINT[:N]                        the database is opened again; the next sync is killed there (base/point.h)
 *     rebuild WHO TITLE PROPERTIES                   an edit by a client that keeps nothing that it does not know
 *     remember CLIENT WHO TITLE                      CLIENT keeps a copy of the item as it stands
 *     stale CLIENT WHO TITLE PROPERTIES              it edits its copy and puts all of that over whatever stands there
 *
 *     expect project TITLE of WHO FIELD=VALUE ...    an empty value: not set
 *     expect bookings TITLE of WHO N
 *     expect enclosed WHO TITLE "NAME, NAME"         the files that the item shows
 *     expect transfers attach|download N             how many files went to the server, or came from it, since the last such line
 *     expect attached TITLE of WHO "NAME, NAME"      all of its attachments, whose bytes are in the store
 *     expect state TITLE of WHO active|declined|withdrawn
 *     expect history TITLE of WHO NAME FROM TO [CAUSE]  a row of the change log; "" is not set
 *     expect item WHO TITLE PROPERTIES               lines; NAME~text: contains; !NAME: has none
 *     expect marks WHO TITLE MARKS [read|unread]     "": none
 *     expect no item WHO TITLE; expect items WHO N; expect count WHO TITLE TEXT N
 *     expect revisions N [STATE]; expect revision STATE FIELD base|theirs|ours=VALUE ...
 *     expect mails USER MAILBOX TEXT N               messages there with TEXT in them; USER is tasks or an address
 *     expect writes N; expect report COUNTER N; expect [no] note TEXT; expect stray STATE N; expect held N
 */
#include "config.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach.h"
#include "base/buf.h"
#include "base/text.h"
#include "client.h"
#include "gateway/sync/verdict.h"
#include "mishap.h"
#include "plays.h"
#include "reply.h"
#include "scenario.h"
#include "store/revisions.h"
#include "words.h"

static const char *word(const struct line *line, int i)
{
	cr_assert_lt(i, line->count, "%s: a word is missing", line->where);
	return line->word[i];
}

static int number(const struct line *line, int i)
{
	return (int)strtol(word(line, i), NULL, 10);
}

/* "FIELD=VALUE": the field; *VALUE_R behind the sign. */
static enum field field_of(const struct line *line, int i, const char **value_r)
{
	const char *text = word(line, i), *equals = strchr(text, '=');
	enum field field =
		equals ? field_find(mem_strndup(line->world->mem, text, (size_t)(equals - text)))
		       : FIELDS;

	cr_assert_lt((int)field, (int)FIELDS, "%s: no field: %s", line->where, text);
	*value_r = equals + 1;
	return field;
}

/* ---- what people do ---- */

static void do_replies(struct line *line)
{
	cr_assert_null(line->world->store, "%s: the configuration comes first", line->where);
	reply_configure(line->world);
}

static void do_reply(struct line *line)
{
	reply_send(line->world, word(line, 1), word(line, 2), word(line, 3), word(line, 4));
}

static void do_conf(struct line *line)
{
	struct world *world = line->world;
	const char *section = word(line, 1);

	cr_assert_null(world->store, "%s: the configuration comes first", line->where);
	if (!strcmp(section, "rule") && !strchr(line->rest[2], '='))
		buf_printf(world->rules, "[rule %s]\n", word(line, 2));
	else
		buf_printf(!strcmp(section, "rule")     ? world->rules
			   : !strcmp(section, "server") ? world->server
			   : !strcmp(section, "site")   ? world->site
			   : !strcmp(section, "gestures") ? world->gestures
							: world->rights,
			   "%s\n", line->rest[2]);
}

static void do_whole(struct line *line)
{
	line->world->whole = true;
}

static void do_servers(struct line *line)
{
	line->world->managed = words_is(line, 1, "managed");
	if (!line->world->managed)
		line->world->servers = number(line, 1);
}

static void do_task(struct line *line)
{
	struct world_row *row = world_row(line->world, word(line, 1), true);
	int i = 3, person = 0;

	row->dropped = false;
	if (words_is(line, 2, "of")) {
		memset(row->people, 0, sizeof row->people);
		for (; i < line->count && !strchr(line->word[i], '='); i++)
			row->people[person++] = line->word[i];
	} else {
		i = 2;
	}
	for (; i < line->count; i++) {
		const char *text;
		enum field field = field_of(line, i, &text);
		struct value value = { .presence = ABSENT };

		WORLD_OK(value_parse(line->world->mem, field, text, &value));
		vector_put(field_table[field].scope == SCOPE_TASK ? row->task : row->assignment,
			   field, &value);
	}
}

static void do_drop(struct line *line)
{
	world_row(line->world, word(line, 1), false)->dropped = true;
}

static void do_import(struct line *line)
{
	world_import(line->world, words_is(line, 1, "withdraw"));
}

static void do_publish(struct line *line)
{
	world_publish(line->world);
}

static void do_archive(struct line *line)
{
	world_archive(line->world);
}

static void do_sync(struct line *line)
{
	world_sync(line->world, words_is(line, 1, "full"));
}

static void do_set(struct line *line)
{
	struct world *world = line->world;
	struct assignment *assignment = world_assignment(world, word(line, 1), word(line, 3));
	struct edit_env env = { .conf = world->conf,
				.store = world->store,
				.clock = world->clock,
				.rules = world->rule_set,
				.author = "project:manager" };
	struct edit_field fields[WORDS_MAX];
	struct edit_result *result = NULL;
	size_t count = 0;

	for (int i = 4; i < line->count; i++, count++)
		fields[count].field = field_of(line, i, &fields[count].text);
	WORLD_OK(edit_assignment(world->mem, &env, assignment->id, fields, count, &result));
}

static void do_attach(struct line *line)
{
	attach_put(line->world, word(line, 1), word(line, 3), word(line, 4),
		   (size_t)number(line, 5), line->count > 6 ? word(line, 6)[0] : 'x');
}

static void do_detach(struct line *line)
{
	attach_drop(line->world, word(line, 1), word(line, 3), word(line, 4));
}

static void do_enclose(struct line *line)
{
	attach_enclose(line->world, word(line, 1), word(line, 2), word(line, 3),
		       (size_t)number(line, 4), line->count > 5 ? word(line, 5)[0] : 'x');
}

static void do_strip(struct line *line)
{
	attach_strip(line->world, word(line, 1), word(line, 2), word(line, 3));
}

/* Decides on the revision whose place among all is word I. */
static struct fault *give_verdict(struct line *line, int i, const char *comment)
{
	struct world *world = line->world;
	struct edit_env env = { .conf = world->conf,
				.store = world->store,
				.clock = world->clock,
				.rules = world->rule_set,
				.author = "project:manager" };
	enum verdict verdict = verdict_find(word(line, i));
	struct verdict_result *result = NULL;
	struct revision *list = NULL;
	size_t count = 0;

	cr_assert_lt((int)verdict, (int)VERDICTS, "%s: %s", line->where, word(line, i));
	WORLD_OK(revisions_list(world->store, world->mem, REVISION_STATES, &list, &count));
	cr_assert_leq((size_t)number(line, i + 1), count, "%s: there are %zu revisions",
		      line->where, count);
	return verdict_give(world->mem, &env, list[number(line, i + 1) - 1].id, verdict, comment,
			    &result);
}

static void do_verdict(struct line *line)
{
	struct fault *fault = give_verdict(line, 0, line->count > 2 ? line->word[2] : NULL);

	cr_assert_null(fault, "%s: %s", line->where, fault ? fault->text : "");
}

static void do_refused(struct line *line)
{
	struct fault *fault = give_verdict(line, 1, NULL);

	cr_assert_not_null(fault, "%s: it was not refused", line->where);
	cr_expect_eq(fault->kind, FAULT_DATA, "%s: %s", line->where, fault_kind_name(fault->kind));
	cr_expect(strstr(fault->text, word(line, 3)), "%s: the reason is: %s", line->where,
		  fault->text);
}

static void do_mailbox(struct line *line)
{
	word(line, 3);
	client_edit(line->world, word(line, 1), word(line, 2), line->rest[3]);
}

static void run_line(struct world *world, const char *where, const char *text);

static void meddle(struct world *world)
{
	run_line(world, "before write", world->before_write_line);
}

static void do_before(struct line *line)
{
	line->world->before_write_line = line->rest[2];
	line->world->before_write = meddle;
	line->world->before_remove = words_is(line, 1, "remove");
}

static void do_card(struct line *line)
{
	word(line, 3);
	client_card(line->world, word(line, 1), word(line, 2), line->rest[3]);
}

static void do_keep(struct line *line)
{
	client_keep(line->world, word(line, 1), word(line, 2));
}

static void do_kept(struct line *line)
{
	client_edit_kept(line->world, word(line, 1), line->rest[2]);
}

static void do_card_beside(struct line *line)
{
	word(line, 3);
	client_card_beside(line->world, word(line, 1), word(line, 2), line->rest[3]);
}

static void do_child(struct line *line)
{
	word(line, 4);
	client_child(line->world, word(line, 1), word(line, 2), word(line, 3), line->rest[4]);
}

static void do_put(struct line *line)
{
	word(line, 3);
	client_put(line->world, word(line, 1), word(line, 2), line->rest[3]);
}

static void do_overwrite(struct line *line)
{
	word(line, 3);
	client_overwrite(line->world, word(line, 1), word(line, 2), line->rest[3]);
}

static void do_copy_over(struct line *line)
{
	client_copy_over(line->world, word(line, 1), word(line, 2), word(line, 3));
}

static void do_delete(struct line *line)
{
	if (words_is(line, 1, "all"))
		client_delete_all(line->world, word(line, 2));
	else if (words_is(line, 1, "folder"))
		client_delete_folder(line->world, word(line, 2));
	else
		client_delete(line->world, word(line, 1), word(line, 2));
}

static void do_move(struct line *line)
{
	client_move(line->world, word(line, 1), word(line, 2), word(line, 3));
}

static void do_copy(struct line *line)
{
	client_copy(line->world, word(line, 1), word(line, 2), word(line, 3));
}

static void do_flag(struct line *line)
{
	const char *flags = word(line, 3) ? line->rest[3] : NULL;

	client_flag(line->world, word(line, 1), word(line, 2), flags, words_is(line, 0, "flag"));
}

static void do_file(struct line *line)
{
	client_file(line->world, word(line, 1), word(line, 2), strcmp(word(line, 3), "back") != 0,
		    words_is(line, 3, "copied"));
}

static void do_undelete(struct line *line)
{
	client_undelete(line->world, word(line, 1));
}

static void do_sleep(struct line *line)
{
	char *end;
	int64_t seconds = strtoll(word(line, 1), &end, 10);

	seconds *= *end == 'm' ? 60 : *end == 'h' ? 3600 : *end == 'd' ? 86400 : 1;
	clock_sleep(line->world->clock, seconds * CLOCK_SECOND_US);
}

static void do_fault(struct line *line)
{
	kind_of(line->world, "a")
		->order(line->world, word(line, 1), number(line, 2), word(line, 3));
}

static void do_faults_over(struct line *line)
{
	for (int i = 0; i < line->world->servers; i++) {
		char name[] = { (char)('a' + i), '\0' };

		(void)remove(mem_printf(line->world->mem, "%s.faults",
					world_server_path(line->world, name)));
	}
}

static void do_restart(struct line *line)
{
	world_restart(line->world);
}

static void do_kill(struct line *line)
{
	line->world->kill_at = word(line, 1);
}

static void do_rebuild(struct line *line)
{
	word(line, 3);
	client_rebuild(line->world, word(line, 1), word(line, 2), line->rest[3]);
}

static void do_remember(struct line *line)
{
	client_remember(line->world, word(line, 1), word(line, 2), word(line, 3));
}

static void do_stale(struct line *line)
{
	word(line, 4);
	cr_assert(client_stale(line->world, word(line, 1), word(line, 2), word(line, 3),
			       line->rest[4]),
		  "%s: no copy, or no item", line->where);
}

static void do_lose(struct line *line)
{
	world_lose_database(line->world);
}

static void do_recreate(struct line *line)
{
	client_recreate(line->world, word(line, 1), word(line, 2), word(line, 3),
			words_is(line, 4, "unmarked"));
}

static void do_other(struct line *line)
{
	world_other_project(line->world);
}

static void do_move_away(struct line *line)
{
	client_move_away(line->world, word(line, 1), word(line, 2), words_is(line, 0, "move-back"));
}

static void do_rename(struct line *line)
{
	mishap_rename_folder(line->world, word(line, 2), word(line, 3));
	line->world->client_folder =
		mem_printf(line->world->mem, "/%s@example.com/%s/", word(line, 2), word(line, 3));
}

static void do_renumber(struct line *line)
{
	mishap_renumber(line->world);
}

static void do_tamper(struct line *line)
{
	mishap_tamper(line->world, word(line, 1), word(line, 2));
}

static void do_backup(struct line *line)
{
	mishap_backup(line->world, words_is(line, 1, "database"));
}

static void do_bring_back(struct line *line)
{
	mishap_restore(line->world, words_is(line, 1, "database"));
}

static void do_takeover(struct line *line)
{
	world_take_over(line->world);
}

/* ---- what must be true ---- */

static void expect_project(struct line *line)
{
	struct world *world = line->world;
	struct assignment *assignment = world_assignment(world, word(line, 2), word(line, 4));
	struct stamped *values = NULL;

	WORLD_OK(project_values(world->store, world->mem, assignment, &values));
	for (int i = 5; i < line->count; i++) {
		const char *expected;
		enum field field = field_of(line, i, &expected);
		char *actual = value_text(world->mem, field, &values->values->value[field]);

		cr_expect_str_eq(actual ? actual : "", expected,
				 "%s: the project's %s: expected '%s', actual '%s'", line->where,
				 field_table[field].name, expected, actual ? actual : "");
	}
}

static void expect_state(struct line *line)
{
	const char *actual = assignment_state_name(
		world_assignment(line->world, word(line, 2), word(line, 4))->state);

	cr_expect_str_eq(actual, word(line, 5), "%s: state: expected %s, actual %s", line->where,
			 line->word[5], actual);
}

static void expect_history(struct line *line)
{
	struct world *world = line->world;
	struct assignment *assignment = world_assignment(world, word(line, 2), word(line, 4));
	struct buf *all = buf_new(world->mem);
	struct change *list = NULL;
	bool found = false;
	size_t count = 0;

	word(line, 7);
	WORLD_OK(project_history(world->store, world->mem, assignment, &list, &count));
	for (size_t i = 0; i < count; i++) {
		const char *from = list[i].old_text ? list[i].old_text : "";
		const char *to = list[i].new_text ? list[i].new_text : "";

		buf_printf(all, "%s '%s' '%s' by %s: %s\n", list[i].name, from, to, list[i].author,
			   list[i].cause ? list[i].cause : "");
		found = found || (text_starts(list[i].name, line->word[5]) &&
				  !strcmp(from, line->word[6]) && !strcmp(to, line->word[7]) &&
				  (line->count < 9 || text_same(list[i].cause, line->word[8])));
	}
	cr_expect(found, "%s: not in the history:\n%s", line->where, all->len ? all->data : "");
}

static void expect_item(struct line *line)
{
	struct client_item *item = client_find(line->world, word(line, 2), word(line, 3));
	char *copy = mem_strdup(line->world->mem, line->count > 4 ? line->rest[4] : ""),
	     *save = NULL;

	cr_assert_not_null(item, "%s: there is no such item", line->where);
	for (char *w = strtok_r(copy, "|", &save); w; w = strtok_r(NULL, "|", &save)) {
		char *property = text_trim(line->world->mem, w);

		cr_expect(client_has(item, property), "%s: expected %s, the item is\n%s",
			  line->where, property, item->text);
	}
}

static void expect_marks(struct line *line)
{
	struct client_item *item = client_find(line->world, word(line, 2), word(line, 3));

	cr_assert_not_null(item, "%s: there is no such item", line->where);
	cr_expect_str_eq(item->marks, word(line, 4), "%s: its marks are '%s'", line->where,
			 item->marks);
	if (line->count > 5)
		cr_expect_eq(client_has_read(line->world, word(line, 2), item),
			     words_is(line, 5, "read"), "%s", line->where);
}

static bool is_noted(const struct world *world, const char *text)
{
	bool noted = false;

	for (size_t i = 0; i < world->report->note_count; i++)
		noted = noted || strstr(world->report->notes[i], text);
	return noted;
}

static void expect_no(struct line *line)
{
	struct client_item *item;

	if (words_is(line, 2, "note")) {
		cr_expect_not(is_noted(line->world, word(line, 3)), "%s: there is one",
			      line->where);
		return;
	}
	item = client_find(line->world, word(line, 3), word(line, 4));
	cr_expect_null(item, "%s: there is one:\n%s", line->where, item ? item->text : "");
}

static void expect_number(struct line *line, int64_t actual, int i)
{
	cr_expect_eq(actual, number(line, i), "%s: expected %d, actual %lld", line->where,
		     number(line, i), (long long)actual);
}

static void expect_bookings(struct line *line)
{
	struct assignment *assignment = world_assignment(line->world, word(line, 2), word(line, 4));
	struct booked *list = NULL;
	size_t count = 0;

	WORLD_OK(project_booked(line->world->store, line->world->mem, assignment->id, &list,
				&count));
	expect_number(line, (int)count, 5);
}

static void expect_enclosed(struct line *line)
{
	char *names = attach_shown(line->world, word(line, 2), word(line, 3));

	cr_expect_str_eq(names ? names : "no item", word(line, 4), "%s: enclosed: %s", line->where,
			 names);
}

static void expect_attached(struct line *line)
{
	char *names = attach_names(line->world, word(line, 2), word(line, 4));

	cr_expect_str_eq(names, line->count > 5 ? word(line, 5) : "", "%s: attached: %s",
			 line->where, names);
}

static void expect_transfers(struct line *line)
{
	int64_t count = attach_transfers(line->world, word(line, 2));

	expect_number(line, count, 3);
}

static void expect_items(struct line *line)
{
	expect_number(line, (int64_t)client_count(line->world, word(line, 2)), 3);
}

static void expect_mails(struct line *line)
{
	expect_number(line,
		      reply_count(line->world, word(line, 2), word(line, 3), word(line, 4)), 5);
}

static void expect_count(struct line *line)
{
	struct client_item *item = client_find(line->world, word(line, 2), word(line, 3));
	int64_t count = 0;

	cr_assert_not_null(item, "%s: there is no such item", line->where);
	for (const char *at = strstr(item->text, word(line, 4)); at;
	     at = strstr(at + 1, line->word[4]))
		count++;
	cr_expect_eq(count, number(line, 5), "%s: expected %d, actual %lld in\n%s", line->where,
		     number(line, 5), (long long)count, item->text);
}

static size_t revisions(struct line *line, int i, struct revision **list_r)
{
	enum revision_state state =
		i < line->count ? revision_state_find(word(line, i)) : REVISION_STATES;
	size_t count = 0;

	WORLD_OK(revisions_list(line->world->store, line->world->mem, state, list_r, &count));
	return count;
}

static char *all_revisions(struct line *line)
{
	struct revision *list = NULL;
	size_t count = revisions(line, WORDS_MAX, &list);
	struct buf *out = buf_new(line->world->mem);

	for (size_t i = 0; i < count; i++)
		buf_printf(out, "%s\n", words_revision(out, &list[i]));
	return out->len ? out->data : mem_strdup(line->world->mem, "none");
}

static void expect_revisions(struct line *line)
{
	struct revision *list = NULL;
	size_t count = revisions(line, 3, &list);

	cr_expect_eq(count, (size_t)number(line, 2), "%s: expected %d, actual %zu:\n%s",
		     line->where, number(line, 2), count, all_revisions(line));
}

static void expect_revision(struct line *line)
{
	enum field field = field_find(word(line, 3));
	struct revision *list = NULL;
	size_t count = revisions(line, 2, &list);
	bool found = false;

	cr_assert_lt((int)field, (int)FIELDS, "%s: no field %s", line->where, line->word[3]);
	for (size_t i = 0; i < count && !found; i++) {
		found = list[i].has[field];
		for (int w = 4; w < line->count; w++)
			found = found && words_say(line->world->mem, &list[i], field, line->word[w]);
	}
	cr_expect(found, "%s: no such revision among\n%s", line->where, all_revisions(line));
}

static void expect_writes(struct line *line)
{
	int64_t writes = line->world->writes;

	if (line->world->messages && words_is(line, 3, "messages")) {
		expect_number(line, (writes + 1) / 2, 4);
		return;
	}
	/* a message is replaced by two: the new one, and the removal of the old one */
	expect_number(line, line->world->messages ? (writes + 1) / 2 : writes, 2);
}

static void expect_report(struct line *line)
{
	const int64_t *counter = words_counter(line->world->report, word(line, 2));

	cr_assert_not_null(counter, "%s: no such counter", line->where);
	expect_number(line, *counter, 3);
}

static void expect_note(struct line *line)
{
	const struct round_report *report = line->world->report;
	struct buf *all = buf_new(line->world->mem);

	for (size_t i = 0; i < report->note_count; i++)
		buf_printf(all, "%s\n", report->notes[i]);
	cr_expect(all->len && strstr(all->data, word(line, 2)), "%s: not among the notes:\n%s",
		  line->where, all->len ? all->data : "");
}

static void expect_stray(struct line *line)
{
	struct stray *list = NULL;
	size_t count = 0;
	int64_t n = 0;

	WORLD_OK(link_strays(line->world->store, line->world->mem, &list, &count));
	for (size_t i = 0; i < count; i++)
		n += text_same(list[i].state, word(line, 2));
	expect_number(line, n, 3);
}

static void expect_held(struct line *line)
{
	int64_t count = 0;

	WORLD_OK(link_held_count(line->world->store, &count));
	expect_number(line, count, 2);
}

/* ---- the language ---- */

struct command {
	const char *name;
	void (*run)(struct line *line);
};

static const struct command expectations[] = {
	{ "project", expect_project },     { "state", expect_state },
	{ "item", expect_item },           { "no", expect_no },
	{ "mails", expect_mails },         { "items", expect_items },         { "count", expect_count },
	{ "revisions", expect_revisions }, { "revision", expect_revision },
	{ "writes", expect_writes },       { "report", expect_report },
	{ "note", expect_note },           { "stray", expect_stray },
	{ "held", expect_held },           { "bookings", expect_bookings },
	{ "history", expect_history },     { "attached", expect_attached },
	{ "transfers", expect_transfers }, { "enclosed", expect_enclosed },
	{ "marks", expect_marks },
};

static void run_table(const struct command *table, size_t count, struct line *line, int i)
{
	for (size_t c = 0; c < count; c++)
		if (words_is(line, i, table[c].name)) {
			table[c].run(line);
			return;
		}
	cr_assert_fail("%s: no such command: %s", line->where, word(line, i));
}

static void do_expect(struct line *line)
{
	run_table(expectations, COUNT_OF(expectations), line, 1);
}

static const struct command commands[] = {
	{ "conf", do_conf },
	{ "servers", do_servers },
	{ "whole", do_whole },
	{ "replies", do_replies },
	{ "reply", do_reply },
	{ "task", do_task },
	{ "drop", do_drop },
	{ "import", do_import },
	{ "publish", do_publish },
	{ "archive", do_archive },
	{ "sync", do_sync },
	{ "set", do_set },
	{ "attach", do_attach },
	{ "detach", do_detach },
	{ "enclose", do_enclose },
	{ "strip", do_strip },
	{ "mailbox", do_mailbox },
	{ "before", do_before },
	{ "put", do_put },
	{ "overwrite", do_overwrite },
	{ "delete", do_delete },
	{ "move", do_move },
	{ "sleep", do_sleep },
	{ "fault", do_fault },
	{ "lose", do_lose },
	{ "expect", do_expect },
	{ "child", do_child },
	{ "copy", do_copy },
	{ "undelete", do_undelete },
	{ "flag", do_flag },
	{ "unflag", do_flag },
	{ "file", do_file },
	{ "card", do_card },
	{ "card-beside", do_card_beside },
	{ "keep", do_keep },
	{ "kept", do_kept },
	{ "accept", do_verdict },
	{ "reject", do_verdict },
	{ "restore", do_verdict },
	{ "dismiss", do_verdict },
	{ "refused", do_refused },
	{ "recreate", do_recreate },
	{ "other", do_other },
	{ "move-away", do_move_away },
	{ "move-back", do_move_away },
	{ "rename", do_rename },
	{ "renumber", do_renumber },
	{ "copy-over", do_copy_over },
	{ "tamper", do_tamper },
	{ "backup", do_backup },
	{ "bring-back", do_bring_back },
	{ "takeover", do_takeover },
	{ "faults", do_faults_over },
	{ "restart", do_restart },
	{ "kill", do_kill },
	{ "rebuild", do_rebuild },
	{ "remember", do_remember },
	{ "stale", do_stale },
};

static void run_line(struct world *world, const char *where, const char *text)
{
	struct line line = { .world = world, .where = where };

	if (text[0] == '#')
		return;
	words_split(&line, world->mem, text);
	if (line.count)
		run_table(commands, COUNT_OF(commands), &line, 0);
}

void scenario_line(struct world *world, const char *where, const char *text)
{
	run_line(world, where, text);
}

/* ---- the files ---- */

ParameterizedTestParameters(scenario, file)
{
	struct play *list = cr_malloc(PLAYS_MAX * sizeof *list);

	return cr_make_param_array(struct play, list, plays_find(list));
}

ParameterizedTest(struct play *play, scenario, file)
{
	struct world *world = plays_world(play);
	FILE *file = fopen(play->path, "r");
	char text[4096], where[600];
	int number_of_line = 0;

	cr_assert_not_null(file, "%s", play->path);
	while (fgets(text, sizeof text, file)) {
		text[strcspn(text, "\n")] = '\0';
		snprintf(where, sizeof where, "%s:%d%s", strrchr(play->path, '/') + 1,
			 ++number_of_line, play->messages ? " (messages)" : "");
		run_line(world, mem_strdup(world->mem, where), text);
	}
	fclose(file);
	world_free(world);
}

Test(scenario, all_files_are_there)
{
	size_t count = plays_tell();

	cr_expect_geq(count, plays_kind->required_plays, "only %zu scenarios over %s", count,
		      plays_kind->name);
}
