/* The files that a server shows in a browser, compiled in (web/files.txt, web/pack.mjs). */
#ifndef WEB_WEB_H
#define WEB_WEB_H

struct web_file {
        const char *path; /* "/assets/site.css" */
        const char *content_type;
        const char *etag, *etag_gzip;
        const char *data, *data_end;
        const char *gzip, *gzip_end;
};

/* Ended by a NULL path. */
extern const struct web_file web_files[];

#endif
