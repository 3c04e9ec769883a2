/* Owns the communication of `sonet import`: retries, rate limits, logging in and renewing tokens. */
#include "cmd/import/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/status.h"

#define CALL_MS      15000
#define PATIENCE_MS  60000 /* with a server that is not responding */
#define SLICE_MS     50
#define ANSWER_BYTES (8 * 1024 * 1024)

void import_client_init(struct import_client *client, const struct http_target *target, const char *password,
                        volatile sig_atomic_t *stop, atomic_long *limited_s)
{
        *client = (struct import_client){.password = password, .stop = stop, .limited_s = limited_s};
        http_connection_init(&client->connection, target);
        buf_init(&client->reply.body, ANSWER_BYTES);
        buf_init(&client->error, 4096);
}

void import_client_free(struct import_client *client)
{
        http_connection_close(&client->connection);
        buf_free(&client->reply.body);
        buf_free(&client->error);
}

void import_session_free(struct import_session *session)
{
        free(session->access_token);
        session->access_token = NULL;
}

void import_json_free_p(json_t **json)
{
        json_decref(*json);
}

const char *import_json_text(const json_t *object, const char *key)
{
        const char *text = json_string_value(json_object_get(object, key));
        return text != NULL ? text : "";
}

static void free_text_p(char **text)
{
        free(*text);
}

/* SN_CANCELLED as soon as stopping is requested. */
static sn_status pause_ms(struct import_client *client, int64_t ms)
{
        for (int64_t until = clock_monotonic_us() + ms * 1000; clock_monotonic_us() < until && !*client->stop;) {
                clock_sleep_ms(ms < SLICE_MS ? ms : SLICE_MS);
        }
        return *client->stop ? SN_CANCELLED : SN_OK;
}

/* "PUT /v1/… returned 422: text (field): sentence" */
static sn_status describe_problem(struct import_client *client, const struct http_ask *ask, int status)
{
        CLEANUP(import_json_free_p)
        json_t *problem = json_loadb(client->reply.body.data, client->reply.body.len, 0, NULL);
        const char *detail = import_json_text(problem, "detail"), *field = import_json_text(problem, "field");

        buf_reset(&client->error);
        buf_printf(&client->error, "%s %s returned %d%s%s%s%s%s", ask->method, ask->path, status,
                   detail[0] != '\0' ? ": " : "", detail, field[0] != '\0' ? " (" : "", field,
                   field[0] != '\0' ? ")" : "");
        return SN_FAILED_PRECONDITION;
}

/* How long to wait before retrying a response that may be temporary, or a missing one. *wait_ms < 0: the response is
 * final. */
static void wait_for_better(struct import_client *client, int status, int tries, int64_t *wait_ms)
{
        int64_t growing = (int64_t)50 << (tries < 5 ? tries : 5);

        *wait_ms = -1;
        if (status == 429) {
                *wait_ms = client->reply.retry_after_s > 0 ? client->reply.retry_after_s * 1000 : 1000;
                atomic_fetch_add(client->limited_s, *wait_ms / 1000);
        } else if (status == 503) {
                *wait_ms = client->reply.retry_after_s > 0 ? client->reply.retry_after_s * 1000 : growing;
        } else if (status < 0 || status == 502 || status == 504 || status == 500) {
                *wait_ms = growing;
        }
}

/* Repeats until there is a final response. */
static sn_status ask_patiently(struct import_client *client, const struct http_ask *ask, int *status)
{
        int64_t silent_since_us = clock_monotonic_us();

        for (int tries = 0;; tries++) {
                int64_t wait_ms = -1;
                *status = http_connection_exchange(&client->connection, ask, CALL_MS, &client->reply);
                wait_for_better(client, *status, tries, &wait_ms);
                if (wait_ms < 0) {
                        return SN_OK;
                }
                if (*status == 429) {
                        silent_since_us = clock_monotonic_us(); /* the server is responding and says when */
                } else if (clock_monotonic_us() - silent_since_us > PATIENCE_MS * INT64_C(1000)) {
                        if (*status > 0) {
                                return describe_problem(client, ask, *status);
                        }
                        buf_reset(&client->error);
                        buf_printf(&client->error, "the server at http://%s:%d is no longer responding",
                                   client->connection.target->host, client->connection.target->port);
                        return SN_UNAVAILABLE;
                }
                TRY(pause_ms(client, wait_ms));
        }
}

/* ---- sessions
 * -------------------------------------------------------------------------------------------------------------------
 */

static sn_status read_answer(struct import_client *client, const struct http_ask *ask, json_t **answer)
{
        json_error_t why;

        *answer = json_loadb(client->reply.body.data, client->reply.body.len, 0, &why);
        if (*answer != NULL) {
                return SN_OK;
        }
        buf_reset(&client->error);
        buf_printf(&client->error, "the response to %s %s is not JSON: %s", ask->method, ask->path, why.text);
        return SN_INTERNAL;
}

