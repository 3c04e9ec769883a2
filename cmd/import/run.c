/* Owns the phases of `sonet import`. Each member belongs to one worker for the whole import, so sessions need no
 * locks. What already exists is found through the API: whom a member follows, and what they have posted. */
#include "cmd/import/run.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/str.h"
#include "cmd/import/client.h"
#include "cmd/import/progress.h"

#define LOOK_MS      20
#define MAX_WORKERS  64
#define ERROR_BYTES  4096
#define HINT_AFTER_S 5

struct import;

struct worker {
        struct import *import;
        int number;
        struct import_client client;
        struct buf text;
        pthread_t thread;
        sn_status status;
        atomic_bool ended;
};

struct import {
        const struct import_job *job;
        struct import_session *sessions; /* parallel to the graph's members */
        uint8_t **posted;                /* per member: which notes exist; NULL: unknown, or none */
        struct worker workers[MAX_WORKERS];
        sn_status (*phase)(struct worker *w);
        atomic_size_t done, there;
        atomic_long limited_s;
        atomic_bool failed;
        bool hinted;
};

static void *must(void *memory)
{
        if (memory == NULL) {
                fprintf(stderr, "sonet import: out of memory\n");
                abort();
        }
        return memory;
}

static void free_text_p(char **text)
{
        free(*text);
}

static void count_done(struct import *import, size_t done, size_t there)
{
        atomic_fetch_add(&import->done, done);
        atomic_fetch_add(&import->there, there);
}

static sn_status go_on(const struct worker *w)
{
        return *w->import->job->stop || atomic_load(&w->import->failed) ? SN_CANCELLED : SN_OK;
}

/* for each of the worker's members */
#define EACH_MEMBER(w, i)                                                                                              \
        (size_t i = (size_t)(w)->number; i < (w)->import->job->plan->graph->n_members;                                 \
         i += (size_t)(w)->import->job->workers)

/* ---- members
 * --------------------------------------------------------------------------------------------------------------------
 */

static sn_status enter_members(struct worker *w)
{
        for
                EACH_MEMBER(w, i)
                {
                        struct import_session *session = &w->import->sessions[i];
                        TRY(go_on(w));
                        snprintf(session->username, sizeof(session->username), "member%u",
                                 w->import->job->plan->graph->nodes[i]);
                        TRY(import_client_enter(&w->client, session));
                        count_done(w->import, 1, !session->registered_now);
                }
        return SN_OK;
}

/* ---- listing what exists ---- */

/* Calls take for each item of a list, page by page. */
static sn_status read_list(struct worker *w, struct import_session *session, const char *path,
                           void (*take)(void *context, json_t *item), void *context)
{
        char cursor[640] = "";

        do {
                CLEANUP(import_json_free_p) json_t *page = NULL;
                char url[1024];
                size_t i = 0;
                json_t *item = NULL;

                TRY(go_on(w));
                snprintf(url, sizeof(url), "%s?limit=100%s%s", path, cursor[0] != '\0' ? "&cursor=" : "", cursor);
                TRY(import_client_expect(&w->client, session, (struct http_ask){.method = "GET", .path = url}, &page));
                json_array_foreach(json_object_get(page, "items"), i, item)
                {
                        take(context, item);
                }
                snprintf(cursor, sizeof(cursor), "%s", import_json_text(page, "next_cursor"));
        } while (cursor[0] != '\0');
        return SN_OK;
}

/* ---- follows
 * --------------------------------------------------------------------------------------------------------------------
 */

struct id_list {
        char (*items)[UUID_SIZE];
        size_t n, capacity;
};

static void free_ids_p(struct id_list *ids)
{
        free(ids->items);
}

static int compare_ids(const void *a, const void *b)
{
        return strcmp(a, b);
}

static void take_id(void *context, json_t *item)
{
        struct id_list *ids = context;

        if (ids->n == ids->capacity) {
                ids->capacity = ids->capacity == 0 ? 128 : ids->capacity * 2;
                ids->items = must(reallocarray(ids->items, ids->capacity, sizeof(*ids->items)));
        }
        snprintf(ids->items[ids->n++], UUID_SIZE, "%s", import_json_text(item, "id"));
}

static sn_status read_following(struct worker *w, struct import_session *session, struct id_list *ids)
{
        char path[80];

        if (session->registered_now) {
                return SN_OK;
        }
        snprintf(path, sizeof(path), "/v1/users/%s/following", session->id);
        TRY(read_list(w, session, path, take_id, ids));
        if (ids->n > 0) {
                qsort(ids->items, ids->n, sizeof(*ids->items), compare_ids);
        }
        return SN_OK;
}

