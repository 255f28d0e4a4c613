/* conf_private.h - what the files of the reader share: sections as read, the table of keys, types
 * of values, checks.
 *
 *   conf_ini.c     bytes -> sections with entries; knows no key
 *   conf_keys.c    the one table of sections and keys
 *   conf_value.c   one entry -> one member of struct conf, by the type that its row names
 *   conf_url.c     URLs and addresses
 *   conf_check.c   what no single entry can tell: what is missing, what contradicts
 *   conf_report.c  findings and hints
 *   conf.c         the way through all of these, and look-ups
 */
#ifndef TASKFERRY_CONF_PRIVATE_H
#define TASKFERRY_CONF_PRIVATE_H

#include "conf/conf.h"

#define CONF_NAME_MAX 64 /* bytes of a server's or rule's name: it stands in logs and job keys */
#define CONF_RESOURCE_MAX 254  /* bytes of a resource's key: an address (DESIGN section 11) */
#define CONF_SOCKET_MAX 107    /* bytes: sun_path of Linux holds 108 with its NUL */
#define CONF_SEPARATORS " \t," /* between the words of a list */
#define CONF_QUOTE_CHARS 60    /* code points of the file's text that a finding repeats */

/* ---- conf_report.c ---- */

struct conf_report *conf_report_new(TALLOC_CTX *mem, const char *path);

/* True when there are errors and so many findings that reading on is no use. */
bool conf_report_full(const struct conf_report *report);

/* Collects candidates for "did you mean": the nearest one, if it is near enough. */
struct conf_near {
	const char *word;
	const char *best; /* NULL: none is near */
	size_t distance;
};
void conf_near_start(struct conf_near *near, const char *word);
void conf_near_try(struct conf_near *near, const char *candidate);

/* TEXT as a finding may repeat it: one line, cut. */
char *conf_quote(TALLOC_CTX *mem, const char *text);

/* ---- conf_ini.c ---- */

#define CONF_INI_WORDS 4 /* one more than any section has, so that too many are seen */

struct conf_ini_entry {
	const char *key;
	const char *value; /* unquoted; NULL when it was not well-formed (already reported) */
	long line;
};

struct conf_ini_section {
	const char *words[CONF_INI_WORDS];
	size_t word_count; /* the true number, may be larger than the array */
	long line;
	bool damaged; /* a line of it could not be read at all: do not report what seems missing */
	struct conf_ini_entry *entries;
	size_t count;
};

struct conf_ini {
	char *text; /* what keys, values and words point into; wiped when freed (N8) */
	struct conf_ini_section *sections;
	size_t count;
};

/* A buffer of N bytes and a NUL that is wiped when it is freed. */
char *conf_ini_buffer(TALLOC_CTX *mem, size_t n);

/* Reads sections and entries; findings go to REPORT. TEXT holds no NUL byte. */
struct conf_ini *conf_ini_read(TALLOC_CTX *mem, const char *text, size_t len,
			       struct conf_report *report);

/* "account calendars ana@example.com", for messages. */
char *conf_ini_title(TALLOC_CTX *mem, const struct conf_ini_section *section);

/* ---- conf_keys.c ---- */

/* A section as a person writes it. */
#define CONF_FORM_SITE "site"
#define CONF_FORM_STORE "store"
#define CONF_FORM_SERVER "server NAME"
#define CONF_FORM_ACCOUNT "account SERVER KEY"
#define CONF_FORM_RIGHTS "rights"
#define CONF_FORM_GESTURES "gestures"
#define CONF_FORM_RULE "rule NAME"
#define CONF_FORM_REPLIES "replies"
#define CONF_FORM_LOG "log"
#define CONF_FORM_CONTROL "control"
#define CONF_FORM_WEB "web"

/* id, word, number of names behind the word */
#define CONF_KIND_TABLE(X)                                                                         \
	X(SITE, "site", 0)                                                                         \
	X(STORE, "store", 0)                                                                       \
	X(SERVER, "server", 1)                                                                     \
	X(ACCOUNT, "account", 2)                                                                   \
	X(RIGHTS, "rights", 0)                                                                     \
	X(GESTURES, "gestures", 0)                                                                 \
	X(RULE, "rule", 1)                                                                         \
	X(REPLIES, "replies", 0)                                                                   \
	X(LOG, "log", 0)                                                                           \
	X(CONTROL, "control", 0)                                                                   \
	X(WEB, "web", 0)

