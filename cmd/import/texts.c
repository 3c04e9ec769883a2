/* Owns the texts of `sonet import`. A file is read whole and cut in place. */
#include "cmd/import/texts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/str.h"

#define FILE_MAX_BYTES (256 * 1024 * 1024)
#define TAG_MAX        40

static void *must(void *memory)
{
        if (memory == NULL) {
                fprintf(stderr, "sonet import: out of memory\n");
                abort();
        }
        return memory;
}

static void close_p(int *fd)
{
        if (*fd >= 0) {
                close(*fd);
        }
}

static sn_status refuse_file(const char *path, const char *why, struct buf *error)
{
        buf_printf(error, "cannot read %s: %s", path, why);
        return SN_INVALID_ARGUMENT;
}

/* The file with a NUL at the end, owned by texts. */
static sn_status load_file(struct import_texts *texts, const char *path, char **data, size_t *len, struct buf *error)
{
        CLEANUP(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC);
        struct stat about;

        if (fd < 0 || fstat(fd, &about) != 0) {
                return refuse_file(path, strerror(errno), error);
        }
        if (!S_ISREG(about.st_mode)) {
                return refuse_file(path, "not a regular file", error);
        }
        if (about.st_size > FILE_MAX_BYTES) {
                return refuse_file(path, "larger than 256 MiB", error);
        }
        texts->memory = must(reallocarray(texts->memory, texts->n_memory + 1, sizeof(*texts->memory)));
        *data = texts->memory[texts->n_memory++] = must(malloc((size_t)about.st_size + 1));
        *len = 0;
        for (ssize_t n; *len < (size_t)about.st_size; *len += (size_t)n) {
                n = read(fd, *data + *len, (size_t)about.st_size - *len);
                if (n < 0 && errno == EINTR) {
                        n = 0;
                } else if (n < 0) {
                        return refuse_file(path, strerror(errno), error);
                } else if (n == 0) {
                        break;
                }
        }
        (*data)[*len] = '\0';
        return SN_OK;
}

/* Line by line, so that the message can give the line. */
static sn_status check_utf8(const char *path, const char *data, size_t len, struct buf *error)
{
        struct str rest = {data, len}, line = {0};

        for (size_t number = 1; str_next(&rest, '\n', &line); number++) {
                bool nul = memchr(line.ptr, '\0', line.len) != NULL;
                if (nul || !utf8_valid(line.ptr, line.len)) {
                        buf_printf(error, "%s:%zu: %s", path, number,
                                   nul ? "contains a NUL byte: not a text file"
                                       : "not valid UTF-8; convert the file with iconv first");
                        return SN_INVALID_ARGUMENT;
                }
        }
        return SN_OK;
}

/* The end of a terminal colour sequence starting at c, or c. */
static const char *skip_escape(const char *c, const char *end)
{
        if (c + 1 >= end || c[0] != 0x1b || c[1] != '[') {
                return c;
        }
        for (const char *at = c + 2; at < end; at++) {
                if (*at >= '@' && *at <= '~') {
                        return at + 1;
                }
        }
        return c;
}

/* Removes terminal formatting, in place: "_\bA" and "A\bA" become "A"; colours and other control characters are
 * dropped. */
static size_t clean_text(char *text, size_t len)
{
        const char *end = text + len;
        size_t out = 0;

        for (const char *c = text; c < end;) {
                const char *after = skip_escape(c, end);
                if (after != c) {
                        c = after;
                } else if (*c == '\b') {
                        while (out > 0 && ((unsigned char)text[--out] & 0xc0) == 0x80) {
                        }
                        c++;
                } else if ((unsigned char)*c < ' ' && *c != '\n' && *c != '\t') {
                        c++;
                } else {
                        text[out++] = *c++;
                }
        }
        return out;
}

static bool is_blank(char c)
{
        return c == ' ' || c == '\n' || c == '\t';
}

