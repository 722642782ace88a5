/* EGL without a host: configurations, names, what feature words mean, who may have what current. */
#include "guest/egl/api.h"
#include "guest/egl/config.h"
#include "guest/egl/host.h"
#include "guest/egl/procs.h"
#include "guest/egl/sync.h"
#include "tests/support/slt.h"
#include "transport/base/mem.h"

#include <string.h>
#include <unistd.h>

/* --- a host's table --- */

enum { COLUMNS = 11 };
static const EGLint columns[COLUMNS] = {EGL_RED_SIZE,      EGL_GREEN_SIZE,     EGL_BLUE_SIZE,
                                        EGL_ALPHA_SIZE,    EGL_BUFFER_SIZE,    EGL_DEPTH_SIZE,
                                        EGL_STENCIL_SIZE,  EGL_SAMPLES,        EGL_SAMPLE_BUFFERS,
                                        EGL_CONFIG_CAVEAT, EGL_RENDERABLE_TYPE};
/* clang-format off */
static const EGLint rows[][COLUMNS] = {
    /*0*/ {10, 10, 10, 2, 32, 24, 8, 0, 0, EGL_NONE, EGL_OPENGL_ES2_BIT},
    /*1*/ { 8,  8,  8, 8, 32,  0, 0, 0, 0, EGL_NONE, EGL_OPENGL_ES2_BIT},
    /*2*/ { 8,  8,  8, 8, 32, 24, 8, 0, 0, EGL_NONE, EGL_OPENGL_ES2_BIT},
    /*3*/ { 8,  8,  8, 8, 32, 24, 8, 4, 1, EGL_NONE, EGL_OPENGL_ES2_BIT},
    /*4*/ { 8,  8,  8, 0, 24, 24, 8, 0, 0, EGL_NONE, EGL_OPENGL_ES2_BIT},
    /*5*/ { 8,  8,  8, 0, 24, 16, 0, 0, 0, EGL_NONE, EGL_OPENGL_ES2_BIT | EGL_OPENGL_BIT},
    /*6*/ { 5,  6,  5, 0, 16, 24, 8, 0, 0, EGL_NONE, EGL_OPENGL_ES2_BIT},
    /*7*/ { 5,  6,  5, 0, 16,  0, 0, 0, 0, EGL_SLOW_CONFIG, EGL_OPENGL_ES2_BIT},
};
/* clang-format on */
enum { ROWS = sizeof rows / sizeof rows[0] };

static const struct gx_visual visuals[] = {
    {.id = 0x21,
     .depth = 24,
     .type = 4,
     .red_mask = 0xff0000,
     .green_mask = 0xff00,
     .blue_mask = 0xff},
    {.id = 0x22,
     .depth = 24,
     .type = 5,
     .red_mask = 0xff0000,
     .green_mask = 0xff00,
     .blue_mask = 0xff},
    {.id = 0x40,
     .depth = 32,
     .type = 4,
     .red_mask = 0xff0000,
     .green_mask = 0xff00,
     .blue_mask = 0xff},
};

struct table {
    struct gegl_config *configs;
    uint32_t count;
};

static enum sl_result table_read(struct table *t, uint32_t version, uint32_t visual_count)
{
    uint32_t words[(ROWS + 1) * (COLUMNS + 1)];
    for (uint32_t r = 0; r <= ROWS; r++) {
        for (uint32_t c = 0; c < COLUMNS; c++) {
            words[r * (COLUMNS + 1) + c] = (uint32_t)(r == 0 ? columns[c] : rows[r - 1][c]);
        }
        words[r * (COLUMNS + 1) + COLUMNS] =
            r == 0 ? EGL_SURFACE_TYPE : EGL_PBUFFER_BIT | EGL_PIXMAP_BIT | EGL_WINDOW_BIT;
    }
    const struct gegl_windows windows = {.visuals = visuals, .visual_count = visual_count};
    return gegl_configs_read(words, COLUMNS + 1, ROWS, version, &windows, &t->configs, &t->count);
}

static void pbuffers_init(struct table *t)
{
    SLT_ASSERT_OK(table_read(t, 30, 0));
}

static void table_finish(struct table *t)
{
    sl_free(t->configs);
}

