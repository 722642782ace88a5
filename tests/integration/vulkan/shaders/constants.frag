#version 450
layout(constant_id = 0) const bool SWAPPED = false;
layout(constant_id = 1) const int STEPS = 1;
layout(constant_id = 2) const float GAIN = 1.0;
layout(constant_id = 7) const uint MASK = 255u;
layout(location = 0) in vec2 place;
layout(location = 0) out vec4 pixel;

void main()
{
    vec3 value = vec3(place, 0.5);
    for (int i = 0; i < STEPS; i++) {
        value = fract(value.yzx * GAIN + 0.25);
    }
    uvec3 bits = uvec3(value * 255.0) & MASK;
    pixel = vec4(SWAPPED ? bits.bgr : bits.rgb, 255.0) / 255.0;
}
