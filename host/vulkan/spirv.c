#include "host/vulkan/spirv.h"

#include <spirv-tools/libspirv.h>
#include <stdio.h>
#include <string.h>

/* How blocks are laid out is for features of the device to say, and hurts nobody: drivers count
 * bytes. All else must be as it should. */
static spv_validator_options options_make(void)
{
    spv_validator_options options = spvValidatorOptionsCreate();
    if (options != NULL) {
        spvValidatorOptionsSetSkipBlockLayout(options, true);
        spvValidatorOptionsSetAllowLocalSizeId(options, true);
        spvValidatorOptionsSetFriendlyNames(options, false); /* only for texts */
    }
    return options;
}

static bool is_valid(const uint32_t *words, size_t count, char *why, size_t size)
{
    spv_const_binary_t binary = {words, count};
    spv_context context = spvContextCreate(SPV_ENV_VULKAN_1_3);
    spv_validator_options options = options_make();
    spv_diagnostic told = NULL;
    bool ok = context != NULL && options != NULL &&
              spvValidateWithOptions(context, options, &binary, &told) == SPV_SUCCESS;
    if (!ok) { /* the first line of what it says */
        const char *text = told != NULL && told->error != NULL ? told->error : "no memory to look";
        (void)snprintf(why, size, "%.*s", (int)strcspn(text, "\n"), text);
    }
    spvDiagnosticDestroy(told);
    spvValidatorOptionsDestroy(options);
    spvContextDestroy(context);
    return ok;
}

spirv_check spirv_checker(void)
{
    return is_valid;
}
