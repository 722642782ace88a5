#include "tools/sluice/picture.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace.h"
#include "host/capture/cap_part.h"
#include "transport/base/fd.h"
#include "transport/base/mem.h"

#include <errno.h>
#include <limits.h>
#include <png.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void put_texts(png_structp png, png_infop info, const struct picture_content *c)
{
    png_text texts[2];
    int count = 0;
    memset(texts, 0, sizeof texts);
    if (c->call != NULL) {
        texts[count++] = (png_text){.compression = PNG_TEXT_COMPRESSION_NONE,
                                    .key = (char *)(uintptr_t) "Call",
                                    .text = (char *)(uintptr_t)c->call};
    }
    if (c->depth_range != NULL) {
        texts[count++] = (png_text){.compression = PNG_TEXT_COMPRESSION_NONE,
                                    .key = (char *)(uintptr_t) "Depth-Range",
                                    .text = (char *)(uintptr_t)c->depth_range};
    }
    if (count != 0) {
        png_set_text(png, info, texts, count);
    }
}

static const struct {
    int color, bits;
    size_t bytes; /* of a pixel */
} kinds[] = {[PICTURE_RGB] = {PNG_COLOR_TYPE_RGB, 8, 4},
             [PICTURE_RGBA] = {PNG_COLOR_TYPE_RGB_ALPHA, 8, 4},
             [PICTURE_GREY8] = {PNG_COLOR_TYPE_GRAY, 8, 1},
             [PICTURE_GREY16] = {PNG_COLOR_TYPE_GRAY, 16, 2}};

/* False: not written. */
static bool write_png(FILE *file, const struct picture_content *c)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png != NULL ? png_create_info_struct(png) : NULL;
    if (info == NULL || setjmp(png_jmpbuf(png)) != 0) {
        png_destroy_write_struct(&png, &info);
        return false;
    }
    const uint8_t *pixels = c->pixels;
    png_init_io(png, file);
    png_set_IHDR(png, info, c->width_px, c->height_px, kinds[c->kind].bits, kinds[c->kind].color,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    put_texts(png, info, c);
    png_write_info(png, info);
    if (c->kind == PICTURE_RGB) {
        png_set_filler(png, 0, PNG_FILLER_AFTER);
    } else if (c->kind == PICTURE_GREY16) {
        png_set_swap(png); /* ours is the little end first */
    }
    for (uint32_t y = 0; y < c->height_px; y++) {
        png_write_row(png, pixels + (size_t)y * c->width_px * kinds[c->kind].bytes);
    }
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    return fflush(file) == 0 && ferror(file) == 0;
}

int picture_write(const char *path, const struct picture_rules *rules, const uint8_t *pixels,
                  uint32_t width, uint32_t height)
{
    /* Without alpha: what a screen shows has none. */
    const struct picture_content content = {
        .kind = PICTURE_RGB, .pixels = pixels, .width_px = width, .height_px = height};
    return picture_write_as(path, rules, &content);
}

static int say_taken(const char *path)
{
    say_error("%s: is there already; overwrite it with --force, or name another", path);
    return SLUICE_EXIT_USAGE;
}

static int say_failed(const char *path)
{
    say_error("%s: cannot be written: %s; name another place", path, strerror(errno));
    return SLUICE_EXIT_FILE;
}

/* The picture as NAME.part, which gets its name. */
static int write_part(const char *path, const char *part, int fd, bool force,
                      const struct picture_content *content)
{
    FILE *file = fdopen(fd, "w");
    bool done = file != NULL && write_png(file, content);
    int code = SLUICE_EXIT_OK;
    done = done && cap_part_name(part, path, force) == SL_OK;
    if (!done) {
        code = errno == EEXIST ? say_taken(path) : say_failed(path);
        (void)unlink(part);
    }
    if (file == NULL) {
        sl_fd_close(&fd);
    } else {
        (void)fclose(file); /* it was flushed */
    }
    return code;
}

int picture_write_as(const char *path, const struct picture_rules *rules,
                     const struct picture_content *content)
{
    char part[PATH_MAX];
    int fd = -1;
    if (strcmp(path, "-") == 0) {
        if (!write_png(stdout, content)) {
            say_error("the picture cannot be written to standard output: %s", strerror(errno));
            return SLUICE_EXIT_FILE;
        }
        return SLUICE_EXIT_OK;
    }
    if (trace_is_input(path, rules->inputs, rules->input_count)) {
        return SLUICE_EXIT_USAGE;
    }
    if (!rules->force && access(path, F_OK) == 0) {
        return say_taken(path);
    }
    if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part) {
        say_error("%s: the name is too long; name another", path);
        return SLUICE_EXIT_FILE;
    }
    switch (cap_part_open(part, rules->force, &fd)) {
    case SL_OK:
        return write_part(path, part, fd, rules->force, content);
    case SL_ERR_AGAIN:
        say_error("%s: is being written by somebody else; name another", part);
        return SLUICE_EXIT_USAGE;
    case SL_ERR_INVALID:
        return say_taken(part);
    default:
        return say_failed(path);
    }
}

/* Of one channel of 16 bits: as it is, and its upper halves as grey. */
static bool read_deep(png_image *png, struct picture *out)
{
    size_t count = (size_t)png->width * png->height;
    png->format = PNG_FORMAT_LINEAR_Y; /* such files are read as linear: nothing is converted */
    out->deep = sl_alloc_array(count, sizeof *out->deep);
    out->pixels = sl_alloc_array(count, 4);
    bool ok = out->deep != NULL && out->pixels != NULL &&
              png_image_finish_read(png, NULL, out->deep, 0, NULL) != 0;
    for (size_t i = 0; ok && i < count; i++) {
        memset(out->pixels + 4 * i, out->deep[i] >> 8, 3);
        out->pixels[4 * i + 3] = UINT8_MAX;
    }
    return ok;
}

static bool read_flat(png_image *png, struct picture *out)
{
    png->format = PNG_FORMAT_RGBA;
    out->pixels = sl_alloc_array((size_t)png->width * png->height, 4);
    return out->pixels != NULL && png_image_finish_read(png, NULL, out->pixels, 0, NULL) != 0;
}

int picture_read(const char *path, struct picture *out)
{
    png_image png = {.version = PNG_IMAGE_VERSION};
    *out = (struct picture){.pixels = NULL};
    errno = 0;
    bool ok = png_image_begin_read_from_file(&png, path) != 0;
    if (ok && (png.width > PICTURE_SIDE_MAX || png.height > PICTURE_SIDE_MAX)) {
        say_error("%s: is %ux%u; pictures have at most %u pixels a side", path, png.width,
                  png.height, PICTURE_SIDE_MAX);
        png_image_free(&png);
        return SLUICE_EXIT_FILE;
    }
    ok = ok && (png.format == PNG_FORMAT_LINEAR_Y ? read_deep : read_flat)(&png, out);
    if (!ok) {
        say_error("%s: cannot be read as a PNG: %s", path,
                  png.message[0] != '\0' ? png.message : "no memory");
        png_image_free(&png);
        picture_free(out);
        return SLUICE_EXIT_FILE;
    }
    out->width_px = png.width;
    out->height_px = png.height;
    return SLUICE_EXIT_OK;
}

void picture_free(struct picture *picture)
{
    sl_free(picture->pixels);
    sl_free(picture->deep);
    *picture = (struct picture){.pixels = NULL};
}
