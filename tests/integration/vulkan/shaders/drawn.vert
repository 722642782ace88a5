#version 460
layout(location = 0) in vec2 position;
layout(location = 1) in vec4 colour;
layout(location = 2) in vec2 offset;
layout(location = 0) out vec4 shade;

void main()
{
    shade = vec4(colour.rg, float(gl_DrawID & 15) / 15.0, float(gl_BaseVertex & 7) / 7.0);
    gl_Position = vec4(position * 0.25 + offset, 0.5, 1.0);
}
