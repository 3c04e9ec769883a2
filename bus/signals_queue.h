/* How signals get from senders to listeners. Private to bus/. */
#ifndef BUS_SIGNALS_QUEUE_H
#define BUS_SIGNALS_QUEUE_H

#include "bus/signals.h"

#define BUS_SIGNAL_CALL_MS 1000

const char *bus_signal_process(void); /* an id of this process */
char *bus_signal_channel(struct arena *arena, const char *source);
/* Sends a signal of a source by Redis only, from where this process gets it like any other. */
void bus_signal_publish(struct service *service, const char *source, const struct outbox_event *signal);
/* Offers a signal to all listeners of the source in this process. */
void bus_signal_offer_all(const char *source, const uint8_t *packed, size_t len);

#endif