static sn_status follow_neighbours(struct worker *w, size_t member)
{
        const struct import_graph *graph = w->import->job->plan->graph;
        struct import_session *session = &w->import->sessions[member];
        CLEANUP(free_ids_p) struct id_list known = {0};

        TRY(read_following(w, session, &known));
        for (size_t i = graph->first[member]; i < graph->first[member + 1]; i++) {
                const char *id = w->import->sessions[graph->neighbours[i]].id;
                char path[80];

                TRY(go_on(w));
                if (known.n > 0 && bsearch(id, known.items, known.n, sizeof(*known.items), compare_ids) != NULL) {
                        count_done(w->import, 1, 1);
                        continue;
                }
                snprintf(path, sizeof(path), "/v1/users/%s/follow", id);
                TRY(import_client_expect(&w->client, session, (struct http_ask){.method = "PUT", .path = path}, NULL));
                count_done(w->import, 1, 0);
        }
        return SN_OK;
}

static sn_status follow_all(struct worker *w)
{
        for
                EACH_MEMBER(w, i)
                {
                        TRY(follow_neighbours(w, i));
                }
        return SN_OK;
}

/* ---- notes
 * ----------------------------------------------------------------------------------------------------------------------
 */

struct text_list {
        const char *author;
        char **items;
        size_t n, capacity;
};

static void free_texts_p(struct text_list *texts)
{
        for (size_t i = 0; i < texts->n; i++) {
                free(texts->items[i]);
        }
        free(texts->items);
}

/* Renotes have no text. */
static void take_text(void *context, json_t *item)
{
        struct text_list *texts = context;
        const char *text = import_json_text(item, "text");

        if (text[0] == '\0' || strcmp(import_json_text(json_object_get(item, "author"), "id"), texts->author) != 0) {
                return;
        }
        if (texts->n == texts->capacity) {
                texts->capacity = texts->capacity == 0 ? 128 : texts->capacity * 2;
                texts->items = must(reallocarray(texts->items, texts->capacity, sizeof(char *)));
        }
        texts->items[texts->n++] = must(strdup(text));
}

/* Removes the text from the list, so that one existing note counts for one planned note. */
static bool remove_text(struct text_list *texts, const char *text)
{
        for (size_t i = 0; i < texts->n; i++) {
                if (strcmp(texts->items[i], text) == 0) {
                        free(texts->items[i]);
                        texts->items[i] = texts->items[--texts->n];
                        return true;
                }
        }
        return false;
}

/* Which of the member's notes exist. Keys are kept for a day only, so the notes themselves are compared. */
static sn_status look_for_notes(struct worker *w, size_t member)
{
        const struct import_plan *plan = w->import->job->plan;
        struct import_session *session = &w->import->sessions[member];
        CLEANUP(free_texts_p) struct text_list there = {.author = session->id};
        char path[80];

        snprintf(path, sizeof(path), "/v1/timelines/users/%s", session->id);
        TRY(read_list(w, session, path, take_text, &there));
        w->import->posted[member] = must(calloc(plan->notes + 1, 1));
        for (size_t note = 0; note < plan->notes && there.n > 0; note++) {
                import_plan_text(plan, member, note, &w->text);
                w->import->posted[member][note] = remove_text(&there, w->text.data);
        }
        return SN_OK;
}

static sn_status post_note(struct worker *w, size_t member, size_t note)
{
        const struct import_plan *plan = w->import->job->plan;
        char key[IMPORT_KEY_SIZE];

        import_plan_text(plan, member, note, &w->text);
        import_plan_key(plan, member, note, w->text.data, key);
        CLEANUP(import_json_free_p) json_t *body = json_pack("{s:s,s:s}", "text", w->text.data, "visibility", "public");
        CLEANUP(free_text_p) char *json = must(json_dumps(body, JSON_COMPACT));
        struct http_ask ask = {.method = "POST", .path = "/v1/notes", .json = json, .key = key};
        return import_client_expect(&w->client, &w->import->sessions[member], ask, NULL);
}

static sn_status post_note_once(struct worker *w, size_t member, size_t note)
{
        struct import *import = w->import;

        if (note == 0 && !import->sessions[member].registered_now) {
                TRY(look_for_notes(w, member));
        }
        bool there = import->posted[member] != NULL && import->posted[member][note];
        if (!there) {
                TRY(post_note(w, member, note));
        }
        count_done(import, 1, there);
        return SN_OK;
}

