/* Members' telephone numbers, and the codes that verify them. */
#ifndef SERVICES_NOTIFICATION_PHONES_H
#define SERVICES_NOTIFICATION_PHONES_H

#include "base/arena.h"
#include "services/jobs.h"

/* Six digits, derived by a MAC with a key from the key file. */
char *phone_code(struct arena *arena, const char *code_id, const char *number);

/* The job of phone_codes.c, which sends codes. */
extern const struct service_job notification_phone_codes;

#endif
