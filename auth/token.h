/* Access tokens: JWS ES256 (RFC 7515, 7519), `typ` at+jwt (RFC 9068), fixed algorithm. Only user_service signs;
 * every process verifies with the public key. Tokens signed or verified here are cached by their SHA-256 until they
 * expire. */
#ifndef AUTH_TOKEN_H
#define AUTH_TOKEN_H

#include <stdbool.h>
#include <stdint.h>
#include "base/call.h"
#include "base/str.h"

#define TOKEN_LIFE_S    900
#define TOKEN_MAX_BYTES 2048

struct token_claims {
        char subject[UUID_SIZE];
        char session[UUID_SIZE]; /* sid */
        char scope[64];
        int64_t epoch; /* of the member when it was signed: tokens of earlier epochs are rejected */
        int64_t expires_s;
        int64_t auth_time_s; /* when the member last authenticated (RFC 9068, 2.2.1); 0: not in the token */
};

/* The signer: derives the P-256 key from the key file; its kid is the RFC 7638 thumbprint. Also trusts its public
 * key for verifying. */
SN_CHECKED sn_status token_signer_setup(void);
/* expires_s 0: TOKEN_LIFE_S from now. The token is in the call's arena. */
SN_CHECKED sn_status token_sign(struct rpc_call *c, const struct token_claims *claims, char **token);
/* {"keys":[…]} of the signer; static storage. */
const char *token_jwks(void);
/* For other processes: trusts the keys of the JWKS fetched from user_service. Keys trusted before stay.
 * SN_INVALID_ARGUMENT if it has no usable key. */
SN_CHECKED sn_status token_trust_jwks(const char *jwks);
bool token_has_keys(void);

/* SN_UNAUTHENTICATED with a precise problem otherwise. Checks alg, typ, kid, iss "sonet", aud "sonet", exp, nbf (60 s
 * leeway for nbf only), sid not revoked. The claims are a copy. The codes of problems:
 *   - token_malformed: not three parts of base64url in TOKEN_MAX_BYTES, or a header or payload unlike SoNet's
 *   - token_algorithm: another algorithm or type than ES256 and at+jwt ("none", HS256 with the public key …)
 *   - token_key: signed with an untrusted key; fetch the keys again if they come from another process
 *   - token_signature: not signed with that key
 *   - token_claims: signed, but not by or for this network
 *   - token_not_yet_valid, token_expired
 *   - token_revoked: of a session that has ended
 *   - token_outdated: of an earlier epoch of its member (a password or a role was changed); refresh it */
SN_CHECKED sn_status token_verify(struct rpc_call *c, struct str token, struct token_claims *claims);
/* The same for a token that had not expired at at_s (Unix time, at most now), even if it has since; sessions that
 * have ended count as in token_verify. */
SN_CHECKED sn_status token_verify_at(struct rpc_call *c, struct str token, int64_t at_s, struct token_claims *claims);

#define TOKEN_MARK_SIZE 33

/* Whether SoNet wrote the claims of a token, for the cost of a hash; if so, mark gets its mark, which is unique.
 * This does not authenticate: the signature can be altered without changing the mark. */
bool token_marked(struct str token, char mark[TOKEN_MARK_SIZE]);

/* Revoked sessions and outdated epochs of members, kept until the last affected token has expired (TOKEN_LIFE_S
 * later). Thread-safe, effective at once. */
void token_revoke_session(const char *session, int64_t until_s);
bool token_session_revoked(const char *session);
/* Tokens of the member with a lower epoch are rejected. */
void token_raise_epoch(const char *member, int64_t epoch, int64_t until_s);
bool token_epoch_ended(const char *member, int64_t epoch);
/* Increases with every revocation and epoch, so that caches of what a token may do can tell when to check again. */
uint64_t token_revocations(void);

#endif
