#include "tools/sluice/calls.h"
#include "tools/plan/text.h"
#include "tools/sluice/json.h"
#include "tools/sluice/names.h"
#include "transport/base/bytes.h"
#include "transport/base/mem.h"
#include "wire/vk_kinds.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>

#define VALUES_MAX 40u
#define MADE_MAX   16u

const char *call_name(uint32_t opcode)
{
    return schema_find(NULL, opcode).name;
}

static void print_styled(const struct schema *schema, const struct plan_style *style,
                         uint32_t opcode, const void *packet, size_t size, const void *reply,
                         size_t reply_size, FILE *out)
{
    struct schema_command command = schema_find(schema, opcode);
    if (command.plan != NULL) {
        plan_print(command.plan, style, packet, size, reply, reply_size, out);
    } else if (command.vk != NULL) {
        vk_plan_print(command.vk, style, packet, size, reply, reply_size, out);
    } else if (command.name != NULL) {
        fprintf(out, "%s: %zu bytes", command.name, size);
    } else {
        fprintf(out, "opcode %" PRIu32 ": %zu bytes", opcode, size);
    }
}

void call_print_packet(uint32_t opcode, const void *packet, size_t size, const void *reply,
                       size_t reply_size, FILE *out)
{
    print_styled(NULL, NULL, opcode, packet, size, reply, reply_size, out);
}

/* --- handles --- */

/* Kinds of renderControl's objects, above Vulkan's. */
enum { KIND_CONTEXT = 200, KIND_SURFACE, KIND_COLORBUFFER, KIND_IMAGE, KIND_SYNC, KIND_BUFFER };

struct calls {
    enum calls_format format;
    bool plain;
    FILE *out;
    const struct schema *schema; /* NULL: this build's */
    struct names *names;
    bool seeks, is_unsure;
    uint64_t last_stamp; /* of the call that was printed last; UINT64_MAX: none was */
    bool is_again;       /* it is the one that is being printed: its handles have their numbers */
    uint32_t ctx_id;
    const char *command; /* of the call that is being printed */
    struct {
        uint32_t kind;
        uint64_t id;
    } made[MADE_MAX]; /* handles that the guest chose, which no reply tells */
    uint32_t made_count;
    /* A call's values, one behind the other in a buffer. */
    FILE *text;
    char *buffer;
    size_t size;
    struct {
        const char *name;
        size_t begin;
    } values[VALUES_MAX];
    uint32_t value_count;
};

static void print_numbered(FILE *out, const char *kind, uint64_t number)
{
    fputs(kind, out);
    fputc('#', out);
    plan_text_decimal(out, number);
}

static void print_kind(FILE *out, uint32_t kind, uint32_t number)
{
    const char *name = vk_kind_name(kind);
    name = strncmp(name, "Vk", 2) == 0 ? name + 2 : name;
    fputc(tolower((unsigned char)name[0]), out);
    print_numbered(out, name + 1, number);
}

static uint32_t number_of(struct calls *calls, uint32_t kind, uint64_t id, bool is_new)
{
    calls->is_unsure = calls->is_unsure || calls->seeks;
    return names_number(calls->names, calls->ctx_id, kind, id, is_new && !calls->is_again);
}

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static void on_handle(void *user, uint32_t kind, uint64_t id, bool made, FILE *out)
{
    struct calls *calls = user;
    if (out == NULL) {
        if (made && id != 0 && calls->made_count < MADE_MAX) {
            calls->made[calls->made_count].kind = kind;
            calls->made[calls->made_count++].id = id;
        }
        return;
    }
    if (id == 0) {
        fputs("NULL", out);
    } else if (calls->plain) {
        plan_text_hex(out, id);
    } else {
        /* What is asked for again has its number already. */
        bool is_new =
            made && (starts(calls->command, "vkCreate") || starts(calls->command, "vkAllocate"));
        print_kind(out, kind, number_of(calls, kind, id, is_new));
    }
}

