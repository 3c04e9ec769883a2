/* TLS 1.2 and later on sockets that do not block, by OpenSSL, for HTTP/2 alone: the peer must say "h2" by ALPN
 * (RFC 9113, 3.2). Knows nothing of connections: whoever has a socket asks again when it has something to say. */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "base/buf.h"

struct tls_context; /* certificates, and whom to trust */
struct tls;         /* one connection */

struct tls_files {
        const char *certificate_pem, *key_pem; /* one's own: the chain, and its key; a client needs none */
        const char *ca_pem; /* a server asks clients for a certificate of this CA, and takes those that have none; a
                               client trusts it instead of the system's */
};

/* NULL, with one sentence in error, when the certificates cannot be used. */
struct tls_context *tls_server(const struct tls_files *files, struct buf *error);
struct tls_context *tls_client(const struct tls_files *files, struct buf *error);
void tls_context_free(struct tls_context *context); /* takes NULL */

/* fd stays the caller's. host: the name or address that the server's certificate must have; NULL on a server. NULL when
 * memory is out. */
struct tls *tls_new(struct tls_context *context, int fd, const char *host);
/* Says goodbye when that needs no waiting. Takes NULL. */
void tls_free(struct tls *tls);

enum tls_step { TLS_DONE, TLS_WAITING, TLS_FAILED };
enum tls_step tls_handshake(struct tls *tls);
/* Bytes, as many as are there; 0: none for now, -1: no more will come. */
ssize_t tls_receive(struct tls *tls, char *into, size_t size);
/* The bytes that were taken, maybe none for now; -1: broken. What was not taken must be offered again as it was. */
ssize_t tls_send(struct tls *tls, const char *bytes, size_t len);
/* The names in the peer's verified certificate, after the handshake: each DNS name of its SAN, then its CN, with a
 * space behind each. "" when it showed none. */
void tls_peer_names(const struct tls *tls, struct buf *names);

#endif
