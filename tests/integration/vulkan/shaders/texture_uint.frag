#version 450
layout(location = 0) in vec2 place;
layout(location = 0) out vec4 pixel;
layout(set = 0, binding = 0) uniform usampler2D image;

void main()
{
    pixel = vec4(texture(image, place) & 255u) / 255.0;
}