SLT_FIXTURE(egl_choose, struct table, pbuffers_init, table_finish);

/* --- choosing: EGL 1.5, 3.4.1 --- */

struct choose_case {
    const char *label;
    EGLint attribs[16];
    EGLint error;
    uint32_t matches;
    uint32_t order[ROWS]; /* rows */
};
#define ES2 EGL_RENDERABLE_TYPE, EGL_OPENGL_ES2_BIT, EGL_SURFACE_TYPE, EGL_PBUFFER_BIT
static const struct choose_case choose_cases[] = {
    {"defaults_want_windows_and_es1", {EGL_NONE}, EGL_SUCCESS, 0, {0}},
    {"no_color_asked_small_buffers_first_slow_last",
     {ES2, EGL_NONE},
     EGL_SUCCESS,
     8,
     {6, 5, 4, 1, 0, 2, 3, 7}},
    {"more_of_asked_color_first",
     {ES2, EGL_RED_SIZE, 1, EGL_GREEN_SIZE, 1, EGL_BLUE_SIZE, 1, EGL_NONE},
     EGL_SUCCESS,
     8,
     {0, 5, 4, 1, 2, 3, 6, 7}},
    {"alpha_asked", {ES2, EGL_ALPHA_SIZE, 8, EGL_NONE}, EGL_SUCCESS, 3, {1, 2, 3}},
    {"alpha_not_cared_for",
     {ES2, EGL_ALPHA_SIZE, EGL_DONT_CARE, EGL_RED_SIZE, 8, EGL_DEPTH_SIZE, 16, EGL_NONE},
     EGL_SUCCESS,
     5,
     {0, 5, 4, 2, 3}},
    {"depth_at_least",
     {ES2, EGL_DEPTH_SIZE, 17, EGL_RED_SIZE, 8, EGL_SAMPLES, 1, EGL_NONE},
     EGL_SUCCESS,
     1,
     {3}},
    {"id_ignores_the_rest",
     {EGL_CONFIG_ID, 7, EGL_DEPTH_SIZE, 4096, EGL_NONE},
     EGL_SUCCESS,
     1,
     {6}},
    {"unknown_id", {EGL_CONFIG_ID, 99, EGL_NONE}, EGL_SUCCESS, 0, {0}},
    {"slow_exactly", {ES2, EGL_CONFIG_CAVEAT, EGL_SLOW_CONFIG, EGL_NONE}, EGL_SUCCESS, 1, {7}},
    {"transparent_values_mean_nothing_without_type",
     {ES2, EGL_TRANSPARENT_RED_VALUE, 3, EGL_RED_SIZE, 10, EGL_NONE},
     EGL_SUCCESS,
     1,
     {0}},
    {"es3_where_the_host_has_it",
     {EGL_RENDERABLE_TYPE, EGL_OPENGL_ES3_BIT, EGL_SURFACE_TYPE, 0, EGL_RED_SIZE, 10, EGL_NONE},
     EGL_SUCCESS,
     1,
     {0}},
    {"desktop_gl_never",
     {EGL_RENDERABLE_TYPE, EGL_OPENGL_BIT, EGL_SURFACE_TYPE, 0, EGL_NONE},
     EGL_SUCCESS,
     0,
     {0}},
    {"level", {ES2, EGL_LEVEL, 1, EGL_NONE}, EGL_SUCCESS, 0, {0}},
    {"luminance",
     {ES2, EGL_COLOR_BUFFER_TYPE, EGL_LUMINANCE_BUFFER, EGL_NONE},
     EGL_SUCCESS,
     0,
     {0}},
    {"unknown_attribute", {ES2, EGL_WIDTH, 3, EGL_NONE}, EGL_BAD_ATTRIBUTE, 0, {0}},
    {"negative_size", {ES2, EGL_RED_SIZE, -2, EGL_NONE}, EGL_BAD_ATTRIBUTE, 0, {0}},
    {"level_must_be_cared_for",
     {ES2, EGL_LEVEL, EGL_DONT_CARE, EGL_NONE},
     EGL_BAD_ATTRIBUTE,
     0,
     {0}},
    {"no_such_caveat", {ES2, EGL_CONFIG_CAVEAT, 5, EGL_NONE}, EGL_BAD_ATTRIBUTE, 0, {0}},
    {"no_such_boolean", {ES2, EGL_BIND_TO_TEXTURE_RGB, 2, EGL_NONE}, EGL_BAD_ATTRIBUTE, 0, {0}},
};

