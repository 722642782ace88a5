#version 450
layout(location = 0) in vec4 shade;
layout(location = 0) out vec4 pixel;

void main()
{
    pixel = vec4(shade.rg, float(gl_PrimitiveID & 7) / 7.0, shade.a);
}
