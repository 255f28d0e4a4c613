/* The way of a file: bytes -> sections (conf_ini.c) -> each section's object with its defaults and
 * values -> sections given twice -> checks across sections. Nothing stops at the first error; the
 * configuration is thrown away at the end when there was one, so on the way it may hold anything.
 */
#include "config.h"

#include "conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "conf/conf_private.h"

#define NAME_BYTES "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
#define SLUG_BYTES "abcdefghijklmnopqrstuvwxyz0123456789-"

/* ---- values ---- */

static void read_defaults(struct conf_parse *parse, enum conf_kind kind, void *object)
{
	for (enum conf_key_id id = 0; id < CONF_KEYS; id++) {
		struct conf_value value = {
			.conf = parse->conf,
			.report = parse->report,
			.id = id,
			.key = conf_key_infos[id].key,
			.text = conf_key_infos[id].value,
			.object = object,
		};

		if (conf_key_table[id].kind == kind && value.text)
			(void)conf_value_read(&value); /* the unit test reads them all */
	}
}

/* "'a', 'b' and so on": what there is in a kind of section. */
static char *list_keys(TALLOC_CTX *mem, enum conf_kind kind)
{
	struct buf *list = buf_new(mem);

	for (enum conf_key_id id = 0; id < CONF_KEYS; id++)
		if (conf_key_table[id].kind == kind)
			buf_printf(list, "%s%s", list->len ? ", " : "", conf_key_infos[id].key);
	return buf_steal(&list, mem, NULL);
}

/* Not a key of this section: it may be misspelt, or stand in the wrong section. */
static void unknown_key(struct conf_parse *parse, struct conf_section *section,
			const struct conf_ini_entry *entry)
{
	TALLOC_CTX *scratch = MEM_CONTEXT(parse->report);
	const char *title = conf_ini_title(scratch, section->ini);
	const char *key = conf_quote(scratch, entry->key);
	struct conf_near near;
	enum conf_kind other = 0;

	conf_near_start(&near, entry->key);
	for (enum conf_key_id id = 0; id < CONF_KEYS; id++)
		if (conf_key_table[id].kind == section->kind)
			conf_near_try(&near, conf_key_infos[id].key);
	while (other < CONF_KINDS && conf_key_find(other, entry->key) == CONF_KEYS)
		other++;
	if (near.best) {
		enum conf_key_id meant = conf_key_find(section->kind, near.best);

		if (!section->key_line[meant])
			section->key_line[meant] = -entry->line;
		conf_report_error(parse->report, entry->line,
				  "unknown key '%s' in [%s]; did you mean '%s'?", key, title,
				  near.best);
	} else if (other < CONF_KINDS) {
		conf_report_error(parse->report, entry->line,
				  "unknown key '%s' in [%s]; it belongs into [%s]", key, title,
				  conf_kind_table[other].form);
	} else {
		conf_report_error(parse->report, entry->line,
				  "unknown key '%s' in [%s]; there are %s", key, title,
				  list_keys(scratch, section->kind));
	}
	talloc_free(scratch);
}

static void read_entry(struct conf_parse *parse, struct conf_section *section,
		       const struct conf_ini_entry *entry)
{
	enum conf_key_id id = conf_key_find(section->kind, entry->key);
	struct conf_value value = {
		.conf = parse->conf,
		.report = parse->report,
		.id = id,
		.key = entry->key,
		.text = entry->value,
		.line = entry->line,
		.object = section->object,
	};

	if (id == CONF_KEYS) {
		unknown_key(parse, section, entry);
		return;
	}
	if (section->key_line[id] > 0 && id != CONF_KEY_RULE_SET) {
		conf_report_error(parse->report, entry->line,
				  "key '%s' was already given in line %ld", entry->key,
				  section->key_line[id]);
		return;
	}
	if (section->key_line[id] <= 0)
		section->key_line[id] = entry->line;
	if (entry->value && !*entry->value)
		conf_report_error(parse->report, entry->line, "'%s' has no value",
				  conf_quote(parse->report, entry->key));
	else if (entry->value)
		section->good[id] = conf_value_read(&value);
}

/* ---- sections ---- */

