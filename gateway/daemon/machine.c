/* machine.c - the database's meta text "machine" is "DIGEST NAME": a digest of the machine's id,
 * which is nobody's business, and its name, for people. */
#include "config.h"

#include "gateway/daemon/machine.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/text.h"

#define MACHINE_ID "/etc/machine-id"
#define MACHINE_ID_CHARS 32 /* machine-id(5); "uninitialized" is none */
#define DIGEST_CHARS 32
#define NAME_MAX_BYTES 256 /* more than any system's HOST_NAME_MAX */

static char *host_name(TALLOC_CTX *mem)
{
	char name[NAME_MAX_BYTES + 1] = "";

	if (gethostname(name, sizeof name - 1) || !*name)
		return mem_strdup(mem, "localhost");
	return text_one_line(mem, name, NAME_MAX_BYTES);
}

/* The id, or the host's name where there is none (a container). */
static char *machine_id(TALLOC_CTX *mem)
{
	char id[MACHINE_ID_CHARS + 1] = "";
	FILE *file = fopen(MACHINE_ID, "re");
	size_t n = file ? fread(id, 1, sizeof id - 1, file) : 0;

	if (file)
		(void)fclose(file);
	return n == MACHINE_ID_CHARS ? mem_strdup(mem, id) : host_name(mem);
}

/* A digest for this use only, as machine-id(5) wants it. */
static char *this_machine(TALLOC_CTX *mem)
{
	char *id = mem_printf(mem, "taskferry machine %s", machine_id(mem));

	return mem_printf(mem, "%s %s", digest_short(mem, id, strlen(id), DIGEST_CHARS),
			  host_name(mem));
}

static struct fault *note(struct store *store, const char *machine)
{
	struct fault *fault;

	FAULT_TRY(store_begin(store));
	fault = store_meta_put(store, "machine", machine);
	if (!fault)
		fault = store_commit(store);
	store_rollback(store);
	return fault;
}

struct fault *machine_check(TALLOC_CTX *mem, struct store *store, bool takeover)
{
	char *here = this_machine(mem), *noted = NULL;

	FAULT_TRY(store_meta(store, mem, "machine", &noted));
	if (noted && !strncmp(noted, here, DIGEST_CHARS))
		return NULL;
	if (!noted || takeover)
		return note(store, here);
	return fault_new(mem, FAULT_CONFIG,
			 "the service for this database ran on the machine '%s', and this is '%s'; "
			 "if the database was moved here and no service works on the old copy any "
			 "more: taskferry run --takeover",
			 strlen(noted) > DIGEST_CHARS ? noted + DIGEST_CHARS + 1 : noted,
			 here + DIGEST_CHARS + 1);
}