/* What a parameter of renderControl names. NULL: nothing. */
static const char *rc_kind(const char *name, uint32_t *kind)
{
    static const struct {
        const char *name, *shown;
        uint32_t kind;
    } kinds[] = {{"context", "context", KIND_CONTEXT},
                 {"share", "context", KIND_CONTEXT},
                 {"drawSurf", "surface", KIND_SURFACE},
                 {"readSurf", "surface", KIND_SURFACE},
                 {"windowSurface", "surface", KIND_SURFACE},
                 {"colorbuffer", "colorbuffer", KIND_COLORBUFFER},
                 {"colorBuffer", "colorbuffer", KIND_COLORBUFFER},
                 {"image", "image", KIND_IMAGE},
                 {"sync", "sync", KIND_SYNC},
                 {"rcCreateContext", "context", KIND_CONTEXT},
                 {"rcCreateWindowSurface", "surface", KIND_SURFACE},
                 {"rcCreateColorBuffer", "colorbuffer", KIND_COLORBUFFER},
                 {"rcCreateClientImage", "image", KIND_IMAGE},
                 {"slCreateSurface", "surface", KIND_SURFACE},
                 {"slCreateImage", "image", KIND_IMAGE}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            *kind = kinds[i].kind;
            return kinds[i].shown;
        }
    }
    return NULL;
}

/* GL's names are the program's own numbers, the same in every run. */
static const char *gl_kind(const struct plan_field *field)
{
    static const char *const kinds[] = {"texture",     "buffer",  "program", "shader",
                                        "framebuffer", "sampler", "query",   "renderbuffer",
                                        "vertexArray", "pipeline"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(field->name, kinds[i]) == 0 && strcmp(field->c_type, "GLuint") == 0) {
            return kinds[i];
        }
    }
    return NULL;
}

static bool on_scalar(void *user, const struct plan_command *command,
                      const struct plan_field *field, uint64_t bits, FILE *out)
{
    struct calls *calls = user;
    uint32_t kind = 0;
    if (calls->plain || bits == 0) {
        return false;
    }
    if (starts(command->name, "rc") || starts(command->name, "slCreate")) {
        const char *shown = rc_kind(field != NULL ? field->name : command->name, &kind);
        if (shown != NULL) {
            print_numbered(out, shown, number_of(calls, kind, bits, field == NULL));
        }
        return shown != NULL;
    }
    const char *shown = field != NULL                                   ? gl_kind(field)
                        : strcmp(command->name, "glCreateShader") == 0  ? "shader"
                        : strcmp(command->name, "glCreateProgram") == 0 ? "program"
                                                                        : NULL;
    if (shown != NULL) {
        print_numbered(out, shown, bits);
    }
    return shown != NULL;
}

static void on_value(void *user, const char *name, FILE *out)
{
    struct calls *calls = user;
    if (calls->value_count < VALUES_MAX) {
        calls->values[calls->value_count].name = name;
        calls->values[calls->value_count++].begin = (size_t)ftello(out);
    }
}

/* --- one event's values or text --- */

static void print_made(struct calls *calls, FILE *out)
{
    bool is_new = starts(calls->command, "vkCreate") || starts(calls->command, "vkAllocate");
    for (uint32_t i = 0; i < calls->made_count; i++) {
        fputs(i != 0 ? ", " : "", out);
        if (calls->plain) {
            plan_text_hex(out, calls->made[i].id);
        } else {
            print_kind(out, calls->made[i].kind,
                       number_of(calls, calls->made[i].kind, calls->made[i].id, is_new));
        }
    }
}

static void print_call(struct calls *calls, const struct cap_event_call *call, bool split,
                       FILE *out)
{
    const struct plan_style style = {
        .user = calls, .value = split ? on_value : NULL, .scalar = on_scalar, .handle = on_handle};
    uint32_t opcode = sl_load_u32(call->packet);
    calls->ctx_id = call->ctx_id;
    const char *name = schema_find(calls->schema, opcode).name;
    calls->command = name != NULL ? name : "";
    calls->made_count = 0;
    uint32_t sum = call->has_sum && call->size >= 16 ? 8 : 0;
    print_styled(calls->schema, &style, opcode, call->packet, call->size - sum, call->reply,
                 call->reply_size, out);
    if (calls->made_count != 0 && !call->has_reply) {
        if (split) {
            on_value(calls, NULL, out);
        } else {
            fputs(" -> ", out);
        }
        print_made(calls, out);
    }
    if (call->is_refused && !split) {
        fputs(" (refused)", out);
    }
    if (call->is_lost && !split) {
        fputs(" (it broke the protocol: the stream is over)", out);
    }
}

