"""The panes and bars of the terminal, one a file."""
