/* What no single value can tell: what is missing, and what contradicts.
 *
 * A thing is reported once, at the line where a person would mend it: a value that was refused
 * already is not called missing too, and of a section with an unreadable line nothing is called
 * missing at all.
 */
#include "config.h"

#include "conf/conf_private.h"

#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

static bool is_given(const struct conf_section *section, enum conf_key_id id)
{
	return section->key_line[id] != 0;
}

/* Where to point for a key: its line, else the section's. */
static long line_of(const struct conf_section *section, enum conf_key_id id)
{
	long line = section->key_line[id];

	return line > 0 ? line : line < 0 ? -line : section->ini->line;
}

static const char *key_name(enum conf_key_id id)
{
	return conf_key_infos[id].key;
}

/* The section's title, for messages; it goes with the report. */
static const char *title(const struct conf_parse *parse, const struct conf_section *section)
{
	return conf_ini_title(parse->report, section->ini);
}

/* What seems to be missing in it is not reported. */
static bool is_partial(const struct conf_section *section)
{
	return section->ini->damaged || section->again;
}

static void demand(struct conf_parse *parse, const struct conf_section *section,
		   enum conf_key_id id)
{
	const char *choices = conf_key_infos[id].choices;

	if (is_given(section, id) || is_partial(section))
		return;
	if (choices)
		conf_report_error(parse->report, section->ini->line,
				  "[%s] has no '%s': write %s = %s", title(parse, section),
				  key_name(id), key_name(id), choices);
	else
		conf_report_error(parse->report, section->ini->line, "[%s] has no '%s'",
				  title(parse, section), key_name(id));
}

/* ---- passwords ---- */

static const enum conf_key_id server_passwords[] = {
	CONF_KEY_SERVER_PASSWORD_COMMAND, CONF_KEY_SERVER_PASSWORD_FILE, CONF_KEY_SERVER_CREDENTIAL,
	CONF_KEY_SERVER_PASSWORD,         CONF_KEY_SERVER_TOKEN_COMMAND, CONF_KEY_SERVER_TOKEN_FILE,
};
static const enum conf_key_id account_passwords[] = {
	CONF_KEY_ACCOUNT_PASSWORD_COMMAND, CONF_KEY_ACCOUNT_PASSWORD_FILE,
	CONF_KEY_ACCOUNT_CREDENTIAL,       CONF_KEY_ACCOUNT_PASSWORD,
	CONF_KEY_ACCOUNT_TOKEN_COMMAND,    CONF_KEY_ACCOUNT_TOKEN_FILE,
};
_Static_assert(COUNT_OF(server_passwords) == COUNT_OF(account_passwords), "the same sources");
#define CREDENTIALS_AT 2 /* in these two: the one source that may hold either */
#define TOKENS_AT 4      /* and from here on tokens */

static const enum conf_key_id *password_keys(const struct conf_section *section)
{
	return section->kind == CONF_KIND_SERVER ? server_passwords : account_passwords;
}

static bool has_password(const struct conf_section *section)
{
	const enum conf_key_id *keys = password_keys(section);

	for (size_t i = 0; i < COUNT_OF(server_passwords); i++)
		if (is_given(section, keys[i]))
			return true;
	return false;
}

/* One source only. The one that stands first in the file is the one to keep. */
static void check_sources(struct conf_parse *parse, const struct conf_section *section)
{
	const enum conf_key_id *keys = password_keys(section);
	enum conf_key_id first = CONF_KEYS;

	for (size_t i = 0; i < COUNT_OF(server_passwords); i++)
		if (is_given(section, keys[i]) &&
		    (first == CONF_KEYS || line_of(section, keys[i]) < line_of(section, first)))
			first = keys[i];
	for (size_t i = 0; i < COUNT_OF(server_passwords); i++)
		if (is_given(section, keys[i]) && keys[i] != first)
			conf_report_error(parse->report, line_of(section, keys[i]),
					  "'%s': there is a '%s' in line %ld already, and one "
					  "source is enough",
					  key_name(keys[i]), key_name(first),
					  line_of(section, first));
}

