/* Owns providers' access tokens: Google's by OAuth 2.0 for service accounts (RFC 7523: a signed JWT in exchange for
 * an access token), Apple's signed here. In memory only. */
#include "push/adapter_parts.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"

enum {
        APPLE_LIFE_S = 3000, /* Apple accepts a token for an hour, and rejects renewals within 20 minutes */
        ASSERTION_LIFE_S = 3600,
        LEAST_LIFE_S = 60,
        EARLY_S = 60, /* how long before its end a token is renewed */
        AGAIN_S = 10,
        TOKEN_MAX_BYTES = 4096,
        ERROR_MAX = 30,
};

static bool fail_credentials(struct buf *error, const char *what, const char *path)
{
        buf_printf(error, "%s %s", path, what);
        return false;
}

static EVP_PKEY *read_key(BIO *from)
{
        EVP_PKEY *key = from != NULL ? PEM_read_bio_PrivateKey(from, NULL, NULL, NULL) : NULL;

        BIO_free(from);
        return key;
}

static bool read_google(struct adapter_token *t, const char *path, json_t *values, struct buf *error)
{
        json_t *account = json_load_file(path, 0, NULL);
        const char *pem = json_string_value(json_object_get(account, "private_key"));

        t->issuer = json_string_value(json_object_get(account, "client_email"));
        t->token_url = json_string_value(json_object_get(account, "token_uri"));
        if (pem == NULL || t->issuer == NULL || t->token_url == NULL) {
                json_decref(account);
                return fail_credentials(error, "is not a Google service account key", path);
        }
        t->key = read_key(BIO_new_mem_buf(pem, -1));
        (void)json_object_set(values, "project", json_object_get(account, "project_id"));
        (void)json_object_set_new(values, "_account", account); /* keeps the strings alive */
        return t->key != NULL || fail_credentials(error, "has an invalid private_key", path);
}

bool adapter_token_read(struct adapter_token *t, json_t *described, json_t *values, struct buf *error)
{
        const char *account = json_string_value(json_object_get(described, "service_account"));
        const char *key = json_string_value(json_object_get(described, "key"));

        t->scope = json_string_value(json_object_get(described, "scope"));
        t->ca = json_string_value(json_object_get(described, "ca"));
        t->issuer = json_string_value(json_object_get(described, "team_id"));
        t->key_id = json_string_value(json_object_get(described, "key_id"));
        if (account != NULL) {
                t->key_id = NULL;
                return read_google(t, account, values, error);
        }
        if (key == NULL) {
                return true;
        }
        t->key = read_key(BIO_new_file(key, "r"));
        if (t->key == NULL) {
                return fail_credentials(error, "is not a private key in PEM", key);
        }
        return (t->issuer != NULL && t->key_id != NULL) ||
               fail_credentials(error, "needs key_id and team_id beside it", key);
}

/* ---- Requested tokens ---- */

static void store_token(struct adapter_token *t, const char *bearer, int64_t life_s)
{
        free(t->bearer);
        t->bearer = strdup(bearer);
        t->renew_us = clock_monotonic_us() + (life_s - EARLY_S) * INT64_C(1000000);
}

/* Appends the error code of the response (RFC 6749, 5.2) if it looks like one. */
static void set_failure(struct adapter_token *t, struct str answer, const struct push_result *out)
{
        json_t *given = json_loadb(answer.ptr != NULL ? answer.ptr : "", answer.len, 0, NULL);
        const char *error = json_string_value(json_object_get(given, "error"));
        bool known = error != NULL && strlen(error) <= ERROR_MAX &&
                     strspn(error, "abcdefghijklmnopqrstuvwxyz_") == strlen(error);

        (void)snprintf(t->failure, sizeof(t->failure), "no access token: %s%s%s",
                       out->status == 200 ? "the response has none" : out->reason, known ? " " : "",
                       known ? error : "");
        json_decref(given);
}

static void judge_token(void *context, struct str answer, struct push_result *out)
{
        struct adapter_token *t = context;
        json_t *given = out->status == 200 ? json_loadb(answer.ptr, answer.len, 0, NULL) : NULL;
        const char *bearer = json_string_value(json_object_get(given, "access_token"));
        int64_t life_s = json_integer_value(json_object_get(given, "expires_in"));

        t->asked = false;
        if (bearer != NULL && strlen(bearer) <= TOKEN_MAX_BYTES) {
                store_token(t, bearer, life_s > LEAST_LIFE_S + EARLY_S ? life_s : LEAST_LIFE_S + EARLY_S);
        } else {
                t->again_us = clock_monotonic_us() + AGAIN_S * INT64_C(1000000);
                set_failure(t, answer, out);
        }
        json_decref(given);
}

static void request_token(struct adapter_token *t, struct push_sender *sender)
{
        int64_t now_s = clock_wall_ms() / 1000;
        char *assertion =
            adapter_jwt(t->key, NULL,
                        json_pack("{s:s, s:s, s:s, s:I, s:I}", "iss", t->issuer, "scope", t->scope, "aud", t->token_url,
                                  "iat", (json_int_t)now_s, "exp", (json_int_t)now_s + ASSERTION_LIFE_S));
        CLEANUP(buf_free) struct buf body;
        struct push_request request = {
            .url = t->token_url, .ca = t->ca, .trusted = true, .own = true, .judge = judge_token, .context = t};

        buf_init(&body, 2 * TOKEN_MAX_BYTES);
        buf_printf(&body, "grant_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Agrant-type%%3Ajwt-bearer&assertion=%s",
                   assertion != NULL ? assertion : "");
        free(assertion);
        if (push_add_header(&request.headers, "Content-Type: application/x-www-form-urlencoded") &&
            push_add_header(&request.headers, "Expect:")) {
                request.body = body.data;
                request.len = body.len;
                t->asked = true;
                push_begin(sender, &request);
        }
}

static bool sign_own(struct adapter_token *t)
{
        char *token = adapter_jwt(
            t->key, t->key_id, json_pack("{s:s, s:I}", "iss", t->issuer, "iat", (json_int_t)(clock_wall_ms() / 1000)));

        if (token != NULL) {
                store_token(t, token, APPLE_LIFE_S);
        }
        free(token);
        (void)snprintf(t->failure, sizeof(t->failure), "no access token: the key cannot sign");
        return t->bearer != NULL;
}

enum adapter_token_state adapter_token_ready(struct adapter_token *t, struct push_sender *sender)
{
        int64_t now_us = clock_monotonic_us();

        if (t->key == NULL || (t->bearer != NULL && now_us < t->renew_us)) {
                return TOKEN_GOOD;
        }
        if (t->token_url == NULL) {
                return sign_own(t) ? TOKEN_GOOD : TOKEN_FAILED;
        }
        if (!t->asked && now_us < t->again_us) {
                return TOKEN_FAILED;
        }
        if (!t->asked && !push_is_full(sender)) {
                request_token(t, sender);
        }
        return TOKEN_ASKED;
}

void adapter_token_drop(struct adapter_token *t)
{
        free(t->bearer);
        t->bearer = NULL;
}

void adapter_token_free(struct adapter_token *t)
{
        adapter_token_drop(t);
        EVP_PKEY_free(t->key);
}
