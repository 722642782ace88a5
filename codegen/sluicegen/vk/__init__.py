"""Vulkan: the registry's reader, the lock, and what only Vulkan's emitters need."""
