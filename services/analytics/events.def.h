/* clang-format off */
/* The events that clients may send, each declared once: what is not here is refused. GET /v1/analytics/schema shows it.
 *   ANALYTICS_EVENT(name, help)
 *   ANALYTICS_PROPERTY(event, name, kind, limit, help)
 *     TEXT     a text of at most `limit` bytes, on one line
 *     PATH     the same, beginning with '/', without a query, which too often identifies people
 *     HOST     a host name: a whole address would tell too much
 *     NUMBER   an integer from 0 to `limit`
 *     ID       the id of a note or an experiment, by which its events are found */
ANALYTICS_EVENT("page_view", "a page was opened")
ANALYTICS_PROPERTY("page_view", "path", PATH, 200, "the page")
ANALYTICS_PROPERTY("page_view", "referrer", HOST, 100, "the host of the page before")
ANALYTICS_EVENT("page_leave", "a page was left")
ANALYTICS_PROPERTY("page_leave", "path", PATH, 200, "the page")
ANALYTICS_PROPERTY("page_leave", "visible_ms", NUMBER, 86400000, "for how long it was visible")
ANALYTICS_EVENT("click", "something was clicked")
ANALYTICS_PROPERTY("click", "path", PATH, 200, "the page")
ANALYTICS_PROPERTY("click", "target", TEXT, 60, "the value of the element's data-event")
ANALYTICS_EVENT("note_view", "a note was on the screen")
ANALYTICS_PROPERTY("note_view", "note_id", ID, 36, "the note")
ANALYTICS_PROPERTY("note_view", "from", TEXT, 30, "where: home, profile, hashtag, search or link")
ANALYTICS_PROPERTY("note_view", "visible_ms", NUMBER, 86400000, "for how long")
ANALYTICS_EVENT("experiment_seen", "the variant of an experiment was on the screen")
ANALYTICS_PROPERTY("experiment_seen", "experiment_id", ID, 36, "the experiment")
ANALYTICS_EVENT("search", "a search was made")
ANALYTICS_PROPERTY("search", "results", NUMBER, 100000, "how many results there were")
ANALYTICS_EVENT("app_open", "an app was opened")
ANALYTICS_PROPERTY("app_open", "platform", TEXT, 20, "web, android, ios or desktop")
ANALYTICS_PROPERTY("app_open", "version", TEXT, 20, "the app's version")
/* clang-format on */

#undef ANALYTICS_EVENT
#undef ANALYTICS_PROPERTY
