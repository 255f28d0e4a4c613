#include "config.h"

#include "gateway/sync/delivery.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "gateway/caldav/caldav.h"
#include "gateway/caldav/href.h"
#include "gateway/imap/imap.h"
#include "gateway/memory/memory.h"
#include "model/reply_token.h"

static bool needs_address(const char *template)
{
	return template && (strstr(template, "%{email}") || strstr(template, "%{local}"));
}

/* False when the login, or where it goes, is made from an address that the person does not have. */
static bool has_login(const struct conf *conf, const struct conf_server *server,
		      const struct resource *resource)
{
	const struct conf_account *account = conf_account_find(conf, server->name, resource->key);
	const char *login = account && account->login ? account->login : server->login;
	const char *home = account && account->home ? account->home : server->home;
	const char *authorize =
		account && account->authorize ? account->authorize : server->authorize;

	return resource->email ||
	       (!needs_address(login) && !needs_address(home) && !needs_address(authorize) &&
		!needs_address(server->url) && !server->principal_search);
}

size_t delivery_servers(const struct conf *conf, const struct resource *resource,
			const struct conf_server **servers_r)
{
	size_t count = 0;

	for (size_t i = 0; i < conf->server_count; i++) {
		const struct conf_server *server = &conf->servers[i];

		if (!conf_server_has(conf, server, resource->key, resource->email))
			continue;
		if (!has_login(conf, server, resource) ||
		    (count && server->deliver == DELIVER_FIRST))
			continue;
		servers_r[count++] = server;
	}
	return count;
}

bool delivery_has(const struct conf *conf, const struct resource *resource, const char *server)
{
	const struct conf_server **servers =
		MEM_ARRAY(NULL, const struct conf_server *, conf->server_count);
	size_t count = delivery_servers(conf, resource, servers);
	bool found = false;

	for (size_t i = 0; i < count; i++)
		found |= text_same(servers[i]->name, server);
	talloc_free(servers);
	return found;
}

struct fault *delivery_accounts(TALLOC_CTX *mem, const struct conf *conf, struct store *store,
				const struct resource *resource, int64_t **accounts_r,
				size_t *count_r)
{
	const struct conf_server **servers =
		MEM_ARRAY(mem, const struct conf_server *, conf->server_count);
	size_t count = delivery_servers(conf, resource, servers);
	int64_t *accounts = MEM_ARRAY(mem, int64_t, count);

	for (size_t i = 0; i < count; i++) {
		struct account *account = NULL;

		FAULT_TRY(link_account(store, mem, servers[i]->name, resource->id, true, &account));
		accounts[i] = account->id;
		talloc_free(account);
	}
	talloc_free(servers);
	*accounts_r = accounts;
	*count_r = count;
	return NULL;
}

static struct fault *from_credential(TALLOC_CTX *mem, const char *name, struct secret **secret_r)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");

	if (!directory)
		return fault_new(mem, FAULT_CONFIG,
				 "credential = %s: the service manager passed no credentials "
				 "(LoadCredential=%s:FILE in the unit)",
				 name, name);
	return secret_file(mem, mem_printf(mem, "%s/%s", directory, name), secret_r);
}

/* A fault says which key it is about. */
static struct fault *by_command(TALLOC_CTX *mem, const char *key, const char *command,
				const struct secret_names *names, struct secret **secret_r)
{
	struct fault *fault = secret_command(mem, command, names, secret_r);

	return fault ? fault_prefix(fault, "%s: ", key) : NULL;
}

static struct fault *by_file(TALLOC_CTX *mem, const char *key, const char *file,
			     const struct secret_names *names, struct secret **secret_r)
{
	char *path = NULL;
	struct fault *fault = secret_expand(mem, file, names, &path);

	if (!fault)
		fault = secret_file(mem, path, secret_r);
	return fault ? fault_prefix(fault, "%s: ", key) : NULL;
}

