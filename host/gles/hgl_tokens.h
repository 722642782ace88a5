/* The words and signs of a shader's text as its compiler meets them: comments, joined lines, macros
 * and conditions are gone, and what was in a line is in that line. */
#ifndef HOST_HGL_TOKENS_H
#define HOST_HGL_TOKENS_H

#include "transport/base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hgl_token_kind {
    HGL_TOKEN_END,
    HGL_TOKEN_NUMBER,
    HGL_TOKEN_WORD,
    HGL_TOKEN_SIGN,
    HGL_TOKEN_DIRECTIVE /* a whole line that is the compiler's: #version, #extension, #error.. */
};

struct hgl_token {
    const char *p; /* of hgl_tokens.text, or static */
    uint32_t size; /* bytes */
    uint32_t line; /* from 0; never less than that of the one before, but behind macros */
    uint32_t at;   /* of a line of the compiler's: the token in front of which it stands */
    uint8_t kind;  /* enum hgl_token_kind */
    bool is_final; /* no macro's name, whatever it says */
};

struct hgl_tokens {
    struct hgl_token *all; /* the last one is HGL_TOKEN_END */
    size_t count;          /* without it */
    size_t room;
    char *text; /* owned: without comments and joins */
};

/* A shader's. What is a line of the compiler's is none of its words: it may stand anywhere. */
struct hgl_text {
    struct hgl_tokens tokens;
    struct hgl_tokens lines; /* HGL_TOKEN_DIRECTIVE alone */
};

/* Most tokens that are looked at, each time that they are; a long one is several. */
#define HGL_TOKENS_WORK (1u << 21)

/* extensions: names with spaces between, those that begin with GL_ are macros; borrowed for the
 * call. Any thread. SL_OK: out is the caller's to finish. UNSUPPORTED: *why says in static text
 * what is not understood; NOMEM: no memory. */
enum sl_result hgl_tokens_read(const char *text, size_t size, const char *extensions,
                               struct hgl_text *out, const char **why);
void hgl_text_finish(struct hgl_text *text);

/* hgl_lex.c. False: no memory. */
bool hgl_tokens_add(struct hgl_tokens *tokens, const struct hgl_token *token);
void hgl_tokens_finish(struct hgl_tokens *tokens);
bool hgl_token_is(const struct hgl_token *token, const char *text);
/* The text without comments and joined lines, whose ends come behind the line. NULL: no memory, or
 * a comment that begins in a line where Mesa sees none (`#pragma x`) goes on behind it; *why says
 * of what there is too much, in static text. The caller's (sl_free). */
char *hgl_text_clean(const char *text, size_t size, size_t *out_size, const char **why);
/* The token at *p, behind spaces, on that line or END at its end; *p moves behind it. */
struct hgl_token hgl_lex(const char **p, const char *end);

/* Not so: what would have a meaning of its own to the next preprocessor (#, a backslash). */
bool hgl_is_of_language(const struct hgl_token *token);
/* A name behind a # whose line is the compiler's. No others: Mesa reads `#definex y`. */
bool hgl_is_handed_on(const struct hgl_token *name);

/* hgl_condition.c: the value of what stands behind #if, macros expanded, `defined` replaced. False:
 * it is none that is understood. */
bool hgl_condition(const struct hgl_tokens *line, bool *value);

#endif
