"""What leaves the terminal: messages, history and overlay in formats that other programs read."""