/* A verb's struct, by its members. */
static void print_verb(const struct cap_event_verb *verb, FILE *out)
{
    static const struct {
        const char *name;
        const char *members; /* each u32 but those with a +, u64; - is left out */
    } verbs[256] = {
        [CAP_VERB_CTX_CREATE] = {"ctx_create", "context capset"},
        [CAP_VERB_CTX_DESTROY] = {"ctx_destroy", "context -"},
        [CAP_VERB_CTX_ATTACH] = {"ctx_attach", "context resource"},
        [CAP_VERB_CTX_DETACH] = {"ctx_detach", "context resource"},
        [CAP_VERB_SUBMIT] = {"submit", "context size"},
        [CAP_VERB_TEX_CREATE] = {"tex_create", "resource target format bind width height depth "
                                               "array_size last_level samples flags -"},
        [CAP_VERB_BLOB_CREATE] = {"blob_create",
                                  "context resource mem flags +size +blob_id +backing"},
        [CAP_VERB_RES_IMPORT] = {"res_import", "resource - +size"},
        [CAP_VERB_RES_DESTROY] = {"res_destroy", "resource - +-"},
        [CAP_VERB_BACKING_ATTACH] = {"backing_attach", "resource - +size"},
        [CAP_VERB_BACKING_DETACH] = {"backing_detach", "resource - +-"},
        [CAP_VERB_TRANSFER] = {"transfer", "context resource x y z width height depth +offset "
                                           "level stride layer_stride direction"},
        [CAP_VERB_RES_MAP] = {"res_map", "resource - +-"},
        [CAP_VERB_RES_UNMAP] = {"res_unmap", "resource - +-"},
        [CAP_VERB_RES_EXPORT] = {"res_export", "resource - +-"},
        [CAP_VERB_FENCE] = {"fence", "context ring +id"},
        [CAP_VERB_SCANOUT_SET] = {"scanout_set", "scanout resource x y width height format "
                                                 "image_width image_height stride +offset"},
        [CAP_VERB_FLUSH] = {"flush", "resource x y z width height depth -"},
        [CAP_VERB_CURSOR_SET] = {"cursor_set", "scanout resource x y hot_x hot_y move -"},
        [CAP_VERB_RESET] = {"reset", ""},
        [CAP_VERB_FENCE_DONE] = {"fence_done", "context ring +id"},
        [CAP_VERB_CTX_LOST] = {"ctx_lost", "context -"},
        [CAP_VERB_STREAM_BEGIN] = {"stream_begin", "stream context ring capset preamble -"},
        [CAP_VERB_STREAM_END] = {"stream_end", "stream context ring capset preamble -"},
    };
    const char *name = verbs[verb->verb & 0xff].name;
    fprintf(out, name != NULL ? "%s(" : "verb %s(", name != NULL ? name : "");
    struct sl_reader body = sl_reader_over(verb->body, verb->size);
    const char *between = "";
    for (const char *m = name != NULL ? verbs[verb->verb & 0xff].members : ""; *m != '\0';) {
        size_t size = strcspn(m, " ");
        bool wide = *m == '+';
        uint64_t value = wide ? sl_reader_u64(&body) : sl_reader_u32(&body);
        m += wide;
        size -= wide;
        if (*m != '-' && !body.failed) {
            fprintf(out, "%s%.*s = %" PRIu64, between, (int)size, m, value);
            between = ", ";
        }
        m += size + (m[size] == ' ');
    }
    size_t rest = (size_t)(body.end - body.cur);
    bool is_text = verb->verb == CAP_VERB_CTX_CREATE || verb->verb == CAP_VERB_CTX_LOST;
    if (is_text && rest != 0) {
        fprintf(out, "%s\"%.*s\"", between, (int)rest, (const char *)body.cur);
    }
    fputc(')', out);
    if (verb->has_result) {
        fprintf(out, " -> %s", sl_result_name((enum sl_result)verb->result));
    }
}