enum conf_kind {
#define X(id, word, names) CONF_KIND_##id,
	CONF_KIND_TABLE(X)
#undef X
		CONF_KINDS
};

struct conf_kind_info {
	const char *word, *form;
	size_t names;
};
extern const struct conf_kind_info conf_kind_table[CONF_KINDS];

/* What a type is called for people; the reader of each is in conf_value.c. */
#define CONF_TYPE_NAME_TEXT "text"
#define CONF_TYPE_NAME_ZONE "text"
#define CONF_TYPE_NAME_DATE "date"
#define CONF_TYPE_NAME_DSN "text"
#define CONF_TYPE_NAME_SITE_URL "url"
#define CONF_TYPE_NAME_SERVER_URL "url"
#define CONF_TYPE_NAME_PATH "path"
#define CONF_TYPE_NAME_SOCKET "path"
#define CONF_TYPE_NAME_NAMED_PATH "path"
#define CONF_TYPE_NAME_TEMPLATE "template"
#define CONF_TYPE_NAME_COMMAND "command"
#define CONF_TYPE_NAME_CREDENTIAL "name"
#define CONF_TYPE_NAME_SECRET "secret"
#define CONF_TYPE_NAME_GLOBS "list"
#define CONF_TYPE_NAME_GROUPS "list"
#define CONF_TYPE_NAME_PINS "list"
#define CONF_TYPE_NAME_KEYWORDS "list"
#define CONF_TYPE_NAME_LABELS "list"
#define CONF_TYPE_NAME_FOLDER "name"
#define CONF_TYPE_NAME_EXTENSIONS "list"
#define CONF_TYPE_NAME_DURATION "duration"
#define CONF_TYPE_NAME_NUMBER "number"
#define CONF_TYPE_NAME_SIZE "size"
#define CONF_TYPE_NAME_PERCENT "percent"
#define CONF_TYPE_NAME_CHOICE "choice"
#define CONF_TYPE_NAME_CHOICE_NAME "choice"
#define CONF_TYPE_NAME_YES_NO "yes/no"
#define CONF_TYPE_NAME_EXPRESSION "expression"
#define CONF_TYPE_NAME_SET "expression"
#define CONF_TYPE_NAME_LISTEN "address"

#define CONF_TYPE_TABLE(X)                                                                         \
	X(TEXT)                                                                                    \
	X(ZONE)                                                                                    \
	X(DATE)                                                                                    \
	X(DSN)                                                                                     \
	X(SITE_URL)                                                                                \
	X(SERVER_URL)                                                                              \
	X(PATH)                                                                                    \
	X(SOCKET)                                                                                  \
	X(NAMED_PATH)                                                                              \
	X(TEMPLATE)                                                                                \
	X(COMMAND)                                                                                 \
	X(CREDENTIAL)                                                                              \
	X(SECRET)                                                                                  \
	X(GLOBS)                                                                                   \
	X(PINS)                                                                                    \
	X(EXTENSIONS)                                                                              \
	X(GROUPS)                                                                                  \
	X(KEYWORDS)                                                                                \
	X(LABELS)                                                                                  \
	X(FOLDER)                                                                                  \
	X(DURATION)                                                                                \
	X(NUMBER)                                                                                  \
	X(SIZE)                                                                                    \
	X(PERCENT)                                                                                 \
	X(CHOICE)                                                                                  \
	X(CHOICE_NAME)                                                                             \
	X(YES_NO)                                                                                  \
	X(EXPRESSION)                                                                              \
	X(SET)                                                                                     \
	X(LISTEN)

enum conf_type {
#define X(id) CONF_TYPE_##id,
	CONF_TYPE_TABLE(X)
#undef X
		CONF_TYPES
};

/* The words of each enum of conf.h, in its order, with a separator between them: a comma makes an
 * array of them, a string the text for people. */
#define CONF_WORDS_DATES(sep) "day" sep "time"
#define CONF_WORDS_SERVER_TYPE(sep) "caldav" sep "imap" sep "memory"
#define CONF_WORDS_DELIVER(sep) "first" sep "all"
#define CONF_WORDS_AUTH(sep)                                                                       \
	"password" sep "basic" sep "digest" sep "scram" sep "plain" sep "login" sep "bearer" sep   \
	"negotiate" sep "certificate"
