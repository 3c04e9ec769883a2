/* Samples that go out at once, for who runs the network. */
#ifndef SERVICES_NOTIFICATION_LANE_SAMPLE_H
#define SERVICES_NOTIFICATION_LANE_SAMPLE_H

#include "base/settings.h"
#include "services/notification/templates.h"

struct lane_sample {
        const char *provider, *outcome, *reason;
};
/* What providers answer to a sample of a template: at each browser ("push") or device ("mobile") of a member, or at a
 * number ("sms"). Nothing is queued or tried again. The settings are read anew. SN_INVALID_ARGUMENT with a problem. */
SN_CHECKED sn_status lane_send_sample(struct rpc_call *c, const struct settings *settings, const char *channel,
                                      const char *type, const char *language, const char *to,
                                      struct lane_sample **samples, size_t *n);

#endif