static void print_event(struct calls *calls, const struct cap_event *event, bool split, FILE *out)
{
    const struct cap_frame *f = &event->frame;
    switch (event->kind) {
    case CAP_EVENT_CALL:
        calls->is_again = event->stamp == calls->last_stamp;
        calls->last_stamp = event->stamp;
        print_call(calls, &event->call, split, out);
        break;
    case CAP_EVENT_VERB:
        print_verb(&event->verb, out);
        break;
    case CAP_EVENT_MEMORY:
        fprintf(out, "memory(resource = %" PRIu32 ", pieces = %" PRIu64 ")",
                event->memory.resource_id, event->memory.pieces);
        break;
    case CAP_EVENT_TEXT:
        fprintf(out, "text(\"%.*s\")", (int)event->text.size, (const char *)event->text.text);
        break;
    case CAP_EVENT_FRAME:
        fprintf(out, "frame(surface = %" PRIu32 ", width = %" PRIu32 ", height = %" PRIu32,
                f->surface, f->width_px, f->height_px);
        if ((f->flags & CAP_FRAME_HASH) != 0) {
            fprintf(out, ", hash = %016" PRIx64 "%016" PRIx64, f->hash[1], f->hash[0]);
        }
        fputc(')', out);
        break;
    }
}

static const char *event_name(const struct calls *calls, const struct cap_event *event)
{
    static const char *const names[] = {"memory", "text", "verb", "call", "frame"};
    return event->kind == CAP_EVENT_CALL && calls->command[0] != '\0' ? calls->command
                                                                      : names[event->kind];
}

/* --- lines --- */

struct calls *calls_create(enum calls_format format, bool plain, FILE *out)
{
    struct calls *calls = sl_alloc(sizeof *calls);
    if (calls == NULL) {
        return NULL;
    }
    *calls = (struct calls){
        .format = format, .plain = plain, .out = out, .last_stamp = UINT64_MAX, .command = ""};
    calls->names = names_create();
    calls->text = open_memstream(&calls->buffer, &calls->size);
    if (calls->text != NULL) {
        __fsetlocking(calls->text, FSETLOCKING_BYCALLER); /* one thread prints */
    }
    if (calls->names == NULL || calls->text == NULL) {
        calls_destroy(calls);
        return NULL;
    }
    return calls;
}

void calls_destroy(struct calls *calls)
{
    if (calls == NULL) {
        return;
    }
    if (calls->text != NULL) {
        fclose(calls->text);
    }
    free(calls->buffer);
    names_destroy(calls->names);
    sl_free(calls);
}

void calls_set_seeking(struct calls *calls)
{
    calls->seeks = true;
}

bool calls_is_unsure(const struct calls *calls)
{
    return calls->is_unsure;
}

void calls_set_schema(struct calls *calls, const struct schema *schema)
{
    calls->schema = schema;
}

/* Prints into the buffer; a zero ends it. */
static void collect(struct calls *calls, const struct cap_event *event, bool split)
{
    rewind(calls->text);
    calls->value_count = 0;
    print_event(calls, event, split, calls->text);
    fputc('\0', calls->text);
    fflush(calls->text);
}

const char *calls_text(struct calls *calls, const struct cap_event *event)
{
    collect(calls, event, false);
    return calls->buffer;
}

void calls_begin(struct calls *calls)
{
    if (calls->format == CALLS_CSV) {
        fputs("call,context,stream,frame,time_ns,name,arguments,result\n", calls->out);
    }
}

/* Value i's text; ends with a zero, which takes the place of what follows: from the last to the
 * first. */
static size_t value_end(const struct calls *calls, uint32_t i)
{
    return i + 1 < calls->value_count ? calls->values[i + 1].begin : calls->size - 1;
}

static void json_piece(struct calls *calls, uint32_t i)
{
    char *end = calls->buffer + value_end(calls, i);
    char kept = *end;
    *end = '\0';
    json_text(calls->out, calls->buffer + calls->values[i].begin);
    *end = kept;
}

static void json_number(FILE *out, const char *before, uint64_t number)
{
    fputs(before, out);
    plan_text_decimal(out, number);
}

