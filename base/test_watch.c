/* Log lines and metrics. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <jansson.h>

#include "base/log.h"
#include "base/metrics.h"

/* The output of a log call on standard error. */
static char captured[65536];

static int begin_capture(int *saved)
{
        char path[] = "/tmp/sonet-log-XXXXXX";
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        unlink(path);
        *saved = dup(STDERR_FILENO);
        dup2(fd, STDERR_FILENO);
        return fd;
}

static const char *end_capture(int fd, int saved)
{
        dup2(saved, STDERR_FILENO);
        close(saved);
        ssize_t n = pread(fd, captured, sizeof(captured) - 1, 0);
        close(fd);
        assert_true(n >= 0);
        captured[n] = '\0';
        return captured;
}

static void a_line_is_ecs_json_for_all_values(void **state)
{
        int saved, fd = begin_capture(&saved);
        log_setup("note", LOG_LEVEL_INFO, LOG_FORMAT_AUTO); /* a file is not a terminal */
        log_event(LOG_LEVEL_WARN, "a \"quoted\"\nline", LOG_STR("error.message", "\x01\x7f\xff é \\ 😀"),
                  LOG_INT("event.duration", -5), LOG_STR("sonet.c1", "\xc2\x9b"));
        log_event(LOG_LEVEL_DEBUG, "not seen");
        const char *line = end_capture(fd, saved);
        assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
        json_t *root = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(root);
        assert_string_equal(json_string_value(json_object_get(root, "message")), "a \"quoted\"\nline");
        assert_string_equal(json_string_value(json_object_get(root, "log.level")), "warn");
        assert_string_equal(json_string_value(json_object_get(root, "service.name")), "note");
        assert_non_null(json_object_get(root, "ecs.version"));
        assert_non_null(json_object_get(root, "@timestamp"));
        assert_string_equal(json_string_value(json_object_get(root, "error.message")), "\x01\x7f\xef\xbf\xbd é \\ 😀");
        assert_int_equal(json_integer_value(json_object_get(root, "event.duration")), -5);
        assert_null(strstr(line, "\xc2\x9b")); /* a control character of C1 never reaches a terminal */
        json_decref(root);
}

static void a_line_of_long_values_stays_well_formed(void **state)
{
        static char long_text[5000];
        memset(long_text, '\x02', sizeof(long_text) - 1);
        int saved, fd = begin_capture(&saved);
        log_setup("note", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
        log_event(LOG_LEVEL_INFO, long_text, LOG_STR("a", long_text), LOG_STR("b", long_text), LOG_INT("c", 3));
        const char *line = end_capture(fd, saved);
        json_t *root = json_loads(line, 0, NULL);
        assert_non_null(root);
        assert_int_equal(json_integer_value(json_object_get(root, "c")), 3);
        json_decref(root);
}

static void the_text_form_is_one_line_without_colour_in_a_file(void **state)
{
        int saved, fd = begin_capture(&saved);
        log_setup("note", LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT);
        log_event(LOG_LEVEL_DEBUG, "hello\x1b[31m", LOG_STR("a.b", "two words"), LOG_STR("c", "x"), LOG_INT("n", 5));
        const char *line = end_capture(fd, saved);
        assert_non_null(strstr(line, " DEBUG hello\\u001b[31m a.b=\"two words\" c=x n=5\n"));
        assert_null(strchr(line, '\x1b'));
}

static int64_t forty_two(void *context)
{
        return 42;
}

static void metrics_render_in_the_prometheus_format(void **state)
{
        struct metric *a = metric_counter("t_total", "Things.", "k=\"a\"");
        struct metric *h = metric_histogram("t_seconds", "Time.", NULL);
        struct metric *b = metric_counter("t_total", "Things.", "k=\"b\"");
        metric_gauge_fn("t_now", "Now.", NULL, forty_two, NULL);
        assert_ptr_equal(a, metric_counter("t_total", "Things.", metrics_intern("k=\"%s\"", "a")));
        metric_add(a, 2);
        metric_add(b, 3);
        metric_observe_us(h, 100);
        metric_observe_us(h, 101);
        metric_observe_us(h, 99000000);
        assert_int_equal(metric_value(h), 3);
        struct buf out;
        buf_init(&out, 1 << 20);
        metrics_render(&out);
        static const char *const expected[] = {
            "# HELP t_total Things.\n# TYPE t_total counter\nt_total{k=\"a\"} 2\nt_total{k=\"b\"} 3\n",
            "# TYPE t_seconds histogram\nt_seconds_bucket{le=\"0.0001\"} 1\nt_seconds_bucket{le=\"0.00025\"} 2\n",
            "t_seconds_bucket{le=\"10\"} 2\nt_seconds_bucket{le=\"+Inf\"} 3\n",
            "t_seconds_sum 99.000201\nt_seconds_count 3\n",
            "# HELP t_now Now.\n# TYPE t_now gauge\nt_now 42\n",
        };
        for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
                assert_non_null(strstr(out.data, expected[i]));
        }
        buf_free(&out);
}

static void the_same_text_is_interned_once(void **state)
{
        assert_ptr_equal(metrics_intern("x=\"%d\"", 1), metrics_intern("x=\"1\""));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_line_is_ecs_json_for_all_values),
            cmocka_unit_test(a_line_of_long_values_stays_well_formed),
            cmocka_unit_test(the_text_form_is_one_line_without_colour_in_a_file),
            cmocka_unit_test(metrics_render_in_the_prometheus_format),
            cmocka_unit_test(the_same_text_is_interned_once),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
