"""The measures that every node must share, so that whoever can announce a payload can also be understood."""

from __future__ import annotations

__all__ = ["CHUNKS_LIMIT", "CHUNK_SIZE", "HASH_SIZE", "PAYLOAD_MAXIMUM", "TRIAL_CHUNKS"]

CHUNK_SIZE = 1_024
"""Bytes of payload in a chunk; with a path of ten hashes and the largest front it takes under 1,280 bytes."""

PAYLOAD_MAXIMUM = 1 << 20
"""Bytes of the largest payload. Every node takes payloads up to here in, whatever it may send itself: one
that refused some would wait for ever for what others build on."""

CHUNKS_LIMIT = PAYLOAD_MAXIMUM // CHUNK_SIZE
"""Chunks of the largest payload."""

HASH_SIZE = 16
"""Bytes of a hash: nobody finds a second payload for one in 2^128 attempts, nor two of one in 2^64."""

TRIAL_CHUNKS = 4
"""Chunks asked for, one of each holder, before room is reserved for all: who announces what does not exist
occupies nothing. Also what a holder is asked for that had nothing, or that has hardly sent anything."""
