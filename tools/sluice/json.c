#include "tools/sluice/json.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes of the UTF-8 character at p, 0 when it is none. */
static size_t utf8_size(const unsigned char *p)
{
    static const struct {
        size_t size;
        uint32_t least;
        unsigned char mask, lead;
    } forms[] = {
        {1, 0, 0x80, 0}, {2, 0x80, 0xe0, 0xc0}, {3, 0x800, 0xf0, 0xe0}, {4, 0x10000, 0xf8, 0xf0}};
    for (size_t form = 0; form < 4; form++) {
        if ((p[0] & forms[form].mask) != forms[form].lead) {
            continue;
        }
        uint32_t value = p[0] & (unsigned char)~forms[form].mask;
        for (size_t i = 1; i < forms[form].size; i++) {
            if ((p[i] & 0xc0) != 0x80) {
                return 0;
            }
            value = value << 6 | (p[i] & 0x3f);
        }
        return value >= forms[form].least && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff)
                   ? forms[form].size
                   : 0;
    }
    return 0;
}

/* Bytes at p that stand in JSON's text as they are, up to its end or to one that may not. */
static size_t plain_size(const unsigned char *p)
{
    size_t size = 0;
    while (p[size] >= 0x20 && p[size] < 0x7f && p[size] != '"' && p[size] != '\\') {
        size++;
    }
    return size;
}

/* The character at p, which is not plain; returns how many bytes it has. */
static size_t put_other(FILE *out, const unsigned char *p)
{
    size_t size = utf8_size(p);
    if (size == 0) {
        fputs("\\ufffd", out);
        return 1;
    }
    if (*p == '"' || *p == '\\') {
        fputc('\\', out);
        fputc(*p, out);
    } else if (*p < 0x20 || *p == 0x7f) {
        fprintf(out, "\\u%04x", *p);
    } else {
        fwrite(p, 1, size, out);
    }
    return size;
}

void json_text(FILE *out, const char *text)
{
    if (text == NULL) {
        fputs("null", out);
        return;
    }
    fputc('"', out);
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0';) {
        size_t size = plain_size(p);
        if (size != 0) {
            fwrite(p, 1, size, out);
            p += size;
        } else {
            p += put_other(out, p);
        }
    }
    fputc('"', out);
}

/* Behind the string at p, or NULL. */
static const char *string_end(const char *p)
{
    for (p++; *p != '"'; p++) {
        p += *p == '\\' && p[1] != '\0';
        if (*p == '\0') {
            return NULL;
        }
    }
    return p + 1;
}

/* Behind the value at p, or NULL. */
static const char *value_end(const char *p)
{
    unsigned depth = 0;
    do {
        if (*p == '"') {
            p = string_end(p);
            if (p == NULL) {
                return NULL;
            }
            continue;
        }
        depth += *p == '{' || *p == '[';
        if (*p == '}' || *p == ']') {
            if (depth == 0) {
                return p;
            }
            depth--;
        }
        if (depth == 0 && *p == ',') {
            return p;
        }
        p += *p != '\0';
    } while (*p != '\0' && (depth != 0 || (*p != ',' && *p != '}' && *p != ']')));
    return *p != '\0' ? p : NULL;
}

bool json_member(const char *text, const char *name, const char **value, size_t *size)
{
    static const char spaces[] = " \t\r\n";
    const char *p = text + strspn(text, spaces);
    size_t name_size = strlen(name);
    if (*p++ != '{') {
        return false;
    }
    for (;;) {
        p += strspn(p, spaces);
        if (*p != '"') {
            return false;
        }
        const char *key = p + 1;
        p = string_end(p);
        if (p == NULL) {
            return false;
        }
        bool found = (size_t)(p - 1 - key) == name_size && memcmp(key, name, name_size) == 0;
        p += strspn(p, spaces);
        if (*p++ != ':') {
            return false;
        }
        p += strspn(p, spaces);
        const char *end = value_end(p);
        if (end == NULL) {
            return false;
        }
        if (found) {
            *value = p;
            *size = (size_t)(end - p);
            while (*size != 0 && strchr(spaces, p[*size - 1]) != NULL) {
                --*size;
            }
            return true;
        }
        p = end;
        if (*p++ != ',') {
            return false;
        }
    }
}
