/* Owns the lanes of a service's consumers: their threads, their leases, and their end. */
#include <stdio.h>
#include <stdlib.h>
#include "base/log.h"
#include "base/metrics.h"
#include "base/ticker.h"
#include "bus/lane.h"

struct bus_runner {
        struct service *service;
        struct bus_letters letters;
        atomic_bool stopping;
        size_t n;
        struct bus_lane lanes[];
};

static int lanes_of(const struct bus_consumer *consumer)
{
        return consumer->by_aggregate ? BUS_LANES : 1;
}

static void add_lane(struct bus_runner *runner, struct service *service, const struct bus_consumer *consumer,
                     int number)
{
        char name[96];

        (void)snprintf(name, sizeof(name), "%s/%s/%d", consumer->name, consumer->source, number);
        runner->lanes[runner->n++] = (struct bus_lane){
            .service = service,
            .consumer = consumer,
            .number = number,
            .stopping = &runner->stopping,
            .letters = &runner->letters,
            .lease = bus_leases_add(service->leases, runner, name, consumer->term != NULL ? *consumer->term : NULL),
            .lag = metric_gauge("sonet_bus_lag_events", "Events not yet handled by a consumer.",
                                metrics_intern("service=\"%s\",consumer=\"%s\",source=\"%s\",lane=\"%d\"",
                                               service->name, consumer->name, consumer->source, number)),
        };
        bus_link_init(&runner->lanes[runner->n - 1].stream, service->redis);
}

struct bus_runner *bus_runner_new(struct service *service, const struct bus_consumer *const *consumers)
{
        size_t n_lanes = 0;

        for (size_t i = 0; consumers[i] != NULL; i++) {
                n_lanes += (size_t)lanes_of(consumers[i]);
        }
        struct bus_runner *runner = calloc(1, sizeof(*runner) + n_lanes * sizeof(runner->lanes[0]));

        if (runner == NULL) {
                abort();
        }
        runner->service = service;
        for (size_t i = 0; consumers[i] != NULL; i++) {
                for (int k = 0; k < lanes_of(consumers[i]); k++) {
                        add_lane(runner, service, consumers[i], k);
                }
        }
        for (size_t i = 0; i < runner->n; i++) {
                runner->lanes[i].ticker = ticker_new("bus-lane", bus_lane_work, &runner->lanes[i]);
        }
        return runner;
}

void bus_runner_stop(struct bus_runner *runner)
{
        if (runner != NULL) {
                atomic_store(&runner->stopping, true);
                for (size_t i = 0; i < runner->n; i++) {
                        bus_lane_end(&runner->lanes[i]);
                        ticker_wake(runner->lanes[i].ticker);
                }
        }
}

void bus_runner_free(struct bus_runner *runner)
{
        if (runner == NULL) {
                return;
        }
        bus_runner_stop(runner);
        for (size_t i = 0; i < runner->n; i++) {
                ticker_free(runner->lanes[i].ticker);
                bus_lane_close(&runner->lanes[i]);
        }
        bus_leases_remove(runner->service->leases, runner);
        free(runner);
}
