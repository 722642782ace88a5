#version 450
layout(local_size_x_id = 0, local_size_y_id = 1) in;
layout(constant_id = 2) const uint SEED = 1u;
layout(set = 0, binding = 0) buffer Output { uint values[]; } result;
shared uint places[gl_WorkGroupSize.x * gl_WorkGroupSize.y];

void main()
{
    uint width = gl_NumWorkGroups.x * gl_WorkGroupSize.x;
    uint index = gl_GlobalInvocationID.y * width + gl_GlobalInvocationID.x;
    places[gl_LocalInvocationIndex] = index * SEED;
    barrier();
    uint size = gl_WorkGroupSize.x * gl_WorkGroupSize.y;
    result.values[index] = places[size - 1u - gl_LocalInvocationIndex] + size;
}