static void give_json(struct calls *calls, const struct cap_event *event, uint64_t frame)
{
    FILE *out = calls->out;
    uint32_t ctx_id = event->kind == CAP_EVENT_CALL ? event->call.ctx_id : 0;
    collect(calls, event, true);
    json_number(out, "{\"schema\": 1, \"call\": ", event->stamp);
    json_number(out, ", \"context\": ", ctx_id);
    json_number(out, ", \"stream\": ", event->stream);
    json_number(out, ", \"frame\": ", frame);
    json_number(out, ", \"time_ns\": ", event->time);
    fputs(", \"name\": \"", out);
    fputs(event_name(calls, event), out);
    fputc('"', out);
    if (event->kind != CAP_EVENT_CALL) {
        fputs(", \"text\": ", out);
        json_text(out, calls->buffer);
    } else {
        fputs(", \"arguments\": {", out);
        uint32_t i = 0;
        for (; i < calls->value_count && calls->values[i].name != NULL; i++) {
            fputs(i != 0 ? ", \"" : "\"", out);
            fputs(calls->values[i].name, out);
            fputs("\": ", out);
            json_piece(calls, i);
        }
        fputc('}', out);
        if (i < calls->value_count) {
            fputs(", \"result\": ", out);
            json_piece(calls, i);
        }
        fputs(event->call.is_refused ? ", \"refused\": true" : "", out);
        fputs(event->call.is_lost ? ", \"lost\": true" : "", out);
    }
    fputs("}\n", out);
}

static void csv_text(FILE *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size && text[i] != '\0'; i++) {
        if (text[i] == '"') {
            fputc('"', out);
        }
        fputc(text[i], out);
    }
}

static void give_csv(struct calls *calls, const struct cap_event *event, uint64_t frame)
{
    FILE *out = calls->out;
    uint32_t ctx_id = event->kind == CAP_EVENT_CALL ? event->call.ctx_id : 0;
    collect(calls, event, true);
    fprintf(out, "%" PRIu64 ",%" PRIu32 ",%" PRIu32 ",%" PRIu64 ",%" PRIu64 ",%s,\"", event->stamp,
            ctx_id, event->stream, frame, event->time, event_name(calls, event));
    uint32_t i = 0;
    if (event->kind != CAP_EVENT_CALL) {
        csv_text(out, calls->buffer, calls->size);
    }
    for (; i < calls->value_count && calls->values[i].name != NULL; i++) {
        fprintf(out, "%s%s = ", i != 0 ? ", " : "", calls->values[i].name);
        csv_text(out, calls->buffer + calls->values[i].begin,
                 value_end(calls, i) - calls->values[i].begin);
    }
    fputs("\",\"", out);
    if (i < calls->value_count) {
        csv_text(out, calls->buffer + calls->values[i].begin,
                 value_end(calls, i) - calls->values[i].begin);
    }
    fputs("\"\n", out);
}

/* Whether a call may give an object its number: renderControl's colour buffers are resources, which
 * no call makes, and get theirs where they are named first. */
static bool may_make(const char *name)
{
    static const char *const makers[] = {"rc",         "slCreate",    "vkCreate",
                                         "vkAllocate", "vkEnumerate", "vkGet"};
    for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++) {
        if (starts(name, makers[i])) {
            return true;
        }
    }
    return false;
}

/* Objects that are made get their numbers also where nothing is shown. */
static void learn(struct calls *calls, const struct cap_event *event)
{
    uint32_t opcode = sl_load_u32(event->call.packet);
    const char *name = schema_find(calls->schema, opcode).name;
    if (name != NULL && !calls->plain && may_make(name)) {
        rewind(calls->text);
        print_event(calls, event, false, calls->text);
    }
}

void calls_give(struct calls *calls, const struct cap_event *event, uint64_t frame, bool show)
{
    if (!show) {
        if (event->kind == CAP_EVENT_CALL) {
            learn(calls, event);
        }
        return;
    }
    if (calls->format == CALLS_JSONL) {
        give_json(calls, event, frame);
        return;
    }
    if (calls->format == CALLS_CSV) {
        give_csv(calls, event, frame);
        return;
    }
    plan_text_decimal(calls->out, event->stamp);
    fputc(' ', calls->out);
    plan_text_decimal(calls->out, event->kind == CAP_EVENT_CALL ? event->call.ctx_id : 0);
    fputc('.', calls->out);
    plan_text_decimal(calls->out, event->stream);
    fputc(' ', calls->out);
    plan_text_decimal(calls->out, frame);
    fputc(' ', calls->out);
    print_event(calls, event, false, calls->out);
    fputc('\n', calls->out);
}