/* A secret may stand in a file that only its owner can read (N8). */
static void check_mode(struct conf_parse *parse, const struct conf_section *section,
		       enum conf_key_id id)
{
	if (!(parse->mode & (S_IRGRP | S_IROTH)))
		return;
	conf_report_error(
		parse->report, line_of(section, id),
		"'%s' has a password in it, and group or others can read this file (mode %04o): "
		"use chmod 600 on it, or another source of the password",
		key_name(id), parse->mode & 07777);
}

/* ---- servers ---- */

static const struct {
	const char *schemes[2];
	const char *text;
} type_rows[] = {
	[SERVER_CALDAV] = { { "https", "http" }, "https:// or http://" },
	[SERVER_IMAP] = { { "imaps", "imap" }, "imaps:// or imap://" },
	[SERVER_MEMORY] = { { "memory", "memory" }, "memory:/PATH" },
};
_Static_assert(COUNT_OF(type_rows) == SERVER_MEMORY + 1, "one row per type");

static bool is_account_of(const struct conf_section *section, const struct conf_server *server)
{
	const struct conf_account *account = section->object;

	return section->kind == CONF_KIND_ACCOUNT && !strcmp(account->server, server->name);
}

/* True when a password will be sent to that server. */
static bool sends_password(const struct conf_parse *parse, const struct conf_section *section)
{
	if (has_password(section) ||
	    ((struct conf_server *)section->object)->auth == CONF_AUTH_NEGOTIATE)
		return true;
	for (size_t i = 0; i < parse->count; i++)
		if (is_account_of(&parse->sections[i], section->object) &&
		    has_password(&parse->sections[i]))
			return true;
	return false;
}

/* A pattern of `resources` that can only match addresses of one domain, or one key. */
static bool is_of_one_domain(const char *pattern, size_t len)
{
	const char *at = memchr(pattern, '@', len);
	const char *rest = at ? at : pattern;

	for (; rest < pattern + len; rest++)
		if (strchr("*?", *rest))
			return false;
	return true;
}

/* Addresses come with imported files, and nobody's server gets a password because of one (DESIGN
 * section 9). */
static bool names_domains(const struct conf_server *server)
{
	const char *word = server->resources;

	while (word && *word) {
		size_t len = strcspn(word, CONF_SEPARATORS);

		if (!is_of_one_domain(word, len))
			return false;
		word += len + strspn(word + len, CONF_SEPARATORS);
	}
	return word != NULL;
}

/* A name in place of a URL. */
static void check_name(struct conf_parse *parse, const struct conf_section *section)
{
	const struct conf_server *server = section->object;
	long line = line_of(section, CONF_KEY_SERVER_URL);

	if (server->type != SERVER_CALDAV)
		conf_report_error(
			parse->report, line,
			"'url' of a server of type %s begins with %s; only a caldav server "
			"is found by a name",
			conf_choice_table[CONF_CHOICE_SERVER_TYPE].words[server->type],
			type_rows[server->type].text);
	else if (!strcmp(server->url, CONF_URL_OF_PERSON) && has_password(section) &&
		 !names_domains(server))
		conf_report_error(parse->report, line,
				  "'url' = %s goes to the domain of any address that is imported, "
				  "with a password: 'resources' must name the domains, as in "
				  "*@example.com",
				  CONF_URL_OF_PERSON);
}

/* The URL goes with the type, and shows nobody a password (N9). */
static void check_url(struct conf_parse *parse, const struct conf_section *section)
{
	const struct conf_server *server = section->object;
	TALLOC_CTX *scratch = MEM_CONTEXT(parse->report);
	long line = line_of(section, CONF_KEY_SERVER_URL);
	const char *why;
	struct conf_url url;

	if (conf_url_is_name(scratch, server->url))
		check_name(parse, section);
	else if (!conf_url_read(scratch, server->url, &url, &why))
		conf_report_error(parse->report, line, "'url': %s", why);
	else if (strcmp(url.scheme, type_rows[server->type].schemes[0]) &&
		 strcmp(url.scheme, type_rows[server->type].schemes[1]))
		conf_report_error(parse->report, line,
				  "'url' of a server of type %s begins with %s, not with %s:",
				  conf_choice_table[CONF_CHOICE_SERVER_TYPE].words[server->type],
				  type_rows[server->type].text, conf_quote(scratch, url.scheme));
	else if (server->type == SERVER_IMAP && url.path[0] && strcmp(url.path, "/"))
		conf_report_error(parse->report, line,
				  "'url' of a server of type imap ends after host and port");
	else if (!strcmp(url.scheme, "http") && !conf_url_is_loopback(url.host) &&
		 sends_password(parse, section))
		conf_report_error(parse->report, line,
				  "'url': plaintext credentials would go to a host that is not "
				  "loopback; use https://");
	else if (server->starttls && strcmp(url.scheme, "imap"))
		conf_report_warning(parse->report, line_of(section, CONF_KEY_SERVER_STARTTLS),
				    "'starttls' has no effect here: it is for imap:// URLs");
	talloc_free(scratch);
}

