#include "config.h"

#include "endpoint_contract.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/text.h"

#define MANY 250    /* items: more than two requests' worth for all that ask for many at once */
#define SEVERAL 120 /* more than one request's worth */

/* ---- helpers: each fails the test with what it saw ---- */

static const char *told(const struct fault *fault)
{
	return fault ? fault->text : "no fault";
}

static void expect_no_fault(const struct fault *fault, const char *what)
{
	cr_assert_null(fault, "%s: expected success, got %s (%s)", what,
		       fault_kind_name(fault->kind), told(fault));
}

static void expect_fault(const struct fault *fault, enum fault_kind kind, const char *what)
{
	cr_assert_not_null(fault, "%s: expected %s, got success", what, fault_kind_name(kind));
	cr_assert_eq(fault->kind, kind, "%s: expected %s, got %s (%s)", what, fault_kind_name(kind),
		     fault_kind_name(fault->kind), told(fault));
}

static bool appends(const struct contract_world *world)
{
	return world->endpoint->ops->appends;
}

/* An item of that UID whose text has LINES in it. */
static char *item_text(struct contract_world *world, const char *uid, const char *lines)
{
	char *vtodo = mem_printf(world->mem,
				 "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"
				 "PRODID:-//taskferry//contract//EN\r\nBEGIN:VTODO\r\nUID:%s\r\n"
				 "DTSTAMP:20261121T090000Z\r\n%s\r\nEND:VTODO\r\nEND:VCALENDAR\r\n",
				 uid, lines);

	if (world->endpoint->ops->form == ENDPOINT_VTODO)
		return vtodo;
	return mem_printf(world->mem,
			  "From: taskferry <taskferry@pm.example.com>\r\nSubject: %s\r\n"
			  "Date: Sat, 21 Nov 2026 09:00:00 +0000\r\n"
			  "Message-ID:\r\n <%s@pm.example.com>\r\nMIME-Version: 1.0\r\n"
			  "Content-Type: text/calendar; charset=utf-8; component=VTODO\r\n"
			  "Content-Transfer-Encoding: 8bit\r\n\r\n%s",
			  uid, uid, vtodo);
}

static char *task(struct contract_world *world, const char *uid, const char *summary)
{
	return item_text(world, uid,
			 mem_printf(world->mem, "SUMMARY:%s\r\nSTATUS:NEEDS-ACTION", summary));
}

/* The folder is named after its display name and the test. */
static const char *ensure(struct contract_world *world, const char *known, const char *display,
			  bool expect_created)
{
	struct endpoint_folder folder = { .path = world->path,
					  .display = display,
					  .top = "https://pm.example.com/web",
					  .sub = mem_printf(world->mem, "%s %s", world->path,
							    display) };
	char *address = NULL;
	bool created = !expect_created;

	expect_no_fault(
		endpoint_ensure(world->endpoint, world->mem, &folder, known, &address, &created),
		"ensure");
	cr_assert_eq(created, expect_created, "ensure: created expected %d, got %d", expect_created,
		     created);
	cr_assert_not_null(address);
	return address;
}

static const char *new_folder(struct contract_world *world)
{
	return ensure(world, NULL, "Contract (https://pm.example.com/web)", true);
}

static struct fault *drop(struct contract_world *world, const char *folder, const char *address,
			  const char *if_version)
{
	struct endpoint_remove one = { .address = address, .if_version = if_version };

	expect_no_fault(endpoint_remove(world->endpoint, world->mem, folder, &one, 1),
			"remove as a whole");
	return one.fault;
}

/* Where the endpoint `appends`: the new item stands behind the old one, which is still there and is
 * removed now. */
static void expect_successor(struct contract_world *world, const char *folder,
			     const struct endpoint_put *put)
{
	struct endpoint_remove old = { .address = put->address,
				       .if_version = put->replaced,
				       .successor = put->placed };

	cr_assert_not_null(put->placed, "it is not told where the new item stands");
	if (!put->if_version)
		return;
	cr_assert_gt(strcmp(put->placed, put->address), 0, "%s does not sort behind %s",
		     put->placed, put->address);
	cr_assert_not_null(put->replaced, "it is not told how to remove the old item");
	expect_no_fault(endpoint_remove(world->endpoint, world->mem, folder, &old, 1),
			"remove of the old one as a whole");
	expect_no_fault(old.fault, "remove of the old one");
}