static struct fault *find_password(TALLOC_CTX *mem, const struct conf_password *password,
				   const struct secret_names *names, const struct secret **secret_r)
{
	struct secret *secret = NULL;

	if (password->password) {
		*secret_r = password->password;
		return NULL;
	}
	if (password->command)
		FAULT_TRY(by_command(mem, "password_command", password->command, names, &secret));
	else if (password->token_command)
		FAULT_TRY(
			by_command(mem, "token_command", password->token_command, names, &secret));
	else if (password->file)
		FAULT_TRY(by_file(mem, "password_file", password->file, names, &secret));
	else if (password->token_file)
		FAULT_TRY(by_file(mem, "token_file", password->token_file, names, &secret));
	else if (password->credential)
		FAULT_TRY(from_credential(mem, password->credential, &secret));
	*secret_r = secret;
	return NULL;
}

struct delivery_login {
	const char *name;
	const struct secret *password;
	const struct conf_password *source; /* where it came from */
};

/* What goes wrong here is one account's affair: a person has to mend it. */
static struct fault *of_account(struct fault *fault)
{
	return fault ? fault_reaches(fault, FAULT_SCOPE_ACCOUNT, FAULT_NEXT_HOLD) : NULL;
}

static struct fault *no_password(TALLOC_CTX *mem, const struct conf_server *server,
				 const char *login)
{
	return of_account(fault_new(mem, FAULT_CONFIG,
				    "server %s: no password is configured for %s", server->name,
				    login));
}

/* A path with names put in. A value is one segment whatever is in it, and none of those with a
 * meaning. */
static struct fault *expand_path(TALLOC_CTX *mem, const char *template,
				 const struct secret_names *names, char **path_r)
{
	struct buf *path = buf_new(mem);

	while (*template) {
		const char *end = text_starts(template, "%{") ? strchr(template, '}') : NULL;
		size_t len = end ? (size_t)(end - template) + 1 : 1;
		char *chunk = mem_strndup(path, template, len), *value = NULL;

		if (end) {
			FAULT_TRY(secret_expand(mem, chunk, names, &value));
			if (!strcmp(value, "."))
				return fault_new(mem, FAULT_DATA, "%s is no part of a path: '%s'",
						 chunk, value);
			chunk = href_segment(path, value);
		}
		buf_puts(path, chunk);
		template += len;
	}
	*path_r = buf_steal(&path, mem, NULL);
	return NULL;
}

/* 0 where a type has no such way: conf_check refuses it. */
static const enum http_auth http_auths[CONF_AUTHS] = {
	[CONF_AUTH_PASSWORD] = HTTP_AUTH_PASSWORD,
	[CONF_AUTH_BASIC] = HTTP_AUTH_BASIC,
	[CONF_AUTH_DIGEST] = HTTP_AUTH_DIGEST,
	[CONF_AUTH_BEARER] = HTTP_AUTH_BEARER,
	[CONF_AUTH_NEGOTIATE] = HTTP_AUTH_NEGOTIATE,
	[CONF_AUTH_CERTIFICATE] = HTTP_AUTH_CERTIFICATE,
};

static const enum imap_auth imap_auths[CONF_AUTHS] = {
	[CONF_AUTH_PASSWORD] = IMAP_AUTH_PASSWORD, [CONF_AUTH_SCRAM] = IMAP_AUTH_SCRAM,
	[CONF_AUTH_PLAIN] = IMAP_AUTH_PLAIN,       [CONF_AUTH_LOGIN] = IMAP_AUTH_LOGIN,
	[CONF_AUTH_BEARER] = IMAP_AUTH_BEARER,     [CONF_AUTH_CERTIFICATE] = IMAP_AUTH_CERTIFICATE,
};

/* Where a new token comes from; goes with its endpoint. */
struct token_source {
	const struct conf_password *password;
	struct secret_names names;
	TALLOC_CTX *last; /* of renew_copied() */
};

static struct fault *renew_token(void *context, const struct secret **token_r)
{
	struct token_source *source = context;

	return find_password(source, source->password, &source->names, token_r);
}

/* For who copies it: the one before goes, and is wiped. */
static struct fault *renew_copied(void *context, const struct secret **token_r)
{
	struct token_source *source = context;

	TALLOC_FREE(source->last);
	source->last = MEM_CONTEXT(source);
	return find_password(source->last, source->password, &source->names, token_r);
}