/* One login for the calendars of several people. */
static bool is_proxy(const struct conf_section *section)
{
	const struct conf_server *server = section->object;

	return (server->home || server->principal_search) && !strstr(server->login, "%{");
}

/* Whose home is taken, where it is not the login's own. */
static void check_home(struct conf_parse *parse, const struct conf_section *section)
{
	const struct conf_server *server = section->object;
	long line = line_of(section,
			    server->home ? CONF_KEY_SERVER_HOME : CONF_KEY_SERVER_PRINCIPAL_SEARCH);

	if (!server->home && !server->principal_search)
		return;
	if (server->type != SERVER_CALDAV)
		conf_report_error(parse->report, line, "'%s' is for servers of type caldav",
				  key_name(server->home ? CONF_KEY_SERVER_HOME
							: CONF_KEY_SERVER_PRINCIPAL_SEARCH));
	else if (server->home && server->principal_search)
		conf_report_error(parse->report, line_of(section, CONF_KEY_SERVER_PRINCIPAL_SEARCH),
				  "'principal_search': there is a 'home' in line %ld already, and "
				  "one way is enough",
				  line);
	else if (server->home && !strstr(server->home, "%{"))
		conf_report_warning(parse->report, line,
				    "'home' is the same for everybody, and a calendar home belongs "
				    "to one person: write a name such as %%{local} into it");
}

static const char *auth_word(const struct conf_server *server)
{
	return conf_choice_table[CONF_CHOICE_AUTH].words[server->auth];
}

/* The service's own ticket, or its one certificate. */
static bool is_one_for_all(const struct conf_section *section)
{
	const struct conf_server *server = section->object;

	return server->type != SERVER_MEMORY && conf_server_is_open(server) &&
	       (server->auth == CONF_AUTH_NEGOTIATE ||
		(server->tls_cert && !strstr(server->tls_cert, "%{")));
}

/* Nobody gets an account by accident (DESIGN section 9). */
static void check_login(struct conf_parse *parse, const struct conf_section *section)
{
	const struct conf_server *server = section->object;
	long line = line_of(section, CONF_KEY_SERVER_LOGIN);

	if (is_given(section, CONF_KEY_SERVER_RESOURCES) || is_partial(section))
		return;
	if (is_one_for_all(section))
		conf_report_error(parse->report, line_of(section, CONF_KEY_SERVER_AUTH),
				  "auth = %s is one login for everybody here: 'resources' must say "
				  "who has an account",
				  auth_word(server));
	else if (is_proxy(section) && has_password(section))
		conf_report_error(parse->report, line,
				  "'login' writes into others' calendars: 'resources' must say who "
				  "has an account here");
	else if (server->authorize && conf_server_is_master(server) && has_password(section))
		conf_report_error(parse->report, line_of(section, CONF_KEY_SERVER_AUTHORIZE),
				  "'login' is a master login, which acts for everybody by "
				  "'authorize': 'resources' must say who has an account here");
	else if (strchr(server->login, '*'))
		conf_report_error(parse->report, line,
				  "'login' with a '*' is a master login: 'resources' must say who "
				  "has an account here");
	else if (!strstr(server->login, "%{") && !conf_server_is_open(server) &&
		 has_password(section))
		conf_report_warning(parse->report, line,
				    "'login' is the same for everybody: name the people of this "
				    "account in 'resources'");
}

