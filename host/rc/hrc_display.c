/* Displays: there is one, it shows nothing, and its numbers are constant. */
#include "host/rc/hrc_internal.h"

enum { WIDTH_PX = 1280, HEIGHT_PX = 720, DPI = 160, FPS = 60 };
enum { FB_WIDTH = 1, FB_HEIGHT = 2, FB_XDPI = 3, FB_YDPI = 4, FB_FPS = 5 };

static int32_t fb_param(int32_t param)
{
    switch (param) {
    case FB_WIDTH:
        return WIDTH_PX;
    case FB_HEIGHT:
        return HEIGHT_PX;
    case FB_XDPI:
    case FB_YDPI:
        return DPI;
    case FB_FPS:
        return FPS;
    default:
        return -1; /* the limits of the swap interval among them */
    }
}

int32_t hrc_rcGetFBParam(struct hr_call *call, const struct rc_args_rcGetFBParam *args)
{
    (void)call;
    return fb_param(args->param);
}

int32_t hrc_rcGetFBDisplayConfigsCount(struct hr_call *call,
                                       const struct rc_args_rcGetFBDisplayConfigsCount *args)
{
    (void)call;
    (void)args;
    return 1;
}

int32_t hrc_rcGetFBDisplayConfigsParam(struct hr_call *call,
                                       const struct rc_args_rcGetFBDisplayConfigsParam *args)
{
    (void)call;
    return args->configId == 0 ? fb_param(args->param) : -1;
}

int32_t hrc_rcGetFBDisplayActiveConfig(struct hr_call *call,
                                       const struct rc_args_rcGetFBDisplayActiveConfig *args)
{
    (void)call;
    (void)args;
    return 0;
}

void hrc_rcFBPost(struct hr_call *call, const struct rc_args_rcFBPost *args)
{
    struct hs_buffer *b = hrc_buffer(hrc_thread_of(call)->client, args->colorBuffer);
    if (b == NULL) {
        hr_call_refuse(call, "unknown colour buffer 0x%x", args->colorBuffer);
    }
    hs_put(b);
}

static int32_t no_display(struct hr_call *call, uint32_t id)
{
    hr_call_refuse(call, "display %u: this host is headless", id);
    return -1;
}

int32_t hrc_rcCreateDisplay(struct hr_call *call, const struct rc_args_rcCreateDisplay *args)
{
    (void)args;
    return no_display(call, 0);
}

int32_t hrc_rcCreateDisplayById(struct hr_call *call,
                                const struct rc_args_rcCreateDisplayById *args)
{
    return no_display(call, args->displayId);
}

int32_t hrc_rcDestroyDisplay(struct hr_call *call, const struct rc_args_rcDestroyDisplay *args)
{
    return no_display(call, args->displayId);
}

int32_t hrc_rcSetDisplayColorBuffer(struct hr_call *call,
                                    const struct rc_args_rcSetDisplayColorBuffer *args)
{
    return no_display(call, args->displayId);
}

int32_t hrc_rcGetDisplayColorBuffer(struct hr_call *call,
                                    const struct rc_args_rcGetDisplayColorBuffer *args)
{
    return no_display(call, args->displayId);
}

int32_t hrc_rcGetColorBufferDisplay(struct hr_call *call,
                                    const struct rc_args_rcGetColorBufferDisplay *args)
{
    (void)args;
    return no_display(call, 0);
}

int32_t hrc_rcGetDisplayPose(struct hr_call *call, const struct rc_args_rcGetDisplayPose *args)
{
    if (args->displayId != 0) {
        return no_display(call, args->displayId);
    }
    sl_store_u32(args->w, WIDTH_PX);
    sl_store_u32(args->h, HEIGHT_PX);
    return 0;
}

int32_t hrc_rcSetDisplayPose(struct hr_call *call, const struct rc_args_rcSetDisplayPose *args)
{
    return no_display(call, args->displayId);
}

int32_t hrc_rcSetDisplayPoseDpi(struct hr_call *call,
                                const struct rc_args_rcSetDisplayPoseDpi *args)
{
    return no_display(call, args->displayId);
}
