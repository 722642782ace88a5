#version 450
layout(location = 0) in vec4 shade;
layout(location = 0) out vec4 pixel;
layout(push_constant) uniform Push { vec4 place; vec4 tint; uint mode; int shift; } push;

void main()
{
    pixel = push.mode == 0u ? shade * push.tint
                            : vec4(push.tint.rgb + shade.rgb / float(1 << push.shift), 1.0);
}
