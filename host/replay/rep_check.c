/* Which answers say the same on every run, and which calls wait. */
#include "host/replay/rep_priv.h"

#include "transport/base/bytes.h"
#include "wire/gles1_names.h"
#include "wire/gles1_opcodes.h"
#include "wire/gles2_names.h"
#include "wire/gles2_opcodes.h"
#include "wire/glesx_opcodes.h"
#include "wire/rc_opcodes.h"
#include "wire/vk_opcodes.h"

/* Of EXT_disjoint_timer_query. */
#define GL_TIMESTAMP_EXT 0x8E28u

static bool is_among(uint32_t opcode, const uint32_t *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == opcode) {
            return true;
        }
    }
    return false;
}

/* The time, asked for among other things. */
static bool is_time(uint32_t opcode, const uint8_t *packet, size_t size)
{
    return opcode == GLES2_OP_glGetInteger64v && size >= 12 &&
           sl_load_u32(packet + 8) == GL_TIMESTAMP_EXT;
}

bool rep_is_deterministic(const uint8_t *packet, size_t size)
{
    const uint32_t opcode = sl_load_u32(packet);
    /* Times, addresses, what has happened so far, what a driver keeps for itself. */
    static const uint32_t others[] = {
        VK_OP_vkGetFenceStatus,
        VK_OP_vkWaitForFences,
        VK_OP_vkWaitSemaphores,
        VK_OP_vkWaitSemaphoresKHR,
        VK_OP_vkGetSemaphoreCounterValue,
        VK_OP_vkGetSemaphoreCounterValueKHR,
        VK_OP_vkGetEventStatus,
        VK_OP_vkGetQueryPoolResults,
        VK_OP_vkGetBufferDeviceAddress,
        VK_OP_vkGetBufferDeviceAddressKHR,
        VK_OP_vkGetBufferOpaqueCaptureAddress,
        VK_OP_vkGetBufferOpaqueCaptureAddressKHR,
        VK_OP_vkGetDeviceMemoryOpaqueCaptureAddress,
        VK_OP_vkGetDeviceMemoryOpaqueCaptureAddressKHR,
        VK_OP_vkGetPipelineCacheData,
        VK_OP_vkGetMemoryHostAddressInfoGOOGLE,
        VK_OP_vkGetCalibratedTimestampsEXT,
        VK_OP_vkGetCalibratedTimestampsKHR,
        VK_OP_vkGetPhysicalDeviceMemoryProperties2,
        VK_OP_vkGetPhysicalDeviceMemoryProperties2KHR,
        VK_OP_vkCreateGraphicsPipelines, /* feedback: how long it took */
        VK_OP_vkCreateComputePipelines,
        RC_OP_rcClientWaitSyncKHR,
        RC_OP_rcIsSyncSignaled,
        RC_OP_rcCreateSyncKHR,
        GLES2_OP_glClientWaitSyncAEMU,
        GLES2_OP_glGetSyncivAEMU,
        GLES2_OP_glGetQueryObjectuiv,
        GLESX_OP_glGetQueryObjectivEXT,
        GLESX_OP_glGetQueryObjecti64vEXT,
        GLESX_OP_glGetQueryObjectui64vEXT,
        GLES2_OP_glGetProgramBinary,
        GLES2_OP_glGetProgramBinaryOES,
    };
    return !is_among(opcode, others, sizeof others / sizeof others[0]) &&
           !is_time(opcode, packet, size);
}

bool rep_may_block(uint32_t opcode)
{
    static const uint32_t waits[] = {
        VK_OP_vkWaitForFences,
        VK_OP_vkWaitSemaphores,
        VK_OP_vkQueueWaitIdle,
        VK_OP_vkDeviceWaitIdle,
        RC_OP_rcClientWaitSyncKHR,
        GLES2_OP_glClientWaitSyncAEMU,
        VK_OP_vkQueueFlushCommandsGOOGLE,
    };
    return is_among(opcode, waits, sizeof waits / sizeof waits[0]);
}

bool rep_names_shared(uint32_t opcode)
{
    return gles2_op_shares(opcode) || gles1_op_shares(opcode);
}

bool rep_only_names(uint32_t opcode)
{
    static const uint32_t names[] = {
        GLES2_OP_glGenBuffers,          GLES2_OP_glGenFramebuffers,    GLES2_OP_glGenRenderbuffers,
        GLES2_OP_glGenTextures,         GLES1_OP_glGenBuffers,         GLES1_OP_glGenTextures,
        GLES1_OP_glGenRenderbuffersOES, GLES1_OP_glGenFramebuffersOES,
    };
    return is_among(opcode, names, sizeof names / sizeof names[0]);
}

bool rep_names_once(uint32_t opcode)
{
    static const uint32_t names[] = {
        GLES2_OP_glGenVertexArrays,
        GLES2_OP_glGenVertexArraysOES,
        GLES2_OP_glGenQueries,
        GLES2_OP_glGenSamplers,
        GLES2_OP_glGenTransformFeedbacks,
        GLES2_OP_glGenProgramPipelines,
        GLES2_OP_glCreateShaderProgramvAEMU,
    };
    return is_among(opcode, names, sizeof names / sizeof names[0]);
}

bool rep_makes_staying(uint32_t opcode)
{
    return opcode == GLES2_OP_glCreateShader || opcode == GLES2_OP_glCreateProgram;
}

bool rep_ends_staying(uint32_t opcode)
{
    return opcode == GLES2_OP_glDeleteShader || opcode == GLES2_OP_glDeleteProgram;
}