/* True when `resources` can name more than one person. */
static bool names_several(const struct conf_server *server)
{
	const char *word = server->resources + strspn(server->resources, CONF_SEPARATORS);
	size_t len = strcspn(word, CONF_SEPARATORS);

	return strpbrk(word, "*?") || word[len + strspn(word + len, CONF_SEPARATORS)];
}

/* A mailbox belongs to one person: nobody sees the tasks of others in it. */
static void check_mailbox(struct conf_parse *parse, const struct conf_section *section)
{
	const struct conf_server *server = section->object;
	bool by_certificate = server->auth == CONF_AUTH_CERTIFICATE;
	const char *whose = by_certificate ? server->tls_cert : server->login;

	if (server->type != SERVER_IMAP || server->authorize || !whose || strstr(whose, "%{") ||
	    !server->resources || !(by_certificate || has_password(section)) ||
	    !names_several(server))
		return;
	conf_report_error(
		parse->report,
		line_of(section, by_certificate ? CONF_KEY_SERVER_TLS_CERT : CONF_KEY_SERVER_LOGIN),
		"'%s' is the same for everybody, and a mailbox belongs to one person: say "
		"whose it is by 'authorize', or write a name such as %%{email} into it",
		key_name(by_certificate ? CONF_KEY_SERVER_TLS_CERT : CONF_KEY_SERVER_LOGIN));
}

/* A server without a password is for those whose [account] brings one. */
static void check_passwords(struct conf_parse *parse, const struct conf_section *section)
{
	size_t accounts = 0;

	if (has_password(section) || is_partial(section))
		return;
	for (size_t i = 0; i < parse->count; i++) {
		const struct conf_section *other = &parse->sections[i];

		if (!is_account_of(other, section->object))
			continue;
		accounts++;
		if (!has_password(other) && !is_partial(other))
			conf_report_error(parse->report, other->ini->line,
					  "[%s] has no password, nor has [%s] in line %ld",
					  title(parse, other), title(parse, section),
					  section->ini->line);
	}
	if (!accounts)
		conf_report_error(parse->report, section->ini->line,
				  ((struct conf_server *)section->object)->auth == CONF_AUTH_BEARER
					  ? "[%s] has no token: write token_command, token_file or "
					    "credential"
					  : "[%s] has no password: write password_command, "
					    "password_file, credential or password",
				  title(parse, section));
	else if (is_given(section, CONF_KEY_SERVER_RESOURCES))
		conf_report_warning(parse->report, line_of(section, CONF_KEY_SERVER_RESOURCES),
				    "'resources' has no effect here: without a password in [%s] "
				    "only those with an "
				    "[account] section have one",
				    title(parse, section));
}

/* ---- logins other than by password ---- */

/* What a section brings goes with what its server asks for. */
static void check_kind(struct conf_parse *parse, const struct conf_section *section,
		       const struct conf_server *server)
{
	const enum conf_key_id *keys = password_keys(section);
	bool bearer = server->auth == CONF_AUTH_BEARER;

	for (size_t i = 0; i < COUNT_OF(server_passwords); i++) {
		long line = line_of(section, keys[i]);

		if (!is_given(section, keys[i]))
			continue;
		if (conf_server_is_open(server) && server->type != SERVER_MEMORY)
			conf_report_warning(
				parse->report, line,
				"'%s' has no effect: with auth = %s no password is sent",
				key_name(keys[i]), auth_word(server));
		else if (bearer && i < TOKENS_AT && i != CREDENTIALS_AT)
			conf_report_error(parse->report, line,
					  "'%s' does not go with auth = bearer: use token_command, "
					  "token_file or credential",
					  key_name(keys[i]));
		else if (!bearer && i >= TOKENS_AT)
			conf_report_error(parse->report, line, "'%s' needs auth = bearer",
					  key_name(keys[i]));
	}
}