static struct token_source *token_source(TALLOC_CTX *mem, const struct conf_password *password,
					 const struct secret_names *names)
{
	struct token_source *source = MEM_NEW(mem, struct token_source);

	source->password = password;
	source->names = (struct secret_names){ .email = mem_strdup(source, names->email),
					       .local = mem_strdup(source, names->local),
					       .name = mem_strdup(source, names->name),
					       .key = mem_strdup(source, names->key) };
	return source;
}

struct certificate {
	char *file, *key; /* or NULL */
};

static struct fault *find_certificate(TALLOC_CTX *mem, const struct conf_server *server,
				      const struct secret_names *names,
				      struct certificate *certificate_r)
{
	char *file = NULL, *key = NULL;

	if (server->tls_cert)
		FAULT_TRY(of_account(secret_expand(mem, server->tls_cert, names, &file)));
	if (server->tls_key)
		FAULT_TRY(of_account(secret_expand(mem, server->tls_key, names, &key)));
	*certificate_r = (struct certificate){ file, key };
	return NULL;
}

/* How the account says who it is. */
static struct fault *caldav_login(TALLOC_CTX *mem, const struct conf_server *server,
				  const struct secret_names *names,
				  const struct delivery_login *login,
				  struct caldav_account *account)
{
	struct certificate certificate = { NULL, NULL };

	if (!login->password && !conf_server_is_open(server))
		return no_password(mem, server, login->name);
	if (server->auth == CONF_AUTH_NEGOTIATE && !http_has_negotiate())
		return of_account(fault_new(mem, FAULT_CONFIG,
					    "server %s: the libcurl of this machine cannot speak "
					    "Negotiate; choose another auth",
					    server->name));
	FAULT_TRY(find_certificate(mem, server, names, &certificate));
	account->auth = http_auths[server->auth];
	account->user = conf_server_is_open(server) ? NULL : login->name;
	account->password = login->password;
	account->tls_cert = certificate.file;
	account->tls_key = certificate.key;
	if (server->auth == CONF_AUTH_BEARER) {
		account->renew = renew_token;
		account->renew_context = token_source(mem, login->source, names);
	}
	return NULL;
}

static struct fault *caldav_endpoint(TALLOC_CTX *mem, const struct delivery *delivery,
				     const struct conf_server *server,
				     const struct secret_names *names,
				     const struct delivery_login *login,
				     struct endpoint **endpoint_r)
{
	const struct conf_account *own =
		conf_account_find(delivery->conf, server->name, names->key);
	const char *template = own && own->home ? own->home : server->home;
	struct caldav_account account = { .tls_ca = server->tls_ca,
					  .tls_pin = server->tls_pin,
					  .place = delivery->place,
					  .points = delivery->points };
	char *url = NULL, *home = NULL;

	FAULT_TRY(caldav_login(mem, server, names, login, &account));
	account.url = server->url;
	if (!strcmp(server->url, CONF_URL_OF_PERSON)) {
		FAULT_TRY(of_account(secret_expand(mem, server->url, names, &url)));
		account.url = url;
	}
	if (template)
		FAULT_TRY(of_account(expand_path(mem, template, names, &home)));
	account.home = home;
	account.person = server->principal_search && !home ? names->email : NULL;
	*endpoint_r = caldav_new(mem, delivery->http, delivery->clock, &account);
	return NULL;
}

/* Whom the login acts for; *AUTHORIZE_R stays NULL where it is itself. */
static struct fault *find_authorize(TALLOC_CTX *mem, const struct conf *conf,
				    const struct conf_server *server,
				    const struct secret_names *names, const char **authorize_r)
{
	const struct conf_account *own = conf_account_find(conf, server->name, names->key);
	const char *template = own && own->authorize ? own->authorize : server->authorize;
	char *text = NULL;

	if (template)
		FAULT_TRY(of_account(secret_expand(mem, template, names, &text)));
	*authorize_r = text;
	return NULL;
}

/* A mailbox that is no task folder has no sub-folder for what is done. */
static const char *done_folder(const struct delivery *delivery)
{
	return delivery->replies ? NULL : delivery->conf->gestures.done_folder;
}