static sn_status take_tokens(struct import_client *client, struct import_session *session, const struct http_ask *ask)
{
        CLEANUP(import_json_free_p) json_t *login = NULL;

        TRY(read_answer(client, ask, &login));
        const char *access = import_json_text(login, "access_token"),
                   *refresh = import_json_text(login, "refresh_token");
        const char *id = import_json_text(json_object_get(login, "user"), "id");
        json_int_t life_s = json_integer_value(json_object_get(login, "expires_in"));

        if (access[0] == '\0' || !uuid_valid(id) || strlen(refresh) >= sizeof(session->refresh_token)) {
                buf_reset(&client->error);
                buf_printf(&client->error, "the response to %s %s has no tokens; is this a SoNet server?", ask->method,
                           ask->path);
                return SN_INTERNAL;
        }
        free(session->access_token);
        session->access_token = strdup(access);
        snprintf(session->refresh_token, sizeof(session->refresh_token), "%s", refresh);
        snprintf(session->id, sizeof(session->id), "%s", id);
        session->renew_us = clock_monotonic_us() + (life_s > 60 ? life_s - 30 : life_s / 2) * INT64_C(1000000);
        return SN_OK;
}

/* Sends a body made of texts; it may hold a password and is never shown. */
static sn_status ask_with(struct import_client *client, const char *path, json_t *body, int *status,
                          struct http_ask *ask)
{
        CLEANUP(import_json_free_p) json_t *held = body;
        CLEANUP(free_text_p) char *text = json_dumps(held, JSON_COMPACT);

        *ask = (struct http_ask){.method = "POST", .path = path, .json = text};
        if (text == NULL) {
                buf_reset(&client->error);
                buf_append_c(&client->error, "the password is not valid UTF-8");
                return SN_INVALID_ARGUMENT;
        }
        sn_status asked = ask_patiently(client, ask, status);
        ask->json = NULL;
        return asked;
}

static sn_status log_in(struct import_client *client, struct import_session *session)
{
        struct http_ask ask;
        int status = 0;

        TRY(ask_with(client, "/v1/auth/login",
                     json_pack("{s:s,s:s}", "login", session->username, "password", client->password), &status, &ask));
        if (status == 200) {
                return take_tokens(client, session, &ask);
        }
        if (status == 401) {
                buf_reset(&client->error);
                buf_printf(&client->error, "%s already exists with a different password; give that one with --password",
                           session->username);
                return SN_UNAUTHENTICATED;
        }
        return describe_problem(client, &ask, status);
}

static sn_status renew_session(struct import_client *client, struct import_session *session)
{
        struct http_ask ask;
        int status = 0;

        TRY(ask_with(client, "/v1/auth/refresh", json_pack("{s:s}", "refresh_token", session->refresh_token), &status,
                     &ask));
        /* A lost response leaves us with a used token: the session has ended, and a new one is started. */
        return status == 200 ? take_tokens(client, session, &ask) : log_in(client, session);
}

static sn_status register_member(struct import_client *client, struct import_session *session)
{
        char email[64];
        struct http_ask ask;
        int status = 0;

        snprintf(email, sizeof(email), "%s@example.org", session->username);
        TRY(ask_with(client, "/v1/auth/register",
                     json_pack("{s:s,s:s,s:s,s:s}", "username", session->username, "email", email, "password",
                               client->password, "display_name", session->username),
                     &status, &ask));
        if (status == 409) {
                return log_in(client, session); /* a response was lost, or another import is running */
        }
        if (status != 201) {
                return describe_problem(client, &ask, status);
        }
        session->registered_now = true;
        return take_tokens(client, session, &ask);
}

sn_status import_client_enter(struct import_client *client, struct import_session *session)
{
        char path[64];
        int status = 0;

        snprintf(path, sizeof(path), "/v1/users/%s", session->username);
        struct http_ask ask = {.method = "GET", .path = path};
        TRY(ask_patiently(client, &ask, &status)); /* cheaper than a registration that is rejected */
        if (status == 404) {
                return register_member(client, session);
        }
        return status == 200 ? log_in(client, session) : describe_problem(client, &ask, status);
}

/* ---- calls
 * ----------------------------------------------------------------------------------------------------------------------
 */

sn_status import_client_call(struct import_client *client, struct import_session *session, struct http_ask ask,
                             int *status, json_t **answer)
{
        if (session != NULL && clock_monotonic_us() > session->renew_us) {
                TRY(renew_session(client, session));
        }
        ask.bearer = session != NULL ? session->access_token : NULL;
        TRY(ask_patiently(client, &ask, status));
        if (*status == 401 && session != NULL) { /* the session was ended elsewhere, or the clock jumped */
                TRY(renew_session(client, session));
                ask.bearer = session->access_token;
                TRY(ask_patiently(client, &ask, status));
        }
        for (int tries = 0; *status == 409 && ask.key != NULL && tries < 40;
             tries++) { /* the first request with the key is still running */
                TRY(pause_ms(client, 100));
                TRY(ask_patiently(client, &ask, status));
        }
        return answer != NULL && *status / 100 == 2 ? read_answer(client, &ask, answer) : SN_OK;
}

sn_status import_client_expect(struct import_client *client, struct import_session *session, struct http_ask ask,
                               json_t **answer)
{
        int status = 0;

        TRY(import_client_call(client, session, ask, &status, answer));
        return status / 100 == 2 ? SN_OK : describe_problem(client, &ask, status);
}