#define CONF_WORDS_ON_DELETE(sep) "restore" sep "decline" sep "ignore"
#define CONF_WORDS_NEW_ITEMS(sep) "propose" sep "accept" sep "ignore"
#define CONF_WORDS_STAR(sep) "started" sep "ignore"
#define CONF_WORDS_ACTION(sep) "correct" sep "reject" sep "hold" sep "warn"
#define CONF_WORDS_LEVEL(sep) "error" sep "warning" sep "info" sep "debug"

enum conf_choice {
	CONF_CHOICE_NONE,
	CONF_CHOICE_DATES,
	CONF_CHOICE_SERVER_TYPE,
	CONF_CHOICE_DELIVER,
	CONF_CHOICE_AUTH,
	CONF_CHOICE_ON_DELETE,
	CONF_CHOICE_NEW_ITEMS,
	CONF_CHOICE_STAR,
	CONF_CHOICE_ACTION,
	CONF_CHOICE_LEVEL,
	CONF_CHOICES
};

struct conf_choice_info {
	const char *const *words;
	size_t count;
	const char *text; /* "a | b | c" */
};
extern const struct conf_choice_info conf_choice_table[CONF_CHOICES];

/* One id per key; conf_key_table has the rows. */
enum conf_key_id {
	CONF_KEY_SITE_URL,
	CONF_KEY_SITE_NAME,
	CONF_KEY_SITE_TIMEZONE,
	CONF_KEY_SITE_HOURS_PER_DAY,
	CONF_KEY_SITE_HOURS_PER_WEEK,
	CONF_KEY_SITE_DATES,
	CONF_KEY_SITE_FOLDER,
	CONF_KEY_SITE_CLOSED_UNTIL,
	CONF_KEY_SITE_FILE_MAX,
	CONF_KEY_STORE_DSN,
	CONF_KEY_SERVER_TYPE,
	CONF_KEY_SERVER_URL,
	CONF_KEY_SERVER_HOME,
	CONF_KEY_SERVER_PRINCIPAL_SEARCH,
	CONF_KEY_SERVER_LOGIN,
	CONF_KEY_SERVER_AUTHORIZE,
	CONF_KEY_SERVER_PASSWORD_COMMAND,
	CONF_KEY_SERVER_PASSWORD_FILE,
	CONF_KEY_SERVER_CREDENTIAL,
	CONF_KEY_SERVER_PASSWORD,
	CONF_KEY_SERVER_RESOURCES,
	CONF_KEY_SERVER_DELIVER,
	CONF_KEY_SERVER_POLL,
	CONF_KEY_SERVER_POLL_MAX,
	CONF_KEY_SERVER_CONNECTIONS,
	CONF_KEY_SERVER_SETTLE,
	CONF_KEY_SERVER_INLINE_MAX,
	CONF_KEY_SERVER_MESSAGE_MAX,
	CONF_KEY_SERVER_STARTTLS,
	CONF_KEY_SERVER_TLS_CA,
	CONF_KEY_SERVER_PROBE,
	CONF_KEY_SERVER_AUTH,
	CONF_KEY_SERVER_TOKEN_COMMAND,
	CONF_KEY_SERVER_TOKEN_FILE,
	CONF_KEY_SERVER_TLS_CERT,
	CONF_KEY_SERVER_TLS_KEY,
	CONF_KEY_SERVER_TLS_PIN,
	CONF_KEY_SERVER_WITHOUT,
	CONF_KEY_ACCOUNT_LOGIN,
	CONF_KEY_ACCOUNT_AUTHORIZE,
	CONF_KEY_ACCOUNT_HOME,
	CONF_KEY_ACCOUNT_PASSWORD_COMMAND,
	CONF_KEY_ACCOUNT_PASSWORD_FILE,
	CONF_KEY_ACCOUNT_CREDENTIAL,
	CONF_KEY_ACCOUNT_PASSWORD,
	CONF_KEY_ACCOUNT_TOKEN_COMMAND,
	CONF_KEY_ACCOUNT_TOKEN_FILE,
	CONF_KEY_RIGHTS_ASSIGNEE,
	CONF_KEY_RIGHTS_ON_DELETE,
	CONF_KEY_RIGHTS_NEW_ITEMS,
	CONF_KEY_RIGHTS_GRACE,
	CONF_KEY_RIGHTS_BRAKE,
	CONF_KEY_GESTURES_STAR,
	CONF_KEY_GESTURES_DONE,
	CONF_KEY_GESTURES_DONE_FOLDER,
	CONF_KEY_GESTURES_PERCENT,
	CONF_KEY_GESTURES_FLAG_DUE,
	CONF_KEY_GESTURES_LABELS,
	CONF_KEY_RULE_WHEN,
	CONF_KEY_RULE_ACTION,
	CONF_KEY_RULE_SET,
	CONF_KEY_RULE_MESSAGE,
	CONF_KEY_RULE_ENABLED,
	CONF_KEY_REPLIES_ADDRESS,
	CONF_KEY_REPLIES_SERVER,
	CONF_KEY_REPLIES_ACCOUNT,
	CONF_KEY_REPLIES_FOLDER,
	CONF_KEY_REPLIES_PROCESSED,
	CONF_KEY_REPLIES_AUTHSERV_ID,
	CONF_KEY_REPLIES_EXPIRES,
	CONF_KEY_REPLIES_SECRET_FILE,
	CONF_KEY_REPLIES_ANSWERS,
	CONF_KEY_LOG_LEVEL,
	CONF_KEY_CONTROL_SOCKET,
	CONF_KEY_WEB_LISTEN,
	CONF_KEYS
};

