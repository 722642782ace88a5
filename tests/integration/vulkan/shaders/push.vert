#version 450
layout(location = 0) out vec4 shade;
layout(push_constant) uniform Push { vec4 place; vec4 tint; } push;

void main()
{
    vec2 corner = vec2(gl_VertexIndex & 1, gl_VertexIndex >> 1);
    shade = vec4(corner, 0.5, 1.0);
    gl_Position = vec4(mix(push.place.xy, push.place.zw, corner), 0.5, 1.0);
}