SLT_TEST_FP(egl_choose, follows_the_specification, t, struct choose_case, choose_cases, c)
{
    uint32_t order[ROWS], matches = 0;
    SLT_EXPECT_EQ(c->error, gegl_configs_choose(t->configs, t->count, c->attribs, order, &matches));
    SLT_EXPECT_EQ(c->matches, matches);
    SLT_EXPECT_MEMEQ(c->order, order, c->matches * sizeof order[0]);
}

SLT_TEST_F(egl_choose, without_attributes_is_the_defaults, t)
{
    uint32_t order[ROWS], matches = 9;
    SLT_EXPECT_EQ(EGL_SUCCESS, gegl_configs_choose(t->configs, t->count, NULL, order, &matches));
    SLT_EXPECT_EQ(0u, matches);
}

/* --- the host's table made EGL's --- */

SLT_TEST_F(egl_choose, pbuffers_only_without_visuals, t)
{
    SLT_ASSERT_EQ((uint32_t)ROWS, t->count);
    for (uint32_t i = 0; i < t->count; i++) {
        SLT_EXPECT_EQ((EGLint)i + 1, gegl_config_get(&t->configs[i], EGL_CONFIG_ID));
        SLT_EXPECT_EQ(EGL_PBUFFER_BIT, gegl_config_get(&t->configs[i], EGL_SURFACE_TYPE));
        SLT_EXPECT_EQ(EGL_NONE, gegl_config_get(&t->configs[i], EGL_NATIVE_VISUAL_TYPE));
        SLT_EXPECT_EQ(EGL_OPENGL_ES2_BIT | EGL_OPENGL_ES3_BIT,
                      gegl_config_get(&t->configs[i], EGL_RENDERABLE_TYPE));
    }
}

SLT_TEST(egl_configs, windows_where_a_visual_has_the_channels)
{
    struct table t;
    SLT_ASSERT_OK(table_read(&t, 20, 3));
    /* five rows of 8 8 8 fit both 24-bit visuals; those with alpha the 32-bit one too */
    SLT_ASSERT_EQ(5u + 5u + 3u, t.count);
    for (uint32_t i = 0; i < t.count; i++) {
        const struct gegl_config *c = &t.configs[i];
        SLT_EXPECT_EQ(EGL_PBUFFER_BIT | EGL_PIXMAP_BIT | EGL_WINDOW_BIT |
                          EGL_SWAP_BEHAVIOR_PRESERVED_BIT,
                      gegl_config_get(c, EGL_SURFACE_TYPE));
        SLT_EXPECT_EQ(8, gegl_config_get(c, EGL_RED_SIZE));
        SLT_EXPECT_EQ(EGL_OPENGL_ES2_BIT, gegl_config_get(c, EGL_RENDERABLE_TYPE));
        SLT_EXPECT_EQ((EGLint)visuals[i < 5    ? 0
                                      : i < 10 ? 1
                                               : 2]
                          .id,
                      gegl_config_get(c, EGL_NATIVE_VISUAL_ID));
    }
    SLT_EXPECT_EQ(1u, t.configs[10].host_index);
    SLT_EXPECT_EQ(32u, t.configs[10].depth);
    sl_free(t.configs);
}

static enum sl_result formats_read(struct table *t, const struct gegl_windows *windows)
{
    const uint32_t words[] = {EGL_RED_SIZE,
                              EGL_GREEN_SIZE,
                              EGL_BLUE_SIZE,
                              EGL_ALPHA_SIZE,
                              EGL_SURFACE_TYPE,
                              EGL_BIND_TO_TEXTURE_RGBA,
                              8,
                              8,
                              8,
                              8,
                              EGL_PBUFFER_BIT,
                              1,
                              8,
                              8,
                              8,
                              0,
                              EGL_PBUFFER_BIT,
                              1,
                              10,
                              10,
                              10,
                              2,
                              EGL_PBUFFER_BIT,
                              1,
                              5,
                              6,
                              5,
                              0,
                              EGL_PBUFFER_BIT,
                              1};
    return gegl_configs_read(words, 6, 4, 20, windows, &t->configs, &t->count);
}

