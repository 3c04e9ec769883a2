/* Owns members' settings: only values other than the default are stored. */
#include "services/user/settings.h"

#include <string.h>
#include "base/zone.h"
#include "services/user/authors.h"
#include "services/user/search.h"
#include "services/user/setting.h"
#include "services/user/store.h"
#include "services/user/user.h"

/* Values of settings that no longer exist are skipped. */
static sn_status apply_settings(struct rpc_call *c, const struct setting *list, size_t n,
                                const UserRows__StoredSetting *stored, User__Settings *out)
{
        for (size_t i = 0; i < n; i++) {
                if (strcmp(list[i].key, stored->key) == 0) {
                        return setting_write(c, &list[i], stored->value, out);
                }
        }
        return SN_OK;
}

/* The stored values, and defaults for the rest. */
static sn_status fill_settings(struct rpc_call *c, UserRows__StoredSetting *const *stored, size_t n_stored,
                               User__Settings *out)
{
        size_t n = 0;
        const struct setting *list = setting_list(c->arena, &n);

        for (size_t i = 0; i < n_stored; i++) {
                TRY(apply_settings(c, list, n, stored[i], out));
        }
        for (size_t i = 0; i < n; i++) {
                if (setting_read(c->arena, &list[i], out) == NULL) {
                        TRY(setting_write(c, &list[i], list[i].field->rule.default_value, out));
                }
        }
        return SN_OK;
}

sn_status settings_read(struct db_tx *tx, const char *user_id, User__Settings *out)
{
        UserRows__StoredSetting **stored = NULL;
        size_t n = 0;

        TRY(store_settings(tx, (char *[]){(char *)user_id}, 1, &n, &stored));
        return fill_settings(db_call(tx), stored, n, out);
}

/* The rows of one member, among those of many, which are sorted by member. */
static size_t find_rows(UserRows__StoredSetting *const *stored, size_t n, const char *user_id, size_t *n_found)
{
        size_t from = 0;

        for (size_t until = n, middle; from < until;) {
                middle = from + (until - from) / 2;
                if (strcmp(stored[middle]->user_id, user_id) < 0) {
                        from = middle + 1;
                } else {
                        until = middle;
                }
        }
        for (*n_found = 0; from + *n_found < n && uuid_equal(stored[from + *n_found]->user_id, user_id); (*n_found)++) {
        }
        return from;
}

sn_status user_handle_batch_get_settings(struct rpc_call *c, const User__BatchGetSettingsRequest *in,
                                         User__SettingsList *out)
{
        UserRows__StoredSetting **stored = NULL;
        User__Settings *shared =
            ARENA_NEW(c->arena, User__Settings); /* shared by members who changed nothing, which are most */
        size_t n = 0, n_of = 0;

        TRY(DB_READ(c, tx, store_settings(tx, in->ids, in->n_ids, &n, &stored)));
        user__settings__init(shared);
        TRY(fill_settings(c, NULL, 0, shared));
        out->items = ARENA_ARRAY(c->arena, User__Settings *, in->n_ids);
        for (size_t i = 0; i < in->n_ids; i++) {
                User__Settings *settings = shared;
                size_t from = find_rows(stored, n, in->ids[i], &n_of);

                if (n_of > 0) {
                        settings = ARENA_NEW(c->arena, User__Settings);
                        user__settings__init(settings);
                        TRY(fill_settings(c, stored + from, n_of, settings));
                }
                out->items[out->n_items++] = settings;
        }
        return SN_OK;
}

sn_status user_handle_get_settings(struct rpc_call *c, const User__GetSettingsRequest *in, User__Settings *out)
{
        return DB_READ(c, tx, settings_read(tx, c->actor, out));
}

static sn_status change_settings(struct db_tx *tx, const User__Settings *in)
{
        struct rpc_call *c = db_call(tx);
        size_t n = 0, n_kept = 0, n_dropped = 0;
        const struct setting *list = setting_list(c->arena, &n);
        char **kept = ARENA_ARRAY(c->arena, char *, n), **values = ARENA_ARRAY(c->arena, char *, n);
        char **dropped = ARENA_ARRAY(c->arena, char *, n);

        for (size_t i = 0; i < n; i++) {
                const char *value = setting_read(c->arena, &list[i], in);

                if (value == NULL) {
                        continue;
                }
                if (strcmp(value, list[i].field->rule.default_value) == 0) {
                        dropped[n_dropped++] = (char *)list[i].key;
                } else {
                        kept[n_kept] = (char *)list[i].key;
                        values[n_kept++] = (char *)value;
                }
        }
        TRY(store_drop_settings(tx, c->actor, dropped, n_dropped));
        return store_keep_settings(tx, c->actor, kept, values, n_kept);
}

