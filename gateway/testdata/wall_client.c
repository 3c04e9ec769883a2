/* Clients of the stream on bare sockets. The server's frames are readable as received, since they are not masked. */
#include "gateway/testdata/wall.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 30000

static struct wall_client open_client(const char *request)
{
        struct wall_client client = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        struct sockaddr_in address = {
            .sin_family = AF_INET, .sin_port = htons((uint16_t)wall_port()), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

        buf_init(&client.in, 256 << 20);
        assert_int_equal(connect(client.fd, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(write(client.fd, request, strlen(request)), (ssize_t)strlen(request));
        return client;
}

static void put_header(char *at, size_t size, const char *before, const char *value)
{
        if (value != NULL) {
                (void)snprintf(at, size, "%s%s\r\n", before, value);
        }
}

struct wall_client wall_open_events(const char *channels, const char *last_event_id, const char *token)
{
        char request[4096], id[600] = "", bearer[2100] = "";

        put_header(id, sizeof(id), "Last-Event-ID: ", last_event_id);
        put_header(bearer, sizeof(bearer), "Authorization: Bearer ", token);
        (void)snprintf(request, sizeof(request),
                       "GET /v1/stream?channels=%s HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n%s%s\r\n",
                       channels, id, bearer);
        return open_client(request);
}

struct wall_client wall_open_socket(const char *token)
{
        char request[4096], bearer[2100] = "";

        put_header(bearer, sizeof(bearer), "Authorization: Bearer ", token);
        (void)snprintf(request, sizeof(request),
                       "GET /v1/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
                       bearer);
        struct wall_client client = open_client(request);

        wall_wait(&client, "101 Switching");
        return client;
}

/* A mask of zeros leaves the bytes unchanged. */
void wall_say(struct wall_client *client, const char *text)
{
        size_t len = strlen(text), head = len < 126 ? 6 : 8;
        unsigned char frame[4096] = {0x81, (unsigned char)(0x80 | (len < 126 ? len : 126))};

        assert_true(len < sizeof(frame) - 8);
        if (len >= 126) {
                frame[2] = (unsigned char)(len >> 8);
                frame[3] = (unsigned char)len;
        }
        memcpy(frame + head, text, len);
        assert_int_equal(write(client->fd, frame, head + len), (ssize_t)(head + len));
}

/* False: the server has closed the connection. */
static bool receive(struct wall_client *client, const char *what)
{
        char bytes[65536];
        struct pollfd ready = {.fd = client->fd, .events = POLLIN};

        if (poll(&ready, 1, WAIT_MS) != 1) {
                fail_msg("never: %s; there came %s", what, client->in.len > 0 ? client->in.data : "nothing");
        }
        ssize_t n = read(client->fd, bytes, sizeof(bytes));

        for (ssize_t i = 0; i < n; i++) { /* headers of frames: texts contain no NUL */
                bytes[i] = bytes[i] == '\0' ? ' ' : bytes[i];
        }
        if (n > 0) {
                buf_append(&client->in, bytes, (size_t)n);
        }
        return n > 0;
}

/* Scans each byte once: a reader that searches megabytes again and again would be a slow one. */
const char *wall_wait(struct wall_client *client, const char *text)
{
        size_t len = strlen(text), from = client->seen;

        for (;;) {
                const char *found = client->in.len > from ? strstr(client->in.data + from, text) : NULL;

                if (found != NULL) {
                        client->seen = (size_t)(found - client->in.data) + len;
                        return found;
                }
                from = client->in.len > from + len ? client->in.len - len : from;
                if (!receive(client, text)) {
                        fail_msg("closed before %s; there came %s", text,
                                 client->in.len > 0 ? client->in.data : "nothing");
                }
        }
}

void wall_wait_end(struct wall_client *client)
{
        while (receive(client, "its end")) {
        }
}

int wall_count(const struct wall_client *client, const char *text)
{
        int n = 0;

        for (const char *at = client->in.data; at != NULL && (at = strstr(at, text)) != NULL; at++) {
                n++;
        }
        return n;
}

static const char *last(const struct wall_client *client, size_t until, const char *before, char after, char out[256])
{
        const char *found = "";

        for (const char *at = client->in.data; (at = strstr(at, before)) != NULL && at < client->in.data + until;
             at++) {
                found = at + strlen(before);
        }
        assert_true(found[0] != '\0');
        size_t len = strcspn(found, (const char[]){after, '\0'});

        assert_true(len < 256);
        memcpy(out, found, len);
        out[len] = '\0';
        return out;
}

const char *wall_last_id(const struct wall_client *client, char id[256])
{
        return last(client, client->seen, "\nid: ", '\n', id);
}

const char *wall_last_position(const struct wall_client *client, char position[256])
{
        return last(client, client->in.len, "\"position\":\"", '"', position);
}

void wall_close(struct wall_client *client)
{
        close(client->fd);
        buf_free(&client->in);
}