SLT_TEST(egl_configs, windows_where_a_format_has_the_channels)
{
    struct table t;
    const struct gegl_window_format formats[] = {{5, 6, 5, 0, 0x16}, {8, 8, 8, 8, 0x32}};
    const struct gegl_windows windows = {
        .formats = formats, .format_count = 2, .format_max_interval = 1};
    SLT_ASSERT_OK(formats_read(&t, &windows));
    SLT_ASSERT_EQ(2u, t.count); /* in the host's order */
    for (uint32_t i = 0; i < t.count; i++) {
        const struct gegl_config *c = &t.configs[i];
        SLT_EXPECT_EQ(EGL_WINDOW_BIT, gegl_config_get(c, EGL_SURFACE_TYPE));
        SLT_EXPECT_EQ(EGL_FALSE, gegl_config_get(c, EGL_BIND_TO_TEXTURE_RGBA));
        SLT_EXPECT_EQ(1, gegl_config_get(c, EGL_MAX_SWAP_INTERVAL));
        SLT_EXPECT_EQ(i == 0 ? 0x32 : 0x16, gegl_config_get(c, EGL_NATIVE_VISUAL_ID));
        SLT_EXPECT_EQ(i == 0 ? 0u : 3u, c->host_index);
    }
    sl_free(t.configs);
}

SLT_TEST(egl_configs, ten_bits_where_colour_buffers_have_them)
{
    struct table t;
    const struct gegl_window_format formats[] = {{10, 10, 10, 2, 0x30}};
    struct gegl_windows windows = {.formats = formats, .format_count = 1};
    SLT_ASSERT_OK(formats_read(&t, &windows));
    SLT_EXPECT_EQ(EGL_PBUFFER_BIT, gegl_config_get(&t.configs[0], EGL_SURFACE_TYPE));
    sl_free(t.configs);
    windows.has_ten_bits = true;
    SLT_ASSERT_OK(formats_read(&t, &windows));
    SLT_ASSERT_EQ(1u, t.count);
    SLT_EXPECT_EQ(2u, t.configs[0].host_index);
    SLT_EXPECT_EQ(EGL_WINDOW_BIT, gegl_config_get(&t.configs[0], EGL_SURFACE_TYPE));
    sl_free(t.configs);
}

/* A screen of 30 bits whose only visual of 8 bits a channel has alpha. */
SLT_TEST(egl_configs, pictures_without_alpha_on_the_only_visual_of_their_colours)
{
    struct table t;
    const struct gx_visual on[] = {{.id = 0x21,
                                    .depth = 30,
                                    .type = 4,
                                    .red_mask = 0x3ff00000,
                                    .green_mask = 0xffc00,
                                    .blue_mask = 0x3ff},
                                   visuals[2]};
    const struct gegl_windows windows = {.visuals = on, .visual_count = 2, .has_ten_bits = true};
    static const uint32_t want[][2] = {{2, 0x21}, {0, 0x40}, {1, 0x40}}; /* row, visual */
    SLT_ASSERT_OK(formats_read(&t, &windows));
    SLT_ASSERT_EQ(3u, t.count);
    for (uint32_t i = 0; i < 3; i++) {
        SLT_EXPECT_EQ(want[i][0], t.configs[i].host_index);
        SLT_EXPECT_EQ((EGLint)want[i][1], gegl_config_get(&t.configs[i], EGL_NATIVE_VISUAL_ID));
    }
    sl_free(t.configs);
}