struct conf_key {
	enum conf_kind kind;
	enum conf_type type;
	enum conf_choice choice;
	size_t offset;    /* of the member, in the struct that a section of this kind fills */
	int64_t min, max; /* of a number, per cent or duration (microseconds) */
};
extern const struct conf_key conf_key_table[CONF_KEYS];
extern const struct conf_key_info conf_key_infos[CONF_KEYS];

#define CONF_SET_PREFIX "set." /* of the keys that name a field */

/* The kind of a section by its word, CONF_KINDS if there is none. */
enum conf_kind conf_kind_find(const char *word);

/* The key of that kind of section, CONF_KEYS if there is none. `set.percent` finds
 * CONF_KEY_RULE_SET. */
enum conf_key_id conf_key_find(enum conf_kind kind, const char *key);

/* ---- conf.c: one section on its way ---- */

struct conf_section {
	enum conf_kind kind;
	const struct conf_ini_section *ini;
	void *object; /* the struct conf_server, conf_account or conf_rule; else the struct conf */
	/* Where each key was given, whether its value was good or not; negative: a misspelt key
	 * that was taken for this one. 0: not given. */
	long key_line[CONF_KEYS];
	bool good[CONF_KEYS]; /* given, and the value was taken */
	bool again;           /* one of that name stands above it: what it lacks may stand there */
};

/* Everything that the checks look at. */
struct conf_parse {
	struct conf *conf;
	struct conf_report *report;
	unsigned mode;
	struct conf_section *sections; /* in file order */
	size_t count;
};

/* ---- conf_value.c ---- */

/* One value on its way into the configuration. */
struct conf_value {
	struct conf *conf; /* owner of what is kept */
	struct conf_report *report;
	enum conf_key_id id;
	const char *key;  /* as written: "set.percent" */
	const char *text; /* not empty */
	long line;
	void *object; /* the struct that holds the member */
};

/* Reads one value by its type. False: it is not a good one, there is a finding, and the member
 * stays as it is. */
bool conf_value_read(const struct conf_value *value);

/* ---- conf_url.c ---- */

struct conf_url {
	const char *scheme; /* in lower case */
	const char *host;   /* in lower case, an IPv6 address in its brackets; NULL for memory: */
	long port;          /* 0: not given */
	const char *path;   /* "" or "/..." */
	bool more;          /* a query or fragment followed */
};

/* Takes a URL apart. False: *WHY_R says what is wrong with it, without repeating it. */
bool conf_url_read(TALLOC_CTX *mem, const char *text, struct conf_url *url_r, const char **why_r);

/* What may stand in place of the URL of a caldav server: a host name, an e-mail address, or
 * "%{email}". */
bool conf_url_is_name(TALLOC_CTX *mem, const char *text);

/* True for localhost, 127.0.0.0/8 and [::1]: there plaintext credentials are no leak (N9). */
bool conf_url_is_loopback(const char *host);

/* The URL of a site in the form in which it is compared: no '/' at the end, default port left out.
 */
char *conf_url_canonical(TALLOC_CTX *mem, const struct conf_url *url);

/* True for ADDRESS:PORT, the address in numbers ([...] for IPv6) or localhost; *HOST_R is the
 * address with its brackets. */
bool conf_url_listen(TALLOC_CTX *mem, const char *text, char **host_r);

/* True when a database URL has a password in it. */
bool conf_url_has_password(const char *dsn);

/* ---- conf_check.c ---- */

/* Checks what no single value can tell. */
void conf_check(struct conf_parse *parse);

#endif
