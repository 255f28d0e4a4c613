/* caldav_davical_test.c - the contract of endpoints over a real DAViCal.
 *
 * takes: 30
 * waits: yes
 * timeout: 300
 */
#include "config.h"

#include "server_contract.h"

const struct server_kind server_kind = {
	.name = "DAViCal",
	.script = "davical",
	.root = "caldav.php/",
	.home = { "/caldav.php/", "/" },
	.unknown_token = "s:data:,12345678",
	.lists_for_unknown = true,
	.repeats = true,
	.timeless = true,
	.makes_folders = true,
	.item_names = { "a%3Ab.ics", "a%40b%2Bc.ics", "%C3%A9.ics", "a%20b.ics", "100%25.ics" },
};
