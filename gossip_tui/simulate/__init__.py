"""``gossip-tui simulate``: a large network without a socket, measured cycle by cycle."""
