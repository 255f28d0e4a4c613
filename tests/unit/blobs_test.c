/* The bytes of attachments: once, and gone when nobody has them. */
#include "config.h"

#include "store_world.h"

#include "store/blobs.h"
#include "store/revisions.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void attach(struct store_world *world, const char *from, const char *to)
{
	struct vector *old = vector_new(world->mem), *new = vector_new(world->mem);
	struct project_step step = { .project_id = world->project,
				     .task_id = world->task,
				     .assignment_id = world->assignment->id,
				     .field = FIELD_attachments,
				     .old = &old->value[FIELD_attachments],
				     .new = &new->value[FIELD_attachments],
				     .author = "project:x" };

	vector_text(old, FIELD_attachments, from);
	vector_text(new, FIELD_attachments, to);
	STORE_OK(store_begin(world->store));
	STORE_OK(project_change(world->store, &step, NULL));
	STORE_OK(store_commit(world->store));
}

static bool has(struct store_world *world, const char *digest)
{
	bool has = false;

	STORE_OK(blobs_has(world->store, digest, &has));
	return has;
}

static void purge(struct store_world *world)
{
	STORE_OK(store_begin(world->store));
	STORE_OK(blobs_purge(world->store));
	STORE_OK(store_commit(world->store));
}

Test(blobs, once_and_as_long_as_somebody_has_them)
{
	struct store_world world = store_world_new();
	char *bytes = NULL;
	size_t len = 0;
	bool any = true;

	store_world_fill(&world);
	STORE_OK(blobs_any(world.store, &any));
	cr_expect_not(any);
	STORE_OK(store_begin(world.store));
	STORE_OK(blobs_put(world.store, A, "a\0b", 3));
	STORE_OK(blobs_put(world.store, A, "a\0b", 3));
	STORE_OK(blobs_put(world.store, B, "", 0));
	STORE_OK(store_commit(world.store));
	STORE_OK(blobs_get(world.store, world.mem, A, &bytes, &len));
	cr_expect(len == 3 && !memcmp(bytes, "a\0b", 3));
	STORE_OK(blobs_get(world.store, world.mem, B, &bytes, &len));
	cr_expect_eq(len, 0);
	attach(&world, NULL, A " 3 - a\n" B " 0 - b");
	STORE_OK(blobs_any(world.store, &any));
	cr_expect(any);
	attach(&world, A " 3 - a\n" B " 0 - b", A " 3 - a");
	purge(&world);
	cr_expect(has(&world, B), "not before its time");
	clock_sleep(world.clock, 2 * BLOBS_KEPT_US);
	purge(&world);
	cr_expect_not(has(&world, B));
	cr_expect(has(&world, A));
	attach(&world, A " 3 - a", NULL);
	purge(&world);
	cr_expect(has(&world, A), "looked for once a day");
	clock_sleep(world.clock, 2 * BLOBS_KEPT_US);
	purge(&world);
	cr_expect_not(has(&world, A));
	cr_expect_not_null(blobs_get(world.store, world.mem, A, &bytes, &len));
	store_world_free(&world);
}

/* What a revision could bring back is kept. */
Test(blobs, of_revisions)
{
	struct store_world world = store_world_new();
	struct revision *revision = revision_new(world.mem, REVISION_PROPOSED);
	struct value theirs = { .presence = SET, .text = A " 3 - a" },
		     ours = { .presence = CLEARED };

	store_world_fill(&world);
	revision_field(revision, FIELD_attachments, &ours, &theirs, &ours);
	revision->assignment_id = world.assignment->id;
	revision->author = "mailbox:a/b";
	STORE_OK(store_begin(world.store));
	STORE_OK(blobs_put(world.store, A, "abc", 3));
	STORE_OK(revisions_add(world.store, revision));
	STORE_OK(store_commit(world.store));
	clock_sleep(world.clock, 2 * BLOBS_KEPT_US);
	purge(&world);
	cr_expect(has(&world, A));
	store_world_free(&world);
}
