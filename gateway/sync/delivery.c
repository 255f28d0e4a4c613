#include "config.h"

#include "gateway/sync/delivery.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "gateway/caldav/caldav.h"
#include "gateway/imap/imap.h"
#include "gateway/memory/memory.h"

/* False when the login is made from an address that the person does not have. */
static bool has_login(const struct conf *conf, const struct conf_server *server,
		      const struct resource *resource)
{
	const struct conf_account *account = conf_account_find(conf, server->name, resource->key);
	const char *login = account && account->login ? account->login : server->login;

	return resource->email || (!strstr(login, "%{email}") && !strstr(login, "%{local}"));
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

static struct fault *find_password(TALLOC_CTX *mem, const struct conf_password *password,
				   const struct secret_names *names, const struct secret **secret_r)
{
	struct secret *secret = NULL;
	char *path = NULL;

	if (password->password) {
		*secret_r = password->password;
		return NULL;
	}
	if (password->command) {
		FAULT_TRY(secret_command(mem, password->command, names, &secret));
	} else if (password->file) {
		FAULT_TRY(secret_expand(mem, password->file, names, &path));
		FAULT_TRY(secret_file(mem, path, &secret));
	} else if (password->credential) {
		FAULT_TRY(from_credential(mem, password->credential, &secret));
	}
	*secret_r = secret;
	return NULL;
}

static bool has_password(const struct conf_password *password)
{
	return password->command || password->file || password->credential || password->password;
}

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

static struct fault *caldav_endpoint(TALLOC_CTX *mem, const struct delivery *delivery,
				     const struct conf_server *server, const char *login,
				     const struct secret *password, struct endpoint **endpoint_r)
{
	struct caldav_account account = { .url = server->url,
					  .user = login,
					  .password = password,
					  .tls_ca = server->tls_ca,
					  .points = delivery->points };

	if (!password)
		return no_password(mem, server, login);
	*endpoint_r = caldav_new(mem, delivery->http, delivery->clock, &account);
	return NULL;
}

static struct fault *imap_endpoint(TALLOC_CTX *mem, const struct delivery *delivery,
				   const struct conf_server *server, const char *login,
				   const struct secret *password, struct endpoint **endpoint_r)
{
	struct imap_account account = { .url = server->url,
					.starttls = server->starttls,
					.user = login,
					.password = password,
					.tls_ca = server->tls_ca,
					.trusts = delivery->trusts,
					.stop_fd = delivery->stop_fd };

	if (!password)
		return no_password(mem, server, login);
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
	const struct secret *password = NULL;
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
	FAULT_TRY(of_account(find_password(mem,
					   account && has_password(&account->password)
						   ? &account->password
						   : &server->password,
					   &names, &password)));
	if (server->type == SERVER_CALDAV)
		return caldav_endpoint(mem, delivery, server, login, password, endpoint_r);
	return imap_endpoint(mem, delivery, server, login, password, endpoint_r);
}