static struct fault *imap_endpoint(TALLOC_CTX *mem, const struct delivery *delivery,
				   const struct conf_server *server,
				   const struct secret_names *names,
				   const struct delivery_login *login, struct endpoint **endpoint_r)
{
	struct imap_account account = { .url = server->url,
					.starttls = server->starttls,
					.done_folder = done_folder(delivery),
					.auth = imap_auths[server->auth],
					.user = login->name,
					.master = conf_server_is_master(server),
					.password = login->password,
					.tls_ca = server->tls_ca,
					.tls_pin = server->tls_pin,
					.trusts = delivery->trusts,
					.stop_fd = delivery->stop_fd,
					.without = server->without };
	struct certificate certificate = { NULL, NULL };

	if (!login->password && !conf_server_is_open(server))
		return no_password(mem, server, login->name);
	FAULT_TRY(find_certificate(mem, server, names, &certificate));
	FAULT_TRY(find_authorize(mem, delivery->conf, server, names, &account.authorize));
	account.tls_cert = certificate.file;
	account.tls_key = certificate.key;
	if (server->auth == CONF_AUTH_BEARER) {
		account.renew = renew_copied;
		account.renew_context = token_source(mem, login->source, names);
	}
	*endpoint_r = imap_new(mem, delivery->clock, delivery->points, &account);
	return NULL;
}

struct fault *delivery_endpoint(TALLOC_CTX *mem, const struct delivery *delivery,
				const struct conf_server *server, const struct resource *resource,
				struct endpoint **endpoint_r)
{
	const struct conf_account *account =
		conf_account_find(delivery->conf, server->name, resource->key);
	const char *at = resource->email ? strchr(resource->email, '@') : NULL;
	struct secret_names names = { .email = resource->email,
				      .name = resource->name,
				      .key = resource->key };
	const struct conf_password *source;
	const struct secret *password = NULL;
	struct delivery_login found;
	char *login = NULL;

	if (at)
		names.local = mem_strndup(mem, resource->email, (size_t)(at - resource->email));
	FAULT_TRY(of_account(secret_expand(
		mem, account && account->login ? account->login : server->login, &names, &login)));
	if (server->type == SERVER_MEMORY) {
		const char *path = strchr(server->url, ':') + 1;

		*endpoint_r = memory_new(mem, path, login, delivery->clock, delivery->points);
		return NULL;
	}
	source = account && conf_password_is_set(&account->password) ? &account->password
								     : &server->password;
	if (!conf_server_is_open(server))
		FAULT_TRY(of_account(find_password(mem, source, &names, &password)));
	found = (struct delivery_login){ login, password, source };
	if (server->type == SERVER_CALDAV)
		return caldav_endpoint(mem, delivery, server, &names, &found, endpoint_r);
	return imap_endpoint(mem, delivery, server, &names, &found, endpoint_r);
}

/* ---- the mailbox with replies ---- */

struct fault *delivery_replies(TALLOC_CTX *mem, const struct delivery *delivery,
			       struct endpoint **endpoint_r)
{
	const struct conf *conf = delivery->conf;
	struct resource mailbox = { .key = conf->replies.account, .name = conf->replies.account };
	struct delivery own = *delivery;

	own.replies = true;
	return delivery_endpoint(mem, &own, conf_server_find(conf, conf->replies.server),
				 &mailbox, endpoint_r);
}

struct fault *delivery_reply_secret(TALLOC_CTX *mem, const struct conf *conf,
				    struct secret **secret_r)
{
	struct secret *secret = NULL;
	struct fault *fault = secret_file(mem, conf->replies.secret_file, &secret);

	if (!fault && strlen(secret_reveal(secret)) < REPLY_TOKEN_SECRET_MIN)
		fault = fault_new(mem, FAULT_CONFIG, "%s: it has less than %d characters",
				  conf->replies.secret_file, REPLY_TOKEN_SECRET_MIN);
	if (fault) {
		if (fault->kind == FAULT_NO_INPUT)
			fault = fault_new(mem, FAULT_CONFIG, "%s; `taskferry init` makes it",
					  fault->text);
		fault->kind = FAULT_CONFIG;
		return fault_reaches(fault_prefix(fault, "[replies] secret_file: "),
				     FAULT_SCOPE_SITE, FAULT_NEXT_GIVE_UP);
	}
	*secret_r = secret;
	return NULL;
}
