/* sluice screenshot and sluice display at a device with a guest: pictures, sizes, exit codes. */
#include "tests/support/slt.h"
#include "tests/support/vhost_world.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/say.h"
#include "tools/sluice/verbs.h"
#include "transport/virtgpu/proto.h"

#include <png.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WIDE 5u
#define HIGH 3u

struct bed {
    struct vhost_world world;
    char file[200];
};

static void bed_init(struct bed *t)
{
    vhost_world_start(&t->world, NULL);
    vhost_world_enter(&t->world);
    snprintf(t->file, sizeof t->file, "%s/shot.png", SLT_TMPDIR());
}

static void bed_finish(struct bed *t)
{
    vhost_world_stop(&t->world);
    (void)unlink(t->file);
}

SLT_FIXTURE(machine, struct bed, bed_init, bed_finish);

/* The verb with these words; its exit code. */
static int run_verb(const char *name, int count, char **words)
{
    const struct verb *verb = verb_find(name);
    struct opt_set set;
    SLT_ASSERT_TRUE(verb != NULL);
    say_begin(name);
    return opt_parse(verb, count, words, &set) ? verb->run(&set) : SLUICE_EXIT_USAGE;
}

static void show_picture(struct bed *t)
{
    struct vguest *g = &t->world.guest;
    for (uint32_t i = 0; i < WIDE * HIGH; i++) {
        const uint8_t bgra[4] = {(uint8_t)(3 * i), (uint8_t)(2 * i), (uint8_t)i, 0};
        memcpy(g->ram + VGUEST_FREE + i * 4, bgra, 4);
    }
    struct vgpu_entry entry = {.addr = VGUEST_GPA + VGUEST_FREE, .length = WIDE * HIGH * 4};
    const struct vgpu_rect all = {0, 0, WIDE, HIGH};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_create_2d(g, 4, VIRTGPU_FORMAT_B8G8R8X8, WIDE, HIGH));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_attach(g, 4, &entry, 1));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_transfer(g, 4, all, 0));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_set_scanout(g, 1, 4, all));
}

SLT_TEST_F(machine, screenshot_has_the_pixels_that_the_guest_shows, t)
{
    show_picture(t);
    char *words[] = {"--display", "1", "-o", t->file, t->world.path};
    SLT_ASSERT_EQ(SLUICE_EXIT_OK, run_verb("screenshot", 5, words));
    png_image image = {.version = PNG_IMAGE_VERSION};
    SLT_ASSERT_TRUE(png_image_begin_read_from_file(&image, t->file) != 0);
    image.format = PNG_FORMAT_RGB;
    uint8_t got[WIDE * HIGH * 3] = {0}, want[WIDE * HIGH * 3];
    SLT_EXPECT_EQ(WIDE, image.width);
    SLT_EXPECT_EQ(HIGH, image.height);
    SLT_ASSERT_TRUE(PNG_IMAGE_SIZE(image) == sizeof got &&
                    png_image_finish_read(&image, NULL, got, 0, NULL) != 0);
    for (uint32_t i = 0; i < WIDE * HIGH; i++) {
        want[3 * i] = (uint8_t)i;
        want[3 * i + 1] = (uint8_t)(2 * i);
        want[3 * i + 2] = (uint8_t)(3 * i);
    }
    SLT_EXPECT_MEMEQ(want, got, sizeof got);
    /* There is one now. */
    SLT_EXPECT_EQ(SLUICE_EXIT_USAGE, run_verb("screenshot", 5, words));
    char *again[] = {"--force", "--display", "1", "-o", t->file, t->world.path};
    SLT_EXPECT_EQ(SLUICE_EXIT_OK, run_verb("screenshot", 6, again));
}

SLT_TEST_F(machine, screenshot_says_what_stands_in_the_way, t)
{
    char *dark[] = {"-o", t->file, t->world.path};
    SLT_EXPECT_EQ(SLUICE_EXIT_MISSING, run_verb("screenshot", 3, dark));
    char *third[] = {"--display", "2", "-o", t->file, t->world.path};
    SLT_EXPECT_EQ(SLUICE_EXIT_USAGE, run_verb("screenshot", 5, third));
    char *nobody[] = {"-o", t->file, "/nowhere/gpu"};
    SLT_EXPECT_EQ(SLUICE_EXIT_FILE, run_verb("screenshot", 3, nobody));
    char *folder[] = {"-o", "/nowhere/shot.png", "--display", "1", t->world.path};
    show_picture(t);
    SLT_EXPECT_EQ(SLUICE_EXIT_FILE, run_verb("screenshot", 5, folder));
    SLT_EXPECT_TRUE(access(t->file, F_OK) != 0);
}

SLT_TEST_F(machine, display_plugs_and_resizes, t)
{
    struct vguest *g = &t->world.guest;
    struct {
        struct vgpu_head head;
        struct vgpu_display_info info;
    } a;
    struct vgpu_head q = {.type = VGPU_GET_DISPLAY_INFO};
    char *size[] = {"--display", "1", "--size", "1920x1080", t->world.path};
    SLT_ASSERT_EQ(SLUICE_EXIT_OK, run_verb("display", 5, size));
    SLT_ASSERT_EQ(VGPU_OK_DISPLAY_INFO, vguest_command(g, &q, sizeof q, &a, sizeof a));
    SLT_EXPECT_EQ(1920u, a.info.scanouts[1].rect.width);
    char *unplug[] = {"--display", "1", "--unplug", t->world.path};
    SLT_ASSERT_EQ(SLUICE_EXIT_OK, run_verb("display", 4, unplug));
    SLT_ASSERT_EQ(VGPU_OK_DISPLAY_INFO, vguest_command(g, &q, sizeof q, &a, sizeof a));
    SLT_EXPECT_EQ(0u, a.info.scanouts[1].enabled);
    SLT_EXPECT_EQ(1u, a.info.scanouts[0].enabled);
    char *list[] = {t->world.path};
    SLT_EXPECT_EQ(SLUICE_EXIT_OK, run_verb("display", 1, list));
    char *third[] = {"--display", "2", "--unplug", t->world.path};
    SLT_EXPECT_EQ(SLUICE_EXIT_USAGE, run_verb("display", 4, third));
    char *huge[] = {"--size", "9999x10", t->world.path};
    SLT_EXPECT_EQ(SLUICE_EXIT_USAGE, run_verb("display", 3, huge));
    char *both[] = {"--size", "640x480", "--unplug", t->world.path};
    SLT_EXPECT_EQ(SLUICE_EXIT_USAGE, run_verb("display", 4, both));
}
