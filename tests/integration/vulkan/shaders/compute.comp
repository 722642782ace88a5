#version 450
/* Every output is a mix of its input, its neighbours in the group and a sum that all add to. */
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) readonly buffer Input { uint values[]; } source;
layout(set = 0, binding = 1) buffer Output { uint sum; uint values[]; } result;
layout(push_constant) uniform Push { uint count; uint rounds; } push;
shared uint group[64];

void main()
{
    uint index = gl_GlobalInvocationID.x;
    uint value = index < push.count ? source.values[index] : 0u;
    for (uint i = 0u; i < push.rounds; i++) {
        value = value * 1664525u + 1013904223u;
        value ^= value >> 15;
    }
    group[gl_LocalInvocationID.x] = value;
    barrier();
    uint next = group[(gl_LocalInvocationID.x + 1u) % 64u];
    if (index < push.count) {
        result.values[index] = value ^ (next << 1);
        atomicAdd(result.sum, value);
    }
}
