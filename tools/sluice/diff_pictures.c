#include "tools/sluice/diff_pictures.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/folder.h"
#include "tools/sluice/json.h"
#include "tools/sluice/picture.h"
#include "tools/sluice/say.h"
#include "host/capture/cap_part.h"
#include "transport/base/fd.h"
#include "transport/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE "index.html"

static const char *const sides[] = {"first", "second"};

/* What was found of two pictures of one name. */
struct verdict {
    bool differs, is_missing[2];
    bool has_difference; /* a picture of it was written */
    uint32_t width_px[2], height_px[2];
    uint64_t pixels; /* that differ */
    uint32_t most;   /* largest difference of a channel */
    double squares;  /* of the differences of red, green and blue: their mean */
};

struct pictures {
    const char *const *folders;
    const struct pictures_options *options;
    FILE *page; /* nullable: index.html.part in `out` */
    struct pictures_result *result;
};

/* --- the page --- */

static void html_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        const char *as = *text == '<'   ? "&lt;"
                         : *text == '>' ? "&gt;"
                         : *text == '&' ? "&amp;"
                         : *text == '"' ? "&quot;"
                                        : NULL;
        if (as != NULL) {
            fputs(as, out);
        } else {
            fputc(*text, out);
        }
    }
}

/* A picture's name in a link: what a URL does not take as it is goes as %20. */
static void html_link(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (is_plain || strchr("-_.", c) != NULL) {
            fputc(c, out);
        } else {
            fprintf(out, "%%%02x", c);
        }
    }
}

static void page_begin(const struct pictures *p)
{
    fputs("<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>sluice diff</title>\n"
          "<style>body{font-family:sans-serif;margin:1em}td,th{padding:.3em;text-align:left;"
          "vertical-align:top}img{max-width:30vw;image-rendering:pixelated;background:#888}"
          "</style></head><body>\n<h1>Pictures that differ</h1>\n<table>\n<tr><th>picture</th>",
          p->page);
    for (int i = 0; i < 2; i++) {
        fputs("<th>", p->page);
        html_text(p->page, p->options->names[i]);
        fputs("</th>", p->page);
    }
    fputs("<th>difference</th></tr>\n", p->page);
}

static void page_cell(const struct pictures *p, const char *folder, const char *name)
{
    fprintf(p->page, "<td><img src=\"%s/", folder);
    html_link(p->page, name);
    fputs("\" alt=\"", p->page);
    html_text(p->page, name);
    fputs("\"></td>", p->page);
}

static void page_row(const struct pictures *p, const char *name, const struct verdict *v)
{
    fputs("<tr><td>", p->page);
    html_text(p->page, name);
    if (v->has_difference) {
        fprintf(p->page, "<br>%" PRIu64 " pixels, by up to %" PRIu32, v->pixels, v->most);
    }
    fputs("</td>", p->page);
    for (int i = 0; i < 2; i++) {
        if (v->is_missing[i]) {
            fputs("<td>is missing</td>", p->page);
        } else {
            page_cell(p, sides[i], name);
        }
    }
    if (v->has_difference) {
        page_cell(p, "difference", name);
    } else {
        fputs("<td></td>", p->page);
    }
    fputs("</tr>\n", p->page);
}

static void page_end(const struct pictures *p)
{
    fprintf(p->page,
            "</table>\n<p>%" PRIu64 " of %" PRIu64
            " pictures differ. The third column shows where: "
            "the brightest is the largest difference of a picture.</p>\n</body></html>\n",
            p->result->differing, p->result->pictures);
}

/* --- one pair --- */

static int write_into(const struct pictures *p, const char *folder, const char *name,
                      const struct picture *picture)
{
    char inside[PATH_MAX], path[PATH_MAX], first[PATH_MAX], second[PATH_MAX];
    char *const inputs[] = {first, second};
    const struct picture_rules rules = {
        .force = p->options->force, .inputs = inputs, .input_count = 2};
    (void)folder_path(first, p->folders[0], name, false); /* as they were read */
    (void)folder_path(second, p->folders[1], name, false);
    int code = folder_path(inside, p->options->out, folder, true);
    if (code == SLUICE_EXIT_OK) {
        code = folder_path(path, inside, name, true);
    }
    return code == SLUICE_EXIT_OK
               ? picture_write(path, &rules, picture->pixels, picture->width_px, picture->height_px)
               : code;
}

/* How far apart two pixels of 16 bits are, in steps of 8: a little is one. */
static uint32_t apart(uint16_t a, uint16_t b)
{
    uint32_t by = (uint32_t)abs(a - b);
    return (by + 256) / 257;
}