struct floats_case {
    const char *label;
    EGLint wanted; /* EGL_COLOR_COMPONENT_TYPE_EXT; 0: not said */
    EGLint error;
    uint32_t matches;
};
static const struct floats_case floats_cases[] = {
    {"not_said_means_fixed", 0, EGL_SUCCESS, 1},
    {"fixed", EGL_COLOR_COMPONENT_TYPE_FIXED_EXT, EGL_SUCCESS, 1},
    {"float", EGL_COLOR_COMPONENT_TYPE_FLOAT_EXT, EGL_SUCCESS, 1},
    {"both", EGL_DONT_CARE, EGL_SUCCESS, 2},
    {"neither", EGL_RGB_BUFFER, EGL_BAD_ATTRIBUTE, 0},
};
SLT_TEST_P(egl_configs, of_float_channels, struct floats_case, floats_cases, c)
{
    const uint32_t words[] = {EGL_RED_SIZE,
                              EGL_SURFACE_TYPE,
                              EGL_COLOR_COMPONENT_TYPE_EXT,
                              8,
                              EGL_PBUFFER_BIT,
                              EGL_COLOR_COMPONENT_TYPE_FIXED_EXT,
                              16,
                              EGL_PBUFFER_BIT,
                              EGL_COLOR_COMPONENT_TYPE_FLOAT_EXT};
    const EGLint attribs[] = {EGL_SURFACE_TYPE,
                              EGL_PBUFFER_BIT,
                              EGL_RENDERABLE_TYPE,
                              0,
                              c->wanted != 0 ? EGL_COLOR_COMPONENT_TYPE_EXT : EGL_NONE,
                              c->wanted,
                              EGL_NONE};
    struct gegl_windows windows = {0};
    struct table t;
    uint32_t order[2], matches = 0;
    SLT_ASSERT_OK(gegl_configs_read(words, 3, 2, 30, &windows, &t.configs, &t.count));
    SLT_EXPECT_EQ(2u, t.count);
    SLT_EXPECT_EQ(c->error, gegl_configs_choose(t.configs, t.count, attribs, order, &matches));
    SLT_EXPECT_EQ(c->matches, matches);
    for (uint32_t i = 0; i < matches && c->wanted != EGL_DONT_CARE; i++) {
        SLT_EXPECT_EQ(c->wanted == EGL_COLOR_COMPONENT_TYPE_FLOAT_EXT,
                      gegl_config_is_float(&t.configs[order[i]]));
    }
    sl_free(t.configs);
    windows.hides_floats = true;
    SLT_ASSERT_OK(gegl_configs_read(words, 3, 2, 30, &windows, &t.configs, &t.count));
    SLT_EXPECT_EQ(1u, t.count);
    SLT_EXPECT_TRUE(!gegl_config_is_float(&t.configs[0]));
    sl_free(t.configs);
}

SLT_TEST(egl_configs, a_bad_table_is_the_hosts_fault)
{
    struct table t;
    const uint32_t no_red[] = {EGL_GREEN_SIZE, 8};
    const struct gegl_windows none = {0};
    SLT_EXPECT_RESULT(SL_ERR_PROTOCOL,
                      gegl_configs_read(no_red, 1, 1, 20, &none, &t.configs, &t.count));
    SLT_EXPECT_RESULT(SL_ERR_PROTOCOL,
                      gegl_configs_read(no_red, 1, 0, 20, &none, &t.configs, &t.count));
}

SLT_TEST(egl_configs, attributes_that_can_be_asked)
{
    SLT_EXPECT_TRUE(gegl_config_has(EGL_CONFORMANT));
    SLT_EXPECT_TRUE(gegl_config_has(EGL_BUFFER_SIZE));
    SLT_EXPECT_TRUE(gegl_config_has(EGL_COLOR_COMPONENT_TYPE_EXT));
    SLT_EXPECT_TRUE(!gegl_config_has(EGL_CONFORMANT + 1));
    SLT_EXPECT_TRUE(!gegl_config_has(EGL_MATCH_NATIVE_PIXMAP));
    SLT_EXPECT_TRUE(!gegl_config_has(EGL_NONE));
    SLT_EXPECT_TRUE(!gegl_config_has(EGL_WIDTH));
    SLT_EXPECT_TRUE(!gegl_config_has(-1));
}

/* --- names --- */

