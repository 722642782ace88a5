#version 450
/* Each function calls the one before twice: compilers put them all into one another. */
layout(local_size_x = 1) in;
layout(std430, binding = 0) buffer Result { uint value[]; };
uint f0(uint x) { return x * value[x & 3u] + 1u; }
uint f1(uint x) { return f0(x + 1u) ^ f0(x * 3u); }
uint f2(uint x) { return f1(x + 1u) ^ f1(x * 3u); }
uint f3(uint x) { return f2(x + 1u) ^ f2(x * 3u); }
uint f4(uint x) { return f3(x + 1u) ^ f3(x * 3u); }
uint f5(uint x) { return f4(x + 1u) ^ f4(x * 3u); }
uint f6(uint x) { return f5(x + 1u) ^ f5(x * 3u); }
uint f7(uint x) { return f6(x + 1u) ^ f6(x * 3u); }
uint f8(uint x) { return f7(x + 1u) ^ f7(x * 3u); }
uint f9(uint x) { return f8(x + 1u) ^ f8(x * 3u); }
uint f10(uint x) { return f9(x + 1u) ^ f9(x * 3u); }
uint f11(uint x) { return f10(x + 1u) ^ f10(x * 3u); }
uint f12(uint x) { return f11(x + 1u) ^ f11(x * 3u); }
uint f13(uint x) { return f12(x + 1u) ^ f12(x * 3u); }
uint f14(uint x) { return f13(x + 1u) ^ f13(x * 3u); }
uint f15(uint x) { return f14(x + 1u) ^ f14(x * 3u); }
uint f16(uint x) { return f15(x + 1u) ^ f15(x * 3u); }
uint f17(uint x) { return f16(x + 1u) ^ f16(x * 3u); }
uint f18(uint x) { return f17(x + 1u) ^ f17(x * 3u); }
uint f19(uint x) { return f18(x + 1u) ^ f18(x * 3u); }
uint f20(uint x) { return f19(x + 1u) ^ f19(x * 3u); }
uint f21(uint x) { return f20(x + 1u) ^ f20(x * 3u); }
uint f22(uint x) { return f21(x + 1u) ^ f21(x * 3u); }
uint f23(uint x) { return f22(x + 1u) ^ f22(x * 3u); }
uint f24(uint x) { return f23(x + 1u) ^ f23(x * 3u); }
uint f25(uint x) { return f24(x + 1u) ^ f24(x * 3u); }
uint f26(uint x) { return f25(x + 1u) ^ f25(x * 3u); }
uint f27(uint x) { return f26(x + 1u) ^ f26(x * 3u); }
void main() { value[0] = f27(value[1]); }
