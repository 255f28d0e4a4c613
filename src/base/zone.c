#include "config.h"

#include "base/zone.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

#define ZONE_DIR "/usr/share/zoneinfo"
#define ZONE_NAME_MAX 64 /* bytes; the longest of tzdata has 32 */
#define ZONE_MAGIC "TZif"

/* No dot is among them, so there is no way up from the folder. */
#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/"

static bool is_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= ZONE_NAME_MAX && strspn(name, NAME_CHARS) == len && *name != '/' &&
	       !text_starts(name, "right/");
}

/* Not every file there is a zone. */
static bool has_file(const char *name)
{
	char path[sizeof ZONE_DIR + 1 + ZONE_NAME_MAX], magic[sizeof ZONE_MAGIC - 1];
	struct stat st;
	FILE *file;
	bool found;

	snprintf(path, sizeof path, "%s/%s", ZONE_DIR, name);
	file = !stat(path, &st) && S_ISREG(st.st_mode) ? fopen(path, "re") : NULL;
	if (!file)
		return false;
	found = fread(magic, 1, sizeof magic, file) == sizeof magic &&
		!memcmp(magic, ZONE_MAGIC, sizeof magic);
	(void)fclose(file); /* only read */
	return found;
}

bool zone_is_known(const char *name)
{
	return name && is_name(name) && (!strcmp(name, "UTC") || has_file(name));
}
