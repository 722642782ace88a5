#version 450
/* Which image: by the draw. The indices are constants, which every driver can. */
layout(location = 0) in vec4 shade;
layout(location = 0) out vec4 pixel;
layout(set = 0, binding = 0) uniform sampler2D images[16];
layout(push_constant) uniform Push { vec4 place; vec4 tint; uint index; int shift; } push;

#define FOUR(i)                                                                                    \
    case i: pixel = texture(images[i], shade.xy); break;                                           \
    case i + 1: pixel = texture(images[i + 1], shade.xy); break;                                   \
    case i + 2: pixel = texture(images[i + 2], shade.xy); break;                                   \
    case i + 3: pixel = texture(images[i + 3], shade.xy); break;

void main()
{
    pixel = vec4(1.0);
    switch (int(push.index)) {
        FOUR(0)
        FOUR(4)
        FOUR(8)
        FOUR(12)
    }
    pixel *= push.tint;
}
