#version 450
/* The colour's alpha is the depth. */
layout(location = 0) in vec2 position;
layout(location = 1) in vec4 colour;
layout(location = 0) out vec4 shade;

void main()
{
    shade = vec4(colour.rgb, 1.0);
    gl_Position = vec4(position, colour.a, 1.0);
}
