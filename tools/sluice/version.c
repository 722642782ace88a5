#include "tools/sluice/version.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/say.h"
#include "tools/sluice/schema.h"
#include "transport/local/local_wire.h"

#include <stdio.h>
#include <vulkan/vulkan_core.h>
#include <zstd.h>

int version_print(void)
{
    uint8_t hash[16];
    if (!schema_own_hash(hash)) {
        say_error("no memory for the protocol's description");
        return SLUICE_EXIT_INTERNAL;
    }
    printf("sluice %s\nlocal socket version %u\ntraces 1.0 to %u.%u\nprotocol ", SLUICE_VERSION,
           LOCAL_VERSION, CAP_MAJOR, CAP_MINOR);
    for (int i = 0; i < 16; i++) {
        printf("%02x", hash[i]);
    }
    printf("\nVulkan header %u.%u.%u\nzstd %s\n", VK_API_VERSION_MAJOR(VK_HEADER_VERSION_COMPLETE),
           VK_API_VERSION_MINOR(VK_HEADER_VERSION_COMPLETE),
           VK_API_VERSION_PATCH(VK_HEADER_VERSION_COMPLETE), ZSTD_versionString());
    return SLUICE_EXIT_OK;
}
