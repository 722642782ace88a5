#include "host/vulkan/spirv.h"

#include <spirv-tools/libspirv.h>
#include <stdio.h>
#include <string.h>

/* What the validator takes long for, whatever a module's size, and as much of it as takes a second
 * or a few: it looks at pairs of a function's blocks, walks from functions to what they call, and
 * at each block of structures that lie in each other through all that it lies in. */
#define PAIRS_MAX  ((uint64_t)1 << 28) /* of blocks: 16,384 in one function */
#define CALLS_MAX  ((uint64_t)1 << 24) /* calls and entry points, times functions */
#define NESTED_MAX ((uint64_t)1 << 26) /* blocks, times the square of how deep they lie */
#define DEPTH_MAX  1023u               /* as the specification has it */

#define HEADER 5u

struct work {
    uint64_t blocks, pairs, functions, calls;
};

static uint64_t square(uint64_t n)
{
    return n * n; /* of less than 2^30: words */
}

/* Stops where an instruction has no length, which the validator says. */
static struct work count_work(const uint32_t *words, size_t count)
{
    enum { ENTRY_POINT = 15, FUNCTION = 54, FUNCTION_CALL = 57, LABEL = 248 };
    struct work work = {0};
    uint64_t own = 0; /* blocks of the function */
    for (size_t at = HEADER; at < count && words[at] >> 16 != 0; at += words[at] >> 16) {
        uint32_t op = words[at] & 0xffff;
        work.calls += op == ENTRY_POINT || op == FUNCTION_CALL;
        if (op == LABEL) {
            own++;
            work.blocks++;
        } else if (op == FUNCTION) {
            work.functions++;
            work.pairs += square(own);
            own = 0;
        }
    }
    work.pairs += square(own);
    return work;
}

static uint32_t depth_of(const struct work *work)
{
    uint32_t depth = DEPTH_MAX;
    while (depth > 1 && work->blocks * square(depth) > NESTED_MAX) {
        depth--;
    }
    return depth;
}

static bool is_much(const struct work *work, char *why, size_t size)
{
    if (work->pairs > PAIRS_MAX) {
        (void)snprintf(why, size, "its functions have too many blocks to look at: %llu",
                       (unsigned long long)work->blocks);
        return true;
    }
    if (work->functions != 0 && work->calls > CALLS_MAX / work->functions) {
        (void)snprintf(why, size, "it has too many calls to look at: %llu of %llu functions",
                       (unsigned long long)work->calls, (unsigned long long)work->functions);
        return true;
    }
    return false;
}

/* How blocks are laid out is for features of the device to say, and hurts nobody: drivers count
 * bytes. All else must be as it should. */
static spv_validator_options options_make(uint32_t depth)
{
    spv_validator_options options = spvValidatorOptionsCreate();
    if (options != NULL) {
        spvValidatorOptionsSetSkipBlockLayout(options, true);
        spvValidatorOptionsSetAllowLocalSizeId(options, true);
        spvValidatorOptionsSetFriendlyNames(options, false); /* only for texts */
        spvValidatorOptionsSetUniversalLimit(
            options, spv_validator_limit_max_control_flow_nesting_depth, depth);
    }
    return options;
}

static bool is_valid(const uint32_t *words, size_t count, char *why, size_t size)
{
    const struct work work = count_work(words, count);
    if (is_much(&work, why, size)) {
        return false;
    }
    spv_const_binary_t binary = {words, count};
    spv_context context = spvContextCreate(SPV_ENV_VULKAN_1_3);
    spv_validator_options options = options_make(depth_of(&work));
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
