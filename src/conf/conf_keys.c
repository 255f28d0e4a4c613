#include "config.h"

#include "conf/conf_private.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"

const struct conf_kind_info conf_kind_table[CONF_KINDS] = {
#define X(id, word, names) { word, CONF_FORM_##id, names },
	CONF_KIND_TABLE(X)
#undef X
};

#define COMMA ,
static const char *const dates_words[] = { CONF_WORDS_DATES(COMMA) };
static const char *const server_type_words[] = { CONF_WORDS_SERVER_TYPE(COMMA) };
static const char *const deliver_words[] = { CONF_WORDS_DELIVER(COMMA) };
static const char *const auth_words[] = { CONF_WORDS_AUTH(COMMA) };
static const char *const on_delete_words[] = { CONF_WORDS_ON_DELETE(COMMA) };
static const char *const new_items_words[] = { CONF_WORDS_NEW_ITEMS(COMMA) };
static const char *const star_words[] = { CONF_WORDS_STAR(COMMA) };
static const char *const action_words[] = { CONF_WORDS_ACTION(COMMA) };
static const char *const level_words[] = { CONF_WORDS_LEVEL(COMMA) };
#undef COMMA
_Static_assert(COUNT_OF(dates_words) == DATES_TIME + 1, "one word per value");
_Static_assert(COUNT_OF(server_type_words) == SERVER_MEMORY + 1, "one word per value");
_Static_assert(COUNT_OF(deliver_words) == DELIVER_ALL + 1, "one word per value");
_Static_assert(COUNT_OF(auth_words) == CONF_AUTH_CERTIFICATE + 1, "one word per value");
_Static_assert(COUNT_OF(on_delete_words) == ON_DELETE_IGNORE + 1, "one word per value");
_Static_assert(COUNT_OF(new_items_words) == NEW_ITEMS_IGNORE + 1, "one word per value");
_Static_assert(COUNT_OF(star_words) == STAR_IGNORE + 1, "one word per value");
_Static_assert(COUNT_OF(action_words) == RULE_WARN + 1, "one word per value");

#define CHOICE(words, text)                                                                        \
	{                                                                                          \
		words, COUNT_OF(words), text                                                       \
	}
const struct conf_choice_info conf_choice_table[CONF_CHOICES] = {
	[CONF_CHOICE_NONE] = { NULL, 0, NULL },
	[CONF_CHOICE_DATES] = CHOICE(dates_words, CONF_WORDS_DATES(" | ")),
	[CONF_CHOICE_SERVER_TYPE] = CHOICE(server_type_words, CONF_WORDS_SERVER_TYPE(" | ")),
	[CONF_CHOICE_DELIVER] = CHOICE(deliver_words, CONF_WORDS_DELIVER(" | ")),
	[CONF_CHOICE_AUTH] = CHOICE(auth_words, CONF_WORDS_AUTH(" | ")),
	[CONF_CHOICE_ON_DELETE] = CHOICE(on_delete_words, CONF_WORDS_ON_DELETE(" | ")),
	[CONF_CHOICE_NEW_ITEMS] = CHOICE(new_items_words, CONF_WORDS_NEW_ITEMS(" | ")),
	[CONF_CHOICE_STAR] = CHOICE(star_words, CONF_WORDS_STAR(" | ")),
	[CONF_CHOICE_ACTION] = CHOICE(action_words, CONF_WORDS_ACTION(" | ")),
	[CONF_CHOICE_LEVEL] = CHOICE(level_words, CONF_WORDS_LEVEL(" | ")),
};
#undef CHOICE

#define MINUTE_US (60 * CLOCK_SECOND_US)
#define HOUR_US (60 * MINUTE_US)
#define DAY_US (24 * HOUR_US)

/* kind, id, key, type, words of a choice, text of choices, default, struct, member, min, max, help
 *
 * The default is read by the same code as a value in a file; NULL: there is none. */
