/* Textures whose memory a program gives away as dma-bufs (EGL_MESA_image_dma_buf_export), and
 * another program that looks at it and draws into it.
 *
 *   export_program
 *
 * Prints what is said of textures of each format, then hashes of what each side sees after the
 * other has drawn, by GLES and in the memory itself. Ends with 1 and a line on stderr where
 * something cannot be had. */
#include "tests/integration/gbm_program.h"
#include "tests/integration/shown.h"

#include <GLES3/gl3.h>
#include <GLES2/gl2ext.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WIDTH = 250, HEIGHT = 130 }; /* rows that are no multiple of 64 bytes */

static PFNEGLCREATEIMAGEKHRPROC image_make;
static PFNEGLDESTROYIMAGEKHRPROC image_end;
static PFNEGLEXPORTDMABUFIMAGEQUERYMESAPROC export_ask;
static PFNEGLEXPORTDMABUFIMAGEMESAPROC export_make;
static PFNGLEGLIMAGETARGETTEXTURE2DOESPROC texture_target;

/* --- what both programs do --- */

static EGLDisplay display_open(void)
{
    static const EGLint wish[] = {EGL_CONTEXT_CLIENT_VERSION, 3, EGL_NONE};
    int fd = open("/dev/dri/card0", O_RDWR | O_CLOEXEC);
    shown_need(fd >= 0, "/dev/dri/card0");
    struct gbm_device *gbm = gbm_create_device(fd);
    shown_need(gbm != NULL, "gbm_create_device");
    EGLDisplay display = eglGetPlatformDisplay(EGL_PLATFORM_GBM_KHR, gbm, NULL);
    shown_need(eglInitialize(display, NULL, NULL), "eglInitialize");
    shown_need(strstr(eglQueryString(display, EGL_EXTENSIONS), "EGL_MESA_image_dma_buf_export") !=
                   NULL,
               "EGL_MESA_image_dma_buf_export");
    shown_need(eglBindAPI(EGL_OPENGL_ES_API), "eglBindAPI");
    EGLContext context = eglCreateContext(display, EGL_NO_CONFIG_KHR, EGL_NO_CONTEXT, wish);
    shown_need(eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, context), "eglMakeCurrent");
    image_make = (PFNEGLCREATEIMAGEKHRPROC)eglGetProcAddress("eglCreateImageKHR");
    image_end = (PFNEGLDESTROYIMAGEKHRPROC)eglGetProcAddress("eglDestroyImageKHR");
    export_ask =
        (PFNEGLEXPORTDMABUFIMAGEQUERYMESAPROC)eglGetProcAddress("eglExportDMABUFImageQueryMESA");
    export_make = (PFNEGLEXPORTDMABUFIMAGEMESAPROC)eglGetProcAddress("eglExportDMABUFImageMESA");
    texture_target =
        (PFNGLEGLIMAGETARGETTEXTURE2DOESPROC)eglGetProcAddress("glEGLImageTargetTexture2DOES");
    return display;
}

static GLuint framebuffer_of(GLuint texture)
{
    GLuint framebuffer;
    glGenFramebuffers(1, &framebuffer);
    glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, texture, 0);
    shown_need(glCheckFramebufferStatus(GL_FRAMEBUFFER) == GL_FRAMEBUFFER_COMPLETE, "complete");
    return framebuffer;
}

static unsigned seen(void)
{
    uint8_t *drawn = shown_read(WIDTH, HEIGHT);
    uint32_t h = shown_hash(drawn, (size_t)WIDTH * HEIGHT * 4);
    free(drawn);
    return h;
}

static void ends_meet(int fd, unsigned way)
{
    struct dma_buf_sync sync = {.flags = way};
    shown_need(ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync) == 0, "DMA_BUF_IOCTL_SYNC");
}

/* The memory's hash, without what lies between its rows. */
static unsigned in_memory(int fd, EGLint stride)
{
    size_t row = (size_t)WIDTH * 4, size = (size_t)stride * (HEIGHT - 1) + row;
    uint8_t *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    uint8_t *rows = malloc(row * HEIGHT);
    shown_need(map != MAP_FAILED && rows != NULL, "mmap");
    ends_meet(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ);
    for (size_t y = 0; y < HEIGHT; y++) {
        memcpy(rows + y * row, map + y * (size_t)stride, row);
    }
    ends_meet(fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ);
    uint32_t h = shown_hash(rows, row * HEIGHT);
    munmap(map, size);
    free(rows);
    return h;
}