/* Counts what differs; with pixels: the differences of the channels, one byte each. */
static void measure(const struct picture *a, const struct picture *b, uint32_t fuzz,
                    struct verdict *v, uint8_t *pixels)
{
    size_t count = (size_t)a->width_px * a->height_px;
    bool deep = a->deep != NULL && b->deep != NULL;
    for (size_t i = 0; i < count; i++) {
        uint32_t most = 0;
        for (size_t c = 4 * i; c < 4 * i + 4; c++) {
            uint32_t by =
                deep ? apart(a->deep[i], b->deep[i]) : (uint32_t)abs(a->pixels[c] - b->pixels[c]);
            most = by > most ? by : most;
            pixels[c] = (uint8_t)by;
            v->squares += c % 4 < 3 ? (double)by * by : 0;
        }
        v->pixels += most > fuzz;
        v->most = most > v->most ? most : v->most;
    }
    v->squares /= 3.0 * (double)count;
    v->differs = v->pixels != 0;
}

/* What differs in alpha alone shows as grey, and the largest difference as the brightest. */
static void brighten(uint8_t *pixels, size_t count, uint32_t most)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t *at = pixels + 4 * i;
        for (int c = 0; c < 3; c++) {
            uint32_t by = at[c] > at[3] ? at[c] : at[3];
            at[c] = (uint8_t)(by * 255 / most);
        }
    }
}

static int compare_sizes(const struct pictures *p, const char *name, const struct picture both[2],
                         struct verdict *v)
{
    for (int i = 0; i < 2; i++) {
        v->width_px[i] = both[i].width_px;
        v->height_px[i] = both[i].height_px;
    }
    if (both[0].width_px != both[1].width_px || both[0].height_px != both[1].height_px) {
        v->differs = true;
        return SLUICE_EXIT_OK;
    }
    size_t count = (size_t)both[0].width_px * both[0].height_px;
    struct picture difference = {.pixels = sl_alloc_array(count, 4),
                                 .width_px = both[0].width_px,
                                 .height_px = both[0].height_px};
    if (difference.pixels == NULL) {
        say_error("no memory for the difference of %s", name);
        return SLUICE_EXIT_INTERNAL;
    }
    measure(&both[0], &both[1], p->options->fuzz, v, difference.pixels);
    int code = SLUICE_EXIT_OK;
    if (v->differs && p->options->out != NULL) {
        brighten(difference.pixels, count, v->most);
        code = write_into(p, "difference", name, &difference);
        v->has_difference = code == SLUICE_EXIT_OK;
    }
    picture_free(&difference);
    return code;
}

static void print_verdict(const struct pictures *p, const char *name, const struct verdict *v)
{
    if (p->options->json) {
        char psnr[32] = "null"; /* the same colours, or none to compare */
        if (v->squares > 0) {
            snprintf(psnr, sizeof psnr, "%.2f", 10 * log10(255.0 * 255.0 / v->squares));
        }
        fputs("{\"schema\": 2, \"picture\": ", stdout);
        json_text(stdout, name);
        printf(", \"differs\": %s, \"missing\": %s, \"sizes\": [[%" PRIu32 ", %" PRIu32
               "], [%" PRIu32 ", %" PRIu32 "]], \"pixels\": %" PRIu64 ", \"most\": %" PRIu32
               ", \"psnr_db\": %s}\n",
               v->differs ? "true" : "false",
               v->is_missing[0]   ? "\"first\""
               : v->is_missing[1] ? "\"second\""
                                  : "null",
               v->width_px[0], v->height_px[0], v->width_px[1], v->height_px[1], v->pixels, v->most,
               psnr);
    } else if (v->is_missing[0] || v->is_missing[1]) {
        printf("%s: only in %s\n", name, p->options->names[v->is_missing[0]]);
    } else if (v->pixels == 0) {
        printf("%s: %" PRIu32 "x%" PRIu32 " and %" PRIu32 "x%" PRIu32 "\n", name, v->width_px[0],
               v->height_px[0], v->width_px[1], v->height_px[1]);
    } else {
        printf("%s: %" PRIu64 " pixels differ, by up to %" PRIu32 "\n", name, v->pixels, v->most);
    }
}

static int compare(const struct pictures *p, const char *name, bool first, bool second)
{
    struct picture both[2] = {{.pixels = NULL}, {.pixels = NULL}};
    struct verdict v = {.is_missing = {!first, !second}, .differs = !first || !second};
    char path[PATH_MAX];
    int code = SLUICE_EXIT_OK;
    for (int i = 0; i < 2 && code == SLUICE_EXIT_OK; i++) {
        if (!v.is_missing[i]) {
            code = folder_path(path, p->folders[i], name, false);
            code = code == SLUICE_EXIT_OK ? picture_read(path, &both[i]) : code;
        }
    }
    if (code == SLUICE_EXIT_OK && !v.differs) {
        code = compare_sizes(p, name, both, &v);
    }
    for (int i = 0; i < 2 && v.differs && p->page != NULL && code == SLUICE_EXIT_OK; i++) {
        code = v.is_missing[i] ? SLUICE_EXIT_OK : write_into(p, sides[i], name, &both[i]);
    }
    if (code == SLUICE_EXIT_OK && (v.differs || p->options->json)) {
        print_verdict(p, name, &v);
    }
    if (code == SLUICE_EXIT_OK && v.differs) {
        p->result->differing++;
        if (p->page != NULL) {
            page_row(p, name, &v);
        }
    }
    p->result->pictures++;
    picture_free(&both[0]);
    picture_free(&both[1]);
    return code;
}

