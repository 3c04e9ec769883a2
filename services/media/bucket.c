/* Owns storing media in an S3 bucket. Staging a file already puts it under its final key, and publishing checks that it
 * is still there. Files without rows are removed like those left behind by crashes. For processing, an object is copied
 * to an unnamed file; for serving, the requested region comes through a pipe. */
#include "services/media/storage.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/log.h"
#include "base/spool.h"
#include "base/str.h"
#include "services/media/s3.h"

enum {
        QUICK_MS = 10000, /* for requests without a file, during which a transaction may be open */
        ANSWER_RESERVE_MS = 2000,
        ANSWER_BYTES = 2 << 20,
        LIST_AT_ONCE = 1000,
        TOKEN_SIZE = 3000,
        PREFIX_SIZE = 120
};
#define PART_BYTES (INT64_C(16) << 20) /* larger files are uploaded in parts, at most 10,000 */

/* The SHA-256 of no bytes. */
#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

bool bucket_use(const struct bucket_options *options)
{
        return s3_setup(options);
}

static sn_status fail_bucket(struct rpc_call *c)
{
        return rpc_fail(c, SN_UNAVAILABLE, NULL, "the storage of media is unavailable; try again later");
}

static int left_ms(const struct rpc_call *c)
{
        int64_t left = rpc_call_left_ms(c);
        return left < 1 ? 1 : left > INT_MAX ? INT_MAX : (int)left;
}

static int quick_ms(const struct rpc_call *c)
{
        int left = left_ms(c);
        return left < QUICK_MS ? left : QUICK_MS;
}

static struct s3_exchange bodyless(int wait_ms, const char *method, const char *key, const char *query)
{
        return (struct s3_exchange){.method = method,
                                    .key = key,
                                    .query = query,
                                    .sha256 = EMPTY_SHA256,
                                    .fd = -1,
                                    .to_fd = -1,
                                    .wait_ms = wait_ms};
}

/* An oversized response counts as a failure. */
static sn_status make_request(struct rpc_call *c, struct s3_exchange *x)
{
        s3_exchange(x);
        return x->status / 100 == 2 && (x->answer == NULL || !x->answer->overflow) ? SN_OK : fail_bucket(c);
}

/* --- parsing responses: XML, of which a few elements are needed --- */

/* The text of the next element with this name. Moves *at past it. */
static bool next_element(const char **at, const char *name, struct str *text)
{
        char open[40], shut[40];

        (void)snprintf(open, sizeof(open), "<%s>", name);
        (void)snprintf(shut, sizeof(shut), "</%s>", name);
        const char *from = strstr(*at, open);
        const char *to = from != NULL ? strstr(from, shut) : NULL;
        if (to == NULL) {
                return false;
        }
        *text = (struct str){from + strlen(open), (size_t)(to - from) - strlen(open)};
        *at = to + strlen(shut);
        return true;
}

/* Percent-encodes a value for a query. */
static void encode_value(struct str text, char *out, size_t size)
{
        static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
        size_t at = 0;

        for (size_t i = 0; i < text.len && at + 4 < size; i++) {
                bool is_plain = strchr(plain, text.ptr[i]) != NULL;
                at += (size_t)snprintf(out + at, size - at, is_plain ? "%c" : "%%%02X", (unsigned char)text.ptr[i]);
        }
        out[at] = '\0';
}

/* --- adding --- */

static int64_t size_of(int fd)
{
        struct stat file;
        return fstat(fd, &file) == 0 ? file.st_size : 0;
}

static sn_status put_object(struct rpc_call *c, int fd, const char *key, const char *sha256, int64_t size)
{
        struct s3_exchange x = bodyless(left_ms(c), "PUT", key, "");

        x.fd = fd;
        x.size = size;
        x.sha256 = sha256;
        return make_request(c, &x);
}

static sn_status create_multipart(struct rpc_call *c, const char *key, char id[TOKEN_SIZE])
{
        struct s3_exchange x = bodyless(left_ms(c), "POST", key, "uploads=");
        struct buf answer;
        struct str text = {"", 0};

        buf_init(&answer, ANSWER_BYTES);
        x.answer = &answer;
        sn_status status = make_request(c, &x);
        const char *at = answer.data != NULL ? answer.data : "";
        if (status == SN_OK && !next_element(&at, "UploadId", &text)) {
                status = fail_bucket(c);
        }
        encode_value(text, id, TOKEN_SIZE);
        buf_free(&answer);
        return status;
}

