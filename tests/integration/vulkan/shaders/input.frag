#version 450
layout(input_attachment_index = 0, set = 0, binding = 0) uniform subpassInput albedo;
layout(input_attachment_index = 1, set = 0, binding = 1) uniform subpassInput normal;
layout(location = 0) out vec4 pixel;

void main()
{
    pixel = subpassLoad(albedo) * 0.75 + subpassLoad(normal).zxyw * 0.25;
}
