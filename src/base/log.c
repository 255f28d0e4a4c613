#include "config.h"

#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/secret_private.h"
#include "base/text.h"

/* A family of logs shares one core. Each text goes through three steps, whose order matters:
 *
 *   mask     on the raw text: afterwards a secret with a quote or a newline would not be found
 *   cut      afterwards, or the visible half of a secret would stay
 *   escape   control bytes first, then what is not UTF-8 or a C1 control becomes U+FFFD
 *
 * The line is put together in a talloc tree of its own, since any thread may log; only the core's
 * list of secrets is shared, under its lock.
 */

#define ELLIPSIS "\xe2\x80\xa6" /* U+2026 */

static const struct {
	const char *name;
	int priority; /* of syslog; sd-daemon(3) */
} level_rows[] = {
	{ "error", 3 },
	{ "warning", 4 },
	{ "info", 6 },
	{ "debug", 7 },
};
_Static_assert(COUNT_OF(level_rows) == LOG_LEVELS, "one row per level");

struct log_core {
	FILE *out;
	bool is_journal;
	atomic_int level;
	pthread_mutex_t lock; /* of the secrets */
	const struct secret **secrets;
	size_t secret_count;
};

struct log {
	struct log_core *core;
	const struct log *parent; /* NULL: the first of the family, without a pair */
	struct log_pair pair;
};

const char *log_level_name(enum log_level level)
{
	return level_rows[level].name;
}

bool log_level_from_name(const char *name, enum log_level *level_r)
{
	for (int i = 0; name && i < LOG_LEVELS; i++) {
		if (!strcmp(level_rows[i].name, name)) {
			*level_r = (enum log_level)i;
			return true;
		}
	}
	return false;
}

/* True if $JOURNAL_STREAM names this very stream, as systemd.exec(5) wants it asked: the variable
 * is inherited by programs whose output goes elsewhere. */
static bool is_journal(FILE *out)
{
	const char *stream = getenv("JOURNAL_STREAM");
	int fd = fileno(out);
	struct stat stat;
	char name[64];

	if (!stream || fd < 0 || fstat(fd, &stat) != 0)
		return false;
	snprintf(name, sizeof name, "%ju:%ju", (uintmax_t)stat.st_dev, (uintmax_t)stat.st_ino);
	return !strcmp(name, stream);
}

static int core_close(struct log_core *core)
{
	pthread_mutex_destroy(&core->lock);
	return 0;
}

struct log *log_new(TALLOC_CTX *mem, FILE *out, enum log_level level)
{
	struct log *log = MEM_NEW(mem, struct log);
	struct log_core *core = log->core = MEM_NEW(log, struct log_core);

	core->out = out ? out : stderr;
	core->is_journal = is_journal(core->out);
	atomic_init(&core->level, level);
	pthread_mutex_init(&core->lock, NULL);
	core->secrets = MEM_ARRAY(core, const struct secret *, 0);
	talloc_set_destructor(core, core_close);
	return log;
}

struct log *log_with(TALLOC_CTX *mem, const struct log *log, const char *key, const char *value)
{
	struct log *child;

	if (!log)
		return NULL;
	child = MEM_NEW(mem, struct log);
	child->core = log->core;
	child->parent = log;
	child->pair.key = mem_strdup(child, key);
	child->pair.value = mem_strdup(child, value);
	return child;
}

void log_set_level(struct log *log, enum log_level level)
{
	if (log)
		atomic_store(&log->core->level, level);
}

bool log_is_on(const struct log *log, enum log_level level)
{
	return log && (int)level <= atomic_load(&log->core->level);
}

static bool is_hidden(const struct log_core *core, const struct secret *secret)
{
	for (size_t i = 0; i < core->secret_count; i++)
		if (!strcmp(secret_reveal(core->secrets[i]), secret_reveal(secret)))
			return true;
	return false;
}

void log_hide(struct log *log, const struct secret *secret)
{
	struct log_core *core = log ? log->core : NULL;
	const char *text = secret ? secret_reveal(secret) : "";

	if (!core || !*text)
		return;
	pthread_mutex_lock(&core->lock);
	if (!is_hidden(core, secret)) {
		core->secrets = MEM_GROW(core, core->secrets, const struct secret *,
					 core->secret_count + 1);
		core->secrets[core->secret_count++] = secret_new(core, text, strlen(text));
	}
	pthread_mutex_unlock(&core->lock);
}

