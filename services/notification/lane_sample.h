/* Test messages for operators, which are sent at once. */
#ifndef SERVICES_NOTIFICATION_LANE_SAMPLE_H
#define SERVICES_NOTIFICATION_LANE_SAMPLE_H

#include "base/settings.h"
#include "services/notification/templates.h"

struct lane_sample {
        const char *provider, *outcome, *reason;
};
/* Sends a sample of a template to each browser ("push") or device ("mobile") of a member, or to a number ("sms"), and
 * returns the providers' responses, or after a few seconds that there are none. Nothing is queued or retried. Reads the
 * settings anew. SN_INVALID_ARGUMENT with a problem. */
SN_CHECKED sn_status lane_send_sample(struct rpc_call *c, const struct settings *settings, const char *channel,
                                      const char *type, const char *language, const char *to,
                                      struct lane_sample **samples, size_t *n);

#endif