/* In rounds, so that timelines mix members. */
static sn_status post_all(struct worker *w)
{
        for (size_t note = 0; note < w->import->job->plan->notes; note++) {
                for
                        EACH_MEMBER(w, i)
                        {
                                TRY(go_on(w));
                                TRY(post_note_once(w, i, note));
                        }
        }
        return SN_OK;
}

/* ---- workers
 * --------------------------------------------------------------------------------------------------------------------
 */

static void *run_worker(void *context)
{
        struct worker *w = context;

        w->status = w->import->phase(w);
        if (w->status != SN_OK && w->status != SN_CANCELLED) {
                atomic_store(&w->import->failed, true);
        }
        atomic_store(&w->ended, true);
        return NULL;
}

static bool all_ended(const struct import *import)
{
        for (int i = 0; i < import->job->workers; i++) {
                if (!atomic_load(&import->workers[i].ended)) {
                        return false;
                }
        }
        return true;
}

static void hint_at_limits(struct import *import)
{
        if (!import->hinted && atomic_load(&import->limited_s) >= HINT_AFTER_S) {
                import->hinted = true;
                printf("\nthe server limits the rate of registrations; a server on loopback can be started with "
                       "SONET_RATE_LIMITS=off\n");
                fflush(stdout);
        }
}

static sn_status start_workers(struct import *import, struct buf *error)
{
        for (int i = 0; i < import->job->workers; i++) {
                struct worker *w = &import->workers[i];
                w->status = SN_OK;
                atomic_store(&w->ended, false);
                if (pthread_create(&w->thread, NULL, run_worker, w) != 0) {
                        buf_append_c(error, "cannot start a thread");
                        atomic_store(&import->failed, true);
                        while (i-- > 0) {
                                pthread_join(import->workers[i].thread, NULL);
                        }
                        return SN_RESOURCE_EXHAUSTED;
                }
        }
        return SN_OK;
}

static sn_status join_workers(struct import *import, struct buf *error)
{
        sn_status worst = SN_OK;

        for (int i = 0; i < import->job->workers; i++) {
                struct worker *w = &import->workers[i];
                pthread_join(w->thread, NULL);
                if (w->status != SN_OK && (worst == SN_OK || worst == SN_CANCELLED)) {
                        worst = w->status;
                        buf_append_c(error,
                                     worst != SN_CANCELLED && w->client.error.len > 0 ? w->client.error.data : "");
                }
        }
        return worst;
}

static sn_status run_phase(struct import *import, const char *what, size_t total, sn_status (*phase)(struct worker *w),
                           struct buf *error)
{
        struct import_progress progress;

        import->phase = phase;
        atomic_store(&import->done, 0);
        atomic_store(&import->there, 0);
        import_progress_start(&progress, stdout, what, total);
        TRY(start_workers(import, error));
        while (!all_ended(import)) {
                clock_sleep_ms(LOOK_MS);
                import_progress_show(&progress, atomic_load(&import->done));
                hint_at_limits(import);
        }
        sn_status status = join_workers(import, error);
        import_progress_end(&progress, atomic_load(&import->done), atomic_load(&import->there));
        return status;
}

static sn_status run_phases(struct import *import, struct buf *error)
{
        const struct import_plan *plan = import->job->plan;

        TRY(run_phase(import, "members", plan->graph->n_members, enter_members, error));
        TRY(run_phase(import, "follows", plan->graph->n_ties * 2, follow_all, error));
        return run_phase(import, "notes", plan->graph->n_members * plan->notes, post_all, error);
}

sn_status import_run(const struct import_job *job, struct buf *error)
{
        struct import *import = must(calloc(1, sizeof(*import)));
        size_t members = job->plan->graph->n_members;

        import->job = job;
        import->sessions = must(calloc(members, sizeof(*import->sessions)));
        import->posted = must(calloc(members, sizeof(*import->posted)));
        for (int i = 0; i < job->workers; i++) {
                struct worker *w = &import->workers[i];
                w->import = import;
                w->number = i;
                buf_init(&w->text, 65536);
                import_client_init(&w->client, job->target, job->password, job->stop, &import->limited_s);
        }
        sn_status status = run_phases(import, error);
        for (int i = 0; i < job->workers; i++) {
                buf_free(&import->workers[i].text);
                import_client_free(&import->workers[i].client);
        }
        for (size_t i = 0; i < members; i++) {
                import_session_free(&import->sessions[i]);
                free(import->posted[i]);
        }
        free(import->posted);
        free(import->sessions);
        free(import);
        return status;
}
