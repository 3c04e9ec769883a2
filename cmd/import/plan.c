/* Owns the assignment of texts to members. */
#include "cmd/import/plan.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/str.h"

#define TAGGED_ONE_IN 5
#define KEY_BYTES     16

void import_plan_make(struct import_plan *plan, const struct import_graph *graph, const struct import_texts *texts,
                      size_t notes, uint64_t seed)
{
        uint64_t state = seed ^ UINT64_C(0x5eed7e875eed7e87);

        *plan = (struct import_plan){graph, texts, calloc(texts->n, sizeof(uint32_t)), notes};
        if (plan->order == NULL) {
                fprintf(stderr, "sonet import: out of memory\n");
                abort();
        }
        for (size_t i = 0; i < texts->n; i++) {
                size_t j = import_random(&state) % (i + 1);
                plan->order[i] = plan->order[j];
                plan->order[j] = (uint32_t)i;
        }
}

void import_plan_free(struct import_plan *plan)
{
        free(plan->order);
        *plan = (struct import_plan){0};
}

/* Texts are dealt in rounds, one to each member, starting over when they run out. */
static const struct import_text *text_of(const struct import_plan *plan, size_t member, size_t note)
{
        return &plan->texts->items[plan->order[(note * plan->graph->n_members + member) % plan->texts->n]];
}

void import_plan_text(const struct import_plan *plan, size_t member, size_t note, struct buf *out)
{
        const struct import_text *text = text_of(plan, member, note);

        buf_reset(out);
        buf_append_c(out, text->text);
        if ((member + note) % TAGGED_ONE_IN == 0 && text->tag[0] != '\0' &&
            text->length + strlen(text->tag) + 3 <= IMPORT_TEXT_MAX) {
                buf_printf(out, "\n\n#%s", text->tag);
        }
}

void import_plan_key(const struct import_plan *plan, size_t member, size_t note, const char *text,
                     char out[IMPORT_KEY_SIZE])
{
        static const char prefix[] = "import-";
        uint8_t hash[KEY_BYTES];
        char name[32];
        crypto_generichash_state state;

        snprintf(name, sizeof(name), "%u.%zu.", plan->graph->nodes[member], note);
        crypto_generichash_init(&state, NULL, 0, sizeof(hash));
        crypto_generichash_update(&state, (const uint8_t *)name, strlen(name));
        crypto_generichash_update(&state, (const uint8_t *)text, strlen(text));
        crypto_generichash_final(&state, hash, sizeof(hash));
        memcpy(out, prefix, sizeof(prefix) - 1);
        sodium_bin2hex(out + sizeof(prefix) - 1, IMPORT_KEY_SIZE - sizeof(prefix) + 1, hash, sizeof(hash));
}
