#include "tools/sluice/version.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/say.h"
#include "tools/sluice/schema.h"
#include "transport/local/local_wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <vulkan/vulkan_core.h>
#include <zstd.h>

int version_print(void)
{
    size_t size = 0;
    struct schema *schema = NULL;
    char *text = schema_text(&size);
    enum sl_result result = text != NULL ? schema_parse(text, size, &schema) : SL_ERR_NOMEM;
    free(text);
    if (result != SL_OK) {
        say_error("the protocol cannot be described: %s", sl_result_name(result));
        return SLUICE_EXIT_INTERNAL;
    }
    printf("sluice %s\nlocal socket version %u\ntraces 1.0 to %u.%u\nprotocol ", SLUICE_VERSION,
           LOCAL_VERSION, CAP_MAJOR, CAP_MINOR);
    for (int i = 0; i < 16; i++) {
        printf("%02x", schema_hash(schema)[i]);
    }
    printf("\nVulkan header %u.%u.%u\nzstd %s\n", VK_API_VERSION_MAJOR(VK_HEADER_VERSION_COMPLETE),
           VK_API_VERSION_MINOR(VK_HEADER_VERSION_COMPLETE),
           VK_API_VERSION_PATCH(VK_HEADER_VERSION_COMPLETE), ZSTD_versionString());
    schema_destroy(schema);
    return SLUICE_EXIT_OK;
}