/* "computers" of "/usr/share/games/fortunes/computers.u8"; "" if the name cannot be a hashtag. */
static const char *tag_of(struct import_texts *texts, const char *path)
{
        const char *name = strrchr(path, '/');
        size_t len =
            strspn(name = name != NULL ? name + 1 : path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

        if (len < 2 || len > TAG_MAX || (name[len] != '\0' && name[len] != '.')) {
                return "";
        }
        texts->memory = must(reallocarray(texts->memory, texts->n_memory + 1, sizeof(*texts->memory)));
        return texts->memory[texts->n_memory++] = must(strndup(name, len));
}

/* One item, which starts at the given line of the file. */
static void add_item(struct import_texts *texts, const char *path, size_t line, char *text, size_t len, const char *tag)
{
        len = clean_text(text, len);
        while (len > 0 && is_blank(text[len - 1])) {
                len--;
        }
        while (len > 0 && text[0] == '\n') { /* leading blanks of a first line may belong to a drawing */
                text++;
                len--;
        }
        if (len == 0) {
                return;
        }
        text[len] = '\0';
        size_t length = utf8_length(text, len);
        if (length > IMPORT_TEXT_MAX) {
                if (texts->too_long++ == 0) {
                        snprintf(texts->first_too_long, sizeof(texts->first_too_long), "%s:%zu", path, line);
                }
                return;
        }
        if (texts->n == texts->capacity) {
                texts->capacity = texts->capacity == 0 ? 1024 : texts->capacity * 2;
                texts->items = must(reallocarray(texts->items, texts->capacity, sizeof(*texts->items)));
        }
        texts->items[texts->n++] = (struct import_text){text, length, tag};
}

static bool is_separator(const char *line, const char *end)
{
        return end - line >= 1 && line[0] == '%' && (end - line == 1 || (end - line == 2 && line[1] == '\r'));
}

sn_status import_texts_read(struct import_texts *texts, const char *path, struct buf *error)
{
        char *data = NULL;
        size_t len = 0, item_line = 1, line = 1;

        TRY(load_file(texts, path, &data, &len, error));
        sn_status status = check_utf8(path, data, len, error);
        if (status != SN_OK) {
                free(texts->memory[--texts->n_memory]);
                return status;
        }
        const char *tag = tag_of(texts, path);
        char *end = data + len, *item = data;
        for (char *at = data; at < end; line++) {
                char *newline = memchr(at, '\n', (size_t)(end - at));
                char *line_end = newline != NULL ? newline : end;
                if (is_separator(at, line_end)) {
                        add_item(texts, path, item_line, item, (size_t)(at - item), tag);
                        item = line_end < end ? line_end + 1 : end;
                        item_line = line + 1;
                }
                at = line_end < end ? line_end + 1 : end;
        }
        add_item(texts, path, item_line, item, (size_t)(end - item), tag);
        return SN_OK;
}

static int compare_texts(const void *left, const void *right)
{
        const struct import_text *const *a = left, *const *b = right;
        int order = strcmp((*a)->text, (*b)->text);

        return order != 0 ? order : *a == *b ? 0 : *a < *b ? -1 : 1;
}

void import_texts_finish(struct import_texts *texts)
{
        struct import_text **sorted = must(calloc(texts->n + 1, sizeof(struct import_text *)));
        size_t kept = 0;

        for (size_t i = 0; i < texts->n; i++) {
                sorted[i] = &texts->items[i];
        }
        qsort(sorted, texts->n, sizeof(struct import_text *), compare_texts);
        const char *last = "";
        for (size_t i = 0; i < texts->n; i++) { /* the first of equal ones stays */
                bool again = strcmp(last, sorted[i]->text) == 0;
                last = sorted[i]->text;
                sorted[i]->text = again ? "" : sorted[i]->text;
        }
        free(sorted);
        for (size_t i = 0; i < texts->n; i++) {
                if (texts->items[i].text[0] != '\0') {
                        texts->items[kept++] = texts->items[i];
                }
        }
        texts->n = kept;
}

void import_texts_free(struct import_texts *texts)
{
        for (size_t i = 0; i < texts->n_memory; i++) {
                free(texts->memory[i]);
        }
        free(texts->memory);
        free(texts->items);
        *texts = (struct import_texts){0};
}
