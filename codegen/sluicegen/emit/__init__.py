"""Emitters: one a kind of artefact. They walk plans and know C; layout is the plan's."""
