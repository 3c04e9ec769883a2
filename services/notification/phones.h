/* Telephone numbers of members, and the codes that verify them. */
#ifndef SERVICES_NOTIFICATION_PHONES_H
#define SERVICES_NOTIFICATION_PHONES_H

#include "base/arena.h"
#include "services/jobs.h"

/* Six digits: a MAC under a key of the key file. */
char *phone_code(struct arena *arena, const char *code_id, const char *number);

/* phone_codes.c: sends codes. */
extern const struct service_job notification_phone_codes;

#endif