/* These keys protect something: silently without effect they would be a trap. */
static void check_of_network(struct conf_parse *parse, const struct conf_section *section)
{
	static const enum conf_key_id keys[] = { CONF_KEY_SERVER_AUTH, CONF_KEY_SERVER_TLS_CERT,
						 CONF_KEY_SERVER_TLS_KEY, CONF_KEY_SERVER_TLS_PIN };
	const struct conf_server *server = section->object;

	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (is_given(section, keys[i]) &&
		    (keys[i] != CONF_KEY_SERVER_AUTH || server->auth != CONF_AUTH_PASSWORD))
			conf_report_error(parse->report, line_of(section, keys[i]),
					  "'%s' is for servers of type caldav and imap only",
					  key_name(keys[i]));
}

/* The ways that only one type has; others have all. */
static const struct {
	enum conf_auth auth;
	enum conf_server_type type;
} own_auths[] = {
	{ CONF_AUTH_BASIC, SERVER_CALDAV },     { CONF_AUTH_DIGEST, SERVER_CALDAV },
	{ CONF_AUTH_NEGOTIATE, SERVER_CALDAV }, { CONF_AUTH_SCRAM, SERVER_IMAP },
	{ CONF_AUTH_PLAIN, SERVER_IMAP },       { CONF_AUTH_LOGIN, SERVER_IMAP },
};

static void check_auth_type(struct conf_parse *parse, const struct conf_section *section)
{
	const struct conf_server *server = section->object;

	for (size_t i = 0; i < COUNT_OF(own_auths); i++)
		if (server->auth == own_auths[i].auth && server->type != own_auths[i].type)
			conf_report_error(parse->report, line_of(section, CONF_KEY_SERVER_AUTH),
					  "auth = %s is for servers of type %s", auth_word(server),
					  conf_choice_table[CONF_CHOICE_SERVER_TYPE]
						  .words[own_auths[i].type]);
}

/* Whom a login acts for: on IMAP, by what has a place for it. */
static void check_authorize(struct conf_parse *parse, const struct conf_section *section)
{
	const struct conf_server *server = section->object;
	long line = line_of(section, CONF_KEY_SERVER_AUTHORIZE);

	if (!is_given(section, CONF_KEY_SERVER_AUTHORIZE))
		return;
	if (server->type != SERVER_IMAP)
		conf_report_error(parse->report, line, "'authorize' is for servers of type imap");
	else if (server->auth == CONF_AUTH_LOGIN)
		conf_report_error(parse->report, line,
				  "'authorize' does not go with auth = login, which has no place "
				  "for it: use plain or scram");
	else if (server->authorize && !strstr(server->authorize, "%{"))
		conf_report_warning(parse->report, line,
				    "'authorize' is the same for everybody, and a mailbox belongs "
				    "to one person: write a name such as %%{email} into it");
}

static void check_auth(struct conf_parse *parse, const struct conf_section *section)
{
	const struct conf_server *server = section->object;

	if (server->type != SERVER_IMAP && is_given(section, CONF_KEY_SERVER_WITHOUT))
		conf_report_error(parse->report, line_of(section, CONF_KEY_SERVER_WITHOUT),
				  "'without' is for servers of type imap only");
	check_auth_type(parse, section);
	check_authorize(parse, section);
	if (server->type == SERVER_MEMORY) {
		check_of_network(parse, section);
	} else if (server->auth == CONF_AUTH_CERTIFICATE && !is_partial(section) &&
		   !is_given(section, CONF_KEY_SERVER_TLS_CERT)) {
		conf_report_error(parse->report, line_of(section, CONF_KEY_SERVER_AUTH),
				  "auth = certificate needs 'tls_cert'");
	} else if (is_given(section, CONF_KEY_SERVER_TLS_KEY) &&
		   !is_given(section, CONF_KEY_SERVER_TLS_CERT)) {
		conf_report_error(parse->report, line_of(section, CONF_KEY_SERVER_TLS_KEY),
				  "'tls_key' needs 'tls_cert'");
	}
	check_kind(parse, section, server);
	for (size_t i = 0; i < parse->count; i++)
		if (is_account_of(&parse->sections[i], server))
			check_kind(parse, &parse->sections[i], server);
}

