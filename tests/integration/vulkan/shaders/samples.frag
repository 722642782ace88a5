#version 450
/* Shaded per sample: each has a shade of its own. */
layout(location = 0) in vec4 shade;
layout(location = 0) out vec4 pixel;

void main()
{
    pixel = vec4(shade.rgb * (float(gl_SampleID) + 1.0) / 4.0, shade.a);
}
