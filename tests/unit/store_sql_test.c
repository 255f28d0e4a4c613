#include "config.h"

#include "store/db_private.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <glob.h>
#include <pwd.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

static const char *const migrations[] = {
#define X(version, text) text,
	SQL_MIGRATION_TABLE(X)
#undef X
};

static const int versions[] = {
#define X(version, text) version,
	SQL_MIGRATION_TABLE(X)
#undef X
};

/* What one of SQLite 3.40 and PostgreSQL 15 lacks, or understands another way; in upper case. */
static const char *const not_portable[] = {
	"FOR UPDATE",
	"SKIP LOCKED",
	"GREATEST(",
	"LEAST(",
	"NOW(",
	"UNIXEPOCH",
	"JULIANDAY",
	"STRFTIME",
	"DATETIME",
	"STRING_AGG",
	"GROUP_CONCAT",
	"JSON",
	"= ANY",
	"=ANY",
	"MERGE INTO",
	"IDENTITY",
	"AUTOINCREMENT",
	"SERIAL",
	"IMMEDIATE",
	"OCTET_LENGTH",
	"IIF(",
	"IFNULL(",
	"INSERT OR",
	"REPLACE INTO",
	"ROWID",
	"PRAGMA",
	"ILIKE",
	"GLOB",
	"::",
	"?",
	"\"",
	"`",
	"CURRENT_TIMESTAMP",
	"LIMIT -",
	"BLOB",
	"COLLATE",
	"PRINTF(",
	"CONCAT(",
};

static char *upper(TALLOC_CTX *mem, const char *text)
{
	char *copy = mem_strdup(mem, text);

	for (char *c = copy; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return copy;
}

static void expect_portable(TALLOC_CTX *mem, const char *name, const char *text)
{
	char *loud = upper(mem, text);

	for (size_t i = 0; i < COUNT_OF(not_portable); i++)
		cr_expect_null(strstr(loud, not_portable[i]), "%s has '%s': %s", name,
			       not_portable[i], text);
	for (const char *at = loud; (at = strpbrk(at, "M")); at++)
		if (text_starts(at, "MAX(") ||
		    text_starts(at, "MIN(")) /* of two values: SQLite's only */
			cr_expect_null(memchr(at, ',', strcspn(at, ")")),
				       "%s compares two values by MAX or MIN: %s", name, text);
	for (const char *at = loud; (at = strstr(at, "WITH ")); at++)
		cr_expect(!strstr(loud, "INSERT") && !strstr(loud, "UPDATE") &&
				  !strstr(loud, "DELETE"),
			  "%s writes behind WITH: %s", name, text);
}

Test(store_sql, every_statement_is_in_the_shared_subset)
{
	TALLOC_CTX *mem = talloc_new(NULL);

	for (int i = 0; i < SQL_STATEMENTS; i++)
		expect_portable(mem, db_statement_name((enum sql)i),
				db_statement_text((enum sql)i));
	for (size_t i = 0; i < COUNT_OF(migrations); i++)
		expect_portable(mem, "a migration", migrations[i]);
	talloc_free(mem);
}

Test(store_sql, migrations_are_numbered_from_one_without_gaps)
{
	cr_expect_eq(versions[0], 1);
	for (size_t i = 1; i < COUNT_OF(versions); i++)
		cr_expect(versions[i] == versions[i - 1] || versions[i] == versions[i - 1] + 1,
			  "%d follows %d", versions[i], versions[i - 1]);
	cr_expect_eq(versions[COUNT_OF(versions) - 1], SQL_SCHEMA_VERSION);
}

/* The highest N of $N; every number below it is used. */
static int parameters(const char *name, const char *text)
{
	bool used[DB_BINDS_MAX + 1] = { false };
	int highest = 0;

	for (const char *at = text; (at = strchr(at, '$')); at++) {
		long n = strtol(at + 1, NULL, 10);

		cr_assert(n >= 1 && n <= DB_BINDS_MAX, "%s: $%ld", name, n);
		used[n] = true;
		if (n > highest)
			highest = (int)n;
	}
	for (int n = 1; n <= highest; n++)
		cr_expect(used[n], "%s does not use $%d of $%d: %s", name, n, highest, text);
	return highest;
}

Test(store_sql, every_statement_prepares_on_sqlite)
{
	sqlite3 *handle = NULL;

	cr_assert_eq(sqlite3_open(":memory:", &handle), SQLITE_OK);
	for (size_t i = 0; i < COUNT_OF(migrations); i++)
		cr_assert_eq(sqlite3_exec(handle, migrations[i], NULL, NULL, NULL), SQLITE_OK,
			     "%s: %s", sqlite3_errmsg(handle), migrations[i]);
	for (int i = 0; i < SQL_STATEMENTS; i++) {
		const char *name = db_statement_name((enum sql)i),
			   *text = db_statement_text((enum sql)i), *tail = "";
		sqlite3_stmt *statement = NULL;

		cr_expect_eq(sqlite3_prepare_v2(handle, text, -1, &statement, &tail), SQLITE_OK,
			     "%s: %s", name, sqlite3_errmsg(handle));
		cr_expect_eq(*tail, '\0', "%s is more than one statement", name);
		cr_expect_eq(sqlite3_bind_parameter_count(statement), parameters(name, text), "%s",
			     name);
		sqlite3_finalize(statement);
	}
	sqlite3_close(handle);
}

/* ---- on a real PostgreSQL, where there is one ---- */

struct cluster {
	TALLOC_CTX *mem;
	const char *bin, *directory, *as; /* AS: the words that make a command run as its owner */
};

static int run(const struct cluster *cluster, const char *words)
{
	char *line = mem_printf(cluster->mem, "cd %s && %s%s >>%s/log 2>&1", cluster->directory,
				cluster->as, words, cluster->directory);

	return system(line);
}

static char *log_of(const struct cluster *cluster)
{
	char *text = mem_strdup(cluster->mem, ""), line[512];
	FILE *file = fopen(mem_printf(cluster->mem, "%s/log", cluster->directory), "r");

	while (file && fgets(line, sizeof line, file))
		text = talloc_strdup_append(text, line);
	if (file)
		fclose(file);
	return text;
}

static bool find_cluster(struct cluster *cluster)
{
	struct passwd *postgres = getpwnam("postgres");
	char directory[] = "/tmp/taskferry-pg-XXXXXX";
	glob_t found;

	if (glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) != 0)
		return false;
	cluster->bin = mem_strndup(cluster->mem, found.gl_pathv[0],
				   strlen(found.gl_pathv[0]) - strlen("/initdb"));
	globfree(&found);
	if (geteuid() == 0 && !postgres)
		return false;
	cr_assert_not_null(mkdtemp(directory));
	cluster->directory = mem_strdup(cluster->mem, directory);
	cluster->as = "";
	if (geteuid() == 0) { /* it refuses to run as root */
		cr_assert_eq(chown(directory, postgres->pw_uid, postgres->pw_gid), 0);
		cluster->as = "setpriv --reuid=postgres --regid=postgres --clear-groups ";
	}
	return true;
}