/* Elsewhere than on loopback imap:// always goes on by STARTTLS. */
static bool has_no_tls(const struct conf_section *section)
{
	const struct conf_server *server = section->object;
	TALLOC_CTX *scratch;
	struct conf_url url;
	const char *why;
	bool plain;

	if (!section->good[CONF_KEY_SERVER_URL])
		return false;
	if (server->type == SERVER_CALDAV)
		return text_starts(server->url, "http:");
	scratch = MEM_CONTEXT(NULL);
	plain = !server->starttls && text_starts(server->url, "imap:") &&
		conf_url_read(scratch, server->url, &url, &why) && conf_url_is_loopback(url.host);
	talloc_free(scratch);
	return plain;
}

/* TLS with a URL that has none. */
static void check_tls(struct conf_parse *parse, const struct conf_section *section)
{
	static const enum conf_key_id keys[] = { CONF_KEY_SERVER_TLS_CERT,
						 CONF_KEY_SERVER_TLS_PIN };
	const struct conf_server *server = section->object;
	const char *wanted = "a URL with https:";

	if (server->type == SERVER_IMAP)
		wanted = "imaps://, or starttls = yes";
	if (!has_no_tls(section))
		return;
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (is_given(section, keys[i]))
			conf_report_error(parse->report, line_of(section, keys[i]), "'%s' needs %s",
					  key_name(keys[i]), wanted);
}

static void check_server(struct conf_parse *parse, const struct conf_section *section)
{
	bool has_type = section->good[CONF_KEY_SERVER_TYPE];
	const struct conf_server *server = section->object;

	demand(parse, section, CONF_KEY_SERVER_TYPE);
	demand(parse, section, CONF_KEY_SERVER_URL);
	check_sources(parse, section);
	check_login(parse, section);
	check_mailbox(parse, section);
	if (has_type && section->good[CONF_KEY_SERVER_URL])
		check_url(parse, section);
	if (has_type)
		check_home(parse, section);
	if (has_type && !conf_server_is_open(server))
		check_passwords(parse, section);
	if (has_type) {
		check_auth(parse, section);
		check_tls(parse, section);
	}
	if (is_given(section, CONF_KEY_SERVER_PASSWORD))
		check_mode(parse, section, CONF_KEY_SERVER_PASSWORD);
}

static void check_account(struct conf_parse *parse, const struct conf_section *section)
{
	const struct conf_account *account = section->object;
	const struct conf *conf = parse->conf;
	struct conf_near near;

	check_sources(parse, section);
	if (is_given(section, CONF_KEY_ACCOUNT_PASSWORD))
		check_mode(parse, section, CONF_KEY_ACCOUNT_PASSWORD);
	if (conf_server_find(conf, account->server))
		return;
	conf_near_start(&near, account->server);
	for (size_t i = 0; i < conf->server_count; i++)
		conf_near_try(&near, conf->servers[i].name);
	if (near.best)
		conf_report_error(parse->report, account->line,
				  "there is no [server %s]; did you mean '%s'?", account->server,
				  near.best);
	else
		conf_report_error(parse->report, account->line, "there is no [server %s]",
				  conf_quote(parse->report, account->server));
}

/* ---- replies ---- */

static void check_reply_address(struct conf_parse *parse, const struct conf_section *section)
{
	const char *address = parse->conf->replies.address, *name, *at;
	long line = line_of(section, CONF_KEY_REPLIES_ADDRESS);
	TALLOC_CTX *scratch = MEM_CONTEXT(parse->report);

	name = strstr(address, CONF_REPLY_TOKEN);
	at = strrchr(address, '@');
	if (!name || strstr(name + 1, "%{") || !at || name > at)
		conf_report_error(parse->report, line,
				  "'address' needs %s once before the @, for example "
				  "tasks+%s@example.com",
				  CONF_REPLY_TOKEN, CONF_REPLY_TOKEN);
	else if (!text_is_address(mem_printf(scratch, "%.*sa%s", (int)(name - address), address,
					     name + strlen(CONF_REPLY_TOKEN))))
		conf_report_error(parse->report, line, "'address' is no e-mail address");
	else if ((size_t)(at - address) - strlen(CONF_REPLY_TOKEN) + CONF_REPLY_TOKEN_CHARS >
		 CONF_REPLY_LOCAL_MAX)
		conf_report_error(parse->report, line,
				  "'address' has too much before the @: besides %s there is room "
				  "for %d characters",
				  CONF_REPLY_TOKEN, CONF_REPLY_LOCAL_MAX - CONF_REPLY_TOKEN_CHARS);
	talloc_free(scratch);
}