static void unknown_section(struct conf_parse *parse, const struct conf_ini_section *ini)
{
	const char *word = conf_quote(parse->report, ini->words[0]);
	struct conf_near near;

	conf_near_start(&near, ini->words[0]);
	for (enum conf_kind kind = 0; kind < CONF_KINDS; kind++)
		conf_near_try(&near, conf_kind_table[kind].word);
	if (near.best)
		conf_report_error(parse->report, ini->line,
				  "unknown section [%s]; did you mean [%s]?", word,
				  conf_kind_table[conf_kind_find(near.best)].form);
	else
		conf_report_error(parse->report, ini->line,
				  "unknown section [%s]; there are site, store, server, account, "
				  "rights, gestures, rule, replies, log, control and web",
				  word);
}

/* A server's or rule's name stands in logs, job keys and --account SERVER/RESOURCE. */
static const char *take_name(struct conf_parse *parse, const struct conf_ini_section *ini, size_t i)
{
	const char *name = ini->words[i];
	size_t n = strlen(name);

	if (n > CONF_NAME_MAX || strspn(name, NAME_BYTES) != n || *name == '-' || *name == '.')
		conf_report_error(
			parse->report, ini->line,
			"bad name '%s': use at most %d letters, digits, '.', '_' and '-', "
			"beginning with a letter or digit",
			conf_quote(parse->report, name), CONF_NAME_MAX);
	return mem_strdup(parse->conf, name);
}

static const char *take_resource(struct conf_parse *parse, const struct conf_ini_section *ini)
{
	char *key = text_lower(parse->conf, ini->words[2]);
	size_t n = strlen(key);

	if (!text_is_address(key) &&
	    (n > CONF_RESOURCE_MAX || strspn(key, SLUG_BYTES) != n || *key == '-'))
		conf_report_error(parse->report, ini->line,
				  "bad resource key '%s': it is an e-mail address, or letters, "
				  "digits and '-'",
				  conf_quote(parse->report, ini->words[2]));
	return key;
}

/* The struct that a section fills; the arrays are large enough (count_objects()). */
static void *new_object(struct conf_parse *parse, enum conf_kind kind,
			const struct conf_ini_section *ini)
{
	struct conf *conf = parse->conf;
	struct conf_server *server;
	struct conf_account *account;
	struct conf_rule *rule;

	switch (kind) {
	case CONF_KIND_SERVER:
		server = &conf->servers[conf->server_count++];
		server->name = take_name(parse, ini, 1);
		server->line = ini->line;
		return server;
	case CONF_KIND_ACCOUNT:
		account = &conf->accounts[conf->account_count++];
		account->server = mem_strdup(conf, ini->words[1]);
		account->resource = take_resource(parse, ini);
		account->line = ini->line;
		return account;
	case CONF_KIND_RULE:
		rule = &conf->rules[conf->rule_count++];
		rule->name = take_name(parse, ini, 1);
		rule->line = ini->line;
		return rule;
	default:
		return conf;
	}
}

/* False: not a section that can be read on. */
static bool is_known(struct conf_parse *parse, const struct conf_ini_section *ini,
		     enum conf_kind kind)
{
	if (kind == CONF_KINDS) {
		unknown_section(parse, ini);
		return false;
	}
	if (ini->word_count != 1 + conf_kind_table[kind].names) {
		conf_report_error(parse->report, ini->line, "bad section header: write [%s]",
				  conf_kind_table[kind].form);
		return false;
	}
	if (kind == CONF_KIND_SERVER && parse->conf->server_count == CONF_SERVERS_MAX) {
		conf_report_error(parse->report, ini->line, "more than %d servers",
				  CONF_SERVERS_MAX);
		return false;
	}
	return true;
}

static void read_section(struct conf_parse *parse, const struct conf_ini_section *ini)
{
	enum conf_kind kind = conf_kind_find(ini->words[0]);
	struct conf_section *section = &parse->sections[parse->count];

	if (!is_known(parse, ini, kind))
		return;
	section->kind = kind;
	section->ini = ini;
	section->object = new_object(parse, kind, ini);
	if (conf_kind_table[kind].names)
		read_defaults(parse, kind, section->object);
	for (size_t i = 0; i < ini->count && !conf_report_full(parse->report); i++)
		read_entry(parse, section, &ini->entries[i]);
	parse->count++;
}

static void count_objects(struct conf *conf, const struct conf_ini *ini)
{
	size_t count[CONF_KINDS + 1] = { 0 };

	for (size_t i = 0; i < ini->count; i++)
		count[conf_kind_find(ini->sections[i].words[0])]++;
	conf->servers = MEM_ARRAY(conf, struct conf_server, count[CONF_KIND_SERVER]);
	conf->accounts = MEM_ARRAY(conf, struct conf_account, count[CONF_KIND_ACCOUNT]);
	conf->rules = MEM_ARRAY(conf, struct conf_rule, count[CONF_KIND_RULE]);
}

