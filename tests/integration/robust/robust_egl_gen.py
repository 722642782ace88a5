#!/usr/bin/env python3
"""Every function of EGL 1.5 and of its extensions as a call with arguments to choose: headers -> C.

usage: robust_egl_gen.py --header egl.h --header eglext.h --out robust_egl_calls.c
    --lists robust_egl_lists.c

A function's parameters become choices of robust_egl.h by their type; which enums are tried for
which parameter stands in the tables below, beside all that the headers have for attributes. A
function whose types are not known here has no call: the program fails when its display offers it.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Dict, List, NamedTuple, Tuple

LEFT_OUT = {
    "eglGetError": "it is asked after each call",
    "eglBindWaylandDisplayWL": "a compositor's: it needs a wl_display, and has no other argument",
    "eglUnbindWaylandDisplayWL": "as eglBindWaylandDisplayWL",
    "eglQueryWaylandBufferWL": "it reads the wl_resource",
}
# After one of these succeeded, the next call finds a new world.
CHANGES = re.compile(
    r"egl(BindAPI|BindTexImage|Destroy|Initialize|MakeCurrent|Release|Signal|SurfaceAttrib|Swap|"
    r"SetDamage|Terminate|Debug)"
)
HANDLES = {
    "EGLDisplay": "display",
    "EGLConfig": "config",
    "EGLContext": "context",
    "EGLSurface": "surface",
    "EGLSync": "sync",
    "EGLSyncKHR": "sync",
    "EGLImage": "image",
    "EGLImageKHR": "image",
    "EGLDeviceEXT": "device",
    "EGLObjectKHR": "object",
}
# How an argument is chosen, by its type.
CHOICES = {
    "EGLClientBuffer": "regl_client_buffer(r)",
    "EGLNativeDisplayType": "(EGLNativeDisplayType)regl_native_display(r)",
    "EGLNativeWindowType": "(EGLNativeWindowType)regl_native_window(r)",
    "EGLNativePixmapType": "(EGLNativePixmapType)regl_native_pixmap(r)",
    "EGLTime": "regl_time(r)",
    "EGLTimeKHR": "regl_time(r)",
    "EGLLabelKHR": "(EGLLabelKHR)regl_output(r)",
    "EGLDEBUGPROCKHR": "NULL",
    "const char *": "regl_text(r)",
    "EGLConfig *": "regl_output(r)",
    "EGLDeviceEXT *": "regl_output(r)",
    "EGLint *": "regl_output(r)",
    "int *": "regl_output(r)",
    "EGLBoolean *": "regl_output(r)",
    "EGLuint64KHR *": "regl_output(r)",
    "EGLAttrib *": "regl_output(r)",
    **{t: f"regl_{name}(r)" for t, name in HANDLES.items()},
}
# Parameters by name that are not what their type says.
NAMED = {
    "native_display": "regl_native_display(r)",
    "native_window": "regl_native_window_pointer(r)",
    "native_pixmap": "regl_native_pixmap_pointer(r)",
    "rects": "regl_rects(r)",
}
# Outputs whose values are not compared: handles, and counts of lists that another test compares.
NOT_COMPARED = {"configs", "devices", "num_config", "eglQueryDisplayAttribEXT", "eglQueryDebugKHR"}
# Extensions whose functions others bring, too.
BROUGHT_BY = {"EGL_KHR_image": "EGL_KHR_image_base"}
ENUMS = {
    "api": "OPENGL_ES_API OPENGL_API OPENVG_API",
    "attribute": "",
    "buffer": "BACK_BUFFER SINGLE_BUFFER",
    "buftype": "OPENVG_IMAGE",
    "engine": "CORE_NATIVE_ENGINE",
    "flags": "SYNC_FLUSH_COMMANDS_BIT",
    "mode": "SIGNALED UNSIGNALED",
    "name": "VENDOR VERSION EXTENSIONS CLIENT_APIS DRM_DEVICE_FILE_EXT DRM_RENDER_NODE_FILE_EXT "
    "RENDERER_EXT",
    "objectType": "OBJECT_THREAD_KHR OBJECT_DISPLAY_KHR OBJECT_CONTEXT_KHR OBJECT_SURFACE_KHR "
    "OBJECT_IMAGE_KHR OBJECT_SYNC_KHR",
    "platform": "PLATFORM_DEVICE_EXT PLATFORM_SURFACELESS_MESA PLATFORM_X11_KHR PLATFORM_XCB_EXT "
    "PLATFORM_ANDROID_KHR",
    "readdraw": "DRAW READ",
    "target": "GL_TEXTURE_2D GL_TEXTURE_3D GL_TEXTURE_CUBE_MAP_POSITIVE_X "
    "GL_TEXTURE_CUBE_MAP_NEGATIVE_Z GL_RENDERBUFFER NATIVE_PIXMAP_KHR LINUX_DMA_BUF_EXT",
    "type": "SYNC_FENCE SYNC_REUSABLE_KHR SYNC_CL_EVENT SYNC_NATIVE_FENCE_ANDROID",
}
# Attributes that belong to the function, and values for them.
SURFACE = (
    "RENDER_BUFFER GL_COLORSPACE VG_COLORSPACE VG_ALPHA_FORMAT WIDTH HEIGHT LARGEST_PBUFFER "
    "MIPMAP_TEXTURE TEXTURE_FORMAT TEXTURE_TARGET",
    "BACK_BUFFER SINGLE_BUFFER GL_COLORSPACE_LINEAR GL_COLORSPACE_SRGB VG_ALPHA_FORMAT_PRE "
    "TEXTURE_RGB TEXTURE_RGBA TEXTURE_2D NO_TEXTURE",
)
SYNC = ("SYNC_TYPE SYNC_STATUS SYNC_CONDITION CL_EVENT_HANDLE", "NONE")
IMAGE = ("GL_TEXTURE_LEVEL GL_TEXTURE_ZOFFSET IMAGE_PRESERVED", "TRUE FALSE")
CONFIG = (
    "ALPHA_SIZE BLUE_SIZE BUFFER_SIZE CONFIG_CAVEAT CONFIG_ID CONFORMANT DEPTH_SIZE LEVEL "
    "MATCH_NATIVE_PIXMAP MAX_PBUFFER_WIDTH MIN_SWAP_INTERVAL NATIVE_RENDERABLE NATIVE_VISUAL_TYPE "
    "RENDERABLE_TYPE SAMPLES SURFACE_TYPE TRANSPARENT_TYPE TRANSPARENT_RED_VALUE "
    "BIND_TO_TEXTURE_RGB COLOR_BUFFER_TYPE LUMINANCE_SIZE ALPHA_MASK_SIZE",
    "SLOW_CONFIG NON_CONFORMANT_CONFIG TRANSPARENT_RGB RGB_BUFFER LUMINANCE_BUFFER DONT_CARE "
    "OPENGL_ES2_BIT OPENGL_ES3_BIT PBUFFER_BIT WINDOW_BIT",
)
ATTRIBS: Dict[str, Tuple[str, str]] = {
    "eglChooseConfig": CONFIG,
    "eglCreateContext": (
        "CONTEXT_MAJOR_VERSION CONTEXT_MINOR_VERSION CONTEXT_FLAGS_KHR CONTEXT_OPENGL_DEBUG "
        "CONTEXT_OPENGL_ROBUST_ACCESS CONTEXT_OPENGL_ROBUST_ACCESS_EXT "
        "CONTEXT_OPENGL_RESET_NOTIFICATION_STRATEGY "
        "CONTEXT_OPENGL_RESET_NOTIFICATION_STRATEGY_EXT CONTEXT_OPENGL_NO_ERROR_KHR "
        "CONTEXT_PRIORITY_LEVEL_IMG CONTEXT_OPENGL_PROFILE_MASK "
        "CONTEXT_OPENGL_FORWARD_COMPATIBLE CONTEXT_RELEASE_BEHAVIOR_KHR",
        "NO_RESET_NOTIFICATION LOSE_CONTEXT_ON_RESET CONTEXT_PRIORITY_HIGH_IMG "
        "CONTEXT_RELEASE_BEHAVIOR_FLUSH_KHR CONTEXT_RELEASE_BEHAVIOR_NONE_KHR TRUE FALSE",
    ),
    "eglCreatePbufferSurface": SURFACE,
    "eglCreatePbufferFromClientBuffer": SURFACE,
    "eglCreatePixmapSurface": SURFACE,
    "eglCreateWindowSurface": SURFACE,
    "eglCreatePlatformWindowSurface": SURFACE,
    "eglCreatePlatformWindowSurfaceEXT": SURFACE,
    "eglCreatePlatformPixmapSurface": SURFACE,
    "eglCreatePlatformPixmapSurfaceEXT": SURFACE,
    "eglCreateSync": SYNC,
    "eglCreateSyncKHR": SYNC,
    "eglCreateSync64KHR": SYNC,
    "eglCreateImage": IMAGE,
    "eglCreateImageKHR": IMAGE,
    "eglGetPlatformDisplay": ("PLATFORM_X11_SCREEN_KHR PLATFORM_XCB_SCREEN_EXT", "NONE"),
    "eglGetPlatformDisplayEXT": ("PLATFORM_X11_SCREEN_KHR PLATFORM_XCB_SCREEN_EXT", "NONE"),
    "eglDebugMessageControlKHR": (
        "DEBUG_MSG_CRITICAL_KHR DEBUG_MSG_ERROR_KHR DEBUG_MSG_WARN_KHR",
        "TRUE FALSE",
    ),
    "eglQueryDebugKHR": ("DEBUG_CALLBACK_KHR DEBUG_MSG_CRITICAL_KHR DEBUG_MSG_INFO_KHR", "NONE"),
    "eglGetConfigAttrib": CONFIG,
    "eglGetSyncAttrib": SYNC,
    "eglGetSyncAttribKHR": SYNC,
    "eglQueryContext": (
        "CONFIG_ID CONTEXT_CLIENT_TYPE CONTEXT_CLIENT_VERSION RENDER_BUFFER "
        "CONTEXT_PRIORITY_LEVEL_IMG",
        "NONE",
    ),
    "eglQuerySurface": (
        SURFACE[0] + " BUFFER_AGE_EXT CONFIG_ID HORIZONTAL_RESOLUTION VERTICAL_RESOLUTION "
        "PIXEL_ASPECT_RATIO MIPMAP_LEVEL MULTISAMPLE_RESOLVE SWAP_BEHAVIOR",
        "NONE",
    ),
    "eglSurfaceAttrib": (
        "MIPMAP_LEVEL MULTISAMPLE_RESOLVE SWAP_BEHAVIOR",
        "MULTISAMPLE_RESOLVE_DEFAULT MULTISAMPLE_RESOLVE_BOX BUFFER_PRESERVED BUFFER_DESTROYED",
    ),
    "eglQueryDisplayAttribEXT": ("DEVICE_EXT", "NONE"),
}
RETURNS = {
    "char *": "owned",
    "EGLBoolean": "number",
    "EGLint": "number",
    "EGLenum": "number",
    "EGLDisplay": "display",
    "EGLContext": "context",
    "EGLSurface": "surface",
    "EGLSync": "sync",
    "EGLSyncKHR": "sync",
    "EGLImage": "image",
    "EGLImageKHR": "image",
}


class Function(NamedTuple):
    name: str
    extension: str  # empty: of the core
    returns: str
    params: List[Tuple[str, str]]  # type, name


def parsed(param: str) -> Tuple[str, str]:
    match = re.fullmatch(r"(.*?)(\w+)", param.strip())
    assert match is not None
    return re.sub(r"\s*\*", " *", match.group(1).strip()), match.group(2)


def functions(header: Path) -> List[Function]:
    found = []
    extension = ""
    for line in header.read_text(encoding="utf-8").splitlines():
        guard = re.match(r"#ifndef (EGL_\w+)$", line)
        if guard is not None and guard.group(1) != "EGL_EGL_PROTOTYPES":
            extension = "" if guard.group(1).startswith("EGL_VERSION_") else guard.group(1)
        match = re.match(r"EGLAPI (.*?)\s*EGLAPIENTRY (\w+) \((.*)\);", line)
        if match is not None:
            returns, name, params = match.groups()
            listed = [] if params == "void" else [parsed(p) for p in params.split(",")]
            found.append(Function(name, extension, returns.strip(), listed))
    return found


def tokens(headers: List[Path]) -> List[str]:
    """What the core's header and EGL's own extensions call by a number."""
    text = "".join(header.read_text(encoding="utf-8") for header in headers)
    return sorted(set(re.findall(r"#define (EGL_\w+)\s+0x3[0-3][0-9A-F]{2}$", text, re.M)))


def table(words: str) -> str:
    return "".join(f"EGL_{word}, " for word in words.split())


def argument(function: Function, c_type: str, name: str) -> str:
    """Empty: no choice for it."""
    keys, values = ATTRIBS.get(function.name, ("", ""))
    if name in NAMED:
        return NAMED[name]
    if name == "attrib_list":
        wide = "attribs" if "EGLAttrib" in c_type else "ints"
        return f"regl_{wide}(r, keys, COUNT(keys), values, COUNT(values))" if keys else ""
    if c_type in ("EGLenum", "EGLint") and name == "attribute":
        return "regl_attribute(r, keys, COUNT(keys))"
    if c_type in ("EGLenum", "EGLint") and name == "value":
        return "regl_value(r, values, COUNT(values))"
    if c_type in ("EGLenum", "EGLint") and name in ENUMS:
        return f"regl_enum(r, enums_{name}, COUNT(enums_{name}))"
    if c_type == "EGLint":
        return "regl_int(r)"
    if c_type.endswith("*") and NOT_COMPARED & {name, function.name}:
        return "regl_output_uncompared(r)"
    return CHOICES.get(c_type, "")


def call(function: Function) -> str:
    """Empty: it cannot be called from here."""
    chosen = [argument(function, *param) for param in function.params]
    if not all(chosen) or function.name in LEFT_OUT:
        return ""
    text = f"static void call_{function.name}(struct regl *r)\n{{\n"
    lists = "".join(chosen)
    keys, values = ATTRIBS.get(function.name, ("", ""))
    for name, words in (("keys", keys), ("values", values)):
        if name in lists:
            text += f"    static const EGLint {name}[] = {{{table(words) or 'EGL_NONE'}}};\n"
    for index, (c_type, _) in enumerate(function.params):
        text += f"    {c_type} a{index} = {chosen[index]};\n"
    text += "    if (!regl_may_go(r)) {\n        return;\n    }\n"
    called = function.name
    if function.extension:
        text += f'    __typeof__(&{called}) call = (__typeof__(call))regl_proc("{called}");\n'
        called = "call"
    called += f"({', '.join(f'a{i}' for i in range(len(chosen)))})"
    if function.returns in RETURNS:
        text += f"    regl_returned_{RETURNS[function.returns]}(r, {called});\n}}\n"
    else:
        text += f"    regl_returned_pointer(r, (const void *){called});\n}}\n"
    return text


def attribute_list(name: str) -> str:
    """A function's attributes and values, as a row of regl_lists."""
    keys, values = (f"(const EGLint[]){{{table(words)}}}" for words in ATTRIBS[name])
    counts = [len(words.split()) for words in ATTRIBS[name]]
    return f'    {{"{name}", {keys}, {counts[0]}, {values}, {counts[1]}}},\n'