/* Steps one and two: TEXT without secrets, no longer than allowed. */
static char *masked(TALLOC_CTX *mem, struct log_core *core, const char *text)
{
	char *clean, *cut;

	pthread_mutex_lock(&core->lock);
	clean = secret_mask_all(mem, core->secrets, core->secret_count, text);
	pthread_mutex_unlock(&core->lock);
	if (strlen(clean) <= LOG_TEXT_MAX)
		return clean;
	cut = mem_printf(mem, "%.*s" ELLIPSIS, (int)text_prefix_bytes(clean, LOG_TEXT_MAX), clean);
	talloc_free(clean);
	return cut;
}

static void add_escaped(struct buf *line, const char *text, const char *also)
{
	static const char named[] = "\n\r\t", names[] = "nrt";
	struct buf *buf = buf_new(line);
	char *clean;

	for (; *text; text++) {
		const char *found = strchr(named, *text);

		if (found)
			buf_printf(buf, "\\%c", names[found - named]);
		else if ((unsigned char)*text < 0x20 || *text == 0x7f)
			buf_printf(buf, "\\x%02x", (unsigned)*text);
		else if (strchr(also, *text))
			buf_printf(buf, "\\%c", *text);
		else
			buf_putc(buf, *text);
	}
	clean = text_to_utf8(buf, buf->data, buf->len);
	buf_puts(line, clean);
	talloc_free(buf);
}

static bool needs_quotes(const char *value)
{
	if (!*value)
		return true;
	for (; *value; value++)
		if ((unsigned char)*value <= ' ' || *value == 0x7f || strchr("\"\\=", *value))
			return true;
	return false;
}

static void add_pair(struct buf *line, struct log_core *core, const struct log_pair *pair)
{
	char *value;

	if (!pair->value)
		return;
	value = masked(line, core, pair->value);
	buf_printf(line, " %s=", pair->key);
	if (needs_quotes(value)) {
		buf_putc(line, '"');
		add_escaped(line, value, "\"\\");
		buf_putc(line, '"');
	} else {
		add_escaped(line, value, "");
	}
	talloc_free(value);
}

/* The pairs of the whole family line, eldest first. */
static void add_context(struct buf *line, const struct log *log)
{
	if (!log->parent)
		return;
	add_context(line, log->parent);
	add_pair(line, log->core, &log->pair);
}

static void write_line(const struct log *log, enum log_level level, const struct log_pair *pairs,
		       size_t n, const char *fmt, va_list ap) ATTR_PRINTF(5, 0);

static void write_line(const struct log *log, enum log_level level, const struct log_pair *pairs,
		       size_t n, const char *fmt, va_list ap)
{
	struct log_core *core = log->core;
	struct buf *line = buf_new(NULL);

	if (core->is_journal)
		buf_printf(line, "<%d>", level_rows[level].priority);
	buf_printf(line, "%s ", level_rows[level].name);
	add_escaped(line, masked(line, core, mem_vprintf(line, fmt, ap)), "");
	add_context(line, log);
	for (size_t i = 0; i < n; i++)
		add_pair(line, core, &pairs[i]);
	buf_putc(line, '\n');
	(void)fwrite(line->data, 1, line->len, core->out); /* there is nowhere to tell it */
	(void)fflush(core->out);
	talloc_free(line);
}

void log_line(const struct log *log, enum log_level level, const char *fmt, ...)
{
	va_list ap;

	if (!log_is_on(log, level))
		return;
	va_start(ap, fmt);
	write_line(log, level, NULL, 0, fmt, ap);
	va_end(ap);
}

void log_pairs(const struct log *log, enum log_level level, const struct log_pair *pairs, size_t n,
	       const char *fmt, ...)
{
	va_list ap;

	if (!log_is_on(log, level))
		return;
	va_start(ap, fmt);
	write_line(log, level, pairs, n, fmt, ap);
	va_end(ap);
}

void log_fault(const struct log *log, enum log_level level, const struct fault *fault,
	       const char *fmt, ...)
{
	const struct log_pair pairs[] = {
		{ "error", fault->text },
		{ "kind", fault_kind_name(fault->kind) },
		{ "scope", fault_scope_name(fault->scope) },
		{ "next", fault_next_name(fault->next) },
		{ "maybe_done", fault->maybe_done ? "yes" : NULL },
	};
	va_list ap;

	if (!log_is_on(log, level))
		return;
	va_start(ap, fmt);
	write_line(log, level, pairs, COUNT_OF(pairs), fmt, ap);
	va_end(ap);
}
