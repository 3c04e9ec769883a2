/* One worker's conversation with the server in `sonet import`: a kept connection, members' sessions, and the patience
 * that a busy or restarting server asks for. */
#ifndef CMD_IMPORT_CLIENT_H
#define CMD_IMPORT_CLIENT_H

#include <jansson.h>
#include <signal.h>
#include <stdatomic.h>
#include "base/status.h"
#include "base/uuid.h"
#include "cmd/http_client.h"

/* A member as the server knows them. Used by one worker at a time. */
struct import_session {
        char username[32];
        char id[UUID_SIZE];
        char *access_token; /* NULL: not logged in yet */
        char refresh_token[160];
        int64_t renew_us; /* monotonic: when the access token is to be replaced */
        bool registered_now;
};

struct import_client {
        struct http_connection connection;
        struct http_reply reply;
        const char *password;
        volatile sig_atomic_t *stop; /* asked to stop: calls give SN_CANCELLED */
        atomic_long *limited_s;      /* seconds that rate limits made us wait, of all workers */
        struct buf error;            /* why a call failed, one sentence */
};

void import_client_init(struct import_client *client, const struct http_target *target, const char *password,
                        volatile sig_atomic_t *stop, atomic_long *limited_s);
void import_client_free(struct import_client *client);
void import_session_free(struct import_session *session);

/* Asks as the member (NULL: without a token) until there is an answer that waiting does not change; tokens are renewed
 * on the way. */
SN_CHECKED sn_status import_client_call(struct import_client *client, struct import_session *session,
                                        struct http_ask ask, int *status, json_t **answer);
/* The same for a call that has one good outcome: everything but 2xx is an error. answer may be NULL. */
SN_CHECKED sn_status import_client_expect(struct import_client *client, struct import_session *session,
                                          struct http_ask ask, json_t **answer);
/* Registers the member of session->username, or logs them in when they are there. */
SN_CHECKED sn_status import_client_enter(struct import_client *client, struct import_session *session);

void import_json_free_p(json_t **json);
/* "" when it is not there. */
const char *import_json_text(const json_t *object, const char *key);

#endif
