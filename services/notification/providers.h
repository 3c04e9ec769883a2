/* The providers of SMS and of pushes to apps, as SMS_PROVIDER and MOBILE_PROVIDERS describe them. */
#ifndef SERVICES_NOTIFICATION_PROVIDERS_H
#define SERVICES_NOTIFICATION_PROVIDERS_H

#include "base/settings.h"
#include "push/adapter.h"

#define PROVIDERS_MOBILE_MAX 8

/* Before any thread is started. SN_INVALID_ARGUMENT with a sentence. */
SN_CHECKED sn_status providers_setup(const struct settings *settings, struct buf *error);
/* Of the lane of SMS; NULL: this network sends none. */
struct push_adapter *providers_sms(void);
/* The same provider, for the codes that verify numbers. */
struct push_adapter *providers_codes(void);
size_t providers_n_mobile(void);
/* Of the lane of pushes to apps; NULL: there is none of that name. */
struct push_adapter *providers_mobile(const char *name);
/* "apns, fcm": for who asks for another one. */
char *providers_mobile_names(struct arena *arena);

#endif
