#include "config.h"

#include "base/zone.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/attr.h"

Test(zone, known)
{
	static const char *const names[] = { "UTC", "Europe/Berlin",
					     "America/Argentina/Buenos_Aires", "Etc/GMT+5" };

	for (size_t i = 0; i < COUNT_OF(names); i++)
		cr_expect(zone_is_known(names[i]), "%s", names[i]);
}

Test(zone, not_known)
{
	static const char *const names[] = {
		NULL,
		"",
		"Europe/Berln",
		"Europe",          /* a folder */
		"tzdata.zi",       /* a dot, and no zone */
		"leapseconds",     /* a file that is no zone */
		"right/UTC",       /* counts leap seconds */
		"/Europe/Berlin",  /* absolute */
		"../zoneinfo/UTC", /* leaves the folder */
		"Europe/Berlin ",
		"Europe\\Berlin",
		"\xc3\x89urope",
	};
	char longest[80];

	for (size_t i = 0; i < COUNT_OF(names); i++)
		cr_expect_not(zone_is_known(names[i]), "%s", names[i]);
	memset(longest, 'a', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	cr_expect_not(zone_is_known(longest));
}
