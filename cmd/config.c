/* Owns `sonet config`: printing the settings of this environment. */
#include <stdio.h>
#include <stdlib.h>
#include "base/settings.h"
#include "cmd/commands.h"
#include "cmd/options.h"

int cmd_config(int argc, char **argv)
{
        CLEANUP(buf_free) struct buf text;
        struct settings settings;
        int first = 0;
        enum options_result result = options_parse(NULL, 0, argc, argv, &first);

        if (result != OPTIONS_RUN) {
                return result == OPTIONS_HELP ? 0 : EXIT_USAGE;
        }
        if (first < argc) {
                fprintf(stderr, "sonet config: unexpected operand '%s'; see 'sonet help config'\n", argv[first]);
                return EXIT_USAGE;
        }
        buf_init(&text, 262144);
        if (settings_load(&settings, &text) != SN_OK || settings_check(&settings, &text) != SN_OK) {
                fprintf(stderr, "sonet config: %s\n", text.data);
                return EXIT_FAILURE;
        }
        settings_print(&settings, &text);
        return fwrite(text.data, 1, text.len, stdout) == text.len && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
