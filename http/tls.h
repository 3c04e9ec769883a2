/* TLS 1.2 and later on non-blocking sockets, using OpenSSL, for HTTP/2 only: the peer must negotiate "h2" by ALPN
 * (RFC 9113, 3.2). Independent of connections: the owner of the socket calls again when it is ready. */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "base/buf.h"

struct tls_context; /* certificates and trust */
struct tls;         /* one connection */

struct tls_files {
        const char *certificate_pem, *key_pem; /* the certificate chain and its key; a client needs none */
        const char *ca_pem; /* a server requests client certificates of this CA, but accepts clients without one; a
                               client trusts it instead of the system's CAs */
};

/* NULL, with a sentence in error, if the certificates cannot be used. */
struct tls_context *tls_server(const struct tls_files *files, struct buf *error);
struct tls_context *tls_client(const struct tls_files *files, struct buf *error);
void tls_context_free(struct tls_context *context); /* takes NULL */

/* fd still belongs to the caller. host: the name or address that the server's certificate must have; NULL on a
 * server. NULL when out of memory. */
struct tls *tls_new(struct tls_context *context, int fd, const char *host);
/* Sends close_notify if that does not block. Takes NULL. */
void tls_free(struct tls *tls);

enum tls_step { TLS_DONE, TLS_WAITING, TLS_FAILED };
enum tls_step tls_handshake(struct tls *tls);
/* Reads available bytes; 0: none for now, -1: end. */
ssize_t tls_receive(struct tls *tls, char *into, size_t size);
/* The number of bytes accepted, possibly 0; -1: broken. The rest must be offered again unchanged. */
ssize_t tls_send(struct tls *tls, const char *bytes, size_t len);
/* The names in the peer's verified certificate, after the handshake: the DNS names of its SAN, then its CN, each
 * followed by a space. "" without a certificate. */
void tls_peer_names(const struct tls *tls, struct buf *names);

#endif
