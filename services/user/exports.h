/* Exports of all data about a member. */
#ifndef SERVICES_USER_EXPORTS_H
#define SERVICES_USER_EXPORTS_H

#include "base/arena.h"
#include "base/settings.h"

/* Reads EXPORT_DAYS; call it before starting threads. */
void exports_start(const struct settings *settings);
int64_t exports_days(void);
/* The download link of an export, valid as long as the export is kept. */
char *export_link(struct arena *arena, const char *id, int64_t expires_s);

#endif
