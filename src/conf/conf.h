/* conf.h - the configuration: an ini file read into one struct by one table of keys.
 *
 * All findings are reported at once, each with file, line and a hint. The grammar (DESIGN section
 * 10): `[section]`, `[section NAME]` or `[account SERVER KEY]`, `key = value`; a comment is a line
 * that begins with `#` or `;`, nothing inside a value is one; values are trimmed, or quoted by '"'
 * (a quote inside of quotes is written twice); section and key names are case-sensitive; a section
 * or key given twice, or a key before any section, is an error. Durations `ms s m h d`. UTF-8, with
 * or without a byte order mark; lines end with LF or CR LF.
 */
#ifndef TASKFERRY_CONF_H
#define TASKFERRY_CONF_H

#include <stddef.h>
#include <stdio.h>

#include "base/fault.h"
#include "base/secret.h"
#include "model/field.h"

#define CONF_FILE_MAX ((size_t)1 << 20)  /* bytes: a thousand servers fit */
#define CONF_LINE_MAX ((size_t)64 << 10) /* bytes: a rule with a long expression fits */
#define CONF_ATTACHMENT_MAX ((int64_t)100 << 20) /* bytes of file_max: it is held in memory whole */
#define CONF_INLINE_MAX ((int64_t)256 << 10)     /* bytes of inline_max: servers take 1 MB items */
#define CONF_MESSAGE_MAX ((int64_t)60 << 20) /* bytes of message_max: what a message may have (64 MiB) */
#define CONF_CONNECTIONS_MAX 100000 /* ports of one address are fewer */
#define CONF_SERVERS_MAX 1000            /* more are a mistake, and look-ups by name are linear */
#define CONF_FINDINGS_MAX 200            /* nobody reads more; the rest is counted only */

/* What stands for the token in [replies] address, how long that is (model/reply_token.h), and how much may
 * stand before the @ of an address (RFC 5321 section 4.5.3.1.1). */
#define CONF_REPLY_TOKEN "%{token}"
#define CONF_REPLY_TOKEN_CHARS 53
#define CONF_REPLY_LOCAL_MAX 64

/* As the url of a caldav server: the domain of each person's own address. */
#define CONF_URL_OF_PERSON "%{email}"

enum conf_server_type { SERVER_CALDAV, SERVER_IMAP, SERVER_MEMORY };
enum conf_deliver { DELIVER_FIRST, DELIVER_ALL };
/* How an account is known to its server; some are of one type only. */
enum conf_auth {
	CONF_AUTH_PASSWORD, /* the best that is offered; caldav: Basic; Digest where the server
			       refuses that and offers only this */
	CONF_AUTH_BASIC,
	CONF_AUTH_DIGEST,
	CONF_AUTH_SCRAM,
	CONF_AUTH_PLAIN,
	CONF_AUTH_LOGIN,
	CONF_AUTH_BEARER, /* the secret is a token */
	CONF_AUTH_NEGOTIATE,
	CONF_AUTH_CERTIFICATE, /* tls_cert alone */
	CONF_AUTHS
};
enum conf_on_delete { ON_DELETE_RESTORE, ON_DELETE_DECLINE, ON_DELETE_IGNORE };
enum conf_new_items { NEW_ITEMS_PROPOSE, NEW_ITEMS_ACCEPT, NEW_ITEMS_IGNORE };
enum conf_star { STAR_STARTED, STAR_IGNORE };
enum conf_dates { DATES_DAY, DATES_TIME };
enum conf_rule_action { RULE_CORRECT, RULE_REJECT, RULE_HOLD, RULE_WARN };

/* How a password or token is found; at most one of the six is set. None: see conf_server_has(). */
struct conf_password {
	const char *command;                    /* password_command, before names are put in */
	const char *file;                       /* password_file, likewise */
	const char *credential;                 /* a name in $CREDENTIALS_DIRECTORY */
	const struct secret *password;          /* in the file itself */
	const char *token_command, *token_file; /* as the first two, and again when it is refused */
};

