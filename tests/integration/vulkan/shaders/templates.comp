#version 450
layout(local_size_x = 8, local_size_y = 8) in;
layout(set = 0, binding = 0) uniform Uniforms { vec4 scale; } uniforms;
layout(set = 0, binding = 1) buffer Output { vec4 values[]; } result;
layout(set = 0, binding = 2) uniform sampler2D image;
layout(set = 0, binding = 3, rgba8) uniform image2D target;

void main()
{
    ivec2 at = ivec2(gl_GlobalInvocationID.xy);
    vec4 texel = textureLod(image, (vec2(at) + 0.5) / 64.0, 0.0) * uniforms.scale;
    result.values[at.y * 64 + at.x] = texel;
    imageStore(target, at, texel.bgra);
}