/* --- the one that is given it --- */

struct given {
    EGLint format, stride;
};

static int given_take(int socket, struct given *given)
{
    char room[CMSG_SPACE(sizeof(int))];
    struct iovec part = {given, sizeof *given};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    int fd = -1;
    shown_need(recvmsg(socket, &message, 0) == (ssize_t)sizeof *given, "recvmsg");
    shown_need(CMSG_FIRSTHDR(&message) != NULL, "a descriptor");
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

/* Draws a picture where it is told to, 0: looks only; says what it sees. */
static void other_program(int socket)
{
    struct given given;
    int fd = given_take(socket, &given);
    EGLDisplay display = display_open();
    EGLImageKHR image = gbm_program_image(display, fd, WIDTH, HEIGHT, given.format, given.stride);
    GLuint texture;
    uint32_t picture;
    shown_need(image != EGL_NO_IMAGE_KHR, "eglCreateImageKHR");
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_2D, texture);
    texture_target(GL_TEXTURE_2D, image);
    framebuffer_of(texture);
    while (read(socket, &picture, sizeof picture) == (ssize_t)sizeof picture) {
        if (picture != 0) {
            shown_draw(picture, WIDTH, HEIGHT);
            glFinish();
        }
        unsigned answer[2] = {seen(), in_memory(fd, given.stride)};
        shown_need(write(socket, answer, sizeof answer) == (ssize_t)sizeof answer, "write");
    }
    eglTerminate(display);
}

/* --- the one that gives --- */

static const struct {
    const char *name;
    GLenum internal, format, type;
} kinds[] = {
    {"RGBA8", GL_RGBA8, GL_RGBA, GL_UNSIGNED_BYTE},
    {"RGBA", GL_RGBA, GL_RGBA, GL_UNSIGNED_BYTE},
    {"BGRA", GL_BGRA_EXT, GL_BGRA_EXT, GL_UNSIGNED_BYTE},
    {"RGB8", GL_RGB8, GL_RGB, GL_UNSIGNED_BYTE},
    {"RGB", GL_RGB, GL_RGB, GL_UNSIGNED_BYTE},
    {"RGB565", GL_RGB565, GL_RGB, GL_UNSIGNED_SHORT_5_6_5},
    {"R8", GL_R8, GL_RED, GL_UNSIGNED_BYTE},
    {"RG8", GL_RG8, GL_RG, GL_UNSIGNED_BYTE},
    {"SRGB8_ALPHA8", GL_SRGB8_ALPHA8, GL_RGBA, GL_UNSIGNED_BYTE},
    {"RGB10_A2", GL_RGB10_A2, GL_RGBA, GL_UNSIGNED_INT_2_10_10_10_REV},
    {"RGBA16F", GL_RGBA16F, GL_RGBA, GL_HALF_FLOAT},
    {"RGBA32F", GL_RGBA32F, GL_RGBA, GL_FLOAT},
    {"RGBA4", GL_RGBA4, GL_RGBA, GL_UNSIGNED_SHORT_4_4_4_4},
    {"RGB5_A1", GL_RGB5_A1, GL_RGBA, GL_UNSIGNED_SHORT_5_5_5_1},
    {"LUMINANCE", GL_LUMINANCE, GL_LUMINANCE, GL_UNSIGNED_BYTE},
    {"ALPHA", GL_ALPHA, GL_ALPHA, GL_UNSIGNED_BYTE},
    {"RGBA8UI", GL_RGBA8UI, GL_RGBA_INTEGER, GL_UNSIGNED_BYTE},
    {"DEPTH24", GL_DEPTH_COMPONENT24, GL_DEPTH_COMPONENT, GL_UNSIGNED_INT},
};

static EGLImageKHR image_of(EGLDisplay display, GLuint texture)
{
    return image_make(display, eglGetCurrentContext(), EGL_GL_TEXTURE_2D_KHR,
                      (EGLClientBuffer)(uintptr_t)texture, NULL);
}