struct conf_server {
	const char *name;
	enum conf_server_type type;
	const char *url;  /* caldav: also a host name, an e-mail address or "%{email}" */
	const char *home; /* caldav: template of the path of a person's calendar home; NULL: it is
			      found by the login's principal */
	bool principal_search; /* caldav: it is found by the principal with the person's address */
	const char *login;     /* template; default "%{email}" */
	const char *authorize; /* imap: template of whom that login acts for; NULL: itself */
	struct conf_password password;
	const char *resources; /* globs separated by blanks or commas; NULL: everybody, but see
				  conf_server_has() */
	enum conf_deliver deliver;
	int64_t poll_us, settle_us;
	int64_t poll_max_us; /* less than poll_us: as that */
	int64_t connections; /* that are kept open while nothing happens */
	int64_t inline_max; /* bytes of an attachment in an item's text; 0: none is put there */
	int64_t message_max; /* bytes of a message with its files */
	bool starttls;      /* imap:// to loopback: use STARTTLS there too */
	const char *tls_ca; /* NULL: the system's */
	bool probe;         /* what it does may be tried, by writing into a folder made for that */
	enum conf_auth auth;
	const char *tls_cert, *tls_key; /* templates; NULL: none, the key in the same file */
	const char *tls_pin;            /* "sha256//BASE64;sha256//BASE64..."; NULL: none */
	uint64_t without; /* imap: bits CONF_IMAP_BIT(): extensions that are not used */
	long line;
};

struct conf_account {
	const char *server;            /* names a conf_server */
	const char *resource;          /* a resource's key, in lower case */
	const char *login;             /* NULL: the server's */
	const char *authorize;         /* likewise */
	const char *home;              /* template; NULL: the server's */
	struct conf_password password; /* all NULL: the server's */
	long line;
};

struct conf_rule {
	const char *name;
	const char *when; /* NULL for a built-in that is only switched off */
	enum conf_rule_action action;
	bool enabled; /* `enabled = no` switches a rule off, a built-in too */
	const char *message;
	struct conf_rule_set {
		enum field field;
		const char *expression;
		long line;
	} * sets; /* in file order */
	size_t set_count;
	long line, when_line;
};

struct conf {
	const char *path;
	struct {
		/* url: scheme and host in lower case, no '/' at the end (identities are made of
		 * it); NULL: none, then there is no server. name: by default the url's host; NULL
		 * when there is no url either. */
		const char *url, *name, *timezone;
		int64_t hours_per_day, hours_per_week;
		enum conf_dates dates;
		const char *folder;       /* url | host | TEXT */
		const char *closed_until; /* YYYY-MM-DD; NULL: nothing is closed */
		int64_t file_max;         /* bytes of an attachment */
	} site;
	const char *dsn;
	struct conf_server *servers; /* in file order */
	size_t server_count;
	struct conf_account *accounts; /* sorted by server and resource, for conf_account_find() */
	size_t account_count;
	struct {
		bool assignee[GROUPS]; /* groups that an assignee changes by right */
		enum conf_on_delete on_delete;
		enum conf_new_items new_items;
		int64_t grace_us;
		int brake_percent;
	} rights;
	struct {
		enum conf_star star;
		const char *done;        /* keywords, one blank between two; NULL: none */
		const char *done_folder; /* the sub-folder's name; NULL: none */
		bool percent;
		int64_t flag_due_us; /* 0: open tasks get no star when they are due */
		const char *labels; /* KEYWORD=MEANING, one blank between two; NULL: none */
	} gestures;
	struct conf_rule *rules; /* in file order */
	size_t rule_count;
	struct {
		const char *address; /* "tasks+%{token}@example.com"; NULL: messages are not answered
					to a mailbox of ours */
		const char *server;  /* names a conf_server of type imap or memory */
		const char *account; /* with that, names a conf_account: its login and password */
		const char *folder;      /* of the mailbox */
		const char *processed;   /* where mails go that were read; NULL: they stay */
		const char *authserv_id; /* whose word on DMARC is taken; NULL: nobody's */
		int64_t expires_us;
		const char *secret_file;
		bool answers; /* a bad reply is answered */
	} replies;
	const char *log_level; /* error | warning | info | debug */
	const char *control_socket;
	const char *web_listen; /* ADDRESS:PORT; NULL: no web pages */
};