SLT_TEST(egl_procs, are_sorted_and_complete)
{
    size_t count;
    const struct gegl_proc *procs = gegl_procs(&count);
    for (size_t i = 0; i < count; i++) {
        SLT_SCOPE("%s", procs[i].name);
        SLT_EXPECT_TRUE(procs[i].fn != NULL); /* NULL: our function's type is not EGL's */
        SLT_EXPECT_TRUE(i == 0 || strcmp(procs[i - 1].name, procs[i].name) < 0);
        SLT_EXPECT_TRUE(gegl_proc_find(procs[i].name) == procs[i].fn);
    }
}

SLT_TEST(egl_procs, have_egl_gles_and_what_drivers_know_besides)
{
    SLT_EXPECT_TRUE(gegl_proc_find("eglInitialize") != NULL);
    SLT_EXPECT_TRUE(gegl_proc_find("eglGetError") == (gegl_fn)gegl_GetError);
    SLT_EXPECT_TRUE(gegl_proc_find("glDrawArrays") != NULL);
    SLT_EXPECT_TRUE(gegl_proc_find("glDrawElements") != NULL);
    SLT_EXPECT_TRUE(gegl_proc_find("glEGLImageTargetTexture2DOES") != NULL);
    SLT_EXPECT_TRUE(gegl_proc_find("eglCreateStreamKHR") == NULL);
    SLT_EXPECT_TRUE(gegl_proc_find("glBegin") != NULL); /* an error in each context */
    SLT_EXPECT_TRUE(gegl_proc_find("glBeginNothing") == NULL);
    SLT_EXPECT_TRUE(gegl_proc_find("") == NULL);
    SLT_EXPECT_TRUE(gegl_GetProcAddress(NULL) == NULL);
}

/* --- messages --- */

static struct {
    uint32_t count;
    EGLenum error;
    EGLint type;
    const char *command;
    EGLLabelKHR thread, object;
} told;

static void EGLAPIENTRY listen(EGLenum error, const char *command, EGLint type, EGLLabelKHR thread,
                               EGLLabelKHR object, const char *message)
{
    (void)message;
    told.count++;
    told.error = error;
    told.type = type;
    told.command = command;
    told.thread = thread;
    told.object = object;
}

static bool bind_nothing(void)
{
    PFNEGLBINDAPIPROC bind = (PFNEGLBINDAPIPROC)gegl_proc_find("eglBindAPI");
    return bind(EGL_OPENVG_API) == EGL_TRUE;
}

SLT_TEST(egl_debug, tells_who_listens_of_what_it_wants)
{
    static char label[] = "this thread";
    static const EGLAttrib none[] = {EGL_DEBUG_MSG_ERROR_KHR, EGL_FALSE, EGL_NONE};
    static const EGLAttrib wrong[] = {EGL_DEBUG_MSG_INFO_KHR + 1, EGL_TRUE, EGL_NONE};
    SLT_ASSERT_OK(gegl_threads_init());
    SLT_EXPECT_EQ(EGL_SUCCESS,
                  gegl_LabelObjectKHR(EGL_NO_DISPLAY, EGL_OBJECT_THREAD_KHR, NULL, label));
    SLT_EXPECT_TRUE(!bind_nothing());
    SLT_EXPECT_EQ(0u, told.count);
    SLT_EXPECT_EQ(EGL_SUCCESS, gegl_DebugMessageControlKHR(listen, NULL));
    SLT_EXPECT_TRUE(!bind_nothing());
    SLT_EXPECT_EQ(1u, told.count);
    SLT_EXPECT_EQ((EGLenum)EGL_BAD_PARAMETER, told.error);
    SLT_EXPECT_EQ(EGL_DEBUG_MSG_ERROR_KHR, told.type);
    SLT_EXPECT_STREQ("eglBindAPI", told.command);
    SLT_EXPECT_TRUE(told.thread == label && told.object == label);
    SLT_EXPECT_EQ(EGL_BAD_ATTRIBUTE, gegl_DebugMessageControlKHR(NULL, wrong));
    SLT_EXPECT_EQ(EGL_SUCCESS, gegl_DebugMessageControlKHR(listen, none));
    SLT_EXPECT_TRUE(!bind_nothing());
    SLT_EXPECT_EQ(1u, told.count);
    SLT_EXPECT_EQ(EGL_SUCCESS, gegl_DebugMessageControlKHR(NULL, NULL));
    SLT_EXPECT_TRUE(!bind_nothing());
    SLT_EXPECT_EQ(1u, told.count);
    gegl_ReleaseThread();
}