def row(function: Function, has_call: bool) -> str:
    name = f"call_{function.name}" if has_call else "NULL"
    changes = "true" if CHANGES.match(function.name) else "false"
    makes = "true" if function.name.startswith("eglCreate") else "false"
    extension = BROUGHT_BY.get(function.extension, function.extension)
    return f'    {{"{function.name}", "{extension}", {name}, {changes}, {makes}}},\n'


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--header", type=Path, action="append", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--lists", type=Path, required=True)
    args = parser.parse_args()
    found = [function for header in args.header for function in functions(header)]
    unknown = sorted((set(LEFT_OUT) | set(ATTRIBS)) - {f.name for f in found})
    if unknown:
        print(f"robust_egl_gen.py: there is no {unknown[0]}", file=sys.stderr)
        return 1
    calls = {f.name: call(f) for f in found if f.name not in LEFT_OUT}
    rows = "".join(row(f, calls[f.name] != "") for f in found if f.name in calls)
    enums = "".join(
        f"static const EGLint enums_{name}[] = {{{table(words)}}};\n"
        for name, words in sorted(ENUMS.items())
        if words
    )
    args.out.write_text(
        "/* Generated by robust_egl_gen.py from EGL's headers. */\n"
        "#define EGL_EGLEXT_PROTOTYPES\n"
        '#include "tests/integration/robust/robust_egl.h"\n\n'
        f"{enums}\n{chr(10).join(c for c in calls.values() if c)}\n"
        f"const struct regl_call regl_calls[] = {{\n{rows}}};\n"
        "const int regl_call_count = COUNT(regl_calls);\n",
        encoding="utf-8",
    )
    args.lists.write_text(
        "/* Generated by robust_egl_gen.py from EGL's headers. */\n"
        '#include "tests/integration/robust/robust_egl_lists.h"\n\n'
        '#include "tests/integration/robust/robust_pick.h"\n\n'
        f"const EGLint regl_tokens[] = {{{', '.join(tokens(args.header))}}};\n"
        "const int regl_token_count = COUNT(regl_tokens);\n\n"
        f"const struct regl_list regl_lists[] = {{\n{''.join(map(attribute_list, ATTRIBS))}}};\n"
        "const int regl_list_count = COUNT(regl_lists);\n",
        encoding="utf-8",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