struct conf_finding {
	bool warning;     /* else an error */
	long line;        /* 0: the file as a whole */
	const char *text; /* with the hint */
};

struct conf_report {
	const char *path;
	struct conf_finding
		*findings; /* in order of line, at most CONF_FINDINGS_MAX and one that says so */
	size_t count;
	size_t errors; /* all, listed or not */
};

/* Reads PATH. *CONF_R is set when there was no error, NULL otherwise; *REPORT_R always (but on a
 * fault). A fault only when the file cannot be read: NO_INPUT, NOT_PERMITTED, or CONFIG (too large,
 * NUL bytes). */
struct fault *conf_read(TALLOC_CTX *mem, const char *path, struct conf **conf_r,
			struct conf_report **report_r) ATTR_MUST_CHECK;

/* The same from memory; MODE is the file's permission bits (a password in a file that group or
 * others can read is an error). Looks at nothing outside of TEXT but the system's time zones. No
 * finding repeats the value of a key that may hold a secret (N8). */
struct fault *conf_parse(TALLOC_CTX *mem, const char *path, const char *text, size_t len,
			 unsigned mode, struct conf **conf_r,
			 struct conf_report **report_r) ATTR_MUST_CHECK;

/* Adds a finding at its place by line, after those of the same line; for whoever looks further into
 * a value (rules). The text is one line, a hint included. */
void conf_report_error(struct conf_report *report, long line, const char *fmt, ...)
	ATTR_PRINTF(3, 4);
void conf_report_warning(struct conf_report *report, long line, const char *fmt, ...)
	ATTR_PRINTF(3, 4);

/* "FILE:LINE: error: TEXT" or "... warning: TEXT", one line each; without ":LINE" when it is 0. */
void conf_report_print(const struct conf_report *report, FILE *out);

/* The table of keys, for the manual, the sample and their test. */
struct conf_key_info {
	const char *section; /* "site", "server NAME", "account SERVER KEY", "rule NAME" ... */
	const char *key;     /* "set.FIELD" stands for a family */
	const char *type;    /* "text", "date", "duration", "number", "percent", "choice", "yes/no",
		       * "path", "url", "list", "template", "command", "name", "secret",
		       * "expression", "address" */
	const char *choices; /* "a | b | c", or NULL */
	const char *value;   /* the default as it would be written, or NULL when there is none */
	const char *help;    /* one sentence */
};
const struct conf_key_info *conf_keys(size_t *count_r);

/* The server of that name; NULL if there is none. The [account] section of a pair; NULL if there is
 * none. */
const struct conf_server *conf_server_find(const struct conf *conf, const char *name);
const struct conf_account *conf_account_find(const struct conf *conf, const char *server,
					     const char *resource);

/* True if there is a password or token of any kind. */
bool conf_password_is_set(const struct conf_password *password);

/* True for a server whose accounts are all reached by one login of somebody else: a fixed one with
 * `authorize`, or one with a '*'. */
bool conf_server_is_master(const struct conf_server *server);

/* True for a server of whose accounts none needs a password: by ticket or certificate, or memory. */
bool conf_server_is_open(const struct conf_server *server);

/* True if SERVER has an account for this resource: it is named in an [account] section or matched
 * by `resources` (EMAIL or KEY; EMAIL may be NULL). A server without a password of its own (and not
 * open) has accounts by [account] sections only, since only these bring a password. */
bool conf_server_has(const struct conf *conf, const struct conf_server *server, const char *key,
		     const char *email);

#endif