/* What is said of a texture of each kind. */
static void kinds_print(EGLDisplay display)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        GLuint texture;
        int format = 0, planes = 0, fds[4] = {-1, -1, -1, -1};
        EGLuint64KHR modifiers[4] = {1, 1, 1, 1};
        EGLint strides[4] = {0}, offsets[4] = {-1, -1, -1, -1};
        glGenTextures(1, &texture);
        glBindTexture(GL_TEXTURE_2D, texture);
        glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
        glTexImage2D(GL_TEXTURE_2D, 0, (GLint)kinds[i].internal, WIDTH, HEIGHT, 0, kinds[i].format,
                     kinds[i].type, NULL);
        EGLImageKHR image = image_of(display, texture);
        printf("kind %s: image %d", kinds[i].name, image != EGL_NO_IMAGE_KHR);
        if (image != EGL_NO_IMAGE_KHR) {
            EGLBoolean asked = export_ask(display, image, &format, &planes, modifiers);
            printf(", asked %d: %.4s, planes %d, modifier %llx", asked, (char *)&format, planes,
                   (unsigned long long)modifiers[0]);
            EGLBoolean made = export_make(display, image, fds, strides, offsets);
            printf(", made %d: %s, offset %d, stride %d", made, fds[0] >= 0 ? "fd" : "none",
                   offsets[0], strides[0]);
            image_end(display, image);
        }
        printf(", errors %x %x\n", (unsigned)eglGetError(), glGetError());
        close(fds[0]);
        glDeleteTextures(1, &texture);
    }
}

static void given_send(int socket, int fd, struct given given)
{
    char room[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {&given, sizeof given};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    *head = (struct cmsghdr){
        .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof fd)};
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    shown_need(sendmsg(socket, &message, 0) == (ssize_t)sizeof given, "sendmsg");
}

/* What the other program says: what it sees, what is in the memory. */
static void other_print(int socket, const char *what, uint32_t picture, unsigned own)
{
    unsigned answer[2];
    shown_need(write(socket, &picture, sizeof picture) == (ssize_t)sizeof picture, "write");
    shown_need(read(socket, answer, sizeof answer) == (ssize_t)sizeof answer, "read");
    printf("%s: here %08x, there %08x, in the memory %08x\n", what, own, answer[0], answer[1]);
    fflush(stdout);
}

static void give(EGLDisplay display, int socket)
{
    struct given given = {0};
    GLuint texture;
    int fd = -1, planes = 0;
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_2D, texture);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, WIDTH, HEIGHT, 0, GL_RGBA, GL_UNSIGNED_BYTE, NULL);
    GLuint framebuffer = framebuffer_of(texture);
    shown_draw(1, WIDTH, HEIGHT);
    EGLImageKHR image = image_of(display, texture);
    shown_need(export_ask(display, image, &given.format, &planes, NULL) && planes == 1, "asking");
    glFinish();
    shown_need(export_make(display, image, &fd, &given.stride, NULL), "eglExportDMABUFImageMESA");
    given_send(socket, fd, given);
    other_print(socket, "drawn before", 0, seen());
    shown_draw(2, WIDTH, HEIGHT);
    glFinish();
    other_print(socket, "drawn after", 0, seen());
    uint32_t pixels[40 * 30];
    for (uint32_t i = 0; i < 40 * 30; i++) {
        pixels[i] = i * 2654435761u;
    }
    glTexSubImage2D(GL_TEXTURE_2D, 0, 7, 9, 40, 30, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
    glFinish();
    other_print(socket, "uploaded", 0, seen());
    other_print(socket, "drawn there", 3, 0);
    printf("seen here: %08x\n", seen());
    image_end(display, image);
    shown_draw(4, WIDTH, HEIGHT);
    glFlush();
    glFinish();
    other_print(socket, "drawn without the image", 0, seen());
    other_print(socket, "drawn there again", 5, 0);
    GLuint read = framebuffer_of(texture);
    printf("seen here: %08x\n", seen());
    shown_draw(6, WIDTH, HEIGHT);
    glFinish();
    glDeleteFramebuffers(1, &read);
    glDeleteFramebuffers(1, &framebuffer);
    glDeleteTextures(1, &texture);
    printf("kept: %08x\n", in_memory(fd, given.stride));
    close(fd);
}

int main(void)
{
    int sockets[2], status = 0;
    shown_need(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) == 0, "socketpair");
    pid_t other = fork();
    shown_need(other >= 0, "fork");
    if (other == 0) {
        close(sockets[0]);
        other_program(sockets[1]);
        return 0;
    }
    close(sockets[1]);
    EGLDisplay display = display_open();
    kinds_print(display);
    fflush(stdout);
    give(display, sockets[0]);
    close(sockets[0]);
    shown_need(waitpid(other, &status, 0) == other && status == 0, "the other program");
    eglTerminate(display);
    return 0;
}