static sn_status upload_parts(struct rpc_call *c, int fd, const char *key, const char *id, int64_t size,
                              struct buf *list)
{
        int number = 1;

        for (int64_t at = 0; at < size; at += PART_BYTES, number++) {
                struct s3_exchange x =
                    bodyless(left_ms(c), "PUT", key, arena_printf(c->arena, "partNumber=%d&uploadId=%s", number, id));

                x.fd = fd;
                x.offset = at;
                x.size = size - at < PART_BYTES ? size - at : PART_BYTES;
                x.sha256 = NULL;
                TRY(make_request(c, &x));
                struct str etag = str_trim(str_of(x.etag));
                buf_printf(list, "<Part><PartNumber>%d</PartNumber><ETag>%.*s</ETag></Part>", number, (int)etag.len,
                           etag.ptr);
        }
        return SN_OK;
}

/* Status 200 can still carry an error in its body. */
static sn_status complete_multipart(struct rpc_call *c, const char *key, const char *id, const struct buf *list)
{
        struct s3_exchange x = bodyless(left_ms(c), "POST", key, arena_printf(c->arena, "uploadId=%s", id));
        struct buf answer;

        buf_init(&answer, ANSWER_BYTES);
        x.answer = &answer;
        x.sha256 = NULL;
        x.text = arena_printf(c->arena, "<CompleteMultipartUpload>%s</CompleteMultipartUpload>", list->data);
        sn_status status = make_request(c, &x);
        if (status == SN_OK && (answer.data == NULL || strstr(answer.data, "<CompleteMultipartUploadResult") == NULL)) {
                status = fail_bucket(c);
        }
        buf_free(&answer);
        return status;
}

/* Runs even if the call's deadline has passed. If aborting fails, the parts are kept until a lifecycle rule of the
 * bucket removes them. */
static void abort_multipart(struct rpc_call *c, const char *key, const char *id)
{
        struct s3_exchange x = bodyless(QUICK_MS, "DELETE", key, arena_printf(c->arena, "uploadId=%s", id));

        s3_exchange(&x);
}

static sn_status put_multipart(struct rpc_call *c, int fd, const char *key, int64_t size)
{
        char *id = arena_alloc(c->arena, TOKEN_SIZE);
        struct buf list;

        TRY(create_multipart(c, key, id));
        buf_init(&list, ANSWER_BYTES);
        sn_status status = upload_parts(c, fd, key, id, size, &list);
        status = status == SN_OK ? complete_multipart(c, key, id, &list) : status;
        if (status != SN_OK) {
                abort_multipart(c, key, id);
        }
        buf_free(&list);
        return status;
}

/* *size: -1 if the object does not exist. */
static sn_status look_at(struct rpc_call *c, const char *key, int wait_ms, int64_t *size)
{
        struct s3_exchange x = bodyless(wait_ms, "HEAD", key, "");

        s3_exchange(&x);
        *size = x.status / 100 == 2 ? x.length : -1;
        return *size >= 0 || s3_is_missing(&x) ? SN_OK : fail_bucket(c);
}

static sn_status look_for_object(struct rpc_call *c, const char *key, int wait_ms, bool *there)
{
        int64_t size = -1;

        TRY(look_at(c, key, wait_ms, &size));
        *there = size >= 0;
        return SN_OK;
}

static sn_status exists(struct rpc_call *c, const char *key, bool *there)
{
        return look_for_object(c, key, quick_ms(c), there);
}

/* Uploads even if the object exists; otherwise the time taken would reveal that somebody else has the same file. */
static sn_status stage(struct rpc_call *c, int fd, const char *own, const char *key, const char *sha256)
{
        int64_t size = size_of(fd);

        return size <= PART_BYTES ? put_object(c, fd, key, sha256, size) : put_multipart(c, fd, key, size);
}

/* While the lock of its hash is held nobody removes the object, but it may have been removed since it was staged. */
static sn_status publish(struct rpc_call *c, const char *own, const char *key)
{
        bool there = false;

        TRY(exists(c, key, &there));
        return there ? SN_OK : fail_bucket(c);
}

/* --- reading --- */

static sn_status open_object(struct rpc_call *c, const char *key, int *fd)
{
        struct s3_exchange x = bodyless(left_ms(c), "GET", key, "");

        x.to_fd = spool_open_unnamed();
        if (x.to_fd < 0) {
                log_event(LOG_LEVEL_ERROR, "cannot create a file for an object of the bucket",
                          LOG_STR("error.message", strerror(errno)));
                return fail_bucket(c);
        }
        s3_exchange(&x);
        if (x.status / 100 == 2) {
                *fd = x.to_fd;
                return SN_OK;
        }
        close(x.to_fd);
        return s3_is_missing(&x) ? rpc_fail(c, SN_NOT_FOUND, NULL, "there is no such file") : fail_bucket(c);
}

