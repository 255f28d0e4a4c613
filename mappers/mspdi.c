#include "config.h"

#include "mappers/mspdi.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mappers/mspdi_private.h"

/* Reading a Project XML file: one walk over the document (mspdi_walk.c) fills a plan row by row
 * (mspdi_plan.c), which is joined at the end (mspdi_link.c). The file is never in memory as a
 * whole.
 *
 * Elements are found by name in the namespace of the root; what stands in another order than the
 * schema's is read all the same. Everything of ours hangs from `work` until the end, so a fault
 * leaves nothing behind.
 */

static struct fault *read_source(TALLOC_CTX *mem, struct mspdi_source *source,
				 struct projfile **file_r)
{
	TALLOC_CTX *work = MEM_CONTEXT(mem);
	struct mspdi_plan *plan = mspdi_plan_new(work, source->name);
	struct fault *fault = mspdi_walk(work, source, &mspdi_plan_root, plan);

	if (fault)
		(void)talloc_steal(mem, fault);
	else
		*file_r = mspdi_link(mem, plan);
	if (!fault && source->progress)
		source->progress(source->data, source->done, source->total);
	talloc_free(work);
	return fault;
}

struct fault *mspdi_read(TALLOC_CTX *mem, const char *name, const char *text, size_t len,
			 struct projfile **file_r)
{
	struct mspdi_source source = {
		.name = name, .fd = -1, .text = text, .total = (int64_t)len
	};

	return read_source(mem, &source, file_r);
}

static struct fault *open_file(TALLOC_CTX *mem, const char *path, int *fd_r, int64_t *size_r)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return fault_new(mem, FAULT_NO_INPUT, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode)) {
		close(fd);
		return fault_new(mem, FAULT_NO_INPUT, "%s: is not a file that can be read", path);
	}
	*fd_r = fd;
	*size_r = S_ISREG(st.st_mode) ? (int64_t)st.st_size : 0;
	return NULL;
}

struct fault *mspdi_read_file(TALLOC_CTX *mem, const char *path, mspdi_progress *progress,
			      void *data, struct projfile **file_r)
{
	struct mspdi_source source = { .name = path, .progress = progress, .data = data };
	struct fault *fault;

	FAULT_TRY(open_file(mem, path, &source.fd, &source.total));
	fault = read_source(mem, &source, file_r);
	close(source.fd);
	return fault;
}