/* Puts TEXT at *ADDRESS, which may move. The item's fault, or that of the whole call when nothing at
 * all was tried. */
static struct fault *put(struct contract_world *world, const char *folder, const char **address,
			 const char *text, const char *if_version)
{
	struct endpoint_put one = {
		.address = *address, .text = text, .len = strlen(text), .if_version = if_version
	};
	struct fault *fault = endpoint_put(world->endpoint, world->mem, folder, &one, 1);

	if (fault || one.fault)
		return fault ? fault : one.fault;
	if (appends(world))
		expect_successor(world, folder, &one);
	if (one.placed)
		*address = one.placed;
	return NULL;
}

static struct endpoint_item *fetch(struct contract_world *world, const char *folder,
				   const char *address)
{
	struct endpoint_item *items = NULL;

	expect_no_fault(endpoint_fetch(world->endpoint, world->mem, folder, &address, 1, &items),
			"fetch as a whole");
	cr_assert_str_eq(items[0].address, address);
	return &items[0];
}

/* Makes an item; its address. */
static const char *add(struct contract_world *world, const char *folder, const char *uid,
		       const char *summary)
{
	const char *address = endpoint_address(world->endpoint, world->mem, folder, uid);

	cr_assert_eq(!address, appends(world), "an address before there is an item");
	expect_no_fault(put(world, folder, &address, task(world, uid, summary), NULL), uid);
	return address;
}

static const char *version(struct contract_world *world, const char *folder, const char *address)
{
	struct endpoint_item *item = fetch(world, folder, address);

	expect_no_fault(item->fault, address);
	cr_assert_not_null(item->version, "%s has no version", address);
	return item->version;
}

/* An address at which nothing stands any more. */
static const char *gone_address(struct contract_world *world, const char *folder)
{
	const char *address = add(world, folder, "uid-none", "goes");

	expect_no_fault(drop(world, folder, address, version(world, folder, address)), address);
	return address;
}

/* The condition does not hold. Where the endpoint `appends`, an item that was replaced is one that
 * is not there. */
static void expect_stale(struct contract_world *world, const struct fault *fault,
			 enum fault_kind kind, const char *what)
{
	if (appends(world) && fault && (fault->kind == FAULT_GONE || fault->kind == FAULT_CHANGED))
		return;
	expect_fault(fault, kind, what);
}

static struct endpoint_notice *notice(struct contract_world *world, const char *folder,
				      const char *token)
{
	struct endpoint_notice *notice_made = NULL;

	expect_no_fault(endpoint_notice(world->endpoint, world->mem, folder, token, &notice_made),
			"notice");
	return notice_made;
}

static const struct endpoint_change *change_of(const struct endpoint_notice *made,
					       const char *address)
{
	for (size_t i = 0; i < made->count; i++)
		if (!strcmp(made->changes[i].address, address))
			return &made->changes[i];
	return NULL;
}

static void expect_listed(struct contract_world *world, const struct endpoint_notice *made,
			  const char *folder, const char *address)
{
	const struct endpoint_change *change = change_of(made, address);
	const char *now = version(world, folder, address);

	cr_assert_not_null(change, "%s is not listed among %zu", address, made->count);
	cr_assert_not(change->removed, "%s is listed as removed", address);
	cr_assert_str_eq(change->version, now, "%s: listed %s, fetched %s", address,
			 change->version, now);
}

static void expect_unlisted(const struct endpoint_notice *made, const char *address)
{
	const struct endpoint_change *change = change_of(made, address);

	if (made->full) {
		cr_assert_null(change, "%s is listed, and gone", address);
	} else {
		cr_assert_not_null(change, "%s is not listed as removed", address);
		cr_assert(change->removed, "%s is not listed as removed", address);
		cr_assert_null(change->version);
	}
}

static void expect_text(struct contract_world *world, const char *folder, const char *address,
			const char *text)
{
	struct endpoint_item *item = fetch(world, folder, address);
	bool same;

	expect_no_fault(item->fault, address);
	cr_assert_eq(strlen(item->text), item->len, "%s: a NUL, or a wrong length", address);
	same = world->same_text ? world->same_text(text, item->text) : !strcmp(text, item->text);
	cr_assert(same, "%s\nexpected:\n%s\nactual:\n%s", address, text, item->text);
}

