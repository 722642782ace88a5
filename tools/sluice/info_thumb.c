#include "tools/sluice/info_thumb.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/picture.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace.h"
#include "host/capture/cap_seek.h"
#include "transport/base/mem.h"

#include <string.h>

static int write_it(const struct cap_payload *payload, const char *out,
                    const struct picture_rules *rules)
{
    struct cap_thumb head;
    memcpy(&head, payload->data, sizeof head);
    size_t count = (size_t)head.width_px * head.height_px;
    uint8_t *pixels = sl_alloc(count * 4);
    if (pixels == NULL) {
        say_error("no memory for the picture");
        return SLUICE_EXIT_INTERNAL;
    }
    const uint8_t *from = payload->data + sizeof head;
    for (size_t i = 0; i < count; i++) {
        memcpy(pixels + i * 4, from + i * 3, 3);
    }
    int code = picture_write(out, rules, pixels, head.width_px, head.height_px);
    sl_free(pixels);
    return code;
}

static bool is_sound(const struct cap_payload *payload)
{
    struct cap_thumb head;
    if (payload->size < sizeof head) {
        return false;
    }
    memcpy(&head, payload->data, sizeof head);
    return head.width_px >= 1 && head.width_px <= CAP_THUMB_SIDE && head.height_px >= 1 &&
           head.height_px <= CAP_THUMB_SIDE &&
           payload->size - sizeof head >= (size_t)head.width_px * head.height_px * 3;
}

int info_thumb(const char *path, struct cap_reader *reader, const char *out,
               const struct picture_rules *rules)
{
    struct cap_payload payload = {0};
    enum cap_damage_kind why = CAP_DAMAGE_RECORD;
    const struct cap_chunk *thumb = NULL;
    enum sl_result result = cap_seek_all(reader);
    result = result == SL_ERR_NOTFOUND ? cap_reader_scan(reader) : result;
    if (result != SL_OK) {
        return trace_failed(path, reader, result);
    }
    for (uint32_t i = 0; i < reader->chunk_count; i++) {
        thumb = reader->chunks[i].kind == CAP_KIND_THUM ? &reader->chunks[i] : thumb;
    }
    if (thumb == NULL) {
        say_error("%s: keeps no picture: it was trimmed, or no frame of it was recorded", path);
        return SLUICE_EXIT_MISSING;
    }
    result = cap_reader_load(reader, thumb, &payload, &why);
    int code;
    if (result == SL_OK && is_sound(&payload)) {
        code = write_it(&payload, out, rules);
    } else if (result == SL_OK || result == SL_ERR_PROTOCOL) {
        say_error("%s: its picture is damaged: %s", path, cap_damage_name(why));
        code = SLUICE_EXIT_DAMAGED;
    } else {
        code = trace_failed(path, reader, result);
    }
    cap_payload_finish(&payload);
    return code;
}
