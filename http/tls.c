/* OpenSSL contexts and connections, with what HTTP/2 requires of TLS (RFC 9113, 9.2): no compression, no
 * renegotiation, and with TLS 1.2 only ephemeral keys and authenticated ciphers. */
#include "http/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char alpn_h2[] = {2, 'h', '2'};

struct tls_context {
        SSL_CTX *ssl;
        bool is_server;
};

struct tls {
        SSL *ssl;
};

/* --- certificates --- */

static BIO *bio_of(const char *text)
{
        return BIO_new_mem_buf(text, -1);
}

/* Our own certificate first, then the chain to the root. */
static bool use_chain(SSL_CTX *ssl, const char *pem)
{
        BIO *bio = bio_of(pem);
        X509 *certificate = bio != NULL ? PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL) : NULL;
        bool good = certificate != NULL && SSL_CTX_use_certificate(ssl, certificate) == 1;
        X509_free(certificate);
        while (good && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
                good = SSL_CTX_add0_chain_cert(ssl, certificate) == 1;
        }
        BIO_free(bio);
        return good;
}

static bool use_key(SSL_CTX *ssl, const char *pem)
{
        BIO *bio = bio_of(pem);
        EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
        bool good = key != NULL && SSL_CTX_use_PrivateKey(ssl, key) == 1 && SSL_CTX_check_private_key(ssl) == 1;
        EVP_PKEY_free(key);
        BIO_free(bio);
        return good;
}

static bool trust(SSL_CTX *ssl, const char *pem)
{
        BIO *bio = bio_of(pem);
        X509 *certificate;
        int n = 0;
        while (bio != NULL && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
                n += X509_STORE_add_cert(SSL_CTX_get_cert_store(ssl), certificate) == 1;
                X509_free(certificate);
        }
        BIO_free(bio);
        return n > 0;
}

static bool use_files(SSL_CTX *ssl, const struct tls_files *files, bool is_server)
{
        bool has_own = files->certificate_pem != NULL && files->key_pem != NULL;
        if (has_own && (!use_chain(ssl, files->certificate_pem) || !use_key(ssl, files->key_pem))) {
                return false;
        }
        if (files->ca_pem != NULL) {
                return trust(ssl, files->ca_pem);
        }
        return is_server || SSL_CTX_set_default_verify_paths(ssl) == 1;
}

/* --- contexts --- */