/* ---- folders ---- */

void endpoint_contract_ensure_creates_once(struct contract_world *world)
{
	const char *first = new_folder(world);
	const char *again = ensure(world, NULL, "Contract (https://pm.example.com/web)", false);
	const char *known = ensure(world, first, "Contract (https://pm.example.com/web)", false);

	cr_assert_str_eq(first, again);
	cr_assert_str_eq(first, known);
}

void endpoint_contract_ensure_repeated_writes_nothing(struct contract_world *world)
{
	const char *display = "Näme <&> \"quoted\" (https://pm.example.com/web)";
	const char *folder = ensure(world, NULL, display, true);
	int64_t before = world->writes(world), after;

	(void)ensure(world, folder, display, false);
	(void)ensure(world, NULL, display, false);
	after = world->writes(world);
	cr_assert_eq(before, after, "writes before %lld, after %lld", (long long)before,
		     (long long)after);
}

void endpoint_contract_ensure_renames_and_keeps_items(struct contract_world *world)
{
	const char *folder = new_folder(world), *renamed;
	int64_t before = world->writes(world), after;

	(void)add(world, folder, "uid-1", "stays");
	before = world->writes(world);
	renamed = ensure(world, folder, "Another name (https://pm.example.com/web)", false);
	after = world->writes(world);
	cr_assert_gt(after, before, "a rename that writes nothing");
	cr_assert_eq(notice(world, renamed, NULL)->count, 1);
	before = world->writes(world);
	(void)ensure(world, renamed, "Another name (https://pm.example.com/web)", false);
	after = world->writes(world);
	cr_assert_eq(before, after, "the same name again: %lld writes",
		     (long long)(after - before));
}

void endpoint_contract_empty_folder_is_a_full_listing(struct contract_world *world)
{
	struct endpoint_notice *made = notice(world, new_folder(world), NULL);

	cr_assert(made->full);
	cr_assert_eq(made->count, 0, "expected an empty folder, got %zu, first %s", made->count,
		     made->count ? made->changes[0].address : "");
}

void endpoint_contract_folder_gone_is_not_empty(struct contract_world *world)
{
	const char *folder = new_folder(world), *address = add(world, folder, "uid-1", "one");
	const char *token = notice(world, folder, NULL)->token;
	struct endpoint_notice *made = NULL;
	struct fault *fault;

	world->drop_folder(world, folder);
	fault = endpoint_notice(world->endpoint, world->mem, folder, NULL, &made);
	expect_fault(fault, FAULT_GONE, "notice");
	cr_assert_eq(fault->scope, FAULT_SCOPE_FOLDER, "scope %s", fault_scope_name(fault->scope));
	cr_assert_null(made, "an out parameter touched on failure");
	fault = endpoint_notice(world->endpoint, world->mem, folder, token, &made);
	cr_assert(fault && (fault->kind == FAULT_GONE || fault->kind == FAULT_TOKEN),
		  "with a token: %s", told(fault));
	expect_fault(fetch(world, folder, address)->fault, FAULT_GONE, "fetch");
	fault = put(world, folder, &address, task(world, "uid-1", "again"), NULL);
	if (world->makes_folders) {
		expect_fault(fault, FAULT_BUSY, "put");
		return;
	}
	expect_fault(fault, FAULT_GONE, "put");
	cr_assert_eq(fault->scope, FAULT_SCOPE_FOLDER, "put: scope %s",
		     fault_scope_name(fault->scope));
	folder = ensure(world, folder, "Contract (https://pm.example.com/web)", true);
	cr_assert_eq(notice(world, folder, NULL)->count, 0);
}

/* ---- writing ---- */

/* Where the endpoint `appends` nothing stands in the way: a second item is another one. */
void endpoint_contract_create_twice_is_refused(struct contract_world *world)
{
	const char *folder = new_folder(world), *address = add(world, folder, "uid-1", "first");
	const char *before = version(world, folder, address), *again = address;
	struct fault *fault = put(world, folder, &again, task(world, "uid-1", "second"), NULL);

	if (appends(world)) {
		expect_no_fault(fault, "second create");
		cr_assert_gt(strcmp(again, address), 0, "%s does not sort behind %s", again,
			     address);
		expect_text(world, folder, again, task(world, "uid-1", "second"));
	} else {
		expect_fault(fault, FAULT_CHANGED, "second create");
	}
	cr_assert_str_eq(version(world, folder, address), before);
	expect_text(world, folder, address, task(world, "uid-1", "first"));
}

