"""Recordings of nodes: the file format, writing one beside a running node, reading one that anybody made."""