static bool has_account(const struct conf *conf, const char *server, const char *key)
{
	for (size_t i = 0; i < conf->account_count; i++) /* not sorted yet */
		if (!strcmp(conf->accounts[i].server, server) &&
		    !strcmp(conf->accounts[i].resource, key))
			return true;
	return false;
}

/* False where its type was refused or is missing, which is said already. */
static bool server_has_type(const struct conf_parse *parse, const struct conf_server *server)
{
	for (size_t i = 0; i < parse->count; i++)
		if (parse->sections[i].object == server)
			return parse->sections[i].good[CONF_KEY_SERVER_TYPE];
	return false;
}

static void check_reply_server(struct conf_parse *parse, const struct conf_section *section)
{
	const char *name = parse->conf->replies.server, *key = parse->conf->replies.account;
	const struct conf_server *server = conf_server_find(parse->conf, name);

	if (!server)
		conf_report_error(parse->report, line_of(section, CONF_KEY_REPLIES_SERVER),
				  "'server': there is no [server %s]",
				  conf_quote(parse->report, name));
	else if (server->type == SERVER_CALDAV && server_has_type(parse, server))
		conf_report_error(parse->report, line_of(section, CONF_KEY_REPLIES_SERVER),
				  "'server': replies are read from a server of type imap");
	else if (key && !has_account(parse->conf, name, key))
		conf_report_error(parse->report, line_of(section, CONF_KEY_REPLIES_ACCOUNT),
				  "'account': there is no [account %s %s]", name,
				  conf_quote(parse->report, key));
}

static void check_replies(struct conf_parse *parse, const struct conf_section *section)
{
	demand(parse, section, CONF_KEY_REPLIES_ADDRESS);
	demand(parse, section, CONF_KEY_REPLIES_SERVER);
	demand(parse, section, CONF_KEY_REPLIES_ACCOUNT);
	demand(parse, section, CONF_KEY_REPLIES_SECRET_FILE);
	if (section->good[CONF_KEY_REPLIES_ADDRESS])
		check_reply_address(parse, section);
	if (section->good[CONF_KEY_REPLIES_SERVER])
		check_reply_server(parse, section);
	if (!is_given(section, CONF_KEY_REPLIES_AUTHSERV_ID) && !is_partial(section))
		conf_report_warning(
			parse->report, section->ini->line,
			"[%s] has no 'authserv_id': every reply becomes a proposal, for "
			"nothing tells who wrote it",
			title(parse, section));
}

/* ---- rules ---- */

/* The rules that this program brings along (src/decide/rules_builtin.c; rules_builtin_test compares). */
static const char *const builtin_names[] = {
	"percent-range",       "done-agrees",  "due-after-start",    "work-not-negative",
	"summary-is-computed", "project-open", "predecessors-first", "own-work-only",
};

/* A section that only says `enabled` means a built-in rule. */
static void check_switch(struct conf_parse *parse, const struct conf_section *section)
{
	const struct conf_rule *rule = section->object;
	struct conf_near near;

	if (!is_given(section, CONF_KEY_RULE_ENABLED)) {
		conf_report_error(parse->report, rule->line,
				  "[%s] is empty: write when, action and message, or enabled = no "
				  "for a built-in rule",
				  title(parse, section));
		return;
	}
	conf_near_start(&near, rule->name);
	for (size_t i = 0; i < COUNT_OF(builtin_names); i++) {
		if (!strcmp(builtin_names[i], rule->name))
			return;
		conf_near_try(&near, builtin_names[i]);
	}
	if (near.best)
		conf_report_error(parse->report, rule->line,
				  "there is no built-in rule '%s'; did you mean '%s'?", rule->name,
				  near.best);
	else
		conf_report_error(parse->report, rule->line,
				  "there is no built-in rule '%s'; a rule of your own needs when, "
				  "action and message",
				  conf_quote(parse->report, rule->name));
}

