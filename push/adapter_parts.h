/* What the files about adapters share. */
#ifndef PUSH_ADAPTER_PARTS_H
#define PUSH_ADAPTER_PARTS_H

#include <jansson.h>
#include "push/adapter.h"
#include "push/parts.h"

/* ---- Templates ---- */

enum adapter_place { PLACE_URL, PLACE_HEADER, PLACE_JSON, PLACE_FORM, PLACE_PLAIN };

/* The value of a variable, or NULL. */
typedef const char *adapter_lookup(const void *context, struct str name);
/* Puts values in, escaped for the place. False: one is missing, or cannot stand there. A brace around what is no name
 * stands for itself, as in JSON. */
bool adapter_write(struct buf *out, const char *source, enum adapter_place place, adapter_lookup *lookup,
                   const void *context);

/* ---- Descriptions ---- */

/* Whether variables, headers and answers are as they must be, of a description that has "url" and "body". False with a
 * sentence. */
bool adapter_check(json_t *described, bool has_token, enum adapter_place place, const char *path, struct buf *error);

/* ---- Answers ---- */

/* The text of a field, "error.details.*.code" (*: any element), or of a number; false: there is none. */
bool adapter_field(const json_t *answer, const char *path, char *out, size_t size);

/* ---- Tokens ---- */

/* The token that an adapter shows: signed here, or given by the provider for what is signed here. */
struct adapter_token {
        EVP_PKEY *key;
        const char *issuer, *key_id;   /* of Apple: the team, and which key */
        const char *token_url, *scope; /* of Google; NULL: the signed token itself is shown */
        const char *ca;
        char *bearer;     /* NULL: there is none */
        int64_t renew_us; /* when it is replaced */
        int64_t again_us; /* not asked for before */
        bool asked;       /* and not answered yet */
};
/* Reads "service_account" (a file of Google's) or "key" (a file of Apple's), or neither. False with a sentence. */
bool adapter_token_read(struct adapter_token *token, json_t *described, json_t *values, struct buf *error);
enum adapter_token_state { TOKEN_GOOD, TOKEN_ASKED, TOKEN_FAILED };
/* Sees to it that there is one. */
enum adapter_token_state adapter_token_ready(struct adapter_token *token, struct push_sender *sender);
void adapter_token_drop(struct adapter_token *token);
void adapter_token_free(struct adapter_token *token);

/* A JWT (RFC 7519) of these claims: RS256 or ES256, as the key is. NULL: the key cannot sign. To be freed. */
char *adapter_jwt(EVP_PKEY *key, const char *key_id, json_t *claims);

#endif
