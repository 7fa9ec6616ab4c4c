"""Messages too large for a datagram: announced, pulled in chunks that are verified and repaired singly."""