#define KEY_TABLE(X)                                                                               \
	X(SITE, SITE_URL, "url", SITE_URL, NONE, NULL, NULL, conf, site.url, 0, 0,                 \
	  "The project database's address; folders are named after it, and identities are made "   \
	  "of it")                                                                                 \
	X(SITE, SITE_NAME, "name", TEXT, NONE, NULL, NULL, conf, site.name, 0, 0,                  \
	  "The site's name for people; without it the host name of url")                           \
	X(SITE, SITE_TIMEZONE, "timezone", ZONE, NONE, NULL, "UTC", conf, site.timezone, 0, 0,     \
	  "The time zone in which the project plans its days")                                     \
	X(SITE, SITE_HOURS_PER_DAY, "hours_per_day", NUMBER, NONE, NULL, "8", conf,                \
	  site.hours_per_day, 1, 24, "Hours of work that one day of effort means")                 \
	X(SITE, SITE_HOURS_PER_WEEK, "hours_per_week", NUMBER, NONE, NULL, "40", conf,             \
	  site.hours_per_week, 1, 168, "Hours of work that one week of effort means")              \
	X(SITE, SITE_DATES, "dates", CHOICE, DATES, CONF_WORDS_DATES(" | "), "day", conf,          \
	  site.dates, 0, 0, "Whether planned times are published as days or with the time of day") \
	X(SITE, SITE_FOLDER, "folder", TEXT, NONE, "url | host | TEXT", "url", conf, site.folder,  \
	  0, 0, "What the top folder in a mailbox is called: the site's url, its host, or a text") \
	X(SITE, SITE_CLOSED_UNTIL, "closed_until", DATE, NONE, NULL, NULL, conf,                   \
	  site.closed_until, 0, 0, "The last day of the periods in which progress is closed")      \
	X(SITE, SITE_FILE_MAX, "file_max", SIZE, NONE, NULL, "25M", conf, site.file_max, 1,        \
	  CONF_ATTACHMENT_MAX, "The largest file that may be attached to an assignment")                \
	X(STORE, STORE_DSN, "dsn", DSN, NONE, NULL, "sqlite:/var/lib/taskferry/taskferry.db",      \
	  conf, dsn, 0, 0, "The database: sqlite:PATH or postgresql://USER@HOST/NAME")             \
	X(SERVER, SERVER_TYPE, "type", CHOICE, SERVER_TYPE, CONF_WORDS_SERVER_TYPE(" | "), NULL,   \
	  conf_server, type, 0, 0, "The kind of server; memory is for tests and trying out")       \
	X(SERVER, SERVER_URL, "url", SERVER_URL, NONE, NULL, NULL, conf_server, url, 0, 0,         \
	  "Where the server is")                                                                   \
	X(SERVER, SERVER_HOME, "home", NAMED_PATH, NONE, NULL, NULL, conf_server, home, 0, 0,      \
	  "The path of a person's calendar home, where login may write into others' calendars")    \
	X(SERVER, SERVER_PRINCIPAL_SEARCH, "principal_search", YES_NO, NONE, "yes | no", "no",     \
	  conf_server, principal_search, 0, 0,                                                     \
	  "Whether a person's calendar home is found by searching for the address")                \
	X(SERVER, SERVER_LOGIN, "login", TEMPLATE, NONE, NULL, "%{email}", conf_server, login, 0,  \
	  0, "The login name of a resource's account")                                             \
	X(SERVER, SERVER_AUTHORIZE, "authorize", TEMPLATE, NONE, NULL, NULL, conf_server,          \
	  authorize, 0, 0, "Whom login acts for on an imap server, where it is one for everybody") \
	X(SERVER, SERVER_PASSWORD_COMMAND, "password_command", COMMAND, NONE, NULL, NULL,          \
	  conf_server, password.command, 0, 0, "A command that prints the password")               \
	X(SERVER, SERVER_PASSWORD_FILE, "password_file", NAMED_PATH, NONE, NULL, NULL,             \
	  conf_server, password.file, 0, 0, "A file whose first line is the password")             \
	X(SERVER, SERVER_CREDENTIAL, "credential", CREDENTIAL, NONE, NULL, NULL, conf_server,      \
	  password.credential, 0, 0, "A credential of the service manager that is the password")   \
	X(SERVER, SERVER_PASSWORD, "password", SECRET, NONE, NULL, NULL, conf_server,              \
	  password.password, 0, 0, "The password itself, in a file that others cannot read")       \
	X(SERVER, SERVER_RESOURCES, "resources", GLOBS, NONE, NULL, NULL, conf_server, resources,  \
	  0, 0, "Who has an account here: patterns of addresses or keys; without it everybody")    \
	X(SERVER, SERVER_DELIVER, "deliver", CHOICE, DELIVER, CONF_WORDS_DELIVER(" | "), "first",  \
	  conf_server, deliver, 0, 0, "Whether people whom a server above has get items here too") \
	X(SERVER, SERVER_POLL, "poll", DURATION, NONE, NULL, "60s", conf_server, poll_us,          \
	  CLOCK_SECOND_US, DAY_US, "How often a server that announces nothing is asked")           \
	X(SERVER, SERVER_POLL_MAX, "poll_max", DURATION, NONE, NULL, "15m", conf_server,           \
	  poll_max_us, CLOCK_SECOND_US, DAY_US, "How seldom, where nothing happens for long")      \
	X(SERVER, SERVER_CONNECTIONS, "connections", NUMBER, NONE, NULL, "50", conf_server,        \
	  connections, 0, CONF_CONNECTIONS_MAX,                                                    \
	  "How many connections are kept open to an imap server to hear of changes")               \
	X(SERVER, SERVER_SETTLE, "settle", DURATION, NONE, NULL, "5s", conf_server, settle_us, 0,  \
	  HOUR_US, "How long an item that a person just changed is left alone")                    \
	X(SERVER, SERVER_STARTTLS, "starttls", YES_NO, NONE, "yes | no", "no", conf_server,        \
	  starttls, 0, 0, "Whether imap: uses STARTTLS on loopback too; elsewhere it always does") \
	X(SERVER, SERVER_INLINE_MAX, "inline_max", SIZE, NONE, NULL, "64k", conf_server,           \
	  inline_max, 0, CONF_INLINE_MAX,                                                                \
	  "The largest file that is put into an item where the server keeps no files; 0: none")    \
	X(SERVER, SERVER_MESSAGE_MAX, "message_max", SIZE, NONE, NULL, "40M", conf_server,         \
	  message_max, 1, CONF_MESSAGE_MAX,                                                        \
	  "The largest message, with its files, that is sent to an IMAP server")                   \
	X(SERVER, SERVER_TLS_CA, "tls_ca", PATH, NONE, NULL, NULL, conf_server, tls_ca, 0, 0,      \
	  "A file of certificates to trust instead of the system's")                               \
	X(SERVER, SERVER_PROBE, "probe", YES_NO, NONE, "yes | no", "yes", conf_server, probe, 0,   \
	  0, "Whether it may be tried what a CalDAV server does, in a folder made for that")       \
	X(SERVER, SERVER_AUTH, "auth", CHOICE, AUTH, CONF_WORDS_AUTH(" | "), NULL, conf_server,    \
	  auth, 0, 0, "How an account is known to its server; without it password")           \
	X(SERVER, SERVER_TOKEN_COMMAND, "token_command", COMMAND, NONE, NULL, NULL, conf_server,   \
	  password.token_command, 0, 0, "A command that prints the token, for auth = bearer")      \
	X(SERVER, SERVER_TOKEN_FILE, "token_file", NAMED_PATH, NONE, NULL, NULL, conf_server,      \
	  password.token_file, 0, 0, "A file whose first line is the token, for auth = bearer")    \
	X(SERVER, SERVER_TLS_CERT, "tls_cert", NAMED_PATH, NONE, NULL, NULL, conf_server,          \
	  tls_cert, 0, 0, "A file with the certificate that is shown to the server")               \
	X(SERVER, SERVER_TLS_KEY, "tls_key", NAMED_PATH, NONE, NULL, NULL, conf_server, tls_key,   \
	  0, 0, "A file with the key of tls_cert; without it the key is in the same file")         \
	X(SERVER, SERVER_TLS_PIN, "tls_pin", PINS, NONE, NULL, NULL, conf_server, tls_pin, 0, 0,   \
	  "Public keys, sha256//BASE64, of which the server must have one")                        \
	X(SERVER, SERVER_WITHOUT, "without", EXTENSIONS, NONE, NULL, NULL, conf_server, without,   \
	  0, 0, "Extensions of IMAP that are not used, though the server has them; all: none")     \
	X(ACCOUNT, ACCOUNT_LOGIN, "login", TEMPLATE, NONE, NULL, NULL, conf_account, login, 0, 0,  \
	  "This person's login name; without it by the server's login")                            \
	X(ACCOUNT, ACCOUNT_AUTHORIZE, "authorize", TEMPLATE, NONE, NULL, NULL, conf_account,       \
	  authorize, 0, 0, "Whom login acts for; without it by the server's authorize")            \
	X(ACCOUNT, ACCOUNT_HOME, "home", NAMED_PATH, NONE, NULL, NULL, conf_account, home, 0, 0,   \
	  "The path of this person's calendar home; without it by the server's home")              \
	X(ACCOUNT, ACCOUNT_PASSWORD_COMMAND, "password_command", COMMAND, NONE, NULL, NULL,        \
	  conf_account, password.command, 0, 0, "A command that prints this person's password")    \
	X(ACCOUNT, ACCOUNT_PASSWORD_FILE, "password_file", NAMED_PATH, NONE, NULL, NULL,           \
	  conf_account, password.file, 0, 0, "A file whose first line is this person's password")  \
	X(ACCOUNT, ACCOUNT_CREDENTIAL, "credential", CREDENTIAL, NONE, NULL, NULL, conf_account,   \
	  password.credential, 0, 0, "A credential that is this person's password")                \
	X(ACCOUNT, ACCOUNT_PASSWORD, "password", SECRET, NONE, NULL, NULL, conf_account,           \
	  password.password, 0, 0, "This person's password, in a file that others cannot read")    \
	X(ACCOUNT, ACCOUNT_TOKEN_COMMAND, "token_command", COMMAND, NONE, NULL, NULL,              \
	  conf_account, password.token_command, 0, 0, "A command that prints this person's token") \
	X(ACCOUNT, ACCOUNT_TOKEN_FILE, "token_file", NAMED_PATH, NONE, NULL, NULL, conf_account,   \
	  password.token_file, 0, 0, "A file whose first line is this person's token")             \
	X(RIGHTS, RIGHTS_ASSIGNEE, "assignee", GROUPS, NONE,                                       \
	  "plan | progress | notes | files | custom | none", "progress, notes, files", conf,       \
	  rights.assignee, 0, 0, "Groups that an assignee changes; others become proposals")       \
	X(RIGHTS, RIGHTS_ON_DELETE, "on_delete", CHOICE, ON_DELETE, CONF_WORDS_ON_DELETE(" | "),   \
	  "decline", conf, rights.on_delete, 0, 0, "What it means when a person deletes an item")  \
	X(RIGHTS, RIGHTS_NEW_ITEMS, "new_items", CHOICE, NEW_ITEMS, CONF_WORDS_NEW_ITEMS(" | "),   \
	  "propose", conf, rights.new_items, 0, 0, "What happens to items that people add")        \
	X(RIGHTS, RIGHTS_GRACE, "grace", DURATION, NONE, NULL, "15m", conf, rights.grace_us, 0,    \
	  30 * DAY_US, "How long a deleted item is waited for before it counts as deleted")        \
	X(RIGHTS, RIGHTS_BRAKE, "brake", PERCENT, NONE, NULL, "20%", conf, rights.brake_percent,   \
	  0, 100, "The share of a folder that may vanish at once before it is held")               \
	X(GESTURES, GESTURES_STAR, "star", CHOICE, STAR, CONF_WORDS_STAR(" | "), "started", conf,  \
	  gestures.star, 0, 0, "What it means when a person stars a message: that they started")   \
	X(GESTURES, GESTURES_DONE, "done", KEYWORDS, NONE, "KEYWORD ... | none", "done, $done",    \
	  conf, gestures.done, 0, 0, "Tags by which a person says that the task is done")          \
	X(GESTURES, GESTURES_DONE_FOLDER, "done_folder", FOLDER, NONE, "NAME | none", "Done",      \
	  conf, gestures.done_folder, 0, 0, "The sub-folder for messages whose task is done")      \
	X(GESTURES, GESTURES_PERCENT, "percent", YES_NO, NONE, "yes | no", "yes", conf,            \
	  gestures.percent, 0, 0, "Whether a tag such as 40, p40 or 40% reports that percentage")  \
	X(GESTURES, GESTURES_FLAG_DUE, "flag_due", DURATION, NONE, NULL, NULL, conf,               \
	  gestures.flag_due_us, CLOCK_SECOND_US, 366 * DAY_US,                                     \
	  "Open tasks get a star so long before the end of the day on which they are due")         \
	X(GESTURES, GESTURES_LABELS, "labels", LABELS, NONE, "KEYWORD=started|done|PERCENT ...",   \
	  NULL, conf, gestures.labels, 0, 0, "What other tags report; without it nothing")         \
	X(RULE, RULE_WHEN, "when", EXPRESSION, NONE, NULL, NULL, conf_rule, when, 0, 0,            \
	  "An SQL expression over new.*, old.*, task.*, project.*, resource.*, actor and today")   \
	X(RULE, RULE_ACTION, "action", CHOICE, ACTION, CONF_WORDS_ACTION(" | "), NULL, conf_rule,  \
	  action, 0, 0, "What the rule does with a change for which when is true")                 \
	X(RULE, RULE_SET, "set.FIELD", SET, NONE, NULL, NULL, conf_rule, sets, 0, 0,               \
	  "The value that a correction gives to a field, as an SQL expression")                    \
	X(RULE, RULE_MESSAGE, "message", TEXT, NONE, NULL, NULL, conf_rule, message, 0, 0,         \
	  "What the person reads in the item when the rule was applied")                           \
	X(RULE, RULE_ENABLED, "enabled", YES_NO, NONE, "yes | no", "yes", conf_rule, enabled, 0,   \
	  0, "Whether the rule is applied; no switches a built-in rule off by its name")           \
	X(REPLIES, REPLIES_ADDRESS, "address", TEXT, NONE, NULL, NULL, conf, replies.address, 0,   \
	  0, "The address that messages are answered to, with %{token} in it")                     \
	X(REPLIES, REPLIES_SERVER, "server", TEXT, NONE, NULL, NULL, conf, replies.server, 0, 0,   \
	  "The [server] of type imap on which the mailbox with the answers is")                    \
	X(REPLIES, REPLIES_ACCOUNT, "account", TEXT, NONE, NULL, NULL, conf, replies.account, 0,   \
	  0, "The KEY of the [account SERVER KEY] section with its login and password")            \
	X(REPLIES, REPLIES_FOLDER, "folder", TEXT, NONE, NULL, "INBOX", conf, replies.folder, 0,   \
	  0, "The folder of the mailbox that answers are delivered to")                            \
	X(REPLIES, REPLIES_PROCESSED, "processed", TEXT, NONE, NULL, NULL, conf,                   \
	  replies.processed, 0, 0, "The folder that mails are moved to once they have been read")  \
	X(REPLIES, REPLIES_AUTHSERV_ID, "authserv_id", TEXT, NONE, NULL, NULL, conf,               \
	  replies.authserv_id, 0, 0, "The name by which your mail server tells that DMARC passed") \
	X(REPLIES, REPLIES_EXPIRES, "expires", DURATION, NONE, NULL, "90d", conf,                  \
	  replies.expires_us, DAY_US, 3650 * DAY_US, "How long a message can be answered")         \
	X(REPLIES, REPLIES_SECRET_FILE, "secret_file", PATH, NONE, NULL, NULL, conf,               \
	  replies.secret_file, 0, 0, "A file with the secret of the addresses; init makes it")     \
	X(REPLIES, REPLIES_ANSWERS, "answers", YES_NO, NONE, "yes | no", "yes", conf,              \
	  replies.answers, 0, 0, "Whether people read in their inbox what is wrong with a reply")  \
	X(LOG, LOG_LEVEL, "level", CHOICE_NAME, LEVEL, CONF_WORDS_LEVEL(" | "), "info", conf,      \
	  log_level, 0, 0, "How much is logged")                                                   \
	X(CONTROL, CONTROL_SOCKET, "socket", SOCKET, NONE, NULL, "/run/taskferry/control", conf,   \
	  control_socket, 0, 0, "The socket over which commands talk to the service")              \
	X(WEB, WEB_LISTEN, "listen", LISTEN, NONE, NULL, NULL, conf, web_listen, 0, 0,             \
	  "Address and port of the web pages; without it there are none")

