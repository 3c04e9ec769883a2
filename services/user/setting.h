/* Settings as declared in the contract: each field of sonet.user.v1.Settings, or of one of its groups, is a setting. */
#ifndef SERVICES_USER_SETTING_H
#define SERVICES_USER_SETTING_H

#include "base/call.h"
#include "base/contract.h"
#include "services/user/user_settings.rpc.h"

struct setting {
        const char *key;               /* "privacy.private" */
        const struct rpc_field *group; /* the field of Settings that contains it; NULL: it is directly in Settings */
        const struct rpc_field *field;
};

/* All of them, in the order of the contract. */
struct setting *setting_list(struct arena *arena, size_t *n);
/* The value as text, in the format of json_set_field; NULL: not given. */
const char *setting_read(struct arena *arena, const struct setting *s, const User__Settings *settings);
/* Sets the value. SN_INVALID_ARGUMENT if the setting does not accept it. */
SN_CHECKED sn_status setting_write(struct rpc_call *c, const struct setting *s, const char *value,
                                   User__Settings *settings);

#endif
