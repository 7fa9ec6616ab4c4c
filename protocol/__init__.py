"""Gossip-based peer sampling, epidemic spreading and causal delivery, without a server."""
