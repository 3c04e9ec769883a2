/* A worker's connection to the server in `sonet import`: a persistent connection, members' sessions, and retries for
 * a busy or restarting server. */
#ifndef CMD_IMPORT_CLIENT_H
#define CMD_IMPORT_CLIENT_H

#include <jansson.h>
#include <signal.h>
#include <stdatomic.h>
#include "base/status.h"
#include "base/uuid.h"
#include "cmd/http_client.h"

/* A member's session. Used by one worker at a time. */
struct import_session {
        char username[32];
        char id[UUID_SIZE];
        char *access_token; /* NULL: not logged in yet */
        char refresh_token[160];
        int64_t renew_us; /* monotonic: when to renew the access token */
        bool registered_now;
};

struct import_client {
        struct http_connection connection;
        struct http_reply reply;
        const char *password;
        volatile sig_atomic_t *stop; /* stopping was requested: calls return SN_CANCELLED */
        atomic_long *limited_s;      /* total seconds that workers waited because of rate limits */
        struct buf error;            /* why a call failed, one sentence */
};

void import_client_init(struct import_client *client, const struct http_target *target, const char *password,
                        volatile sig_atomic_t *stop, atomic_long *limited_s);
void import_client_free(struct import_client *client);
void import_session_free(struct import_session *session);

/* Sends a request as the member (NULL: without a token) until there is a final response, renewing tokens as needed. */
SN_CHECKED sn_status import_client_call(struct import_client *client, struct import_session *session,
                                        struct http_ask ask, int *status, json_t **answer);
/* The same for a call that should succeed: everything but 2xx is an error. answer may be NULL. */
SN_CHECKED sn_status import_client_expect(struct import_client *client, struct import_session *session,
                                          struct http_ask ask, json_t **answer);
/* Registers the member session->username, or logs in if the account exists. */
SN_CHECKED sn_status import_client_enter(struct import_client *client, struct import_session *session);

void import_json_free_p(json_t **json);
/* "" if it is missing. */
const char *import_json_text(const json_t *object, const char *key);

#endif