const struct conf_key conf_key_table[CONF_KEYS] = {
#define X(kind_, id_, key_, type_, choice_, choices_, value_, struct_, member_, min_, max_, help_) \
	[CONF_KEY_##id_] = {                                                                       \
		CONF_KIND_##kind_,                                                                 \
		CONF_TYPE_##type_,                                                                 \
		CONF_CHOICE_##choice_,                                                             \
		offsetof(struct struct_, member_),                                                 \
		min_,                                                                              \
		max_,                                                                              \
	},
	KEY_TABLE(X)
#undef X
};

const struct conf_key_info conf_key_infos[CONF_KEYS] = {
#define X(kind_, id_, key_, type_, choice_, choices_, value_, struct_, member_, min_, max_, help_) \
	[CONF_KEY_##id_] = { CONF_FORM_##kind_, key_,   CONF_TYPE_NAME_##type_,                    \
			     choices_,          value_, help_ },
	KEY_TABLE(X)
#undef X
};

const struct conf_key_info *conf_keys(size_t *count_r)
{
	*count_r = CONF_KEYS;
	return conf_key_infos;
}

enum conf_kind conf_kind_find(const char *word)
{
	enum conf_kind kind = 0;

	while (kind < CONF_KINDS && strcmp(conf_kind_table[kind].word, word))
		kind++;
	return kind;
}

enum conf_key_id conf_key_find(enum conf_kind kind, const char *key)
{
	enum conf_key_id id = 0;

	if (kind == CONF_KIND_RULE && text_starts(key, CONF_SET_PREFIX))
		return CONF_KEY_RULE_SET;
	while (id < CONF_KEYS &&
	       (conf_key_table[id].kind != kind || strcmp(conf_key_infos[id].key, key)))
		id++;
	return id;
}