static void check_rule(struct conf_parse *parse, const struct conf_section *section)
{
	const struct conf_rule *rule = section->object;
	bool has_set = is_given(section, CONF_KEY_RULE_SET);

	if (is_partial(section))
		return;
	if (!has_set && !is_given(section, CONF_KEY_RULE_WHEN) &&
	    !is_given(section, CONF_KEY_RULE_ACTION) && !is_given(section, CONF_KEY_RULE_MESSAGE)) {
		check_switch(parse, section);
		return;
	}
	demand(parse, section, CONF_KEY_RULE_WHEN);
	demand(parse, section, CONF_KEY_RULE_ACTION);
	if (!is_given(section, CONF_KEY_RULE_MESSAGE))
		conf_report_warning(parse->report, rule->line,
				    "[%s] has no 'message': people will not read why",
				    title(parse, section));
	if (!section->good[CONF_KEY_RULE_ACTION])
		return;
	if (rule->action == RULE_CORRECT && !has_set)
		conf_report_error(parse->report, line_of(section, CONF_KEY_RULE_ACTION),
				  "action 'correct' needs a 'set.FIELD' that says what is right");
	if (rule->action != RULE_CORRECT && has_set)
		conf_report_error(parse->report, line_of(section, CONF_KEY_RULE_SET),
				  "'set.FIELD' goes with 'action = correct' only");
}

/* ---- the rest ---- */

static void check_store(struct conf_parse *parse, const struct conf_section *section)
{
	if (section->good[CONF_KEY_STORE_DSN] && conf_url_has_password(parse->conf->dsn))
		check_mode(parse, section, CONF_KEY_STORE_DSN);
}

static void check_web(struct conf_parse *parse, const struct conf_section *section)
{
	char *host;

	if (!section->good[CONF_KEY_WEB_LISTEN] ||
	    !conf_url_listen(parse->report, parse->conf->web_listen, &host))
		return;
	if (!conf_url_is_loopback(host))
		conf_report_warning(parse->report, line_of(section, CONF_KEY_WEB_LISTEN),
				    "'listen' is not loopback, and the pages have no TLS: put a "
				    "proxy before them");
	talloc_free(host);
}

/* A server's folders are named after the site. */
/* A star cannot say both that a task is due and that somebody has started. */
static void settle_star(struct conf *conf)
{
	if (conf->gestures.flag_due_us)
		conf->gestures.star = STAR_IGNORE;
}

static void check_site(struct conf_parse *parse)
{
	const struct conf_section *site = NULL;

	for (size_t i = 0; i < parse->count && !site; i++)
		if (parse->sections[i].kind == CONF_KIND_SITE)
			site = &parse->sections[i];
	if (!parse->conf->server_count || (site && is_partial(site)) ||
	    (site && is_given(site, CONF_KEY_SITE_URL)))
		return;
	conf_report_error(
		parse->report, site ? site->ini->line : 0,
		"[site] has no 'url': where there is a [server], folders are named after it");
}

/* The site's name, where none is given: its host. */
static void name_site(struct conf *conf)
{
	TALLOC_CTX *scratch = MEM_CONTEXT(conf);
	struct conf_url url;
	const char *why;

	if (conf->site.url && !conf->site.name &&
	    conf_url_read(scratch, conf->site.url, &url, &why))
		conf->site.name = mem_strdup(conf, url.host);
	talloc_free(scratch);
}

static void (*const checks[CONF_KINDS])(struct conf_parse *parse,
					const struct conf_section *section) = {
	[CONF_KIND_STORE] = check_store,     [CONF_KIND_SERVER] = check_server,
	[CONF_KIND_ACCOUNT] = check_account, [CONF_KIND_RULE] = check_rule,
	[CONF_KIND_REPLIES] = check_replies, [CONF_KIND_WEB] = check_web,
};

void conf_check(struct conf_parse *parse)
{
	for (size_t i = 0; i < parse->count && !conf_report_full(parse->report); i++)
		if (checks[parse->sections[i].kind])
			checks[parse->sections[i].kind](parse, &parse->sections[i]);
	check_site(parse);
	settle_star(parse->conf);
	name_site(parse->conf);
}