static int choose_h2(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                     unsigned int in_len, void *context)
{
        for (unsigned int i = 0; i + sizeof(alpn_h2) <= in_len; i += 1u + in[i]) {
                if (memcmp(in + i, alpn_h2, sizeof(alpn_h2)) == 0) {
                        *out = in + i + 1;
                        *out_len = sizeof(alpn_h2) - 1;
                        return SSL_TLSEXT_ERR_OK;
                }
        }
        return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static bool set_up(SSL_CTX *ssl, const struct tls_files *files, bool is_server)
{
        SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
        SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
        if (SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) != 1 ||
            SSL_CTX_set_cipher_list(ssl, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1 || !use_files(ssl, files, is_server)) {
                return false;
        }
        if (is_server) {
                SSL_CTX_set_alpn_select_cb(ssl, choose_h2, NULL);
                SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
                SSL_CTX_set_verify(ssl, files->ca_pem != NULL ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
                return SSL_CTX_set_session_id_context(ssl, (const unsigned char *)"sonet", 5) == 1;
        }
        SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
        return SSL_CTX_set_alpn_protos(ssl, alpn_h2, sizeof(alpn_h2)) == 0;
}

static struct tls_context *context_new(const struct tls_files *files, bool is_server, struct buf *error)
{
        struct tls_context *context = calloc(1, sizeof(*context));
        ERR_clear_error();
        if (context != NULL) {
                context->is_server = is_server;
                context->ssl = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
        }
        if (context == NULL || context->ssl == NULL || !set_up(context->ssl, files, is_server)) {
                const char *why = ERR_reason_error_string(ERR_peek_last_error());
                buf_printf(error, "cannot use the TLS certificates: %s",
                           why != NULL ? why : "the certificate is missing, or the key does not match it");
                ERR_clear_error();
                tls_context_free(context);
                return NULL;
        }
        return context;
}

struct tls_context *tls_server(const struct tls_files *files, struct buf *error)
{
        return context_new(files, true, error);
}

struct tls_context *tls_client(const struct tls_files *files, struct buf *error)
{
        return context_new(files, false, error);
}

void tls_context_free(struct tls_context *context)
{
        if (context != NULL) {
                SSL_CTX_free(context->ssl);
                free(context);
        }
}

/* --- connections --- */

/* RFC 6066, 3: addresses are not server names. */
static bool expect_host(SSL *ssl, const char *host)
{
        unsigned char address[16];
        bool is_address = inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
        if (is_address) {
                return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
        }
        return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

struct tls *tls_new(struct tls_context *context, int fd, const char *host)
{
        struct tls *tls = calloc(1, sizeof(*tls));
        if (tls == NULL) {
                return NULL;
        }
        tls->ssl = SSL_new(context->ssl);
        if (tls->ssl == NULL || SSL_set_fd(tls->ssl, fd) != 1 || (host != NULL && !expect_host(tls->ssl, host))) {
                SSL_free(tls->ssl);
                free(tls);
                return NULL;
        }
        if (context->is_server) {
                SSL_set_accept_state(tls->ssl);
        } else {
                SSL_set_connect_state(tls->ssl);
        }
        return tls;
}

void tls_free(struct tls *tls)
{
        if (tls == NULL) {
                return;
        }
        ERR_clear_error();
        if (SSL_is_init_finished(tls->ssl)) {
                (void)SSL_shutdown(tls->ssl);
        }
        ERR_clear_error();
        SSL_free(tls->ssl);
        free(tls);
}

static bool must_wait(const struct tls *tls, int result)
{
        int why = SSL_get_error(tls->ssl, result);
        return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

static bool speaks_h2(const struct tls *tls)
{
        const unsigned char *name = NULL;
        unsigned int len = 0;
        SSL_get0_alpn_selected(tls->ssl, &name, &len);
        return len == sizeof(alpn_h2) - 1 && memcmp(name, alpn_h2 + 1, len) == 0;
}

enum tls_step tls_handshake(struct tls *tls)
{
        ERR_clear_error();
        int result = SSL_do_handshake(tls->ssl);
        if (result == 1) {
                return speaks_h2(tls) ? TLS_DONE : TLS_FAILED;
        }
        return must_wait(tls, result) ? TLS_WAITING : TLS_FAILED;
}

ssize_t tls_receive(struct tls *tls, char *into, size_t size)
{
        ERR_clear_error();
        int n = SSL_read(tls->ssl, into, size > INT32_MAX ? INT32_MAX : (int)size);
        return n > 0 ? n : must_wait(tls, n) ? 0 : -1;
}

ssize_t tls_send(struct tls *tls, const char *bytes, size_t len)
{
        ERR_clear_error();
        int n = SSL_write(tls->ssl, bytes, len > INT32_MAX ? INT32_MAX : (int)len);
        return n > 0 ? n : must_wait(tls, n) ? 0 : -1;
}

/* --- the peer's identity --- */

/* A name with a space or a control character cannot be a client of ours. */
static void add_name(struct buf *names, const unsigned char *name, int len)
{
        for (int i = 0; i < len; i++) {
                if (name[i] <= ' ' || name[i] >= 0x7F) {
                        return;
                }
        }
        buf_append(names, name, len > 0 ? (size_t)len : 0);
        buf_append_char(names, ' ');
}

static void add_alternative_names(struct buf *names, X509 *certificate)
{
        GENERAL_NAMES *all = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
        for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
                const GENERAL_NAME *one = sk_GENERAL_NAME_value(all, i);
                if (one->type == GEN_DNS) {
                        add_name(names, ASN1_STRING_get0_data(one->d.dNSName), ASN1_STRING_length(one->d.dNSName));
                }
        }
        GENERAL_NAMES_free(all);
}

static void add_common_name(struct buf *names, X509 *certificate)
{
        X509_NAME *subject = X509_get_subject_name(certificate);
        int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
        const ASN1_STRING *name = at >= 0 ? X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)) : NULL;
        if (name != NULL) {
                add_name(names, ASN1_STRING_get0_data(name), ASN1_STRING_length(name));
        }
}

void tls_peer_names(const struct tls *tls, struct buf *names)
{
        X509 *certificate = SSL_get0_peer_certificate(tls->ssl);
        if (certificate != NULL && SSL_get_verify_result(tls->ssl) == X509_V_OK) {
                add_alternative_names(names, certificate);
                add_common_name(names, certificate);
        }
        if (names->overflow) {
                buf_reset(names);
        }
}
