/* The rate limit of mails per domain: a number per hour, of which a minute's worth may be sent at once (generic cell
 * rate algorithm). Stored in the database: shared by all processes of a service. Private to mail/. */
#ifndef MAIL_PACE_H
#define MAIL_PACE_H

#include <stdint.h>
#include "db/db.h"

/* Domains whose hashes collide share a limit, which can only make it stricter. */
#define MAIL_PACE_DOMAINS 1024

/* How long a mail to the address must wait, in ms, with per_hour mails per domain (0: no limit). 0: it may be sent
 * now, and is counted. */
SN_CHECKED sn_status mail_pace_wait_ms(struct rpc_call *c, int64_t per_hour, const char *to, int64_t now_ms,
                                       int64_t *wait_ms);

#endif