void endpoint_contract_replace_on_its_version(struct contract_world *world)
{
	const char *folder = new_folder(world), *address = add(world, folder, "uid-1", "first");
	const char *before = version(world, folder, address), *old = address;

	expect_no_fault(put(world, folder, &address, task(world, "uid-1", "second"), before),
			"replace");
	expect_text(world, folder, address, task(world, "uid-1", "second"));
	cr_assert_str_neq(version(world, folder, address), before,
			  "another text, the same version");
	if (appends(world))
		expect_fault(fetch(world, folder, old)->fault, FAULT_GONE, "the old one");
}

void endpoint_contract_replace_stale_is_refused(struct contract_world *world)
{
	const char *folder = new_folder(world), *address = add(world, folder, "uid-1", "first");
	const char *stale = version(world, folder, address), *old = address;

	expect_no_fault(put(world, folder, &address, task(world, "uid-1", "second"), stale),
			"replace");
	expect_stale(world, put(world, folder, &old, task(world, "uid-1", "third"), stale),
		     FAULT_CHANGED, "stale replace");
	expect_text(world, folder, address, task(world, "uid-1", "second"));
}

void endpoint_contract_replace_of_missing_is_refused(struct contract_world *world)
{
	const char *folder = new_folder(world), *address = add(world, folder, "uid-1", "first");
	const char *last = version(world, folder, address);

	expect_no_fault(drop(world, folder, address, last), "remove");
	expect_stale(world, put(world, folder, &address, task(world, "uid-1", "second"), last),
		     FAULT_GONE, "replace");
	expect_fault(fetch(world, folder, address)->fault, FAULT_GONE, "fetch");
	cr_assert_eq(notice(world, folder, NULL)->count, 0, "something was stored all the same");
}

void endpoint_contract_remove_on_its_version(struct contract_world *world)
{
	const char *folder = new_folder(world), *address = add(world, folder, "uid-1", "first");
	const char *last = version(world, folder, address);

	expect_no_fault(drop(world, folder, address, last), "remove");
	expect_fault(fetch(world, folder, address)->fault, FAULT_GONE, "fetch");
	expect_fault(drop(world, folder, address, last), FAULT_GONE, "remove again");
	(void)add(world, folder, "uid-1", "a new one");
}

void endpoint_contract_remove_stale_is_refused(struct contract_world *world)
{
	const char *folder = new_folder(world), *address = add(world, folder, "uid-1", "first");
	const char *stale = version(world, folder, address), *old = address;

	expect_no_fault(put(world, folder, &address, task(world, "uid-1", "second"), stale),
			"replace");
	expect_stale(world, drop(world, folder, old, stale), FAULT_CHANGED, "stale remove");
	expect_text(world, folder, address, task(world, "uid-1", "second"));
}

/* Its bad item: one that exists already, or whose old one has gone. */
void endpoint_contract_one_bad_item_stops_no_other(struct contract_world *world)
{
	const char *folder = new_folder(world), *gone = gone_address(world, folder);
	struct endpoint_put puts[3] = { 0 };
	const char *uids[3] = { "uid-1", "uid-2", "uid-3" };
	const char *stands = add(world, folder, "uid-2", "stands already");

	for (size_t i = 0; i < 3; i++) {
		puts[i].address = endpoint_address(world->endpoint, world->mem, folder, uids[i]);
		puts[i].text = task(world, uids[i], "new");
		puts[i].len = strlen(puts[i].text);
	}
	if (appends(world))
		puts[1].address = puts[1].if_version = gone;
	expect_no_fault(endpoint_put(world->endpoint, world->mem, folder, puts, 3),
			"put as a whole");
	expect_no_fault(puts[0].fault, "first");
	expect_stale(world, puts[1].fault, FAULT_CHANGED, "second");
	expect_no_fault(puts[2].fault, "third");
	expect_text(world, folder, stands, task(world, "uid-2", "stands already"));
	expect_text(world, folder, puts[2].placed ? puts[2].placed : puts[2].address,
		    task(world, "uid-3", "new"));
	cr_assert_eq(notice(world, folder, NULL)->count, 3);
}

