#include "config.h"

#include "gateway/sync/edit_files.h"

#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/text.h"
#include "store/blobs.h"

#define DIGITS_MIN 8 /* of a digest, for people: 32 bits tell an assignment's files apart */
#define DIGITS_SHOWN 12

/* What a person asks for: files to come, or names to go. */
struct request {
	const struct edit_file *files;
	const char *const *names;
	size_t count;
};

struct fault *edit_files_find(TALLOC_CTX *mem, const struct files *files, const char *name,
			      const struct file **file_r)
{
	const struct file *found = NULL;
	struct buf *several = buf_new(mem);
	size_t matches = 0;

	for (size_t i = 0; i < files->count; i++) {
		const struct file *file = &files->list[i];

		if (strcmp(file->name, name) != 0 && !(file->digest && strlen(name) >= DIGITS_MIN &&
						       text_starts(file->digest, name)))
			continue;
		found = file;
		matches++;
		buf_printf(several, " %.*s", DIGITS_SHOWN, files_id(file));
	}
	if (!matches)
		return fault_new(mem, FAULT_DATA,
				 "there is no attachment '%s'; `taskferry task show` names all",
				 name);
	if (matches > 1)
		return fault_new(mem, FAULT_DATA,
				 "there are %zu attachments '%s'; say which by its digest:%s",
				 matches, name, several->data);
	*file_r = found;
	return NULL;
}

static struct fault *check_size(TALLOC_CTX *mem, const struct edit_env *env,
				const struct edit_file *file)
{
	int64_t max = env->conf->site.file_max;

	if ((int64_t)file->len <= max)
		return NULL;
	return fault_new(mem, FAULT_DATA, "%s has %s; [site] file_max allows %s", file->name,
			 files_size_text(mem, (int64_t)file->len), files_size_text(mem, max));
}

/* The value without the files of that name but the given one. */
static const char *without_name(TALLOC_CTX *mem, const char *value, const struct file *but)
{
	struct files *all = files_read(mem, value), *kept = MEM_NEW(mem, struct files);

	for (size_t i = 0; i < all->count; i++)
		if (!all->list[i].digest || strcmp(all->list[i].name, but->name) != 0 ||
		    !strcmp(all->list[i].digest, but->digest))
			files_add(kept, &all->list[i]);
	return files_write(mem, kept);
}

static struct fault *attach_one(TALLOC_CTX *mem, const struct edit_env *env,
				const struct edit_file *file, const char **value)
{
	struct file added = { .name = files_name(mem, file->name),
			      .digest = digest_sha256(mem, file->bytes, file->len),
			      .size = (int64_t)file->len };
	struct files *one = MEM_NEW(mem, struct files);

	added.type = files_type_of_name(added.name);
	FAULT_TRY(check_size(mem, env, file));
	FAULT_TRY(blobs_put(env->store, added.digest, file->bytes, file->len));
	files_add(one, &added);
	*value = files_join(mem, without_name(mem, *value, &added), files_write(mem, one));
	return NULL;
}

static struct fault *detach_one(TALLOC_CTX *mem, const char *name, const char **value)
{
	const struct file *file = NULL;
	struct files *one = MEM_NEW(mem, struct files);

	FAULT_TRY(edit_files_find(mem, files_read(mem, *value), name, &file));
	files_add(one, file);
	*value = files_without(mem, *value, files_write(mem, one));
	return NULL;
}

static struct fault *check_all(TALLOC_CTX *mem, const char *value)
{
	if (files_read(mem, value)->count > FILES_COUNT_MAX)
		return fault_new(mem, FAULT_DATA, "an assignment has at most %zu attachments",
				 FILES_COUNT_MAX);
	if (files_total(value) > FILES_TOTAL_MAX)
		return fault_new(mem, FAULT_DATA, "an assignment's attachments have at most %s",
				 files_size_text(mem, FILES_TOTAL_MAX));
	return NULL;
}

static struct fault *ask(const struct edit_env *env, const struct request *request,
			 struct edit_result *result)
{
	const char *value = vector_str(result->before, FIELD_attachments);

	for (size_t i = 0; i < request->count; i++)
		FAULT_TRY(request->files ? attach_one(result, env, &request->files[i], &value)
					 : detach_one(result, request->names[i], &value));
	FAULT_TRY(check_all(result, value));
	vector_text(result->after, FIELD_attachments, value);
	return NULL;
}

static struct fault *edit(TALLOC_CTX *mem, const struct edit_env *env, int64_t id,
			  const struct request *request, struct edit_result *result)
{
	struct assignment *assignment = NULL;
	struct stamped *stamped = NULL;
	struct rules_context context;

	FAULT_TRY(project_assignment(env->store, result, id, &assignment));
	if (!assignment)
		return fault_new(mem, FAULT_DATA,
				 "there is no assignment %lld; `taskferry task list` shows all",
				 (long long)id);
	FAULT_TRY(project_values(env->store, result, assignment, &stamped));
	result->before = stamped->values;
	result->after = vector_copy(result, stamped->values);
	FAULT_TRY(ask(env, request, result));
	FAULT_TRY(edit_context(result, env, assignment, result->before, "project", &context));
	FAULT_TRY(edit_judge(mem, env, &context, "changed", result));
	FAULT_TRY(
		edit_write(env, assignment, result->before, result->after, NULL, result->changed));
	return edit_carry(result, env, assignment->project_id);
}

static struct fault *carry_out(TALLOC_CTX *mem, const struct edit_env *env, int64_t assignment,
			       const struct request *request, struct edit_result **result_r)
{
	struct edit_result *result = MEM_NEW(mem, struct edit_result);
	struct fault *fault;

	FAULT_TRY(store_begin(env->store));
	fault = edit(mem, env, assignment, request, result);
	point_reach(env->points, POINT_SET_STAGED);
	if (!fault)
		fault = store_commit(env->store);
	store_rollback(env->store);
	if (fault)
		return fault;
	point_reach(env->points, POINT_SET_DONE);
	*result_r = result;
	return NULL;
}

struct fault *edit_files_attach(TALLOC_CTX *mem, const struct edit_env *env, int64_t assignment,
				const struct edit_file *files, size_t count,
				struct edit_result **result_r)
{
	return carry_out(mem, env, assignment, &(struct request){ .files = files, .count = count },
			 result_r);
}

struct fault *edit_files_detach(TALLOC_CTX *mem, const struct edit_env *env, int64_t assignment,
				const char *const *names, size_t count,
				struct edit_result **result_r)
{
	return carry_out(mem, env, assignment, &(struct request){ .names = names, .count = count },
			 result_r);
}
