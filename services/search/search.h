/* Shared by the files of search_service. */
#ifndef SERVICES_SEARCH_SEARCH_H
#define SERVICES_SEARCH_SEARCH_H

#include "bus/bus.h"
#include "services/search/search.service.h"
#include "services/services.h"

/* Aggregate: a new note that may match a saved search; actor: its author. */
#define EVENT_SEARCH_MATCHED "search.matched"

/* store_export.c */
extern const struct service_export search_exports[];

#endif
