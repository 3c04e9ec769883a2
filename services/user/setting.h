/* Settings as the contract declares them: a field of sonet.user.v1.Settings, or of one of its groups, is a setting. */
#ifndef SERVICES_USER_SETTING_H
#define SERVICES_USER_SETTING_H

#include "base/call.h"
#include "base/contract.h"
#include "services/user/user_settings.rpc.h"

struct setting {
        const char *key;               /* "privacy.private" */
        const struct rpc_field *group; /* the field of Settings that it stands in; NULL: it is one itself */
        const struct rpc_field *field;
};

/* All of them, in the order of the contract. */
struct setting *setting_list(struct arena *arena, size_t *n);
/* The value as text, as json_set_field takes it; NULL: it is not given. */
const char *setting_read(struct arena *arena, const struct setting *s, const User__Settings *settings);
/* Into its place. SN_INVALID_ARGUMENT when the setting does not take it. */
SN_CHECKED sn_status setting_write(struct rpc_call *c, const struct setting *s, const char *value,
                                   User__Settings *settings);

#endif
