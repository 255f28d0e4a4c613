/* caldav_xandikos_test.c - the contract of endpoints over a real Xandikos.
 *
 * takes: 50
 * waits: yes
 * timeout: 300
 */
#include "config.h"

#include "server_contract.h"

const struct server_kind server_kind = {
	.name = "Xandikos",
	.script = "xandikos",
	.root = "",
	.home = { "/", "/calendars/" },
	.unknown_token = "s:0123456789012345678901234567890123456789",
	.timeless = true,
	/* it forgets that a comma was escaped */
	.lines = { "CATEGORIES" },
	.item_names = { "a%3Ab.ics", "a%40b%2Bc.ics", "%C3%A9.ics", "a%20b.ics", "100%25.ics" },
};
