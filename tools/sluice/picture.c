#include "tools/sluice/picture.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/say.h"
#include "transport/base/mem.h"

#include <errno.h>
#include <limits.h>
#include <png.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The picture's rows as a PNG without alpha: what a screen shows has none. False: not written. */
static bool write_png(FILE *file, const uint8_t *pixels, uint32_t width, uint32_t height)
{
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png != NULL ? png_create_info_struct(png) : NULL;
    if (info == NULL || setjmp(png_jmpbuf(png)) != 0) {
        png_destroy_write_struct(&png, &info);
        return false;
    }
    png_init_io(png, file);
    png_set_IHDR(png, info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    png_set_filler(png, 0, PNG_FILLER_AFTER);
    for (uint32_t y = 0; y < height; y++) {
        png_write_row(png, pixels + (size_t)y * width * 4);
    }
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    return fflush(file) == 0 && ferror(file) == 0;
}

int picture_write(const char *path, bool force, const uint8_t *pixels, uint32_t width,
                  uint32_t height)
{
    if (strcmp(path, "-") == 0) {
        if (!write_png(stdout, pixels, width, height)) {
            say_error("the picture cannot be written to standard output: %s", strerror(errno));
            return SLUICE_EXIT_FILE;
        }
        return SLUICE_EXIT_OK;
    }
    if (!force && access(path, F_OK) == 0) {
        say_error("%s: is there already; overwrite it with --force, or name another with --output",
                  path);
        return SLUICE_EXIT_USAGE;
    }
    char part[PATH_MAX];
    if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part) {
        say_error("%s: the name is too long; name another with --output", path);
        return SLUICE_EXIT_FILE;
    }
    FILE *file = fopen(part, "we");
    bool done = file != NULL && write_png(file, pixels, width, height);
    if (file != NULL) {
        done &= fclose(file) == 0;
    }
    if (!done || rename(part, path) != 0) {
        say_error("%s: cannot be written: %s; name another place with --output", path,
                  strerror(errno));
        (void)unlink(part);
        return SLUICE_EXIT_FILE;
    }
    return SLUICE_EXIT_OK;
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
    png.format = PNG_FORMAT_RGBA;
    out->pixels = ok ? sl_alloc_array((size_t)png.width * png.height, 4) : NULL;
    ok = out->pixels != NULL && png_image_finish_read(&png, NULL, out->pixels, 0, NULL) != 0;
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
    *picture = (struct picture){.pixels = NULL};
}