static sn_status open_region(struct rpc_call *c, const void *key, int64_t offset, int64_t length, int *fd)
{
        struct s3_exchange x = bodyless(left_ms(c), "GET", key, "");

        *fd = s3_open_region(&x, offset, length);
        return *fd >= 0            ? SN_OK
               : s3_is_missing(&x) ? rpc_fail(c, SN_NOT_FOUND, NULL, "there is no such file")
                                   : fail_bucket(c);
}

/* Gets the size first, which is needed to determine the region to send. */
static sn_status answer_object(struct rpc_call *c, const char *key)
{
        struct rpc_far_file *file = ARENA_NEW(c->arena, struct rpc_far_file);

        *file = (struct rpc_far_file){.open = open_region, .context = key};
        TRY(look_at(c, key, left_ms(c), &file->size));
        return file->size >= 0 ? rpc_answer_far_file(c, file)
                               : rpc_fail(c, SN_NOT_FOUND, NULL, "there is no such file");
}

/* There may be many after a commit, so the time for each is short, in order not to delay the answer. */
static sn_status remove_object(struct rpc_call *c, const char *key)
{
        struct s3_exchange x = bodyless(quick_ms(c), "DELETE", key, "");

        if (left_ms(c) < ANSWER_RESERVE_MS) {
                return rpc_fail(c, SN_DEADLINE_EXCEEDED, NULL, "no time was left to remove a file");
        }
        s3_exchange(&x);
        return x.status / 100 == 2 || s3_is_missing(&x) ? SN_OK : fail_bucket(c);
}

/* --- lists --- */

/* "2026-11-27T18:00:00.000Z" */
static int64_t seconds_of(struct str text)
{
        struct tm at = {0};
        char copy[32];

        (void)snprintf(copy, sizeof(copy), "%.*s", (int)text.len, text.ptr);
        return strptime(copy, "%Y-%m-%dT%H:%M:%S", &at) != NULL ? (int64_t)timegm(&at) : INT64_MAX;
}

static void read_page(struct rpc_call *c, const char *at, size_t prefix, int64_t before_s, struct storage_names *names)
{
        struct str key, modified;

        while (next_element(&at, "Key", &key) && next_element(&at, "LastModified", &modified)) {
                if (key.len > prefix && seconds_of(modified) < before_s) {
                        storage_add_name(c, (struct str){key.ptr + prefix, key.len - prefix}, names);
                }
        }
}

static sn_status list_page(struct rpc_call *c, const char *folder, int64_t before_s, char token[TOKEN_SIZE],
                           struct storage_names *names)
{
        char prefix[PREFIX_SIZE];
        struct buf answer;
        struct str next = {"", 0};

        encode_value(str_of(arena_printf(c->arena, "%s/", folder)), prefix, sizeof(prefix));
        struct s3_exchange x = bodyless(left_ms(c), "GET", "",
                                        arena_printf(c->arena, "%s%s%slist-type=2&max-keys=%d&prefix=%s",
                                                     token[0] != '\0' ? "continuation-token=" : "", token,
                                                     token[0] != '\0' ? "&" : "", LIST_AT_ONCE, prefix));
        buf_init(&answer, ANSWER_BYTES);
        x.answer = &answer;
        sn_status status = make_request(c, &x);
        const char *at = answer.data != NULL ? answer.data : "";
        if (status == SN_OK) {
                read_page(c, at, strlen(folder) + 1, before_s, names);
                (void)next_element(&at, "NextContinuationToken", &next);
        }
        encode_value(next, token, TOKEN_SIZE);
        buf_free(&answer);
        return status;
}

static sn_status list(struct rpc_call *c, const char *folder, int64_t age_s, struct storage_names *names)
{
        int64_t before_s = age_s > 0 ? c->now_ms / 1000 - age_s : INT64_MAX;
        char *token = arena_alloc(c->arena, TOKEN_SIZE);

        token[0] = '\0';
        do {
                TRY(list_page(c, folder, before_s, token, names));
        } while (token[0] != '\0');
        return SN_OK;
}

const struct storage bucket_storage = {.stage = stage,
                                       .publish = publish,
                                       .open = open_object,
                                       .answer = answer_object,
                                       .exists = exists,
                                       .remove = remove_object,
                                       .list = list};
