/* The pace of mails to each domain: so many in an hour, of which a minute's worth may go at once (the generic cell rate
 * algorithm). Private to mail/. */
#ifndef MAIL_PACE_H
#define MAIL_PACE_H

#include <stdint.h>

/* Domains whose names fall together share a pace: it can only be slower. */
#define MAIL_PACE_DOMAINS 1024

struct mail_pace {
        int64_t per_hour;                   /* 0: as many as there are */
        int64_t free_us[MAIL_PACE_DOMAINS]; /* when a domain would have had nothing for long enough */
};

/* How long a mail to the address has to wait, in ms. 0: it goes now, and is counted. */
int64_t mail_pace_wait_ms(struct mail_pace *pace, const char *to, int64_t now_us);

#endif