/* ---- reading ---- */

void endpoint_contract_fetch_keeps_order_and_tells_gone(struct contract_world *world)
{
	const char *folder = new_folder(world);
	const char *a = add(world, folder, "uid-a", "A"), *b = add(world, folder, "uid-b", "B");
	const char *none = gone_address(world, folder);
	const char *asked[3] = { b, none, a };
	struct endpoint_item *items = NULL;

	expect_no_fault(endpoint_fetch(world->endpoint, world->mem, folder, asked, 3, &items),
			"fetch");
	for (size_t i = 0; i < 3; i++)
		cr_assert_str_eq(items[i].address, asked[i]);
	expect_no_fault(items[0].fault, "b");
	cr_assert_not_null(strstr(items[0].text, "SUMMARY:B\r\n"), "b:\n%s", items[0].text);
	expect_fault(items[1].fault, FAULT_GONE, "none");
	cr_assert_eq(items[1].fault->scope, FAULT_SCOPE_ITEM);
	expect_no_fault(items[2].fault, "a");
	cr_assert_not_null(strstr(items[2].text, "SUMMARY:A\r\n"), "a:\n%s", items[2].text);
}

void endpoint_contract_fetch_nothing(struct contract_world *world)
{
	const char *folder = new_folder(world);
	struct endpoint_item *items = NULL;

	expect_no_fault(endpoint_fetch(world->endpoint, world->mem, folder, NULL, 0, &items),
			"fetch of none");
	expect_no_fault(endpoint_put(world->endpoint, world->mem, folder, NULL, 0), "put of none");
	expect_no_fault(endpoint_remove(world->endpoint, world->mem, folder, NULL, 0),
			"remove of none");
}

/* How many lines tell more than KNOWN did. */
static size_t news(const struct contract_world *world, const struct endpoint_notice *made,
		   const struct endpoint_notice *known)
{
	size_t n = 0;

	for (size_t i = 0; i < made->count; i++) {
		const struct endpoint_change *now = &made->changes[i],
					     *before = change_of(known, now->address);
		bool told = before && before->removed == now->removed &&
			    (now->removed || !strcmp(before->version, now->version));

		n += !told || !world->repeats;
	}
	return n;
}

/* MADE, since KNOWN: a complete listing of ALL items, or CHANGES. */
static void expect_told(const struct contract_world *world, const struct endpoint_notice *made,
			const struct endpoint_notice *known, size_t all, size_t changes,
			const char *what)
{
	size_t told = made->full ? made->count : news(world, made, known);
	size_t expected = made->full ? all : changes;

	cr_assert_eq(told, expected, "%s: expected %zu lines, got %zu of %zu", what, expected, told,
		     made->count);
	if (!made->count)
		cr_assert_not(made->full && all, "an empty answer must not look like an empty folder");
}

void endpoint_contract_delta_shows_exactly_the_changes(struct contract_world *world)
{
	const char *folder = new_folder(world);
	const char *same = add(world, folder, "uid-same", "same"),
		   *edited = add(world, folder, "uid-edited", "old"), *old = edited;
	const char *removed = add(world, folder, "uid-removed", "goes"), *added;
	struct endpoint_notice *first = notice(world, folder, NULL), *delta;

	cr_assert_eq(first->count, 3, "expected 3, got %zu", first->count);
	cr_assert_not_null(first->token);
	expect_listed(world, first, folder, same);
	added = add(world, folder, "uid-added", "new");
	expect_no_fault(put(world, folder, &edited, task(world, "uid-edited", "new"),
			    version(world, folder, edited)),
			"edit");
	expect_no_fault(drop(world, folder, removed, version(world, folder, removed)), "remove");
	for (int again = 0; again < 2; again++) { /* the old token still says the same */
		delta = notice(world, folder, first->token);
		expect_listed(world, delta, folder, added);
		expect_listed(world, delta, folder, edited);
		expect_unlisted(delta, removed);
		if (appends(world))
			expect_unlisted(delta, old);
		expect_told(world, delta, first, 3, appends(world) ? 4 : 3, "the delta");
		if (!delta->full && !world->repeats)
			cr_assert_null(change_of(delta, same), "what did not change is listed");
	}
}