static sn_status check_settings(struct rpc_call *c, const User__Settings *in)
{
        if (in->time_zone_presence_case == USER__SETTINGS__TIME_ZONE_PRESENCE_TIME_ZONE &&
            zone_find(in->time_zone) == NULL) {
                return rpc_fail(c, SN_INVALID_ARGUMENT, "time_zone",
                                "must be an IANA time zone, like Europe/Berlin or UTC");
        }
        return SN_OK;
}

/* A member who is not discoverable is not found by any name. */
static sn_status index_names(struct db_tx *tx)
{
        User__User user = USER__USER__INIT;

        TRY(store_user(tx, db_call(tx)->actor, &user));
        return search_index_names(tx, user.id, user.display_name);
}

/* When an account becomes public, all pending follow requests are accepted: follow_service gets an event. */
static sn_status change_privacy(struct db_tx *tx, bool was_private, bool is_private)
{
        struct outbox_event opened = {.type = EVENT_USER_OPENED, .aggregate_id = db_call(tx)->actor, .object_id = ""};

        if (was_private == is_private) {
                return SN_OK;
        }
        TRY(store_raise_privacy_version(tx, db_call(tx)->actor, &opened.version));
        authors_changed(tx, db_call(tx)->actor);
        return is_private ? SN_OK : outbox_put(tx, &opened);
}

static bool is_private(const User__Settings *settings)
{
        return settings->privacy != NULL && settings->privacy->private_;
}

sn_status user_handle_update_settings(struct rpc_call *c, const User__Settings *in, User__Settings *out)
{
        CLEANUP(db_end) struct db_tx *tx = NULL;
        User__Settings before = USER__SETTINGS__INIT;

        TRY(check_settings(c, in));
        TRY(db_begin(c, &tx));
        TRY(db_lock_one(tx, "settings", c->actor));
        TRY(settings_read(tx, c->actor, &before));
        TRY(change_settings(tx, in));
        TRY(settings_read(tx, c->actor, out));
        if (in->privacy != NULL) {
                TRY(change_privacy(tx, is_private(&before), is_private(out)));
                TRY(index_names(tx));
        }
        return db_commit(c, NULL, &tx);
}

/* Mails are off by default, so that no stored value means off. Members who are hidden now may return. */
static sn_status stop_mails(struct db_tx *tx, const char *user_id)
{
        User__User user = USER__USER__INIT;

        TRY(db_lock_one(tx, "settings", user_id));
        TRY(store_user(tx, user_id, &user));
        return store_drop_settings(tx, user_id, (char *[]){"notifications.email"}, 1);
}

sn_status user_handle_stop_notification_mails(struct rpc_call *c, const User__StopNotificationMailsRequest *in,
                                              Google__Protobuf__Empty *out)
{
        return DB_WRITE(c, tx, stop_mails(tx, in->user_id));
}

/* ---- The schema ---- */

static size_t split_choices(struct arena *arena, const struct rpc_enum *names, char ***choices)
{
        size_t n = 0;

        *choices = ARENA_ARRAY(arena, char *, names->n);
        for (size_t i = 0; i < names->n; i++) {
                const struct rpc_enum_value *value = &names->values[i];

                if (!value->unspecified) {
                        (*choices)[n++] = arena_strndup(arena, value->quoted.ptr + 1, value->quoted.len - 2);
                }
        }
        return n;
}

static User__SettingSchema *describe_setting(struct arena *arena, const struct setting *s)
{
        User__SettingSchema *out = ARENA_NEW(arena, User__SettingSchema);

        user__setting_schema__init(out);
        out->key = (char *)s->key;
        out->type = s->field->kind == KIND_BOOL   ? USER__SETTING_TYPE__SETTING_TYPE_BOOLEAN
                    : s->field->kind == KIND_ENUM ? USER__SETTING_TYPE__SETTING_TYPE_CHOICE
                                                  : USER__SETTING_TYPE__SETTING_TYPE_TEXT;
        if (s->field->kind == KIND_ENUM) {
                out->n_choices = split_choices(arena, s->field->names, &out->choices);
        }
        out->default_ = (char *)s->field->rule.default_value;
        out->help = (char *)s->field->rule.doc;
        return out;
}

sn_status user_handle_get_settings_schema(struct rpc_call *c, const User__GetSettingsSchemaRequest *in,
                                          User__SettingsSchema *out)
{
        const struct setting *list = setting_list(c->arena, &out->n_items);

        out->items = ARENA_ARRAY(c->arena, User__SettingSchema *, out->n_items);
        for (size_t i = 0; i < out->n_items; i++) {
                out->items[i] = describe_setting(c->arena, &list[i]);
        }
        return SN_OK;
}
