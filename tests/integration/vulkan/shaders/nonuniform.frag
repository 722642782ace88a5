#version 450
#extension GL_EXT_nonuniform_qualifier : require
/* Which image: by the pixel. */
layout(location = 0) in vec2 place;
layout(location = 0) out vec4 pixel;
layout(set = 0, binding = 0) uniform sampler2D images[];

void main()
{
    uint index = (uint(gl_FragCoord.x) / 8u + uint(gl_FragCoord.y) / 8u) % 8u;
    pixel = texture(images[nonuniformEXT(index)], place);
}
