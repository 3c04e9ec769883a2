/* gRPC: certificates of services. */
#include "rpc/testdata/wire.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

/* ---- Certificates ---- */

static char *read_file(const char *folder, const char *name)
{
        char path[256], *text = test_calloc(1, 20000);
        snprintf(path, sizeof(path), "%s/%s", folder, name);
        FILE *f = fopen(path, "r");
        assert_non_null(f);
        assert_true(fread(text, 1, 19999, f) > 0);
        fclose(f);
        return text;
}

/* The installation's CA, a server, a service and an unknown client signed by it, and another CA. */
static const char make_certificates[] =
    "cd \"$0\" && exec >openssl.log 2>&1 && "
    "key() { openssl ecparam -name prime256v1 -genkey -noout -out $1.key; } && "
    "ca() { key $1 && openssl req -x509 -new -key $1.key -days 2 -subj /CN=$1 -out $1.pem; } && "
    "leaf() { key $1 && openssl req -new -key $1.key -subj /CN=$1 -out $1.csr && "
    "printf 'subjectAltName=%s\\n' \"$2\" >$1.ext && "
    "openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile $1.ext -out $1.pem; } && "
    "ca ca && ca other && leaf server IP:127.0.0.1 && leaf gateway DNS:gateway && leaf stranger DNS:stranger.example";

static void run_script(const char *script, const char *folder)
{
        char command[256];
        setenv("SCRIPT", script, 1);
        snprintf(command, sizeof(command), "sh -c \"$SCRIPT\" %s", folder);
        assert_int_equal(system(command), 0);
}

static sn_status call_with(const struct grpc_tls *tls, const struct rpc_method *m, Echo__Echoed *out)
{
        struct sonet_grpc_channel *clear = channel;
        Echo__EchoRequest in = ECHO__ECHO_REQUEST__INIT;
        channel = open_channel("grpcs", tls);
        sn_status status = call(m, NULL, &in, out);
        sonet_grpc_channel_close(channel);
        channel = clear;
        return status;
}

static void a_certificate_can_name_the_calling_service(void **state)
{
        (void)state;
        char folder[] = "/tmp/sonet-tls.XXXXXX", remove[64];
        assert_non_null(mkdtemp(folder));
        run_script(make_certificates, folder);
        char *ca = read_file(folder, "ca.pem"), *other = read_file(folder, "other.pem");
        char *server_pem = read_file(folder, "server.pem"), *server_key = read_file(folder, "server.key");
        char *gateway_pem = read_file(folder, "gateway.pem"), *gateway_key = read_file(folder, "gateway.key");
        char *stranger_pem = read_file(folder, "stranger.pem"), *stranger_key = read_file(folder, "stranger.key");
        snprintf(remove, sizeof(remove), "rm -r %s", folder);
        assert_int_equal(system(remove), 0);

        struct sonet_grpc_server *clear = server;
        assert_int_equal(start_on("127.0.0.1:0", &(struct grpc_tls){server_pem, "no key", ca}), SN_FAILED_PRECONDITION);
        assert_int_equal(start_on("127.0.0.1:0", &(struct grpc_tls){server_pem, server_key, ca}), SN_OK);
        Echo__Echoed out;
        const struct rpc_method *inside = &echo_methods[ECHO_INSIDE], *echo = &echo_methods[ECHO_ECHO];
        assert_int_equal(call_with(&(struct grpc_tls){.ca_pem = ca}, echo, &out), SN_OK);
        assert_string_equal(out.caller, "");
        assert_int_equal(call_with(&(struct grpc_tls){.ca_pem = ca}, inside, &out), SN_UNIMPLEMENTED);
        assert_int_equal(call_with(&(struct grpc_tls){stranger_pem, stranger_key, ca}, inside, &out), SN_UNIMPLEMENTED);
        assert_int_equal(call_with(&(struct grpc_tls){gateway_pem, gateway_key, ca}, inside, &out), SN_OK);
        assert_string_equal(out.caller, "gateway");
        assert_int_equal(call_with(&(struct grpc_tls){.ca_pem = other}, echo, &out), SN_UNAVAILABLE);
        sonet_grpc_server_stop(server, 1000);
        server = clear;
        char *texts[] = {ca, other, server_pem, server_key, gateway_pem, gateway_key, stranger_pem, stranger_key};
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                test_free(texts[i]);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            TEST(a_certificate_can_name_the_calling_service),
        };
        log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
        echo_setup();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
