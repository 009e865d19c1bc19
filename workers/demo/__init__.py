"""The demo: the main job on an embedded forge, every part the real one."""
