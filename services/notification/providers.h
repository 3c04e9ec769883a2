/* Providers of SMS and of pushes to apps, configured by SMS_PROVIDER and MOBILE_PROVIDERS. */
#ifndef SERVICES_NOTIFICATION_PROVIDERS_H
#define SERVICES_NOTIFICATION_PROVIDERS_H

#include "base/settings.h"
#include "push/adapter.h"

#define PROVIDERS_MOBILE_MAX 8

/* Call it before starting threads. SN_INVALID_ARGUMENT with a sentence in error. */
SN_CHECKED sn_status providers_setup(const struct settings *settings, struct buf *error);
/* For the SMS lane; NULL if no SMS provider is configured. */
struct push_adapter *providers_sms(void);
/* The same provider, for verification codes. */
struct push_adapter *providers_codes(void);
size_t providers_n_mobile(void);
/* For the lane of app pushes; NULL if no provider has that name. */
struct push_adapter *providers_mobile(const char *name);
/* Their names, for error messages: "apns, fcm". */
char *providers_mobile_names(struct arena *arena);

#endif
