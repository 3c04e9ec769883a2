/* Archives of all that the services keep of a member. */
#ifndef SERVICES_USER_EXPORTS_H
#define SERVICES_USER_EXPORTS_H

#include "base/arena.h"
#include "base/settings.h"

/* Reads EXPORT_DAYS; before any thread is started. */
void exports_start(const struct settings *settings);
int64_t exports_days(void);
/* The link of an archive, which holds as long as the archive is kept. */
char *export_link(struct arena *arena, const char *id, int64_t expires_s);

#endif
