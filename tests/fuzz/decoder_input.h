/* What a decoder's fuzzer eats: a row of packets, each {u16 command, u16 length, length bytes of
 * body}, little-endian. `command`: the low bits are the command's index in its API, modulo its
 * commands; the top three choose what it is. */
#ifndef DECODER_INPUT_H
#define DECODER_INPUT_H

#include <stdint.h>

enum {
    DECODER_HEADER_SIZE = 4,
    DECODER_BODY_MAX = 4096, /* a length counts modulo this */
    DECODER_INDEX_MASK = 0x1fff,
    DECODER_RAW = 6, /* the body is the packet's bytes as they are, header included */
    DECODER_RC = 7,  /* a packet of renderControl: objects come and go; any other: of the API */
};

static inline uint32_t decoder_kind(uint16_t command)
{
    return command >> 13;
}

#endif
