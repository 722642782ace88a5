"""Sluice's code generator: spec tables and policy -> IR -> check -> plan -> emitters. Standard
library only."""