/* --- feature words --- */

struct words_case {
    const char *label;
    const char *words;
    uint32_t version;
    bool sync, sync_status, frame_number, checksum;
};
static const struct words_case words_cases[] = {
    {"none", "", 20, false, false, false, false},
    {"upstream_virtio_gpu",
     "ANDROID_EMU_virtio_gpu_native_sync ANDROID_EMU_host_side_tracing "
     "ANDROID_EMU_gles_max_version_3_0 ",
     30, true, true, true, false},
    {"old_sync", "ANDROID_EMU_native_sync_v2 ANDROID_EMU_gles_max_version_3_1 ", 31, true, false,
     false, false},
    {"two_wins", "ANDROID_EMU_gles_max_version_2 ANDROID_EMU_gles_max_version_3_1 ", 20, false,
     false, false, false},
    {"newer_than_the_wire", "ANDROID_EMU_gles_max_version_3_2 ", 31, false, false, false, false},
    {"checksum", "ANDROID_EMU_CHECKSUM_HELPER_v1 ", 20, false, false, false, true},
};

SLT_TEST_P(egl_host, words_say_what_can_be_done, struct words_case, words_cases, c)
{
    struct gegl_host host = gegl_host_parse(c->words, false);
    SLT_EXPECT_EQ(c->version, host.gles_version);
    SLT_EXPECT_EQ(c->sync, host.sync);
    SLT_EXPECT_EQ(c->sync_status, host.sync_status);
    SLT_EXPECT_EQ(c->frame_number, host.frame_number);
    SLT_EXPECT_EQ(c->checksum, host.checksum);
    SLT_EXPECT_TRUE((host.gles_features & GGL_FEATURE_SLUICE) == 0);
    SLT_EXPECT_TRUE((gegl_host_parse(c->words, true).gles_features & GGL_FEATURE_SLUICE) != 0);
}

/* --- calls without a display --- */

/* What vendor.c does when glvnd loads the library. */
static void init_threads(void)
{
    SLT_ASSERT_OK(gegl_threads_init());
}

SLT_SUITE(egl_display, init_threads, NULL);
SLT_SUITE(egl_thread, init_threads, NULL);

SLT_TEST(egl_display, strings_without_display)
{
    SLT_EXPECT_TRUE(strstr(gegl_QueryString(EGL_NO_DISPLAY, EGL_EXTENSIONS),
                           "EGL_MESA_platform_surfaceless") != NULL);
    SLT_EXPECT_EQ(EGL_SUCCESS, gegl_GetError());
    SLT_EXPECT_TRUE(gegl_QueryString(EGL_NO_DISPLAY, EGL_VENDOR) == NULL);
    SLT_EXPECT_EQ(EGL_BAD_DISPLAY, gegl_GetError());
    SLT_EXPECT_EQ(EGL_SUCCESS, gegl_GetError());
}

SLT_TEST(egl_display, driver_of_no_display)
{
    SLT_EXPECT_TRUE(gegl_GetDisplayDriverName(EGL_NO_DISPLAY) == NULL);
    SLT_EXPECT_EQ(EGL_BAD_DISPLAY, gegl_GetError());
    SLT_EXPECT_TRUE(gegl_GetDisplayDriverConfig(EGL_NO_DISPLAY) == NULL);
    SLT_EXPECT_EQ(EGL_BAD_DISPLAY, gegl_GetError());
}

SLT_TEST(egl_sync, a_native_fence_is_waited_for_by_its_descriptor)
{
    int ends[2];
    SLT_ASSERT_EQ(0, pipe(ends));
    struct gegl_sync sync = {.type = EGL_SYNC_NATIVE_FENCE_ANDROID, .fd = ends[0]};
    SLT_EXPECT_TRUE(!gegl_native_wait(&sync, 0));
    SLT_EXPECT_TRUE(!gegl_native_wait(&sync, 1500000));
    SLT_ASSERT_EQ(1, write(ends[1], "", 1));
    SLT_EXPECT_TRUE(gegl_native_wait(&sync, 0));
    SLT_EXPECT_TRUE(gegl_native_wait(&sync, EGL_FOREVER));
    gegl_native_end(&sync);
    SLT_EXPECT_EQ(-1, sync.fd);
    close(ends[1]);
}

