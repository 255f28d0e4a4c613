/* caldav_cyrus_test.c - the contract of endpoints over a real Cyrus.
 *
 * waits: yes
 * takes: 20
 * timeout: 300
 */
#include "config.h"

#include "server_contract.h"

const struct server_kind server_kind = {
	.name = "Cyrus",
	.script = "cyrus",
	.root = "dav/",
	.home = { "/dav/calendars/user/", "/" },
	.unknown_token = "s:http://example.com/unknown/1",
	.one_uid_home = true,
	/* it parts a category at its comma */
	.lines = { "CATEGORIES" },
	.item_names = { "a%3Ab.ics", "a%40b%2Bc.ics", "%C3%A9.ics", "a%20b.ics", "100%25.ics" },
};