/* Many looks, each after one change. */
void endpoint_contract_deltas_follow_each_other(struct contract_world *world)
{
	const char *folder = new_folder(world), *one = add(world, folder, "uid-1", "one"), *two;
	struct endpoint_notice *seen = notice(world, folder, NULL), *before = seen;

	two = add(world, folder, "uid-2", "two");
	seen = notice(world, folder, before->token);
	expect_listed(world, seen, folder, two);
	expect_told(world, seen, before, 2, 1, "after the addition");
	before = seen;
	expect_no_fault(drop(world, folder, one, version(world, folder, one)), "remove");
	seen = notice(world, folder, before->token);
	expect_unlisted(seen, one);
	expect_told(world, seen, before, 1, 1, "after the removal");
	before = seen;
	expect_no_fault(drop(world, folder, two, version(world, folder, two)), "remove");
	seen = notice(world, folder, before->token);
	expect_unlisted(seen, two);
	expect_told(world, seen, before, 0, 1, "after the last removal");
	before = seen;
	seen = notice(world, folder, before->token);
	expect_told(world, seen, before, 0, 0, "nothing changed");
}

void endpoint_contract_token_again_shows_nothing(struct contract_world *world)
{
	const char *folder = new_folder(world);
	struct endpoint_notice *first, *second, *third;

	(void)add(world, folder, "uid-1", "one");
	first = notice(world, folder, NULL);
	second = notice(world, folder, first->token);
	expect_told(world, second, first, 1, 0, "nothing changed");
	third = notice(world, folder, second->token);
	expect_told(world, third, first, 1, 0, "nothing changed again");
}

static bool lists(const struct endpoint_notice *notice, const char *address)
{
	for (size_t i = 0; i < notice->count; i++)
		if (!strcmp(notice->changes[i].address, address))
			return true;
	return false;
}

static const char *advance(struct contract_world *world, const char *folder, const char *token)
{
	char *later = NULL;

	expect_no_fault(endpoint_advance(world->endpoint, world->mem, folder, token, &later),
			"advance");
	cr_assert_not_null(later);
	return later;
}

/* What we wrote ourselves may be left out, what came after must not be. */
void endpoint_contract_advanced_token_forgets_nobody(struct contract_world *world)
{
	const char *folder = new_folder(world), *token, *ours, *later;
	struct endpoint_notice *shown;

	(void)add(world, folder, "uid-1", "one");
	token = notice(world, folder, NULL)->token;
	ours = add(world, folder, "uid-2", "two");
	token = advance(world, folder, token);
	shown = notice(world, folder, token);
	if (world->endpoint->ops->appends && world->endpoint->ops->advance)
		cr_expect_not(lists(shown, ours), "its own write is told");
	later = add(world, folder, "uid-3", "three");
	shown = notice(world, folder, token);
	cr_expect(lists(shown, later), "what came later is not told");
	/* a token of before that is not the last notice's stays as it is */
	cr_expect_str_eq(advance(world, folder, token), token);
}

static bool spans(const struct endpoint_notice *notice, const char *address)
{
	for (size_t i = 0; i < notice->span_count; i++)
		if (strcmp(notice->spans[i].from, address) <= 0 &&
		    strcmp(address, notice->spans[i].to) <= 0)
			return true;
	return false;
}

/* Whoever has recorded that it came learns that it went, although the folder is as it was. */
void endpoint_contract_doubted_token_tells_what_came_and_went(struct contract_world *world)
{
	const char *folder = new_folder(world), *token, *address;
	struct endpoint_notice *shown;

	(void)add(world, folder, "uid-1", "one");
	token = notice(world, folder, notice(world, folder, NULL)->token)->token;
	address = add(world, folder, "uid-2", "two");
	expect_no_fault(drop(world, folder, address, version(world, folder, address)), "remove");
	shown = notice(world, folder, endpoint_doubt(world->endpoint, world->mem, token));
	cr_expect(shown->full || lists(shown, address) || spans(shown, address),
		  "nothing tells that it went");
}

void endpoint_contract_unknown_token_is_told(struct contract_world *world)
{
	const char *folder = new_folder(world);
	struct endpoint_notice *made = NULL;
	struct fault *fault;

	(void)add(world, folder, "uid-1", "one");
	fault = endpoint_notice(world->endpoint, world->mem, folder, world->unknown_token, &made);
	if (world->lists_for_unknown) {
		expect_no_fault(fault, world->unknown_token);
		cr_assert(made->full, "a full listing that does not say so");
		cr_assert_eq(made->count, 1);
		return;
	}
	expect_fault(fault, FAULT_TOKEN, world->unknown_token);
	cr_assert_eq(fault->scope, FAULT_SCOPE_FOLDER);
	cr_assert_null(made, "an out parameter touched on failure");
}