/* --- both folders --- */

static int is_png(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);
    return size > 4 && strcmp(entry->d_name + size - 4, ".png") == 0;
}

static int compare_lists(const struct pictures *p, struct dirent **lists[2], const int counts[2])
{
    int code = SLUICE_EXIT_OK;
    for (int i = 0, j = 0; code == SLUICE_EXIT_OK && (i < counts[0] || j < counts[1]);) {
        int order = i == counts[0]   ? 1
                    : j == counts[1] ? -1
                                     : strcmp(lists[0][i]->d_name, lists[1][j]->d_name);
        const char *name = order <= 0 ? lists[0][i]->d_name : lists[1][j]->d_name;
        code = compare(p, name, order <= 0, order >= 0);
        i += order <= 0;
        j += order >= 0;
    }
    return code;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int say_page(const char *path, enum sl_result result)
{
    bool is_there = result == SL_ERR_AGAIN || result == SL_ERR_INVALID;
    say_error("%s: %s%s", path, is_there ? "is there already" : strerror(errno),
              is_there ? "; overwrite it with --force, or choose another folder with --out" : "");
    return is_there ? SLUICE_EXIT_USAGE : SLUICE_EXIT_FILE;
}

/* In `out`, which is made. */
static int name_page(const struct pictures *p, char *path, char *part)
{
    int code = folder_path(path, p->options->out, PAGE, true);
    return code == SLUICE_EXIT_OK ? folder_path(part, p->options->out, PAGE ".part", false) : code;
}

static int open_page(struct pictures *p)
{
    char path[PATH_MAX], part[PATH_MAX];
    int fd = -1, code = name_page(p, path, part);
    if (code != SLUICE_EXIT_OK) {
        return code;
    }
    if (!p->options->force && access(path, F_OK) == 0) {
        return say_page(path, SL_ERR_INVALID);
    }
    enum sl_result result = cap_part_open(part, p->options->force, &fd);
    if (result != SL_OK) {
        return say_page(part, result);
    }
    p->page = fdopen(fd, "w");
    if (p->page == NULL) {
        sl_fd_close(&fd);
        return say_page(part, SL_ERR_IO);
    }
    page_begin(p);
    return SLUICE_EXIT_OK;
}

/* code: how the comparison ended; a page of a part of it is none. */
static int close_page(struct pictures *p, int code)
{
    char path[PATH_MAX], part[PATH_MAX];
    page_end(p);
    bool is_written = fflush(p->page) == 0 && ferror(p->page) == 0;
    if (name_page(p, path, part) != SLUICE_EXIT_OK) {
        code = SLUICE_EXIT_FILE;
    }
    if (code == SLUICE_EXIT_OK &&
        (!is_written || cap_part_name(part, path, p->options->force) != SL_OK)) {
        code = say_page(path, errno == EEXIST ? SL_ERR_INVALID : SL_ERR_IO);
    }
    if (code != SLUICE_EXIT_OK) {
        (void)unlink(part);
    }
    (void)fclose(p->page);
    return code;
}

int diff_pictures(const char *const folders[2], const struct pictures_options *options,
                  struct pictures_result *result)
{
    struct pictures p = {.folders = folders, .options = options, .result = result};
    struct dirent **lists[2] = {NULL, NULL};
    int counts[2] = {0, 0};
    int code = SLUICE_EXIT_OK;
    *result = (struct pictures_result){.pictures = 0};
    for (int i = 0; i < 2 && code == SLUICE_EXIT_OK; i++) {
        counts[i] = scandir(folders[i], &lists[i], is_png, by_bytes);
        if (counts[i] < 0) {
            say_error("%s: is no folder that can be read: %s", folders[i], strerror(errno));
            counts[i] = 0;
            code = SLUICE_EXIT_FILE;
        }
    }
    if (code == SLUICE_EXIT_OK && counts[0] + counts[1] == 0) {
        say_error("%s and %s: there is no picture (NAME.png) in either", folders[0], folders[1]);
        code = SLUICE_EXIT_FILE;
    }
    if (code == SLUICE_EXIT_OK && options->out != NULL) {
        code = open_page(&p);
    }
    if (code == SLUICE_EXIT_OK) {
        code = compare_lists(&p, lists, counts);
    }
    if (p.page != NULL) {
        code = close_page(&p, code);
    }
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < counts[i]; j++) {
            free(lists[i][j]);
        }
        free(lists[i]);
    }
    return code != SLUICE_EXIT_OK   ? code
           : result->differing != 0 ? SLUICE_EXIT_DIFFERENT
                                    : SLUICE_EXIT_OK;
}
