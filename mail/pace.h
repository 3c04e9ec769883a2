/* The pace of mails to each domain: so many in an hour, of which a minute's worth may go at once (the generic cell rate
 * algorithm). It stands in the database: all processes of a service share it. Private to mail/. */
#ifndef MAIL_PACE_H
#define MAIL_PACE_H

#include <stdint.h>
#include "db/db.h"

/* Domains whose names fall together share a pace: it can only be slower. */
#define MAIL_PACE_DOMAINS 1024

/* How long a mail to the address has to wait, in ms, when a domain gets per_hour (0: as many as there are). 0: it goes
 * now, and is counted. */
SN_CHECKED sn_status mail_pace_wait_ms(struct rpc_call *c, int64_t per_hour, const char *to, int64_t now_ms,
                                       int64_t *wait_ms);

#endif