static void read_sections(struct conf_parse *parse, const struct conf_ini *ini)
{
	count_objects(parse->conf, ini);
	for (enum conf_kind kind = 0; kind < CONF_KINDS; kind++)
		if (!conf_kind_table[kind].names)
			read_defaults(parse, kind, parse->conf);
	for (size_t i = 0; i < ini->count && !conf_report_full(parse->report); i++)
		read_section(parse, &ini->sections[i]);
}

/* ---- sections given twice ---- */

/* By kind and names (a resource's in lower case), not by line. */
static int compare_sections(const struct conf_section *a, const struct conf_section *b)
{
	const struct conf_account *one, *other;
	int order = (int)a->kind - (int)b->kind;

	if (!order && conf_kind_table[a->kind].names)
		order = strcmp(a->ini->words[1], b->ini->words[1]);
	if (!order && a->kind == CONF_KIND_ACCOUNT) {
		one = a->object;
		other = b->object;
		order = strcmp(one->resource, other->resource);
	}
	return order;
}

static int compare_places(const void *a, const void *b)
{
	const struct conf_section *one = *(const struct conf_section *const *)a;
	const struct conf_section *other = *(const struct conf_section *const *)b;
	int order = compare_sections(one, other);

	return order ? order
		     : (one->ini->line > other->ini->line) - (one->ini->line < other->ini->line);
}

static void check_twice(TALLOC_CTX *scratch, struct conf_parse *parse)
{
	struct conf_section **places = MEM_ARRAY(scratch, struct conf_section *, parse->count);
	const struct conf_section *first = NULL;

	for (size_t i = 0; i < parse->count; i++)
		places[i] = &parse->sections[i];
	qsort(places, parse->count, sizeof *places, compare_places);
	for (size_t i = 0; i < parse->count && !conf_report_full(parse->report); i++) {
		if (!first || compare_sections(first, places[i])) {
			first = places[i];
			continue;
		}
		places[i]->again = true;
		conf_report_error(parse->report, places[i]->ini->line,
				  "section [%s] was already given in line %ld",
				  conf_ini_title(scratch, places[i]->ini), first->ini->line);
	}
}

/* ---- the whole ---- */

static int compare_accounts(const void *a, const void *b)
{
	const struct conf_account *one = a, *other = b;
	int order = strcmp(one->server, other->server);

	return order ? order : strcmp(one->resource, other->resource);
}

/* The line of the first NUL byte, 0: none. */
static long nul_line(const char *text, size_t len)
{
	const char *nul = len ? memchr(text, '\0', len) : NULL;
	long line = 1;

	for (const char *c = text; nul && c < nul; c++)
		line += *c == '\n';
	return nul ? line : 0;
}

struct fault *conf_parse(TALLOC_CTX *mem, const char *path, const char *text, size_t len,
			 unsigned mode, struct conf **conf_r, struct conf_report **report_r)
{
	long nul = nul_line(text, len);
	struct conf_parse parse = { .mode = mode };
	TALLOC_CTX *scratch;
	struct conf_ini *ini;

	if (len > CONF_FILE_MAX)
		return fault_new(mem, FAULT_CONFIG, "%s: larger than %zu bytes", path,
				 CONF_FILE_MAX);
	if (nul)
		return fault_new(mem, FAULT_CONFIG, "%s:%ld: a NUL byte: this is no text file",
				 path, nul);
	scratch = MEM_CONTEXT(mem);
	parse.conf = MEM_NEW(mem, struct conf);
	parse.conf->path = mem_strdup(parse.conf, path);
	parse.report = conf_report_new(mem, path);
	ini = conf_ini_read(scratch, text, len, parse.report);
	parse.sections = MEM_ARRAY(scratch, struct conf_section, ini->count);
	read_sections(&parse, ini);
	check_twice(scratch, &parse);
	conf_check(&parse);
	talloc_free(scratch);
	qsort(parse.conf->accounts, parse.conf->account_count, sizeof *parse.conf->accounts,
	      compare_accounts);
	if (parse.report->errors)
		TALLOC_FREE(parse.conf);
	*conf_r = parse.conf;
	*report_r = parse.report;
	return NULL;
}

static struct fault *file_fault(TALLOC_CTX *mem, const char *path, int error)
{
	enum fault_kind kind =
		error == EACCES || error == EPERM ? FAULT_NOT_PERMITTED : FAULT_NO_INPUT;

