/* Owns the memory in which bytes wait for the disk: blocks of one size. A few free ones are kept, since a large upload
 * would otherwise allocate and free a thousand a second. */
#include <stdlib.h>
#include "base/spool_private.h"

enum { KEPT_MAX = 128 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct spool_block *kept;
static int n_kept;

struct spool_block *spool_block_new(void)
{
        pthread_mutex_lock(&lock);
        struct spool_block *block = kept;

        if (block != NULL) {
                kept = block->next;
                n_kept--;
        }
        pthread_mutex_unlock(&lock);
        block = block != NULL ? block : aligned_alloc(SPOOL_ALIGN_BYTES, sizeof(*block));
        if (block != NULL) {
                block->next = NULL;
                block->len = 0;
        }
        return block;
}

void spool_block_free(struct spool_block *block)
{
        pthread_mutex_lock(&lock);
        bool keeps = block != NULL && n_kept < KEPT_MAX;

        if (keeps) {
                block->next = kept;
                kept = block;
                n_kept++;
        }
        pthread_mutex_unlock(&lock);
        if (!keeps) {
                free(block);
        }
}

void spool_blocks_add(struct spool_blocks *to, struct spool_block *block)
{
        *(to->last != NULL ? &to->last->next : &to->first) = block;
        to->last = block;
        to->bytes += block->len;
}

void spool_blocks_move(struct spool_blocks *to, struct spool_blocks *from)
{
        if (from->first != NULL) {
                *(to->last != NULL ? &to->last->next : &to->first) = from->first;
                to->last = from->last;
                to->bytes += from->bytes;
        }
        *from = (struct spool_blocks){NULL, NULL, 0};
}

void spool_blocks_take(struct spool_blocks *to, struct spool_blocks *from, size_t bytes)
{
        while (from->first != NULL && to->bytes < bytes) {
                struct spool_block *block = from->first;

                from->first = block->next;
                from->last = from->first != NULL ? from->last : NULL;
                from->bytes -= block->len;
                block->next = NULL;
                spool_blocks_add(to, block);
        }
}

void spool_blocks_free(struct spool_blocks *blocks)
{
        for (struct spool_block *block = blocks->first, *next; block != NULL; block = next) {
                next = block->next;
                spool_block_free(block);
        }
        *blocks = (struct spool_blocks){NULL, NULL, 0};
}
