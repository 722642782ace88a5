#version 450
layout(location = 0) in vec4 shade;
layout(location = 0) out vec4 albedo;
layout(location = 1) out vec4 normal;

void main()
{
    albedo = shade;
    normal = vec4(gl_FragCoord.xy / 64.0, 1.0 - shade.x, 1.0);
}