void endpoint_contract_many_items(struct contract_world *world)
{
	const char *folder = new_folder(world);
	struct endpoint_put *puts = MEM_ARRAY(world->mem, struct endpoint_put, MANY);
	const char **asked = MEM_ARRAY(world->mem, const char *, MANY);
	struct endpoint_item *items = NULL;
	struct endpoint_notice *made;

	for (size_t i = 0; i < MANY; i++) {
		const char *uid = mem_printf(world->mem, "uid-%03zu", i);

		puts[i].address = endpoint_address(world->endpoint, world->mem, folder, uid);
		puts[i].text = task(world, uid, mem_printf(world->mem, "task %zu", i));
		puts[i].len = strlen(puts[i].text);
	}
	expect_no_fault(endpoint_put(world->endpoint, world->mem, folder, puts, MANY), "put");
	for (size_t i = 0; i < MANY; i++) {
		expect_no_fault(puts[i].fault, puts[i].text);
		asked[i] = puts[i].placed ? puts[i].placed : puts[i].address;
	}
	made = notice(world, folder, NULL);
	cr_assert_eq(made->count, MANY, "expected %d, listed %zu", MANY, made->count);
	expect_no_fault(endpoint_fetch(world->endpoint, world->mem, folder, asked, MANY, &items),
			"fetch");
	for (size_t i = 0; i < MANY; i++) {
		const char *line = mem_printf(world->mem, "SUMMARY:task %zu\r\n", i);

		expect_no_fault(items[i].fault, asked[i]);
		cr_assert_not_null(strstr(items[i].text, line), "%s: expected %sactual:\n%s",
				   asked[i], line, items[i].text);
	}
}

/* The same ones again, replaced and removed together. */
void endpoint_contract_many_are_replaced_and_removed(struct contract_world *world)
{
	const char *folder = new_folder(world);
	struct endpoint_put *puts = MEM_ARRAY(world->mem, struct endpoint_put, SEVERAL);
	struct endpoint_remove *removes = MEM_ARRAY(world->mem, struct endpoint_remove, SEVERAL);
	struct endpoint_notice *made;

	for (size_t i = 0; i < SEVERAL; i++) {
		const char *uid = mem_printf(world->mem, "uid-%03zu", i);

		puts[i].address = endpoint_address(world->endpoint, world->mem, folder, uid);
		puts[i].text = task(world, uid, "first");
		puts[i].len = strlen(puts[i].text);
	}
	expect_no_fault(endpoint_put(world->endpoint, world->mem, folder, puts, SEVERAL), "create");
	made = notice(world, folder, NULL);
	for (size_t i = 0; i < SEVERAL; i++) {
		const char *uid = mem_printf(world->mem, "uid-%03zu", i);
		const char *at = puts[i].placed ? puts[i].placed : puts[i].address;

		expect_no_fault(puts[i].fault, "create");
		puts[i] = (struct endpoint_put){ .address = at, .text = task(world, uid, "2nd") };
		puts[i].len = strlen(puts[i].text);
		puts[i].if_version = change_of(made, at)->version;
	}
	expect_no_fault(endpoint_put(world->endpoint, world->mem, folder, puts, SEVERAL),
			"replace");
	if (!appends(world))
		made = notice(world, folder, NULL);
	for (size_t i = 0; i < SEVERAL; i++) {
		expect_no_fault(puts[i].fault, "replace");
		removes[i].address = puts[i].address;
		removes[i].successor = puts[i].placed;
		removes[i].if_version = appends(world) ? puts[i].replaced
						       : change_of(made, puts[i].address)->version;
	}
	expect_no_fault(endpoint_remove(world->endpoint, world->mem, folder, removes, SEVERAL),
			"remove");
	for (size_t i = 0; i < SEVERAL; i++)
		expect_no_fault(removes[i].fault, "remove");
	made = notice(world, folder, NULL);
	cr_assert_eq(made->count, appends(world) ? SEVERAL : 0, "%zu are left", made->count);
	for (size_t i = 0; i < made->count; i++)
		expect_listed(world, made, folder, puts[i].placed);
}