SLT_TEST(egl_display, one_handle_for_one_platform)
{
    EGLDisplay surfaceless = gegl_GetPlatformDisplay(EGL_PLATFORM_SURFACELESS_MESA, NULL, NULL);
    SLT_ASSERT_TRUE(surfaceless != EGL_NO_DISPLAY);
    SLT_EXPECT_TRUE(surfaceless ==
                    gegl_GetPlatformDisplay(EGL_PLATFORM_SURFACELESS_MESA, NULL, NULL));
    SLT_EXPECT_TRUE(surfaceless != gegl_GetPlatformDisplay(EGL_PLATFORM_X11_KHR, NULL, NULL));
    const EGLAttrib screen[] = {EGL_PLATFORM_X11_SCREEN_KHR, 0, EGL_NONE},
                    bad[] = {EGL_WIDTH, 0, EGL_NONE};
    SLT_EXPECT_TRUE(gegl_GetPlatformDisplay(EGL_PLATFORM_X11_KHR, NULL, screen) !=
                    gegl_GetPlatformDisplay(EGL_PLATFORM_X11_KHR, NULL, NULL));
    SLT_EXPECT_TRUE(gegl_GetPlatformDisplay(EGL_PLATFORM_X11_KHR, NULL, bad) == EGL_NO_DISPLAY);
    SLT_EXPECT_EQ(EGL_BAD_ATTRIBUTE, gegl_GetError());
    SLT_EXPECT_TRUE(gegl_GetPlatformDisplay(EGL_PLATFORM_DEVICE_EXT, NULL, NULL) == EGL_NO_DISPLAY);
    SLT_EXPECT_EQ(EGL_BAD_PARAMETER, gegl_GetError());
}

SLT_TEST(egl_display, nothing_works_before_initialisation)
{
    EGLDisplay display = gegl_GetPlatformDisplay(EGL_PLATFORM_SURFACELESS_MESA, NULL, NULL);
    EGLint count;
    SLT_EXPECT_TRUE(!gegl_GetConfigs(display, NULL, 0, &count));
    SLT_EXPECT_EQ(EGL_NOT_INITIALIZED, gegl_GetError());
    SLT_EXPECT_TRUE(gegl_CreateContext(display, EGL_NO_CONFIG_KHR, EGL_NO_CONTEXT, NULL) ==
                    EGL_NO_CONTEXT);
    SLT_EXPECT_EQ(EGL_NOT_INITIALIZED, gegl_GetError());
    SLT_EXPECT_TRUE(!gegl_SwapBuffers((EGLDisplay)&count, EGL_NO_SURFACE));
    SLT_EXPECT_EQ(EGL_BAD_DISPLAY, gegl_GetError());
    SLT_EXPECT_TRUE(gegl_MakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT));
    SLT_EXPECT_TRUE(gegl_Terminate(display));
    SLT_EXPECT_EQ(EGL_SUCCESS, gegl_GetError());
}

SLT_TEST(egl_thread, has_nothing_current_at_first)
{
    SLT_EXPECT_TRUE(gegl_GetCurrentContext() == EGL_NO_CONTEXT);
    SLT_EXPECT_TRUE(gegl_GetCurrentSurface(EGL_DRAW) == EGL_NO_SURFACE);
    SLT_EXPECT_TRUE(gegl_GetCurrentSurface(EGL_WIDTH) == EGL_NO_SURFACE);
    SLT_EXPECT_EQ(EGL_BAD_PARAMETER, gegl_GetError());
    SLT_EXPECT_TRUE(!gegl_BindAPI(EGL_OPENGL_API));
    SLT_EXPECT_EQ(EGL_BAD_PARAMETER, gegl_GetError());
    SLT_EXPECT_TRUE(gegl_BindAPI(EGL_OPENGL_ES_API));
    SLT_EXPECT_EQ((EGLenum)EGL_OPENGL_ES_API, gegl_QueryAPI());
    SLT_EXPECT_TRUE(gegl_ReleaseThread());
}