static void write_script(const struct cluster *cluster)
{
	FILE *file = fopen(mem_printf(cluster->mem, "%s/all.sql", cluster->directory), "w");

	cr_assert_not_null(file);
	fputs("BEGIN;\n", file);
	for (size_t i = 0; i < COUNT_OF(migrations); i++)
		fprintf(file, "%s;\n", migrations[i]);
	fputs("COMMIT;\n", file);
	for (int i = 0; i < SQL_STATEMENTS; i++)
		fprintf(file, "\\echo %s\nPREPARE s%d AS %s;\n", db_statement_name((enum sql)i), i,
			db_statement_text((enum sql)i));
	fputs("\\echo all were prepared\n", file);
	fclose(file);
}

Test(store_sql, every_statement_prepares_on_postgresql, .timeout = 300)
{
	struct cluster cluster = { .mem = talloc_new(NULL) };
	bool started, done;

	if (!find_cluster(&cluster))
		cr_skip_test("no PostgreSQL server is installed (apt-get install postgresql)");
	write_script(&cluster);
	started =
		run(&cluster, mem_printf(cluster.mem,
					 "%s/initdb -D data -A trust -U postgres -E UTF8 --no-sync",
					 cluster.bin)) == 0 &&
		run(&cluster, mem_printf(cluster.mem,
					 "%s/pg_ctl -D data -w -l server.log -o \"-c "
					 "listen_addresses='' -c fsync=off -k %s\" start",
					 cluster.bin, cluster.directory)) == 0;
	done = started &&
	       run(&cluster,
		   mem_printf(
			   cluster.mem,
			   "%s/psql -X -q -v ON_ERROR_STOP=1 -h %s -U postgres -f all.sql postgres",
			   cluster.bin, cluster.directory)) == 0;
	if (started)
		(void)run(&cluster, mem_printf(cluster.mem, "%s/pg_ctl -D data -m immediate stop",
					       cluster.bin));
	cr_expect(started, "%s", log_of(&cluster));
	cr_expect(done && strstr(log_of(&cluster), "all were prepared"), "%s", log_of(&cluster));
	cr_expect_eq(system(mem_printf(cluster.mem, "rm -rf %s", cluster.directory)), 0);
	talloc_free(cluster.mem);
}
