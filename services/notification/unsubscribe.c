/* Owns one-click unsubscription from mails without logging in (RFC 8058). Links are signed, can be used repeatedly, and
 * can do nothing else. */
#include "services/notification/notification.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include "auth/base64url.h"
#include "auth/keys.h"
#include "services/notification/mails.h"
#include "services/notification/store.h"
#include "services/user/user.rpc.h"

enum { MAC_BYTES = 18, ID_CHARS = UUID_SIZE - 1 };

static char base_url[300];

void unsubscribe_setup(const struct settings *settings)
{
        size_t len = strlen(settings->public_url);

        if (len > 0) {
                (void)snprintf(base_url, sizeof(base_url), "%.*s", (int)(len - (settings->public_url[len - 1] == '/')),
                               settings->public_url);
        } else {
                (void)snprintf(base_url, sizeof(base_url), "http://localhost:%d", (int)settings->http_port);
        }
}

/* "ID.MAC" */
char *unsubscribe_token(struct arena *arena, const char *user_id)
{
        uint8_t key[crypto_auth_hmacsha256_KEYBYTES], mac[crypto_auth_hmacsha256_BYTES];
        char *text = arena_alloc(arena, BASE64URL_CHARS(MAC_BYTES) + 1);

        keys_derive("unsubscribe", key);
        crypto_auth_hmacsha256(mac, (const uint8_t *)user_id, strlen(user_id), key);
        sodium_memzero(key, sizeof(key));
        return arena_printf(arena, "%s.%s", user_id, base64url_encode(mac, MAC_BYTES, text));
}

char *unsubscribe_url(struct arena *arena, const char *user_id)
{
        return arena_printf(arena, "%s/v1/notifications/unsubscribe/%s", base_url, unsubscribe_token(arena, user_id));
}

/* NULL if the signature is invalid. */
static const char *member_of(struct arena *arena, const char *token)
{
        char *id = arena_strndup(arena, token, ID_CHARS);

        if (!uuid_valid(id)) {
                return NULL;
        }
        const char *good = unsubscribe_token(arena, id);
        return strlen(good) == strlen(token) && sodium_memcmp(good, token, strlen(good)) == 0 ? id : NULL;
}

/* Turns off the member's setting, which is the switch for all mails. Links outlast accounts: a member who was erased is
 * not found. */
static sn_status turn_setting_off(struct rpc_call *c, const char *user_id)
{
        User__StopNotificationMailsRequest in = USER__STOP_NOTIFICATION_MAILS_REQUEST__INIT;
        Google__Protobuf__Empty out = GOOGLE__PROTOBUF__EMPTY__INIT;

        in.user_id = (char *)user_id;
        return user_stop_notification_mails(c, &in, &out);
}

sn_status notification_handle_unsubscribe(struct rpc_call *c, const Notification__UnsubscribeRequest *in,
                                          Google__Protobuf__Empty *out)
{
        const char *user_id = member_of(c->arena, in->token);

        if (user_id == NULL) {
                return rpc_fail(c, SN_NOT_FOUND, "token", "this link is incomplete; copy all of it from the mail");
        }
        TRY(turn_setting_off(c, user_id));
        return DB_WRITE(c, tx, store_mail_by_setting(tx, user_id));
}
