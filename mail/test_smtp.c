/* Mail servers that misbehave: responses without end or sense, silence at each step. Each mail ends with an outcome
 * that loses nothing, and what is recorded of a response is a code, never its text. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <curl/curl.h>
#include "base/test_loopback.h"
#include "mail/parts.h"

enum { TIMEOUT_MS = 1000 };

/* The responses to each step: on connecting, to EHLO, MAIL, RCPT, DATA, and to the mail. NULL: none. One that ends with
 * "*" is sent without end, one that ends with "!" is followed by the end of the connection. */
enum { STEPS = 6 };
static const struct behaviour {
        const char *name, *steps[STEPS];
        enum mail_outcome outcome;
        bool bounced;
        const char *reason; /* its beginning */
} behaviours[] = {
    {"good", {"220 x", "250 x", "250 x", "250 x", "354 x", "250 x"}, MAIL_SENT, false, "250"},
    {"silent", {NULL}, MAIL_UNREACHABLE, false, ""},
    {"gone", {"!"}, MAIL_UNREACHABLE, false, ""},
    {"endless greeting", {"220-aaaa\r\n*"}, MAIL_UNREACHABLE, false, ""},
    {"endless line", {"220 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa*"}, MAIL_UNREACHABLE, false, ""},
    {"endless extensions", {"220 x", "250-SIZE 1\r\n*"}, MAIL_UNREACHABLE, false, ""},
    {"no SMTP", {"HTTP/1.1 200 OK\r\n\xff\xfe\r\n!"}, MAIL_UNREACHABLE, false, ""},
    {"busy", {"421 x"}, MAIL_UNREACHABLE, false, "421"},
    {"sender refused", {"220 x", "250 x", "550 5.7.1 x"}, MAIL_UNREACHABLE, false, "550 5.7.1"},
    {"no mailbox",
     {"220 x", "250 x", "250 x", "550 5.1.1 \xff\xfe\x1b[2J <eve@evil.example>"},
     MAIL_REFUSED,
     true,
     "550 5.1.1 "},
    {"no mailbox, in lines",
     {"220 x", "250 x", "250 x", "550-5.1.1 <eve@evil.example>\r\n550 5.1.1 x"},
     MAIL_REFUSED,
     true,
     "550 5.1.1 "},
    {"digits", {"220 x", "250 x", "250 x", "5509999999999999999999999 x"}, MAIL_DEFERRED, false, ""},
    {"policy", {"220 x", "250 x", "250 x", "550 5.7.26 x"}, MAIL_REFUSED, false, "550 5.7.26"},
    {"full", {"220 x", "250 x", "250 x", "452 4.2.2 x"}, MAIL_DEFERRED, false, "452 4.2.2"},
    {"closing", {"220 x", "250 x", "250 x", "421 4.3.2 x"}, MAIL_UNREACHABLE, false, "421 4.3.2"},
    {"silent at the recipient", {"220 x", "250 x", "250 x", NULL}, MAIL_DEFERRED, false, "250"},
    {"endless at the recipient", {"220 x", "250 x", "250 x", "250-a\r\n*"}, MAIL_DEFERRED, false, ""},
    {"content refused", {"220 x", "250 x", "250 x", "250 x", "354 x", "554 5.6.0 x"}, MAIL_REFUSED, false, "554 5.6.0"},
    {"gone after the mail", {"220 x", "250 x", "250 x", "250 x", "354 x", "!"}, MAIL_DEFERRED, false, "354"},
    {"silent after the mail", {"220 x", "250 x", "250 x", "250 x", "354 x", NULL}, MAIL_DEFERRED, false, "354"},
};

static int listener, port;
static _Atomic(const struct behaviour *) current; /* set before a connection is made */

/* False if nothing more is to be said. */
static bool respond(int socket, const char *text)
{
        size_t len = text != NULL ? strlen(text) : 0;

        if (text == NULL || strchr("*!", text[len - 1]) == NULL) {
                return text != NULL && test_write_all(socket, text, len) && test_write_all(socket, "\r\n", 2);
        }
        while (test_write_all(socket, text, len - 1) && text[len - 1] == '*') {
        }
        return false;
}

/* Reads up to the end of a line, or of the mail. */
static bool read_step(int socket, const char *end)
{
        char text[4096];
        size_t len = 0;
        ssize_t n;

        while (len < sizeof(text) && (n = read(socket, text + len, sizeof(text) - len)) > 0) {
                len += (size_t)n;
                if (len >= strlen(end) && memcmp(text + len - strlen(end), end, strlen(end)) == 0) {
                        return true;
                }
        }
        return false;
}

static void *serve_mail(void *unused)
{
        for (;;) {
                int socket = accept(listener, NULL, NULL);
                const struct behaviour *b = atomic_load(&current);
                bool goes_on = respond(socket, b->steps[0]);
                char rest[4096];

                for (int i = 1; goes_on && i < STEPS; i++) {
                        goes_on =
                            read_step(socket, i == STEPS - 1 ? "\r\n.\r\n" : "\r\n") && respond(socket, b->steps[i]);
                }
                for (int i = 0; i < STEPS && b->steps[i] != NULL; i++) {
                        if (strchr(b->steps[i], '!') != NULL) {
                                (void)shutdown(socket, SHUT_RDWR);
                        }
                }
                while (read(socket, rest, sizeof(rest)) > 0) {
                }
                close(socket);
        }
        return NULL;
}

static int start_server(void **state)
{
        pthread_t thread;

        (void)signal(SIGPIPE, SIG_IGN);
        (void)curl_global_init(CURL_GLOBAL_DEFAULT);
        listener = test_listen(&port);
        assert_int_equal(pthread_create(&thread, NULL, serve_mail, NULL), 0);
        return 0;
}

static struct mail_result send_to(const struct behaviour *b)
{
        static const char message[] = "Subject: x\r\n\r\nHello.\r\n";
        char url[64];
        struct mail_options options = {.smtp_url = url,
                                       .smtp_ca = "",
                                       .folder = "",
                                       .timeout_ms = TIMEOUT_MS,
                                       .from.address = "no-reply@a.example"};
        struct mail_item item = {.to = "ada@example.org", .message = message, .message_len = sizeof(message) - 1};
        atomic_bool stopping = false;
        struct mail_result result = {.reason = ""};
        struct mail_smtp *smtp;

        (void)snprintf(url, sizeof(url), "smtp://127.0.0.1:%d", port);
        atomic_store(&current, b);
        smtp = mail_smtp_new(&options, &stopping);
        mail_smtp_send(smtp, &item, &result);
        mail_smtp_free(smtp);
        return result;
}

static bool is_plain(const char *text)
{
        for (; *text != '\0'; text++) {
                if (*text < ' ' || *text > '~' || *text == '@') {
                        return false;
                }
        }
        return true;
}

static void each_behaviour_has_an_outcome_and_a_plain_reason(void **state)
{
        for (size_t i = 0; i < sizeof(behaviours) / sizeof(behaviours[0]); i++) {
                const struct behaviour *b = &behaviours[i];
                struct mail_result result = send_to(b);

                if (result.outcome != b->outcome || result.bounced != b->bounced || !is_plain(result.reason) ||
                    strncmp(result.reason, b->reason, strlen(b->reason)) != 0) {
                        fail_msg("%s: outcome %d, bounced %d, '%s'", b->name, (int)result.outcome, result.bounced,
                                 result.reason);
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(each_behaviour_has_an_outcome_and_a_plain_reason)};

        return cmocka_run_group_tests(tests, start_server, NULL);
}
