/* Text formats and compiled patterns: a list that only grows, and is read without a lock. */
#include "rpc/formats.h"

#include <pthread.h>
#include <regex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_EMAIL_BYTES = 254, MAX_LOCAL_BYTES = 64, MAX_LABEL_BYTES = 63, MAX_CURSOR_BYTES = 2048 };

#define LETTERS_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static bool is_ascii_domain(const char *domain)
{
        const char *last = domain;
        int labels = 0;
        for (const char *label = domain; label != NULL; labels++) {
                const char *dot = strchr(label, '.');
                size_t len = dot == NULL ? strlen(label) : (size_t)(dot - label);
                if (len == 0 || len > MAX_LABEL_BYTES || label[0] == '-' || label[len - 1] == '-' ||
                    strspn(label, LETTERS_AND_DIGITS "-") < len) {
                        return false;
                }
                last = label;
                label = dot == NULL ? NULL : dot + 1;
        }
        return labels >= 2 && last[strspn(last, "0123456789")] != '\0';
}

/* A non-ASCII domain with anything but ASCII punctuation: converting it to ASCII will show if it is valid. */
static bool is_domain(const char *domain)
{
        bool ascii = true;
        for (const char *at = domain; *at != '\0'; at++) {
                if ((unsigned char)*at >= 0x80) {
                        ascii = false;
                } else if (strchr(LETTERS_AND_DIGITS ".-", *at) == NULL) {
                        return false;
                }
        }
        return !ascii || is_ascii_domain(domain);
}

bool format_is_email(const char *text, size_t len)
{
        size_t local = strspn(text, LETTERS_AND_DIGITS ".!#$%&'*+/=?^_`{|}~-");
        return len <= MAX_EMAIL_BYTES && local > 0 && local <= MAX_LOCAL_BYTES && text[local] == '@' &&
               is_domain(text + local + 1);
}

bool format_is_cursor(const char *text, size_t len)
{
        return len <= MAX_CURSOR_BYTES && strspn(text, LETTERS_AND_DIGITS "-_") == len;
}

struct compiled {
        const char *pattern;
        regex_t regex;
        struct compiled *next;
};

static _Atomic(struct compiled *) compiled_patterns;
static pthread_mutex_t compiling = PTHREAD_MUTEX_INITIALIZER;

static struct compiled *find_compiled(const char *pattern)
{
        struct compiled *p = atomic_load_explicit(&compiled_patterns, memory_order_acquire);
        while (p != NULL && p->pattern != pattern) {
                p = p->next;
        }
        return p;
}

static struct compiled *compile_pattern(const char *pattern)
{
        pthread_mutex_lock(&compiling);
        struct compiled *p = find_compiled(pattern); /* another thread may have been faster */
        if (p == NULL) {
                p = calloc(1, sizeof(*p));
                /* The generator compiled the same pattern, so this only fails when out of memory. */
                if (p == NULL || regcomp(&p->regex, pattern, REG_EXTENDED | REG_NOSUB) != 0) {
                        fputs("sonet: out of memory\n", stderr);
                        abort();
                }
                p->pattern = pattern;
                p->next = atomic_load_explicit(&compiled_patterns, memory_order_relaxed);
                atomic_store_explicit(&compiled_patterns, p, memory_order_release);
        }
        pthread_mutex_unlock(&compiling);
        return p;
}

static struct compiled *compiled(const char *pattern)
{
        struct compiled *p = find_compiled(pattern);
        return p != NULL ? p : compile_pattern(pattern);
}

void format_prepare(const char *pattern)
{
        (void)compiled(pattern);
}

bool format_matches(const char *pattern, const char *text)
{
        return regexec(&compiled(pattern)->regex, text, 0, NULL, 0) == 0;
}
