/* caldav_sogo_test.c - the contract of endpoints over a real SOGo.
 *
 * takes: 60
 * waits: yes
 * timeout: 300
 */
#include "config.h"

#include "server_contract.h"

const struct server_kind server_kind = {
	.name = "SOGo",
	.script = "sogo",
	.root = "SOGo/dav/",
	.home = { "/SOGo/dav/", "/Calendar/" },
	.unknown_token = "s:1",
	.lines = { "PRODID", "CLASS:PUBLIC", "CREATED", "LAST-MODIFIED", "DTSTAMP" },
	.lists_for_unknown = true,
	.repeats = true,
	.timeless = true,
	.item_names = { "a%3Ab.ics", "a%40b%2Bc.ics", "%C3%A9.ics", "a%20b.ics", "100%25.ics" },
};
