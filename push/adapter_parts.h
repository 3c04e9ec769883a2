/* Shared by the files of adapters. */
#ifndef PUSH_ADAPTER_PARTS_H
#define PUSH_ADAPTER_PARTS_H

#include <jansson.h>
#include "push/adapter.h"
#include "push/parts.h"

/* ---- Templates ---- */

enum adapter_place { PLACE_URL, PLACE_HEADER, PLACE_JSON, PLACE_FORM, PLACE_PLAIN };

/* The value of a variable, or NULL. */
typedef const char *adapter_lookup(const void *context, struct str name);
/* Inserts values, escaped for the place. False if one is missing or not allowed there. Braces around anything but a
 * name are literal, as in JSON. */
bool adapter_write(struct buf *out, const char *source, enum adapter_place place, adapter_lookup *lookup,
                   const void *context);

/* ---- Descriptions ---- */

/* Validates the variables, headers and answers of a description that has "url" and "body". False with a sentence in
 * error. */
bool adapter_check(json_t *described, bool has_token, enum adapter_place place, const char *path, struct buf *error);

/* ---- Answers ---- */

/* The string or number in a field such as "error.details.*.code" (*: any element). False if there is none. */
bool adapter_field(const json_t *answer, const char *path, char *out, size_t size);

/* ---- Tokens ---- */

/* An adapter's access token: signed here, or issued by the provider in exchange for a signed one. */
struct adapter_token {
        EVP_PKEY *key;
        const char *issuer, *key_id;   /* Apple: the team, and the key */
        const char *token_url, *scope; /* Google; NULL: the signed token itself is used */
        const char *ca;
        char *bearer;      /* NULL: no token yet */
        int64_t renew_us;  /* when to renew it */
        int64_t again_us;  /* earliest time for the next request */
        bool asked;        /* requested, without a response yet */
        char failure[160]; /* why there is none */
};
/* Reads "service_account" (Google's JSON file) or "key" (Apple's .p8 file), if given. False with a sentence in error.
 */
bool adapter_token_read(struct adapter_token *token, json_t *described, json_t *values, struct buf *error);
enum adapter_token_state { TOKEN_GOOD, TOKEN_ASKED, TOKEN_FAILED };
/* Makes sure that there is a valid token, signing or requesting one if necessary. */
enum adapter_token_state adapter_token_ready(struct adapter_token *token, struct push_sender *sender);
void adapter_token_drop(struct adapter_token *token);
void adapter_token_free(struct adapter_token *token);

/* A JWT (RFC 7519) with these claims: RS256 or ES256, depending on the key. NULL if the key cannot sign. The caller
 * frees it. */
char *adapter_jwt(EVP_PKEY *key, const char *key_id, json_t *claims);

#endif
