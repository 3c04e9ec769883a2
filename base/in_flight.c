/* Owns the list of the process's running writes. */
#include "base/in_flight.h"

#include <pthread.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct in_flight *newest; /* `since` falls along `next`: ids of a process grow */

void in_flight_begin(struct in_flight *write, const struct service *service)
{
        write->service = service;
        write->previous = NULL;
        (void)pthread_mutex_lock(&lock);
        (void)uuid_new(write->since);
        write->next = newest;
        if (newest != NULL) {
                newest->previous = write;
        }
        newest = write;
        (void)pthread_mutex_unlock(&lock);
}

void in_flight_end(struct in_flight *write)
{
        (void)pthread_mutex_lock(&lock);
        if (write->next != NULL) {
                write->next->previous = write->previous;
        }
        if (write->previous != NULL) {
                write->previous->next = write->next;
        } else {
                newest = write->next;
        }
        (void)pthread_mutex_unlock(&lock);
}

char *in_flight_settled(const struct service *service, char out[UUID_SIZE])
{
        (void)pthread_mutex_lock(&lock);
        (void)uuid_new(out);
        for (const struct in_flight *write = newest; write != NULL; write = write->next) {
                if (write->service == service) {
                        memcpy(out, write->since, UUID_SIZE);
                }
        }
        (void)pthread_mutex_unlock(&lock);
        return out;
}
