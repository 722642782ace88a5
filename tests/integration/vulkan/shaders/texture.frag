#version 450
layout(location = 0) in vec2 place;
layout(location = 0) out vec4 pixel;
layout(set = 0, binding = 0) uniform sampler2D image;

void main()
{
    vec4 texel = texture(image, place * 1.5 - 0.25);
    pixel = abs(texel) / (1.0 + 0.25 * abs(texel));
}
