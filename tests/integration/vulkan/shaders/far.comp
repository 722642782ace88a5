#version 450
/* What the groups share, written far outside of it. */
layout(local_size_x = 1) in;
layout(std430, binding = 0) buffer Result { uint value[]; };
layout(push_constant) uniform Push { uint far; };
shared uint room[4];
void main()
{
    room[gl_WorkGroupID.x * far] = 7u;
    barrier();
    value[0] = room[(gl_WorkGroupID.x + 1u) * far];
}