	return fault_new(
		mem, kind, "%s: %s%s", path, strerror(error),
		error == ENOENT
			? "; write the configuration there, or name it by -c or TASKFERRY_CONFIG"
			: "");
}

/* Reads at most SIZE bytes; -1 with errno. */
static ssize_t read_all(int fd, char *bytes, size_t size)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, bytes + len, size - len);
		if (n > 0)
			len += (size_t)n;
	} while ((n > 0 && len < size) || (n < 0 && errno == EINTR));
	return n < 0 ? -1 : (ssize_t)len;
}

static struct fault *read_file(TALLOC_CTX *mem, TALLOC_CTX *scratch, const char *path, int fd,
			       struct conf **conf_r, struct conf_report **report_r)
{
	struct stat st;
	size_t size;
	char *bytes;
	ssize_t n;

	if (fstat(fd, &st) != 0)
		return file_fault(mem, path, errno);
	if (!S_ISREG(st.st_mode))
		return fault_new(mem, FAULT_NO_INPUT, "%s: not a file", path);
	size = (size_t)st.st_size < CONF_FILE_MAX ? (size_t)st.st_size : CONF_FILE_MAX;
	bytes = conf_ini_buffer(scratch, size + 1); /* its filling is the excess */
	n = read_all(fd, bytes, size + 1);
	if (n < 0)
		return file_fault(mem, path, errno);
	if ((size_t)n > size && size < CONF_FILE_MAX)
		return fault_new(mem, FAULT_TRY_LATER,
				 "%s: it grew while it was read; run the command again", path);
	return conf_parse(mem, path, bytes, (size_t)n, st.st_mode & 07777, conf_r, report_r);
}

struct fault *conf_read(TALLOC_CTX *mem, const char *path, struct conf **conf_r,
			struct conf_report **report_r)
{
	int fd = open(path,
		      O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO must not hang us */
	TALLOC_CTX *scratch;
	struct fault *fault;

	if (fd < 0)
		return file_fault(mem, path, errno);
	scratch = MEM_CONTEXT(mem);
	fault = read_file(mem, scratch, path, fd, conf_r, report_r);
	close(fd);
	talloc_free(scratch);
	return fault;
}

/* ---- look-ups ---- */

const struct conf_server *conf_server_find(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->server_count; i++)
		if (!strcmp(conf->servers[i].name, name))
			return &conf->servers[i];
	return NULL;
}

const struct conf_account *conf_account_find(const struct conf *conf, const char *server,
					     const char *resource)
{
	struct conf_account wanted = { .server = server };
	const struct conf_account *found;
	char *key = text_lower(NULL, resource);

	wanted.resource = key;
	found = bsearch(&wanted, conf->accounts, conf->account_count, sizeof wanted,
			compare_accounts);
	talloc_free(key);
	return found;
}

/* True when one of the patterns matches the key or the address. */
static bool is_matched(const char *patterns, const char *key, const char *email)
{
	TALLOC_CTX *scratch = MEM_CONTEXT(NULL);
	bool matched = false;

	while (*patterns && !matched) {
		size_t n = strcspn(patterns, CONF_SEPARATORS);
		const char *pattern = mem_strndup(scratch, patterns, n);

		matched = n && (text_glob(pattern, key) || (email && text_glob(pattern, email)));
		patterns += n;
		patterns += strspn(patterns, CONF_SEPARATORS);
	}
	talloc_free(scratch);
	return matched;
}

bool conf_password_is_set(const struct conf_password *password)
{
	return password->command || password->file || password->credential || password->password ||
	       password->token_command || password->token_file;
}

bool conf_server_is_master(const struct conf_server *server)
{
	const char *who =
		server->auth == CONF_AUTH_CERTIFICATE ? server->tls_cert : server->login;

	if (server->type != SERVER_IMAP || !who)
		return false;
	return (server->authorize && !strstr(who, "%{")) || strchr(server->login, '*');
}

bool conf_server_is_open(const struct conf_server *server)
{
	return server->type == SERVER_MEMORY || server->auth == CONF_AUTH_NEGOTIATE ||
	       server->auth == CONF_AUTH_CERTIFICATE;
}

bool conf_server_has(const struct conf *conf, const struct conf_server *server, const char *key,
		     const char *email)
{
	if (conf_account_find(conf, server->name, key))
		return true;
	if (!conf_server_is_open(server) && !conf_password_is_set(&server->password))
		return false;
	return !server->resources || is_matched(server->resources, key, email);
}