static const char *const awkward_lines[] = {
	"SUMMARY:Ünïcödé 任务 \xf0\x9f\x9a\xa2 ]]> <&> \"quotes\" 'single'",
	"DESCRIPTION:semicolon\\; comma\\, backslash\\\\ newline\\nsecond line\\n\\nend",
	"COMMENT:see https://example.com/?a=b&c=d#e and a \\, b",
	"LOCATION:\xe2\x80\x8b zero width and  two blanks inside",
	"X-FOREIGN;X-PARAM=\"with:colon;semicolon\":kept \xc3\xa9",
	"X-TASKFERRY-EDITION:1-0123abcd",
	"CATEGORIES:one,two\\, with comma,drei",
};

void endpoint_contract_awkward_text_survives(struct contract_world *world)
{
	const char *folder = new_folder(world),
		   *address = endpoint_address(world->endpoint, world->mem, folder, "uid-1");

	for (size_t i = 0; i < COUNT_OF(awkward_lines); i++) {
		const char *before = i ? version(world, folder, address) : NULL;
		char *text = item_text(world, "uid-1", awkward_lines[i]);

		expect_no_fault(put(world, folder, &address, text, before), awkward_lines[i]);
		expect_text(world, folder, address, text);
	}
}

static void whole_puts(struct contract_world *world, const char *folder, struct endpoint_put *puts,
		       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *uid = mem_printf(world->mem, "whole-%zu", i);

		puts[i] = (struct endpoint_put){
			.address = endpoint_address(world->endpoint, world->mem, folder, uid),
			.text = task(world, uid, mem_printf(world->mem, "whole %zu", i)),
		};
		puts[i].len = strlen(puts[i].text);
	}
}

/* Where something stands, or the server has no such way, nothing is made and nothing lost. */
static void whole_is_left(struct contract_world *world, const char *folder)
{
	const char *address = add(world, folder, "uid-mine", "Mine");
	struct endpoint_put puts[2] = { 0 };
	bool made = true;

	if (!appends(world))
		whole_puts(world, folder, puts, COUNT_OF(puts));
	expect_no_fault(endpoint_whole_make(world->endpoint, world->mem, folder, puts,
					    appends(world) ? 0 : COUNT_OF(puts), &made),
			"make again");
	cr_assert(!made, "made where a folder stands");
	expect_listed(world, notice(world, folder, NULL), folder, address);
}

void endpoint_contract_whole_folder_only_where_nothing_stands(struct contract_world *world)
{
	struct endpoint_folder name = { .path = world->path,
					.display = "Whole",
					.top = "Site",
					.sub = world->path };
	struct endpoint_put puts[3] = { 0 };
	struct endpoint_notice *listed;
	char *site = NULL, *again = NULL;
	const char *folder;
	bool made = false;

	expect_no_fault(endpoint_whole_site(world->endpoint, world->mem, &name, &site), "site");
	if (!site) {
		whole_is_left(world, new_folder(world));
		return;
	}
	whole_puts(world, site, puts, COUNT_OF(puts));
	expect_no_fault(endpoint_whole_make(world->endpoint, world->mem, site, puts, COUNT_OF(puts),
					    &made),
			"make");
	cr_assert(made);
	folder = ensure(world, site, "Whole", false);
	cr_assert_str_eq(folder, site);
	listed = notice(world, folder, NULL);
	cr_assert(listed->full && listed->count == COUNT_OF(puts), "%zu items", listed->count);
	for (size_t i = 0; i < COUNT_OF(puts); i++) { /* who wrote it may be lost on the way */
		const struct endpoint_item *item = fetch(world, folder, puts[i].address);
		const char *line = mem_printf(world->mem, "SUMMARY:whole %zu\r\n", i);

		expect_no_fault(item->fault, puts[i].address);
		cr_assert_not_null(strstr(item->text, line), "%s:\n%s", item->address, item->text);
	}
	expect_no_fault(endpoint_whole_site(world->endpoint, world->mem, &name, &again), "again");
	cr_assert_null(again, "a folder stands there");
	whole_is_left(world, folder);
	cr_assert_eq(notice(world, folder, NULL)->count, COUNT_OF(puts) + 1);
}
