"""What lies over the panes: help, a message in full, everyone heard of, and questions."""
